"""What the list of tools takes of a model's context: name, description and input schema, which is
what hosts show."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks.figures import Figure
from tests.support.sandboxed import LAUNCHER, clean
from tests.support.stdio import Json, StdioServer, Timed

LARGEST = "archive_search_items"

_SHOWN = ("name", "description", "inputSchema")
_BYTES_PER_TOKEN = 4


@dataclass(frozen=True)
class Listed:
    """What is listed with these settings alone, and the most tokens that it may take (0 = no goal).

    `counted`: a key of `_meta`; only tools that have it count.
    """

    name: str
    settings: Mapping[str, str]
    goal: int
    counted: str = ""


_TOKEN, _URL = {"ARCHIVE_APP_TOKEN": "never-sent"}, {"ARCHIVEBOX_URL": "http://127.0.0.1:9"}
ARCHIVE = Listed("operations of Archive", _TOKEN, 10_999, "archive-mcp/operation")
ARCHIVEBOX = Listed("endpoints of ArchiveBox", _URL, 5999, "archive-mcp/endpoint")
WORKFLOWS = Listed("workflows of both", {**_TOKEN, **_URL}, 0, "archive-mcp/workflow")
CORE = Listed("core of Archive", {**_TOKEN, "ARCHIVE_MCP_TOOLSETS": "core"}, 3299)
BOTH_CORES = Listed("core of both", {**_TOKEN, **_URL, "ARCHIVE_MCP_TOOLSETS": "core"}, 0)
DISCOVER = Listed("discover", {**_TOKEN, **_URL, "ARCHIVE_MCP_TOOLSETS": "discover"}, 899)


async def measure(quick: bool) -> list[Figure]:
    """All tools of each API, those of Archive without the largest, the presets, and each tool."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        archive, archivebox = [await _listed(each, folder) for each in (ARCHIVE, ARCHIVEBOX)]
        presets = [
            (each, await _listed(each, folder)) for each in (WORKFLOWS, CORE, BOTH_CORES, DISCOVER)
        ]
    sizes = {
        str(tool["name"]): shown_bytes(tool)
        for found in (archive, archivebox)
        for tool in found.result["tools"]
    }
    rest = sum(shown_bytes(tool) for tool in archive.result["tools"] if tool["name"] != LARGEST)
    return [
        *_whole(ARCHIVE, archive),
        Figure(f"Archive, the same without {LARGEST}", tokens(rest), "tokens"),
        *_whole(ARCHIVEBOX, archivebox),
        *(figure for listed, found in presets for figure in _whole(listed, found)),
        *(
            Figure(name, tokens(size), "tokens")
            for name, size in sorted(sizes.items(), key=lambda each: -each[1])
        ),
    ]


async def _listed(listed: Listed, folder: Path) -> Timed:
    async with StdioServer.spawn(
        LAUNCHER, env={**clean(folder), **listed.settings}, cwd=folder
    ) as server:
        await server.handshake()
        return await server.timed("tools/list")


def _whole(listed: Listed, found: Timed) -> list[Figure]:
    tools = [
        tool
        for tool in found.result["tools"]
        if not listed.counted or listed.counted in tool["_meta"]
    ]
    size = sum(shown_bytes(tool) for tool in tools)
    name = f"{listed.name}, {len(tools)} tools as a model sees them"
    return [
        Figure(f"{listed.name}, tools/list on the wire", found.size, "bytes"),
        Figure(name, size, "bytes"),
        Figure(name, tokens(size), "tokens", goal=listed.goal or None),
    ]


def shown_bytes(tool: Json) -> int:
    """Bytes of what a model is shown of a tool, as compact JSON."""
    shown = {key: tool[key] for key in _SHOWN if key in tool}
    return len(json.dumps(shown, separators=(",", ":"), ensure_ascii=False).encode())


def tokens(size: int) -> int:
    """About how many tokens so many bytes are."""
    return math.ceil(size / _BYTES_PER_TOKEN)
