"""Engagement jobs in real server processes, killed while they send; the sandbox counts in this
process."""

from __future__ import annotations

import csv
import json
import os
import random
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import anyio
import pytest

from server.sandbox import MAIN, Answer, Sandbox
from tests.support.jobs.processes import Start, kill_again_and_again

ITEMS = 1_200
TOOL = "archive_start_engagement_job"

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


async def test_a_refresh_that_is_killed_again_and_again_pays_for_no_item_twice(
    tmp_path: Path,
) -> None:
    sandbox = Counting()
    marks = sorted(random.Random(3).sample(range(1, 8), 3))
    start = Start(TOOL, {"mode": "refresh", "search": {}})
    found = await kill_again_and_again(
        sandbox, sandbox.refetched, tmp_path, [100 * mark for mark in marks], start
    )

    assert set(sandbox.refetched.values()) == {1}
    unknown = found["batches"].get("unknown", 0)
    assert unknown <= len(marks)
    # Two batches are stories, which have no engagement to refresh.
    left_out = found["batches"]["skipped"]
    assert found["batches"]["done"] + unknown + left_out == found["batches"]["total"]
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
    start = Start(TOOL, {"search": {}})
    found = await kill_again_and_again(sandbox, sandbox.read, tmp_path, marks, start)
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
