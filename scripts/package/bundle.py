"""The MCPB bundle for Claude Desktop: the sources, a manifest, and a project file for its uv.

The host installs what the bundle needs when it starts it, so one file serves all systems.
"""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scripts.package.hosts import describe_forms, form_environment
from scripts.package.product import (
    ENTRY_POINT,
    LONG,
    ROOT,
    SHORT,
    TITLE,
    Product,
    render_json,
)

_FOLDERS = ("server", "tools", "prompts")
_FILES = (ENTRY_POINT, "README.md", "LICENSE", "PRIVACY.md", "icon.png")
# Not by a list of endings: what the code reads is there, whatever it is called.
_LEFT_OUT = {".pyc", ".pyo"}
# A pin of requirements-dev.lock, up to its hashes.
_PIN = re.compile(r"^([\w.-]+)(==[^\s;\\]+)( ; [^\\]+?)?(?= \\$|$)", re.MULTILINE)
# A zip file keeps the time of each file; a fixed one makes equal contents equal bytes.
_ZIP_TIME = (2026, 1, 1, 0, 0, 0)


def describe_bundle(product: Product) -> dict[str, Any]:
    """Return the bundle's manifest."""
    identity = product.identity
    return {
        "manifest_version": "0.4",
        "name": "archive-mcp",
        "display_name": TITLE,
        "version": product.version,
        "description": SHORT,
        "long_description": LONG,
        "author": {"name": identity.owner, "url": identity.git},
        "repository": {"type": "git", "url": identity.git},
        "homepage": identity.git,
        "documentation": identity.file_url("README.md"),
        "support": f"{identity.git}/issues",
        "icon": "icon.png",
        "server": {
            "type": "uv",
            "entry_point": ENTRY_POINT,
            "mcp_config": {
                # Claude Desktop ignores the command and hands the arguments to a uv of its own.
                "command": "uv",
                "args": ["run", "--directory", "${__dirname}", ENTRY_POINT],
                "env": form_environment(product),
            },
        },
        "tools": [
            {"name": tool["name"], "description": tool["description"]} for tool in product.tools
        ],
        "prompts_generated": True,
        "keywords": product.project["keywords"],
        "license": product.project["license"],
        "privacy_policies": [identity.file_url("PRIVACY.md")],
        "compatibility": {
            "platforms": ["darwin", "win32", "linux"],
            "runtimes": {"python": product.project["requires-python"]},
        },
        "user_config": describe_forms(product),
    }


def render_project(product: Product) -> str:
    """Return the bundle's pyproject.toml.

    The versions are pinned as constraints: a lock file would name the index of the machine that
    made it, and every user has another.
    """
    lines = [
        "[project]",
        f"name = {json.dumps(product.distribution)}",
        f"version = {json.dumps(product.version)}",
        f"requires-python = {json.dumps(product.project['requires-python'])}",
        *_render_list("dependencies", product.requirements()),
        "",
        "[tool.uv]",
        "# Run from the sources: nothing is built, and nothing but the dependencies is installed.",
        "package = false",
        "default-groups = []",
        *_render_list("constraint-dependencies", read_pins()),
    ]
    return "\n".join(lines) + "\n"


def read_pins() -> list[str]:
    """Return the versions that the tests run with, as requirements without hashes."""
    text = (ROOT / "requirements-dev.lock").read_text(encoding="utf-8")
    return ["".join(part or "" for part in match.groups()) for match in _PIN.finditer(text)]


def stage_bundle(product: Product, folder: Path) -> None:
    """Lay out in a new folder what the bundle holds."""
    shutil.rmtree(folder, ignore_errors=True)
    for path in _list_sources():
        target = folder / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    (folder / "manifest.json").write_text(render_json(describe_bundle(product)), encoding="utf-8")
    (folder / "pyproject.toml").write_text(render_project(product), encoding="utf-8")


def zip_bundle(folder: Path, target: Path) -> None:
    """Pack a folder; equal contents give equal bytes."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _ZIP_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, path.read_bytes(), compresslevel=9)


def _list_sources() -> Iterator[Path]:
    for name in _FILES:
        yield ROOT / name
    for folder in _FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and path.suffix not in _LEFT_OUT:
                yield path


def _render_list(name: str, values: list[str]) -> list[str]:
    # A JSON string is a TOML string too.
    return [f"{name} = [", *(f"    {json.dumps(value)}," for value in values), "]"]
