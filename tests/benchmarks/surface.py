"""What the list of tools takes of a model's context: name, description and input schema, which is what hosts show."""

from __future__ import annotations

import json
import math
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks.figures import Figure
from tests.support.sandboxed import LAUNCHER, clean
from tests.support.stdio import Json, StdioServer

LARGEST = "archive_search_items"

_SHOWN = ("name", "description", "inputSchema")
_BYTES_PER_TOKEN = 4
_GOAL = 4799


async def measure(quick: bool) -> list[Figure]:
    """All tools, all but the largest, and each."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        env = clean(folder) | {"ARCHIVE_APP_TOKEN": "never-sent"}
        async with StdioServer.spawn(LAUNCHER, env=env, cwd=folder) as server:
            await server.handshake()
            whole = await server.timed("tools/list")
    tools = whole.result["tools"]
    sizes = {str(tool["name"]): shown_bytes(tool) for tool in tools}
    rest = sum(sizes.values()) - sizes[LARGEST]
    return [
        Figure("tools/list on the wire", whole.size, "bytes"),
        Figure(f"{len(tools)} tools as a model sees them", sum(sizes.values()), "bytes"),
        Figure(f"{len(tools)} tools as a model sees them", tokens(sum(sizes.values())), "tokens", goal=_GOAL),
        Figure(f"the same without {LARGEST}", tokens(rest), "tokens"),
        *(Figure(name, tokens(size), "tokens") for name, size in sorted(sizes.items(), key=lambda each: -each[1])),
    ]


def shown_bytes(tool: Json) -> int:
    """Bytes of what a model is shown of a tool, as compact JSON."""
    shown = {key: tool[key] for key in _SHOWN if key in tool}
    return len(json.dumps(shown, separators=(",", ":"), ensure_ascii=False).encode())


def tokens(size: int) -> int:
    """About how many tokens so many bytes are."""
    return math.ceil(size / _BYTES_PER_TOKEN)
