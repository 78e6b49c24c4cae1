from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from server.jobs import (
    Handle,
    JobRow,
    JobState,
    RecordState,
)
from server.jobs.sqlite import JournalFile
from server.tool.elicitation import Nobody
from tests.support.machine.journals import unlocked
from tests.support.sandboxed import LAUNCHER, PACED, SandboxProcess, sandbox_process, using
from tests.support.stdio import Json, ServerGone, StdioServer
from tests.support.tools.insights_shop import (
    Counted,
    Shop,
    known,
    shop,
)
from tools.archive.insights import base as computing

SUMMARY, TOP = "archive_summarize_performance", "archive_get_top_content"
WINDOW, LEASE = 0.2, 1.0
PATIENCE = 60.0


async def test_many_items_are_read_by_a_job_and_answered_in_the_same_call_if_it_ends_in_time() -> (
    None
):
    async with shop(1_250) as there:
        found = await there.summary(search={}, by=["creator"])
        items, (job,) = there.items(), await there.jobs()
        asked = there.sandbox.pages

    assert found["items"] == 1_250
    assert found["metrics"]["likes"]["total"] == sum(known(items, "likes"))
    assert (job["state"], job["records"]) == (
        "done",
        {"total": 1_250, "gathered": 1_250, "done": 1_250},
    )
    assert job["title"] == "Performance of 1,250 items"
    assert len(asked) == 1 + 13


async def test_a_job_answers_what_a_call_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    arguments: Json = {
        "search": {"filter": {"itemTypes": ["REEL", "STORY"]}},
        "by": ["type", "week", "creator"],
    }
    async with shop() as there:
        here = await there.summary(**arguments)
        monkeypatch.setattr(computing, "AT_HAND", 50)
        by_job = await there.summary(**arguments)

        assert by_job == here
        assert len(await there.jobs()) == 1


@pytest.mark.parametrize("source", ["itemIds", "urls"])
async def test_named_items_are_read_by_a_job_too(
    source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with shop() as there:
        items = [each for each in there.items() if each.original_url][:150]
        names = [each.id if source == "itemIds" else each.original_url for each in items]
        given: Json = {
            source: [*names, "https://example.org/nothing"] if source == "urls" else names
        }
        here = await there.top(**given, limit=5)
        monkeypatch.setattr(computing, "AT_HAND", 50)
        by_job = await there.top(**given, limit=5)

        assert by_job == here
        assert len(await there.jobs()) == 1


async def test_a_job_that_takes_longer_is_looked_at_for_its_result(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("server.tool.job.ANSWER_SECONDS", 0.0)
    async with shop(1_250) as there:
        told = await there.summary(search={})
        job = await look(there, told["jobId"])
        items = there.items()

    assert (told["state"], told["plan"]["requests"], told["plan"]["records"]) == (
        "running",
        13,
        1_250,
    )
    assert "archive_mcp_get_job" in told["notes"][0]
    assert job["result"]["metrics"]["likes"]["total"] == sum(known(items, "likes"))
    assert len(json.dumps(job)) < 40_000


async def look(there: Shop, name: str) -> Json:
    """The job at its end."""
    return (
        await there.calls.call("archive_mcp_get_job", {"id": name, "wait": 40}, Nobody())
    ).structured


async def test_gathering_that_had_just_ended_reads_nothing_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gather = computing.ComputeWork.gather

    async def twice(work: computing.ComputeWork, job: Handle) -> None:
        await gather(work, job)
        await gather(work, job)

    monkeypatch.setattr(computing.ComputeWork, "gather", twice)
    monkeypatch.setattr(computing, "AT_HAND", 50)
    async with shop() as there:
        found = await there.summary(search={})

    assert found["items"] == 400
    assert len(there.sandbox.pages) == 1 + 4


async def test_an_item_that_two_pages_bring_counts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(computing, "AT_HAND", 50)
    async with shop() as there:
        items = there.items()
        monkeypatch.setattr(there.sandbox, "handle", repeating(there.sandbox, items[0].id))
        found = await there.summary(search={})

    assert found["items"] == 400 - 3
    assert found["metrics"]["likes"]["known"] <= len(known(items, "likes"))


def repeating(sandbox: Counted, name: str) -> Any:
    """Answers whose later pages begin with the same item again."""
    handle = sandbox.handle

    async def changed(*request: Any) -> Any:
        answer = await handle(*request)
        found = json.loads(answer.body)
        nodes = found["data"].get("items", {}).get("nodes", [])
        if nodes and nodes[0]["id"] != name:
            nodes[0]["id"] = name
            return type(answer)(answer.status, answer.headers, json.dumps(found).encode())
        return answer

    return changed


async def test_a_job_whose_server_is_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    arguments: Json = {"search": {}, "by": ["platform", "month"]}
    with sandbox_process(items=1_500, plan="enterprise", window=WINDOW) as sandbox:
        async with spawned(sandbox, tmp_path) as server:
            await server.handshake()
            call = asyncio.create_task(answered(server, arguments))
            await until(tmp_path, lambda job: job.counters.get("gathered", 0) >= 500)
            server.signal(signal.SIGKILL)
            await call
        read = (await until(tmp_path, lambda job: not job.owned)).counters["gathered"]
        before = sandbox.stats()["requests"]
        command = [*LAUNCHER, "jobs", "run"]
        environment = using(sandbox, tmp_path, ARCHIVE_MCP_READ_ONLY="1")
        ran = await asyncio.to_thread(
            subprocess.run,
            command,
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            timeout=PATIENCE,
        )
        asked = sandbox.stats()["requests"] - before
        async with spawned(sandbox, tmp_path) as server:
            await server.handshake()
            fresh = await answered(server, arguments)
    with closing(JournalFile(tmp_path / "state")) as journal:
        _, job = sorted(unlocked(journal.jobs), key=lambda each: -each.created)

    assert ran.returncode == 0, ran.stderr
    assert 500 <= read < 1_500
    assert job.state is JobState.DONE
    assert job.counts == {RecordState.DONE: 1_500}
    assert fresh is not None
    assert job.result == fresh
    assert asked <= (1_500 - read) // 100 + 1


def spawned(sandbox: SandboxProcess, folder: Path) -> Any:
    """A read-only server with a short lease."""
    command = (*PACED, "--window", str(WINDOW), "--lease", str(LEASE))
    return StdioServer.spawn(
        command, env=using(sandbox, folder, ARCHIVE_MCP_READ_ONLY="1"), cwd=folder
    )


async def answered(server: StdioServer, arguments: Json) -> Json | None:
    try:
        found: Json = (await server.call_tool(SUMMARY, arguments, seconds=PATIENCE))[
            "structuredContent"
        ]
    except ServerGone:
        return None
    return found


async def until(folder: Path, holds: Callable[[JobRow], bool]) -> JobRow:
    """The latest job of the folder's journal, as soon as it is so."""
    over = time.monotonic() + PATIENCE
    # Opened once: opening a journal takes its lock.
    with closing(JournalFile(folder / "state")) as journal:
        while time.monotonic() < over:
            jobs = unlocked(journal.jobs)
            if jobs and holds(jobs[0]):
                return jobs[0]
            await asyncio.sleep(0.005)
    raise AssertionError("the job does not get there")
