"""The page of each assistant: its own words, and the facts that the code has already."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from scripts.package.clients import render_links
from scripts.package.product import SERVER, Product
from server.setup.clients import CLIENTS, Client
from server.setup.machine import Machine

FOLDER = "docs/hosts"
SETUP = ".venv/bin/archive-mcp setup"
PROGRAM = "/absolute/path/to/archive-mcp/.venv/bin/archive-mcp"
# Claude Code's rules for what only reads; tests/docs compares them with the tools.
READING = (
    "archive_get_*",
    "archive_search_*",
    "archive_compare_brands",
    "archive_summarize_performance",
    "archive_view_media",
    "archivebox_export_*",
    "archivebox_get_crawl*",
    "archivebox_get_snapshot*",
    "archivebox_list_*",
    "archivebox_read_snapshot",
    "archivebox_search*",
    "archive_mcp_call_read_tool",
    "archive_mcp_describe_tool",
    "archive_mcp_find_tools",
    "archive_mcp_get_job",
    "archive_mcp_list_jobs",
)
_WRITER = "`python -m scripts.package generate`"
_SYSTEMS = {"macOS": "darwin", "Windows": "win32", "Linux": "linux"}
_HOME = Path("/home/you")
# In the words of an assistant: the paragraph with its install link.
_LINK = "{link}"
_CLIENTS = {client.id: client for client in CLIENTS}


def list_host_pages(product: Product) -> Iterator[tuple[str, str]]:
    """Yield path and text of each assistant's page."""
    for name, words in read_words().items():
        yield f"{FOLDER}/{name}.md", _render_page(words, product)


def read_words() -> dict[str, dict[str, Any]]:
    """Return what is written by hand about each assistant, by the name of its page."""
    path = Path(__file__).with_suffix(".toml")
    return tomllib.loads(path.read_text(encoding="utf-8"))


def read_title(words: dict[str, Any]) -> str:
    """Return what people call an assistant."""
    return words.get("title") or _CLIENTS[words["client"]].title


def _render_page(words: dict[str, Any], product: Product) -> str:
    title = read_title(words)
    client = _CLIENTS.get(words.get("client", ""))
    sections = {
        "Install": _describe_install(words, client, product),
        "Check": [words["check"], 'Then ask: "Which Archive workspaces can you see?"'],
        "Allow what only reads": [words["allow"]],
        "Secrets": _describe_secret(words),
        "Update": _describe_update(words, client),
        "Remove": _describe_removal(words, client),
        "If something is wrong": [words["pitfalls"], _describe_help(client)],
    }
    parts = [f"# {title}"]
    for heading, paragraphs in sections.items():
        parts += [f"## {heading}", *(text.strip() for text in paragraphs if text.strip())]
    marks = f"<!-- {_describe_run(words, title)} -->\n<!-- Written by {_WRITER}. -->"
    text = "\n\n".join([*parts, marks]) + "\n"
    rules = [f"mcp__plugin_{SERVER}_{SERVER}__{rule}" for rule in READING]
    allowed = json.dumps({"permissions": {"allow": rules}}, indent=2)
    return text.replace("{program}", PROGRAM).replace("{allow_rules}", allowed)


def _describe_install(
    words: dict[str, Any], client: Client | None, product: Product
) -> Iterator[str]:
    is_link = words["install"] == _LINK
    yield _describe_link(read_title(words), product) if is_link else words["install"]
    if words.get("needs_uv"):
        yield (
            "It needs [uv](../troubleshooting.md#nothing-appears-in-the-assistant) on your "
            "computer."
        )
    if client:
        yield f"By the [one way that fits all](../hosts.md):\n\n```sh\n{_setup(client)}\n```"
    yield f"**By hand.** {words['by_hand'].strip()}" if "by_hand" in words else ""
    if client and not client.program:
        yield from _describe_file(client, words.get("args", []), has_words="by_hand" in words)
    yield f"**Then:** {client.restart if client else words['restart']}"


def _describe_run(words: dict[str, Any], title: str) -> str:
    """Return who runs the commands of a page, for those who change it."""
    if "run" in words:
        return f"Run by {words['run']}. Not run: macOS and Windows."
    return (
        f"Not run: {title} needs a window. `python -m scripts.package check` starts the command "
        "of its entry; what setup writes for it is tried by tests/server/setup."
    )


def _describe_link(title: str, product: Product) -> str:
    """Return the install link; while nobody publishes, the place where it is written to."""
    if product.identity.placeholders():
        return (
            "By its link, which carries no secret: `.venv/bin/python -m scripts.package bundle` "
            f"writes it into `dist/clients/links.json`, under `{title}`."
        )
    url = render_links(product)[title]
    return f"[Add it to {title}]({url}): the link carries no secret."


def _describe_file(client: Client, args: list[str], *, has_words: bool) -> Iterator[str]:
    entry = {**client.extra, "command": PROGRAM, **({"args": args} if args else {})}
    content = json.dumps({client.section: {SERVER: entry}})
    beginning = "" if has_words else "**By hand.** "
    yield f"{beginning}The entry, with your own path:\n\n```json\n{content}\n```"
    yield f"It belongs into {_list_places(client)}."


def _list_places(client: Client) -> str:
    places = {name: _find_place(client, system) for name, system in _SYSTEMS.items()}
    if len(set(places.values())) == 1:
        return f"`{places['Linux']}`"
    return ", ".join(f"`{place}` ({name})" for name, place in places.items())


def _find_place(client: Client, system: str) -> str:
    machine = Machine(_HOME, platform=system, environment={}, which=lambda _: None)
    path = PurePosixPath(client.file(machine).relative_to(_HOME).as_posix())
    return f"~/{path}"


def _describe_secret(words: dict[str, Any]) -> Iterator[str]:
    yield words.get("secret", "")
    yield (
        "Where the server is started by its path it reads the token from the keychain or from "
        "`~/.env.shared`: [Secrets](../hosts.md#secrets)."
    )


def _describe_update(words: dict[str, Any], client: Client | None) -> Iterator[str]:
    yield words.get("update", "")
    if client:
        yield "A copy that you cloned: [Update](../upgrade-and-removal.md#update)."


def _describe_removal(words: dict[str, Any], client: Client | None) -> Iterator[str]:
    if client:
        yield f"What `setup` wrote:\n\n```sh\n{_setup(client, '--remove')}\n```"
    yield words.get("remove", "")


def _describe_help(client: Client | None) -> str:
    if client is None:
        return "More in [Troubleshooting](../troubleshooting.md)."
    return (
        f"`.venv/bin/archive-mcp doctor --client {client.id}` checks what it starts, with its "
        "settings. More in [Troubleshooting](../troubleshooting.md)."
    )


def _setup(client: Client, *options: str) -> str:
    return " ".join([SETUP, *options, "--client", client.id])
