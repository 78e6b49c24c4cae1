"""Reading a long list to its end, against the same number of requests at the pace that the limiter
starts with."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks.figures import Figure
from tests.support.machine.procfs import resident
from tests.support.sandboxed import LAUNCHER, SandboxProcess, sandbox_process, using
from tests.support.stdio import Json, StdioServer

ITEMS = 2000
PAGE = 100
PACE = 0.25
"""Seconds between requests before the limiter has learned anything."""

_SETTLED = 5


@dataclass
class Reading:
    """What reading a list brought: the ids in order, seconds, and MiB after each call."""

    ids: list[str] = field(default_factory=list)
    seconds: float = 0.0
    memory: list[float] = field(default_factory=list)


async def measure(quick: bool) -> list[Figure]:
    """All items of a workspace, with the default fields."""
    with TemporaryDirectory() as name, sandbox_process(items=ITEMS) as sandbox:
        found = await read_all(sandbox, Path(name))
        requests = sandbox.stats()["requests"]
    pages, different = ITEMS // PAGE, len(set(found.ids))
    ideal = (requests - 1) * PACE
    return [
        Figure("items given twice", len(found.ids) - different, goal=0),
        Figure("items missing", ITEMS - different, goal=0),
        Figure(f"requests for {pages} pages", requests, "", pages, goal=1.1, judged="ratio"),
        Figure("calls", len(found.memory)),
        Figure(
            "time, against that many requests at the pace",
            found.seconds,
            "s",
            ideal,
            goal=1.1,
            judged="ratio",
        ),
        Figure(
            "memory at the end, against early on",
            found.memory[-1],
            "MiB",
            found.memory[_SETTLED],
            judged="ratio",
        ),
    ]


async def read_all(sandbox: SandboxProcess, folder: Path, *, limit: int = 1000) -> Reading:
    """Follow `nextCursor` through all items of the main workspace."""
    found = Reading()
    async with StdioServer.spawn(LAUNCHER, env=using(sandbox, folder), cwd=folder) as server:
        await server.handshake()
        started = time.monotonic()
        arguments: Json = {"limit": limit}
        while arguments.get("after", "") is not None:
            result = (await server.call_tool("archive_search_items", arguments))[
                "structuredContent"
            ]
            found.ids += [item["id"] for item in result["nodes"]]
            found.memory.append(resident(server.pid))
            arguments["after"] = result["nextCursor"]
        found.seconds = time.monotonic() - started
    return found
