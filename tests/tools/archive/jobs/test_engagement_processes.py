"""Engagement jobs in real server processes, killed while they send; the sandbox counts in this
process."""

from __future__ import annotations

import csv
import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import anyio
import pytest

from server.jobs.sqlite import JournalFile
from server.sandbox import MAIN, Answer, Sandbox
from server.sandbox.serve import open_server
from tests.support.machine.journals import unlocked
from tests.support.sandboxed import PACED, SandboxProcess, using
from tests.support.stdio import Json, ServerGone, StdioServer

ITEMS = 1_200
COMMAND = (*PACED, "--window", "0.1", "--lease", "0.5")
TOOL = "archive_start_engagement_job"
PATIENCE = 60.0

pytestmark = pytest.mark.skipif(os.name == "nt", reason="kills processes with POSIX signals")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Counting(Sandbox):
    """A sandbox that counts how often each item was sent to be refreshed, or its timeline read, and
    takes its time."""

    def __init__(self) -> None:
        super().__init__(items=ITEMS, rate=10_000, plan="enterprise")
        self.refetched: Counter[str] = Counter()
        self.read: Counter[str] = Counter()

    async def handle(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        sent = json.loads(body)
        if "refetchEngagementBulk(" in sent["query"]:
            self.refetched.update(sent["variables"]["itemIds"])
        self.read.update(each for name, each in sent["variables"].items() if name[6:].isdigit())
        answer = await super().handle(method, path, headers, body)
        await anyio.sleep(0.02)
        return answer

    @property
    def refreshable(self) -> set[str]:
        """Ids of the items that are no stories."""
        home = self.world.by_id(MAIN)
        assert home is not None
        return {item.id for item in map(home.item, range(ITEMS)) if item.type != "STORY"}


@asynccontextmanager
async def serving(url: str, folder: Path) -> AsyncIterator[StdioServer]:
    """A server whose user agrees to everything."""

    def agreed(method: str, _: Json) -> Json:
        return {"elicitation/create": {"action": "accept", "content": {"confirm": True}}}[method]

    environment = using(SandboxProcess(url), folder, ARCHIVE_MCP_EXPORT_DIR=str(folder / "exports"))
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


async def started(server: StdioServer, job: str | None, given: Json) -> None:
    """Start the job, or go on with it as soon as the lease of a killed server is over."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            answer = await server.call_tool(TOOL, given if job is None else {"resume": job})
        except ServerGone:
            return
        if not answer["isError"]:
            return
        assert time.monotonic() < end, answer["content"][0]["text"]
        await anyio.sleep(0.1)


async def killed_again_and_again(
    sandbox: Counting, sends: Counter[str], folder: Path, marks: list[int], given: Json
) -> Json:
    """The job as it ended, after servers were killed when so many items had been sent."""
    job: str | None = None
    async with open_server(sandbox) as url:
        for mark in marks:
            async with serving(url, folder) as server, anyio.create_task_group() as tasks:
                tasks.start_soon(started, server, job, given)
                await until(sends, mark)
                server.signal(signal.SIGKILL)
            job = only_job(folder)
        async with serving(url, folder) as server:
            await started(server, job, given)
            end = time.monotonic() + PATIENCE
            found: Json = {}
            while "result" not in found:
                assert time.monotonic() < end, found
                found = await told(server, "archive_mcp_get_job", id=job, wait=20)
    return found


async def until(sends: Counter[str], mark: int) -> None:
    end = time.monotonic() + PATIENCE
    while sum(sends.values()) < mark:
        assert time.monotonic() < end, "it did not come so far"
        await anyio.sleep(0.002)


def only_job(folder: Path) -> str:
    with closing(JournalFile(folder / "state")) as journal:
        (row,) = unlocked(journal.jobs)
    return row.id


async def test_a_refresh_that_is_killed_again_and_again_pays_for_no_item_twice(
    tmp_path: Path,
) -> None:
    sandbox = Counting()
    marks = sorted(random.Random(3).sample(range(1, 8), 3))
    found = await killed_again_and_again(
        sandbox,
        sandbox.refetched,
        tmp_path,
        [100 * each for each in marks],
        {"mode": "refresh", "search": {}},
    )

    assert set(sandbox.refetched.values()) == {1}
    unknown = found["records"].get("unknown", 0)
    assert unknown <= len(marks)
    assert found["records"]["done"] + unknown == found["records"]["total"]
    assert found["result"]["summary"]["items"] == len(sandbox.refreshable)
    assert len(sandbox.refreshable) - len(sandbox.refetched) <= 100 * unknown
    home = sandbox.world.by_id(MAIN)
    assert home is not None
    assert 6_000 - home.changes.credits == 3 * len(sandbox.refetched)
    failures = [each for each in found.get("failures", []) if each["code"] == "OUTCOME_UNKNOWN"]
    assert len(failures) == unknown


async def test_timelines_that_are_killed_again_and_again_hold_every_snapshot_once(
    tmp_path: Path,
) -> None:
    sandbox = Counting()
    marks = sorted(random.Random(4).sample(range(20, ITEMS - 100), 4))
    found = await killed_again_and_again(sandbox, sandbox.read, tmp_path, marks, {"search": {}})
    result = found["result"]
    # The test is over.
    rows = list(csv.DictReader(Path(result["path"]).read_text(encoding="utf-8-sig").splitlines()))  # noqa: ASYNC240

    home = sandbox.world.by_id(MAIN)
    assert home is not None
    expected = {
        (item.id, len(item.history)) for item in map(home.item, range(ITEMS)) if item.history
    }
    assert set(Counter(row["itemId"] for row in rows).items()) == expected
    assert len({(row["itemId"], row["at"]) for row in rows}) == len(rows)
    assert result["summary"]["items"] == ITEMS
    assert sum(sandbox.read.values()) - ITEMS <= len(marks) * 4 * 40
    assert [each.name for each in (tmp_path / "exports").iterdir()] == [result["name"]]
