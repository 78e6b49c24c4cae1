"""An export of many items, at a pace that does not count: its memory, its time, and whether all is
there."""

from __future__ import annotations

import asyncio
import csv
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks.figures import Figure
from tests.support.machine.procfs import resident
from tests.support.sandboxed import PACED, SandboxProcess, sandbox_process, using
from tests.support.stdio import Json, StdioServer

ITEMS, QUICK = 100_000, 5_000
PAGE = 100
_WINDOW = 0.005
_EVERY = 0.02
_PATIENCE = 600.0


@dataclass
class Exported:
    """What an export brought: how often each id is in the file, MiB before and at most, seconds,
    bytes, requests."""

    ids: Counter[str] = field(default_factory=Counter)
    idle: float = 0.0
    peak: float = 0.0
    seconds: float = 0.0
    size: int = 0
    requests: int = 0
    leftovers: int = 0


async def measure(quick: bool) -> list[Figure]:
    """All items of a workspace with the default fields, as CSV."""
    items = QUICK if quick else ITEMS
    with (
        TemporaryDirectory() as name,
        sandbox_process(items=items, plan="enterprise", window=_WINDOW) as sandbox,
    ):
        sandbox.warm_up()
        found = await export(sandbox, Path(name))
    return [
        Figure("items missing", items - len(found.ids), goal=0),
        Figure("items written twice", found.ids.total() - len(found.ids), goal=0),
        Figure("files left behind", found.leftovers, goal=0),
        Figure("memory at most, over idle", found.peak, "MiB", found.idle, goal=30, judged="added"),
        Figure("rows a second", items / found.seconds, "", runs=1),
        Figure("size of the file", found.size / 2**20, "MiB"),
        Figure(
            f"requests for {items // PAGE} pages",
            found.requests,
            "",
            items // PAGE,
            goal=1.1,
            judged="ratio",
        ),
    ]


async def export(sandbox: SandboxProcess, folder: Path) -> Exported:
    """Export everything and read the file back."""
    found, out = Exported(), folder / "exports"
    command = (*PACED, "--window", str(_WINDOW))
    env = using(sandbox, folder, ARCHIVE_MCP_EXPORT_DIR=str(out))
    async with StdioServer.spawn(command, env=env, cwd=folder) as server:
        await server.handshake()
        await server.call_tool("archive_get_workspace", {})
        found.idle = found.peak = resident(server.pid)
        before = sandbox.stats()["requests"]
        watching = asyncio.create_task(_watch(server.pid, found))
        started = time.monotonic()
        path = await _finished(server)
        found.seconds = time.monotonic() - started
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        found.requests = sandbox.stats()["requests"] - before
    found.size = path.stat().st_size
    found.leftovers = len(list(out.iterdir())) - 1
    with path.open(encoding="utf-8-sig", newline="") as file:
        found.ids.update(row["id"] for row in csv.DictReader(file))
    return found


async def _watch(pid: int, found: Exported) -> None:
    while True:
        found.peak = max(found.peak, resident(pid))
        await asyncio.sleep(_EVERY)


async def _finished(server: StdioServer) -> Path:
    until = time.monotonic() + _PATIENCE
    job = await _told(server, "archive_start_export", {"search": {}})
    while job["state"] == "running" and time.monotonic() < until:
        job = await _told(server, "archive_mcp_get_job", {"id": job["jobId"], "wait": 20})
    if job["state"] != "done":
        raise RuntimeError(f"the export did not end: {job}")
    return Path(job["result"]["path"])


async def _told(server: StdioServer, tool: str, arguments: Json) -> Json:
    answer = await server.call_tool(tool, arguments)
    if answer["isError"]:
        raise RuntimeError(answer["content"][0]["text"])
    found: Json = answer["structuredContent"]
    return found
