"""How often a running job is looked at, and what the journal keeps of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from server.jobs import Handle, JobRow, Journal, Leases, LocalJobs
from server.jobs.forecast import read_forecast
from server.jobs.model import Estimate, RecordRow
from server.limiter import Snapshot
from tests.support.jobs.doubles import JOB, LONG, FakeTime, Slow, Toy, some

LIMITS = Snapshot(0.5, 0, None, None, None, None, None)


async def test_another_process_sees_how_long_a_job_still_takes(
    process: Callable[[], LocalJobs], time: FakeTime
) -> None:
    async with process() as one, process() as other:
        started = await one.start(JOB, Slow(time), some(100))
        await time.sleep(21)
        forecast = read_forecast((await other.get(started.id)).counters)

        assert forecast is not None
        # Slow takes half a second for a record.
        assert forecast.speed == pytest.approx(2, rel=0.1)
        assert forecast.left == pytest.approx(30, abs=3)
        assert forecast.active == pytest.approx(20, abs=1.5)


async def test_a_short_job_is_not_looked_at(journal: Journal, time: FakeTime) -> None:
    async with LocalJobs(journal, clock=time.clock, sleep=time.sleep) as jobs:
        started = await jobs.start(JOB, Slow(time), some(4))

        assert (await jobs.wait(started.id, LONG)).counters == {}


async def test_a_look_every_five_seconds_and_one_at_the_end(
    journal: Journal, time: FakeTime
) -> None:
    looks: list[float] = []

    async def meter(row: JobRow) -> Snapshot | None:
        looks.append(time.now - 1000)
        return LIMITS

    async with LocalJobs(journal, clock=time.clock, sleep=time.sleep, meter=meter) as jobs:
        started = await jobs.start(JOB, Slow(time), some(34))
        row = await jobs.wait(started.id, LONG)

    assert looks == pytest.approx([5, 10, 15, 17], abs=0.5)
    forecast = read_forecast(row.counters)
    assert forecast is not None
    assert forecast.left == 0
    assert forecast.active == pytest.approx(17, abs=0.5)


async def test_what_is_awaited_at_the_end_does_not_make_a_plan_wrong(
    journal: Journal, time: FakeTime
) -> None:
    class Awaiting(Slow):
        async def finish(self, job: Handle) -> dict[str, Any]:
            await time.sleep(600)
            return await super().finish(job)

    async def meter(_: JobRow) -> Snapshot | None:
        return LIMITS

    planned = replace(JOB, estimate=Estimate(20, 0.0, 10.0, 20))
    async with LocalJobs(journal, clock=time.clock, sleep=time.sleep, meter=meter) as jobs:
        started = await jobs.start(planned, Awaiting(time), some(20))
        row = await jobs.wait(started.id, LONG)

    forecast = read_forecast(row.counters)
    assert forecast is not None
    assert (forecast.reason, forecast.waits_for) == ("", "")
    assert forecast.active < 20


async def test_a_job_that_resumes_counts_the_time_of_before(
    process: Callable[[], LocalJobs], time: FakeTime
) -> None:
    async with process() as one:
        started = await one.start(JOB, Slow(time), some(100))
        await time.sleep(20)
    await time.sleep(1_000 + Leases().seconds)
    async with process() as other:
        await other.resume(started.id, Slow(time, 60))
        await time.sleep(11)
        forecast = read_forecast((await other.get(started.id)).counters)

    assert forecast is not None
    assert forecast.active == pytest.approx(30, abs=3)


async def test_the_speed_with_credits_says_nothing_about_that_without(
    journal: Journal, time: FakeTime
) -> None:
    start = time.now

    class Slowing(Toy):
        def __init__(self) -> None:
            async def during(_: RecordRow) -> None:
                await time.sleep(0.2 if time.now - start < 30 else 1.0)

            super().__init__(during=during)

    async def meter(_: JobRow) -> Snapshot | None:
        credits = 5_000 if time.now - start < 30 else 510
        return Snapshot(0.2, 0, None, "startup", 5_000, 50, credits, reserve=500)

    planned = replace(JOB, estimate=Estimate(400, 20_000, 380.0, 400))
    async with LocalJobs(journal, clock=time.clock, sleep=time.sleep, meter=meter) as jobs:
        started = await jobs.start(planned, Slowing(), some(400))
        await time.sleep(51)
        forecast = read_forecast((await jobs.get(started.id)).counters)

    assert forecast is not None
    assert forecast.speed == pytest.approx(1, rel=0.1)
    assert forecast.left == pytest.approx(230, rel=0.1)
