"""Writes what follows from the request classes: `python -m tools.surface`.

That is `tools/surface.json`, which `tools/list` serves, and the table of tools in `docs/tools.md`.
Both are committed, so that start-up imports no tool and a review sees each change of the surface.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
import sys
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import tools.archive
import tools.archive.templates
import tools.archive_mcp
import tools.archivebox
from server.tool.hosts import SEARCH_HINT
from server.tool.request import Request
from server.tool.result import drop_empty
from server.tool.schema import input_schema
from server.tool.search import write_hint

FILE = Path(__file__).with_name("surface.json")
PAGE = Path(__file__).parents[1] / "docs" / "tools.md"
# Only what is between the marks is generated: the rest of the page is written by hand.
_TABLE = re.compile(r"(?<=<!-- tools -->\n).*?(?=<!-- /tools -->)", re.DOTALL)

# The service's tools come first: those about the server itself help only once there is work.
_BACKENDS = ("archive", "archivebox", "archive_mcp")
_ORDER = (
    "workspace",
    "content",
    "creators",
    "views",
    "collections",
    "campaigns",
    "competitors",
    "operations",
    "snapshots",
    "results",
    "tags",
    "crawls",
    "insights",
    "jobs",
)
"""Toolsets in the order in which they are listed; others follow by name."""
# Named where they hold, which is seldom.
_FLAGS = ("core", "reads_too", "reads_by_call", "adds_too")


def requests() -> list[type[Request[Any, Any]]]:
    """Return every request class that declares an operation, in the order of the listing."""
    result: list[type[Request[Any, Any]]] = []
    for package in (tools.archive, tools.archivebox, tools.archive_mcp):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            members = vars(importlib.import_module(module.name)).values()
            result += filter(partial(_is_tool, module.name), members)
    # The sort is stable: within a toolset tools stay in the order in which they are written.
    return sorted(result, key=_place)


def rows() -> list[dict[str, Any]]:
    """Return what the file holds: for each tool its listing, and what the server needs to know
    without importing it."""
    return [_row(request) for request in requests()]


def templates() -> list[dict[str, Any]]:
    """Return the resource templates, as the server reads them back."""
    return [asdict(entry) for entry in tools.archive.templates.TEMPLATES]


def variables() -> dict[str, dict[str, Any]]:
    """Return what arguments of prompts may be, as the server reads it back."""
    return {name: asdict(variable) for name, variable in tools.archive.templates.VARIABLES.items()}


def render() -> str:
    """Return the text of the file."""
    content = {"tools": rows(), "templates": templates(), "variables": variables()}
    # Indented, so that a review sees a changed sentence as a changed line.
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def page() -> str:
    """Return the text of the page of tools with its table brought up to date."""
    lines = ["| tool | what it does | toolset | kind |", "|---|---|---|---|"]
    for request in requests():
        kind = request.risk + (", asks first" if request.confirmed else "")
        lines.append(
            f"| `{request.tool_name()}` | {request.title} | {request.toolset_name()} | {kind} |"
        )
    table = "\n".join(lines) + "\n"
    # A function, because backslashes in a plain replacement would be read as escapes.
    return _TABLE.sub(lambda _: table, PAGE.read_text(encoding="utf-8"))


def _write_hint(request: type[Request[Any, Any]]) -> str:
    return write_hint(request.tool_name(), request.description(), request.search_hint)


def _row(request: type[Request[Any, Any]]) -> dict[str, Any]:
    tool = {
        "name": request.tool_name(),
        "title": request.title,
        "description": request.description(),
        "inputSchema": input_schema(request),
        # Left out where there is none: MCP allows a schema, and no null.
        **drop_empty({"outputSchema": request.output_schema()}),
        "annotations": request.annotations(),
        "_meta": request.meta() | {SEARCH_HINT: _write_hint(request)},
    }
    row = {
        "tool": tool,
        "backend": request.backend,
        "toolset": request.toolset_name(),
        "operation": request.operation,
        # The server imports the class by these two when the tool is first called.
        "module": request.__module__,
        "class_name": request.__name__,
        "risk": request.risk,
    }
    flags = {name: True for name in _FLAGS if getattr(request, name)}
    return {**row, **flags}


def _is_tool(module: str, value: Any) -> bool:
    # A class that a module imports is listed by its own module only.
    if getattr(value, "__module__", None) != module or not isinstance(value, type):
        return False
    # Base classes have no operation of their own, and a subclass must not inherit one.
    return issubclass(value, Request) and "operation" in vars(value)


def _place(request: type[Request[Any, Any]]) -> tuple[int, int, str]:
    toolset = request.toolset_name()
    rank = _ORDER.index(toolset) if toolset in _ORDER else len(_ORDER)
    return _BACKENDS.index(request.backend), rank, toolset


if __name__ == "__main__":
    FILE.write_text(render(), encoding="utf-8")
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{FILE.name}: {len(rows())} tools\n")
