"""Imports in real server processes, killed while they upload, and two at once; the sandbox counts
in this process."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import anyio
import pytest

from server.jobs.sqlite import JournalFile
from server.sandbox.serve import open_server
from tests.support.machine.journals import unlocked
from tests.support.sandbox.uploads import Counting
from tests.support.sandboxed import PACED, SandboxProcess, using
from tests.support.stdio import Json, ServerGone, StdioServer

COUNT = 60
KILLS = 5
LINKS = [f"https://www.instagram.com/p/Process{number}a/" for number in range(COUNT)]
COMMAND = (*PACED, "--window", "0.1", "--lease", "0.5")
PATIENCE = 60.0

pytestmark = pytest.mark.skipif(os.name == "nt", reason="kills processes with POSIX signals")


@asynccontextmanager
async def serving(url: str, folder: Path) -> AsyncIterator[StdioServer]:
    """A server whose user agrees to everything."""

    def agreed(method: str, _: Json) -> Json:
        return {"elicitation/create": {"action": "accept", "content": {"confirm": True}}}[method]

    environment = using(SandboxProcess(url), folder)
    async with StdioServer.spawn(
        COMMAND, env=environment, cwd=folder, capabilities={"elicitation": {}}, reply=agreed
    ) as server:
        await server.handshake()
        yield server


async def told(server: StdioServer, tool: str, **arguments: Any) -> Json:
    answer = await server.call_tool(tool, arguments)
    if answer["isError"]:
        raise AssertionError(answer["content"][0]["text"])
    found: Json = answer["structuredContent"]
    return found


async def ended(server: StdioServer, job: str) -> Json:
    """The result of a job, once it has one."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = await told(server, "archive_mcp_get_job", id=job, wait=20)
        if "result" in found:
            result: Json = found["result"]
            return result
    raise AssertionError(found)


async def test_an_import_that_is_killed_again_and_again_uploads_no_link_twice(
    tmp_path: Path,
) -> None:
    sandbox = Counting()
    marks = sorted(random.Random(5).sample(range(4, COUNT - 5), KILLS))
    job: str | None = None
    async with open_server(sandbox) as url:
        for mark in marks:
            async with serving(url, tmp_path) as server, anyio.create_task_group() as tasks:
                tasks.start_soon(_started, server, job)
                await _until(sandbox, mark)
                server.signal(signal.SIGKILL)
            job = _only_job(tmp_path)
        async with serving(url, tmp_path) as server:
            await _started(server, job)
            result = await ended(server, str(job))

    arrived = {each["url"] for each in result["arrived"]}
    assert max(sandbox.uploads.values()) == 1
    assert sum(sandbox.uploads.values()) >= COUNT - KILLS * 4
    assert arrived == set(sandbox.uploads)
    assert set(result["notArrived"]) == set(LINKS) - arrived


async def test_two_imports_of_the_same_links_in_two_processes_upload_each_once(
    tmp_path: Path,
) -> None:
    sandbox = Counting()
    results: list[Json] = []

    async def run(server: StdioServer) -> None:
        job = (await told(server, "archive_start_import", urls=LINKS, waitMinutes=1))["jobId"]
        results.append(await ended(server, job))

    async with (
        open_server(sandbox) as url,
        serving(url, tmp_path) as one,
        serving(url, tmp_path) as other,
        anyio.create_task_group() as both,
    ):
        both.start_soon(run, one)
        both.start_soon(run, other)

    assert sandbox.uploads == dict.fromkeys(LINKS, 1)
    assert [each["arrivedCount"] + each["alreadyThereCount"] for each in results] == [COUNT, COUNT]


async def _started(server: StdioServer, job: str | None) -> None:
    """Start the import or go on with it, until it ends or its server is killed."""
    given = {"urls": LINKS, "waitMinutes": 1} if job is None else {"resume": job}
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            answer = await server.call_tool("archive_start_import", given)
        except ServerGone:
            return
        if not answer["isError"]:
            return
        assert (
            "Another server" in answer["content"][0]["text"]
        )  # the lease of the one that was killed runs out
        await anyio.sleep(0.1)


async def _until(sandbox: Counting, mark: int) -> None:
    end = time.monotonic() + PATIENCE
    while sum(sandbox.uploads.values()) < mark:
        assert time.monotonic() < end, "it did not come so far"
        await anyio.sleep(0.002)


def _only_job(folder: Path) -> str:
    with closing(JournalFile(folder / "state")) as journal:
        (job,) = unlocked(journal.jobs)
    return job.id
