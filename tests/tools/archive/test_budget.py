"""The rate budget as a person sees it, over a sandbox whose credits and refill differ from those of
its headers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from server.sandbox import MAIN
from server.sandbox.archive.limits import Bucket, Plan
from server.tool.context import Caller
from server.tool.elicitation import Nobody
from tests.support.tools.calling import parsed
from tests.support.tools.working import Worker, paced_worker
from tools.archive.operations import GetBudget

SLOW = Plan("growth", 15_000, 8, stated=250)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def bucket(one: Worker) -> Bucket:
    """The real credits of the workspace."""
    bucket = one.sandbox.meters.of(MAIN).bucket
    bucket.refill(one.time.now)
    return bucket


async def test_what_is_left_is_asked_for_each_time_and_not_computed(tmp_path: Path) -> None:
    async with paced_worker(tmp_path, SLOW, 10) as one:
        before: Any = await one.call(GetBudget)
        # Somebody else takes nearly everything.
        bucket(one).left = 31
        after: Any = await one.call(GetBudget)

        assert before["rateCreditsLeft"] == 14_995
        assert after["rateCreditsLeft"] == pytest.approx(26, abs=3)


async def test_the_refill_is_the_one_that_was_seen_beside_the_stated_one(tmp_path: Path) -> None:
    async with paced_worker(tmp_path, SLOW, 10) as one:
        bucket(one).left = 1_000
        first: Any = await one.call(GetBudget)
        await one.time.sleep(60)
        told: Any = await one.call(GetBudget)

        assert (first["refillPerSecond"], "statedRefillPerSecond" in first) == (250, False)
        assert (told["refillPerSecond"], told["statedRefillPerSecond"]) == (8, 250)
        assert told["rateCreditsLeft"] == pytest.approx(1_000 + 60 * 8 - 10, abs=8)


async def test_with_nothing_left_it_says_that_the_figure_is_computed(tmp_path: Path) -> None:
    async with paced_worker(tmp_path, Plan("tiny", 100, 0.2), 10) as one:
        await one.call(GetBudget)
        bucket(one).left = 6
        await one.call(GetBudget)
        hurried = Caller(Nobody(), one.time.now + 5)
        told = (await one.backend.run(parsed(GetBudget), hurried)).structured

        assert "computed from earlier answers" in told["notes"][0]
        assert told["rateCreditsLeft"] < 5
