"""The engagement timelines of a thousand items at the API's true limits, against one request each
at five a second."""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory

from server.sandbox import MAIN
from tests.benchmarks.figures import Figure
from tests.support.sandboxed import LAUNCHER, SandboxProcess, sandbox_process, using
from tests.support.stdio import Json, StdioServer

ITEMS, QUICK = 1_000, 200
PER_SECOND = 5
_PATIENCE = 120.0


async def measure(quick: bool) -> list[Figure]:
    """On both plans, each with a full bucket: what limits Growth is the rate, what limits Startup
    its credits."""
    items = QUICK if quick else ITEMS
    found: list[Figure] = []
    for plan, goal in (("growth", 40.0), ("startup", None)):
        with TemporaryDirectory() as name, sandbox_process(items=items, plan=plan) as sandbox:
            sandbox.warm_up()
            sandbox.reset()
            seconds, job = await _timelines(sandbox, Path(name))
            stats = sandbox.stats()
        assert job["result"]["summary"]["items"] == items, job
        naive = items / PER_SECOND
        found += [
            Figure(f"{plan}: {items} timelines", seconds, "s", naive, goal=goal),
            Figure(f"{plan}: requests", len(stats["keys"][MAIN]["arrivals"]), "", items),
            Figure(f"{plan}: answered 429", stats["refused"], goal=0),
            Figure(f"{plan}: snapshots", job["result"]["summary"]["snapshots"]),
        ]
    return found


async def _timelines(sandbox: SandboxProcess, folder: Path) -> tuple[float, Json]:
    env = using(sandbox, folder, ARCHIVE_MCP_EXPORT_DIR=str(folder / "exports"))
    async with StdioServer.spawn(LAUNCHER, env=env, cwd=folder) as server:
        await server.handshake()
        started = time.monotonic()
        job = await _told(server, "archive_start_engagement_job", {"search": {}})
        while job["state"] == "running" and time.monotonic() - started < _PATIENCE:
            job = await _told(server, "archive_mcp_get_job", {"id": job["jobId"], "wait": 20})
        seconds = time.monotonic() - started
    if job["state"] != "done":
        raise RuntimeError(f"the timelines did not end: {job}")
    return seconds, job


async def _told(server: StdioServer, tool: str, arguments: Json) -> Json:
    answer = await server.call_tool(tool, arguments)
    if answer["isError"]:
        raise RuntimeError(answer["content"][0]["text"])
    found: Json = answer["structuredContent"]
    return found
