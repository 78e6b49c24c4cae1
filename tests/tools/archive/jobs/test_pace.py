"""Jobs in a workspace whose credits and refill differ from those of the headers: what is planned,
what get_job shows, and how a wrong plan is corrected."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from server.jobs import JobRow, RecordState
from server.sandbox.archive.limits import PLANS, Plan
from server.tool.job import summarise
from tests.support.tools.working import Json, Worker, paced_worker
from tools.archive.content.items import SearchItems
from tools.archive.jobs.collections import StartCollectionJob

WHOLE: Json = {"search": {}, "collectionNames": ["Everything"], "autoCreate": True}
MUTATION = 55


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def shown(one: Worker, job: str) -> Json:
    """What archive_mcp_get_job answers about a job."""
    return summarise(await one.jobs.get(job))


async def ended(one: Worker, job: str) -> JobRow:
    """The job once it has ended; looked at seldom, for it takes hours."""
    for _ in range(3 * 360):
        row = await one.jobs.get(job)
        if row.ended:
            return row
        await one.time.sleep(10)
    raise AssertionError(f"the job does not end: {row}")


async def test_a_plan_of_three_minutes_that_takes_an_hour_is_corrected_within_seconds(
    tmp_path: Path,
) -> None:
    async with paced_worker(tmp_path, "shared", 800) as one:
        started = one.time.now
        told = await one.agreed(StartCollectionJob, **WHOLE)
        early = one.time.now - started

        assert told["plan"]["minutes"] == 2.8
        assert early < 25
        correction = told["notes"][0]
        assert correction.startswith("Planned 3 min, now about ")
        refill = re.search(r"refills (\d+) rate credits a minute, not the 15,000", correction)
        assert refill is not None
        assert int(refill[1]) == pytest.approx(60 * PLANS["shared"].refill, rel=0.02)
        expected = re.search(r"now about (\d+) min", correction)

        row = await ended(one, told["jobId"])
        took = (one.time.now - started) / 60
        assert expected is not None
        assert int(expected[1]) == pytest.approx(took, rel=0.1)
        # It takes as long as the credits take to come back, and not a moment longer.
        credits = told["plan"]["rateCredits"]
        assert took * 60 == pytest.approx((credits - 15_000) / PLANS["shared"].refill, rel=0.03)
        assert row.counts[RecordState.DONE] == 800
        assert one.sandbox.refusals == 0
        (note,) = (await shown(one, told["jobId"]))["notes"]
        assert note.startswith(f"Planned 3 min, took {round(took)} min: ")


async def test_a_running_job_shows_its_rate_the_time_left_and_what_it_waits_for(
    tmp_path: Path,
) -> None:
    async with paced_worker(tmp_path, "shared", 800) as one:
        told = await one.agreed(StartCollectionJob, **WHOLE)
        first: Any = told["pace"]
        assert first["recordsPerMinute"] > 200
        assert first["waitsFor"].startswith("its turns: ")

        await one.time.sleep(600)
        later: Any = (await shown(one, told["jobId"]))["pace"]
        # Nine requests of 55 credits fit into the 495 that come back each minute.
        assert later["recordsPerMinute"] == pytest.approx(9, abs=1)
        assert later["minutesLeft"] == pytest.approx(49, abs=5)
        assert "rate credits: " in later["waitsFor"]
        assert re.search(r"and 49\d come back a minute", later["waitsFor"])


@pytest.mark.parametrize(
    "plan",
    ["startup", "growth", Plan("odd", 4_000, 20, stated=80), Plan("generous", 15_000, 900)],
)
async def test_under_any_plan_a_job_is_as_fast_as_the_credits_that_come_back(
    tmp_path: Path, plan: str | Plan
) -> None:
    real = PLANS[plan] if isinstance(plan, str) else plan
    async with paced_worker(tmp_path, plan, 400) as one:
        started = one.time.now
        told = await one.agreed(StartCollectionJob, **WHOLE)
        await ended(one, told["jobId"])
        took = one.time.now - started

        credits = told["plan"]["rateCredits"]
        fastest = max(told["plan"]["requests"] / 5, (credits - real.burst) / real.refill)
        assert took < 1.15 * fastest + 10
        assert one.sandbox.refusals == 0


async def test_what_is_left_now_and_the_refill_of_before_are_what_a_plan_counts_with(
    tmp_path: Path,
) -> None:
    async with paced_worker(tmp_path, "shared", 300) as one:
        await ended(one, (await one.agreed(StartCollectionJob, **WHOLE))["jobId"])
        again = {**WHOLE, "collectionNames": ["Once more"]}
        started = one.time.now
        told = await one.agreed(StartCollectionJob, **again)
        await ended(one, told["jobId"])

        planned = told["plan"]["minutes"]
        assert planned > 30
        assert planned == pytest.approx((one.time.now - started) / 60, rel=0.05)
        assert "notes" not in await shown(one, told["jobId"])


async def test_a_person_is_answered_at_once_while_a_job_waits_for_credits(tmp_path: Path) -> None:
    async with paced_worker(tmp_path, "shared", 800) as one:
        await one.agreed(StartCollectionJob, **WHOLE)
        await one.time.sleep(300)
        asked = one.time.now
        await one.call(SearchItems, limit=20)

        # A page of twenty costs far less than what the job leaves untouched.
        assert one.time.now - asked < 2
