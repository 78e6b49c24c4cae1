"""Servers in processes of their own that work on one job, and are killed while they do.

The sandbox runs in the test's process and counts what arrives, so that it sees what was sent twice.
"""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio

from server.jobs.sqlite import JournalFile
from server.sandbox import Sandbox
from server.sandbox.serve import open_server
from tests.support.machine.journals import unlocked
from tests.support.sandboxed import PACED, SandboxProcess, using
from tests.support.stdio import Json, ServerGone, StdioServer

_COMMAND = (*PACED, "--window", "0.1", "--lease", "0.5")
_PATIENCE_SECONDS = 60.0


@dataclass(frozen=True)
class Start:
    """A tool that starts a job, with its arguments."""

    tool: str
    arguments: Json

    def resume(self, job: str | None) -> Json:
        """Return the arguments that go on with the job; those that start it if there is none."""
        return self.arguments if job is None else {"resume": job}


@asynccontextmanager
async def serve(url: str, folder: Path) -> AsyncIterator[StdioServer]:
    """Yield a server of the sandbox at that URL, whose user agrees to everything.

    Its state and its exports are in the folder, so that the next one there goes on with its jobs.
    """

    def agree(method: str, _: Json) -> Json:
        return {"elicitation/create": {"action": "accept", "content": {"confirm": True}}}[method]

    environment = using(SandboxProcess(url), folder, ARCHIVE_MCP_EXPORT_DIR=str(folder / "exports"))
    async with StdioServer.spawn(
        _COMMAND, env=environment, cwd=folder, capabilities={"elicitation": {}}, reply=agree
    ) as server:
        await server.handshake()
        yield server


async def call(server: StdioServer, tool: str, **arguments: Any) -> Json:
    """Return the answer to a call that must succeed."""
    answer = await server.call_tool(tool, arguments)
    assert not answer["isError"], answer["content"][0]["text"]
    content: Json = answer["structuredContent"]
    return content


async def wait_for_result(server: StdioServer, job: str) -> Json:
    """Return the report of a job that has its result."""
    end = time.monotonic() + _PATIENCE_SECONDS
    report: Json = {}
    while "result" not in report:
        assert time.monotonic() < end, report
        report = await call(server, "archive_mcp_get_job", id=job, wait=20)
    return report


async def kill_again_and_again(
    sandbox: Sandbox, sends: Counter[str], folder: Path, marks: Sequence[int], start: Start
) -> Json:
    """Return the report of a job whose server was killed when so many records had been sent.

    Args:
        sends: counts what the sandbox got.
        marks: at how many sends a server is killed, in rising order.
    """
    job: str | None = None
    async with open_server(sandbox) as url:
        for mark in marks:
            async with serve(url, folder) as server, anyio.create_task_group() as tasks:
                tasks.start_soon(_go_on, server, start, job)
                await _wait_for_sends(sends, mark)
                server.signal(signal.SIGKILL)
            job = _find_job(folder)
        async with serve(url, folder) as server:
            await _go_on(server, start, job)
            return await wait_for_result(server, str(job))


async def _go_on(server: StdioServer, start: Start, job: str | None) -> None:
    """Start the job, or go on with it as soon as the lease of a killed server is over."""
    end = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            answer = await server.call_tool(start.tool, start.resume(job))
        except ServerGone:
            return
        if not answer["isError"]:
            return
        refusal = answer["content"][0]["text"]
        assert "Another server" in refusal, refusal
        assert time.monotonic() < end, refusal
        await anyio.sleep(0.1)


async def _wait_for_sends(sends: Counter[str], mark: int) -> None:
    end = time.monotonic() + _PATIENCE_SECONDS
    while sends.total() < mark:
        assert time.monotonic() < end, "it did not come so far"
        await anyio.sleep(0.002)


def _find_job(folder: Path) -> str:
    with closing(JournalFile(folder / "state")) as journal:
        (row,) = unlocked(journal.jobs)
    return row.id
