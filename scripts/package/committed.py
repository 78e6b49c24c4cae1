"""What is generated and committed, because hosts read it from the repository."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from scripts.package import host_pages, hosts, icon, skills
from scripts.package.product import ROOT, Product, render_json
from server.settings.table import Setting

ICON = "icon.png"
# Only what is between the marks is generated: the rest of these documents is written by hand.
_SETTINGS_TABLE = re.compile(r"(?<=<!-- settings -->\n).*?(?=<!-- /settings -->)", re.DOTALL)
_CORE_TABLE = re.compile(r"(?<=<!-- core -->\n).*?(?=<!-- /core -->)", re.DOTALL)
# PyPI shows the README; the MCP registry looks there for the name, as a proof of who publishes.
_REGISTRY_NAME = re.compile(r"<!-- mcp-name: \S+ -->")


def generate_texts(product: Product) -> dict[str, str]:
    """Return path -> text of each generated file, and of the documents with generated parts."""
    texts = {
        ".claude-plugin/plugin.json": render_json(hosts.describe_plugin(product)),
        ".claude-plugin/marketplace.json": render_json(hosts.describe_marketplace(product)),
        "gemini-extension.json": render_json(hosts.describe_extension(product)),
        "server.json": render_json(hosts.describe_registry_entry(product)),
    }
    texts.update(skills.list_skills())
    texts.update(host_pages.list_host_pages(product))
    for path in _list_documents():
        text = path.read_text(encoding="utf-8")
        if (filled := _fill_document(text, product)) != text:
            texts[path.relative_to(ROOT).as_posix()] = filled
    return texts


def find_stale(product: Product) -> list[str]:
    """Return the generated files that are missing, out of date, or no longer generated."""
    texts = generate_texts(product)
    stale = [name for name, text in texts.items() if _read(ROOT / name) != text]
    for folder in (skills.FOLDER, host_pages.FOLDER):
        leftover = [path.relative_to(ROOT).as_posix() for path in (ROOT / folder).rglob("*.md")]
        stale += [name for name in leftover if name not in texts]
    if not _has_current_icon():
        stale.append(ICON)
    return sorted(stale)


def write_stale(product: Product) -> list[str]:
    """Write what is out of date, remove what is no longer generated, and return both."""
    texts, stale = generate_texts(product), find_stale(product)
    for name in stale:
        path = ROOT / name
        if name == ICON:
            path.write_bytes(icon.draw_icon())
        elif name in texts:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(texts[name], encoding="utf-8", newline="\n")
        else:
            path.unlink()
    return stale


def render_settings(settings: tuple[Setting, ...]) -> str:
    """Return the table of settings for a document."""
    rows = "".join(
        f"| {_label(entry)} | {entry.default} | {entry.meaning} |\n" for entry in settings
    )
    return f"| variable | default | meaning |\n|---|---|---|\n{rows}"


def _render_core(product: Product) -> str:
    rows = (f"| `{tool['name']}` | {tool['title']} |\n" for tool in product.core_tools)
    return f"| tool | what it does |\n|---|---|\n{''.join(rows)}"


def _label(setting: Setting) -> str:
    names = [setting.name, setting.flag] if setting.flag else [setting.name]
    return ", ".join(f"`{name}`" for name in names)


def _list_documents() -> Iterator[Path]:
    yield ROOT / "README.md"
    yield from sorted((ROOT / "docs").rglob("*.md"))


def _fill_document(text: str, product: Product) -> str:
    name = f"<!-- mcp-name: {product.identity.server_name} -->"
    # As functions, because a replacement text would have its backslashes read.
    table = render_settings(product.settings)
    filled = _SETTINGS_TABLE.sub(lambda _: table, text)
    filled = _CORE_TABLE.sub(lambda _: _render_core(product), filled)
    return _REGISTRY_NAME.sub(lambda _: name, filled)


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _has_current_icon() -> bool:
    path = ROOT / ICON
    if not path.is_file():
        return False
    return icon.read_pixels(path.read_bytes()) == icon.read_pixels(icon.draw_icon())
