"""A summary over many items, at a pace that is scaled up: its time, its requests, and whether
nothing is missing."""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks.figures import Figure
from tests.support.machine.procfs import resident
from tests.support.sandboxed import PACED, SandboxProcess, sandbox_process, using
from tests.support.stdio import Json, StdioServer

ITEMS, QUICK = 14_000, 2_000
PAGE = 100
_WINDOW = 0.1
_RATE = 5
_PATIENCE = 300.0


async def measure(quick: bool) -> list[Figure]:
    """Performance of a whole workspace, in every grouping."""
    items = QUICK if quick else ITEMS
    with (
        TemporaryDirectory() as name,
        sandbox_process(items=items, plan="enterprise", window=_WINDOW) as sandbox,
    ):
        sandbox.warm_up()
        return await _measured(sandbox, Path(name), items)


async def _measured(sandbox: SandboxProcess, folder: Path, items: int) -> list[Figure]:
    command = (*PACED, "--window", str(_WINDOW))
    async with StdioServer.spawn(command, env=using(sandbox, folder), cwd=folder) as server:
        await server.handshake()
        await server.call_tool("archive_get_workspace", {})
        idle, before = resident(server.pid), sandbox.stats()["requests"]
        started = time.monotonic()
        job = await _called(
            server,
            "archive_summarize_performance",
            {"search": {}, "by": ["platform", "type", "week", "month", "creator"]},
        )
        while (
            "jobId" in job and job["state"] == "running" and time.monotonic() - started < _PATIENCE
        ):
            job = await _called(server, "archive_mcp_get_job", {"id": job["jobId"], "wait": 20})
        seconds = time.monotonic() - started
        memory = resident(server.pid)
        stats = sandbox.stats()
    found = job.get("result", job)
    pages = items // PAGE
    return [
        Figure("items missing", items - found["items"], goal=0),
        Figure(f"seconds for {pages} pages in turn", seconds, "s", pages * _WINDOW / _RATE),
        Figure(
            f"requests for {pages} pages",
            stats["requests"] - before,
            "",
            pages,
            goal=1.1,
            judged="ratio",
        ),
        Figure("requests refused", stats["refused"], goal=0),
        Figure("memory at the end, over idle", memory, "MiB", idle, judged="added"),
    ]


async def _called(server: StdioServer, tool: str, arguments: Json) -> Json:
    answer = await server.call_tool(tool, arguments, seconds=60)
    if answer["isError"]:
        raise RuntimeError(answer["content"][0]["text"])
    found: Json = answer["structuredContent"]
    return found
