"""Imports in real server processes, killed while they upload, and two at once; the sandbox counts
in this process."""

from __future__ import annotations

import os
import random
from pathlib import Path

import anyio
import pytest

from server.sandbox.serve import open_server
from tests.support.jobs.processes import Start, call, kill_again_and_again, serve, wait_for_result
from tests.support.sandbox.uploads import Counting
from tests.support.stdio import Json, StdioServer

COUNT = 60
KILLS = 5
LINKS = [f"https://www.instagram.com/p/Process{number}a/" for number in range(COUNT)]
START = Start("archive_start_import", {"urls": LINKS, "waitMinutes": 1})

pytestmark = pytest.mark.skipif(os.name == "nt", reason="kills processes with POSIX signals")


async def test_an_import_that_is_killed_again_and_again_uploads_no_link_twice(
    tmp_path: Path,
) -> None:
    sandbox = Counting()
    marks = sorted(random.Random(5).sample(range(4, COUNT - 5), KILLS))

    report = await kill_again_and_again(sandbox, sandbox.uploads, tmp_path, marks, START)

    result = report["result"]
    arrived = {item["url"] for item in result["arrived"]}
    assert max(sandbox.uploads.values()) == 1
    assert sandbox.uploads.total() >= COUNT - KILLS * 4
    assert arrived == set(sandbox.uploads)
    assert set(result["notArrived"]) == set(LINKS) - arrived


async def test_two_imports_of_the_same_links_in_two_processes_upload_each_once(
    tmp_path: Path,
) -> None:
    sandbox = Counting()
    results: list[Json] = []

    async def run(server: StdioServer) -> None:
        job = (await call(server, START.tool, **START.arguments))["jobId"]
        results.append((await wait_for_result(server, job))["result"])

    async with (
        open_server(sandbox) as url,
        serve(url, tmp_path) as one,
        serve(url, tmp_path) as other,
        anyio.create_task_group() as both,
    ):
        both.start_soon(run, one)
        both.start_soon(run, other)

    assert sandbox.uploads == dict.fromkeys(LINKS, 1)
    counts = [result["arrivedCount"] + result["alreadyThereCount"] for result in results]
    assert counts == [COUNT, COUNT]
