"""The jobs of a process: waiting, looking, cancelling, sending again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import anyio
import pytest

from server.errors import Code, Failure
from server.jobs import (
    Handle,
    JobState,
    Journal,
    LocalJobs,
    RecordState,
)
from tests.support.jobs.doubles import (
    JOB,
    LONG,
    FakeTime,
    Slow,
    Toy,
    failures,
    some,
)


@pytest.fixture
async def jobs(process: Callable[[], LocalJobs]) -> AsyncIterator[LocalJobs]:
    async with process() as running:
        yield running


async def test_waiting_ends_with_the_job(jobs: LocalJobs, time: FakeTime) -> None:
    started = await jobs.start(JOB, Slow(time), some(4))
    before = time.now
    job = await jobs.wait(started.id, 20)

    assert job.state is JobState.DONE
    assert 2 <= time.now - before < 2.2


async def test_waiting_ends_in_time_and_the_job_goes_on(jobs: LocalJobs, time: FakeTime) -> None:
    started = await jobs.start(JOB, Slow(time), some(100))
    before = time.now
    job = await jobs.wait(started.id, 20)

    assert (job.state, job.owned) == (JobState.RUNNING, True)
    assert time.now - before == pytest.approx(20, abs=0.01)
    assert (await jobs.wait(started.id, LONG)).counts == {RecordState.DONE: 100}


async def test_a_caller_that_gives_up_does_not_end_the_job(jobs: LocalJobs, time: FakeTime) -> None:
    started = await jobs.start(JOB, Slow(time), some(10))
    with anyio.CancelScope() as scope:
        scope.cancel()
        await jobs.wait(started.id, 20)

    assert (await jobs.wait(started.id, LONG)).state is JobState.DONE


async def test_progress_is_told_about_once_a_second_and_only_grows(
    jobs: LocalJobs, time: FakeTime
) -> None:
    heard: list[tuple[int, int | None, str]] = []

    async def hear(done: int, total: int | None, message: str) -> None:
        heard.append((done, total, message))

    started = await jobs.start(JOB, Slow(time), some(20))
    await jobs.wait(started.id, 20, hear)

    assert 8 <= len(heard) <= 10
    assert [done for done, _, _ in heard] == sorted({done for done, _, _ in heard})
    assert {total for _, total, _ in heard} == {20}
    # How long it still takes is known once there was a look at how fast it goes.
    assert {message for _, _, message in heard} == {"sending", "sending; about 6 s left"}


async def test_progress_carries_what_the_work_says(jobs: LocalJobs, time: FakeTime) -> None:
    class Talking(Toy):
        async def gather(self, job: Handle) -> None:
            job.set_message("looking around")
            await job.set_total(7)
            await job.sleep(5)

    heard: list[tuple[int, int | None, str]] = []

    async def hear(*values: int | str | None) -> None:
        heard.append(values)  # type: ignore[arg-type]  # as they come

    started = await jobs.start(JOB, Talking())
    await jobs.wait(started.id, 20, hear)

    assert heard == [(0, 7, "looking around")]


async def test_two_processes_see_the_same_jobs_and_wait_for_them(
    jobs: LocalJobs, process: Callable[[], LocalJobs], time: FakeTime
) -> None:
    started = await jobs.start(JOB, Slow(time), some(10))
    async with process() as other:
        assert [(row.id, row.owned) for row in await other.list(JOB.account)] == [
            (started.id, True)
        ]
        assert (await other.wait(started.id, LONG)).counts == {RecordState.DONE: 10}
        assert await other.failures(started.id) == []


async def test_a_process_is_busy_as_long_as_a_job_runs_in_it(
    jobs: LocalJobs, time: FakeTime
) -> None:
    assert not jobs.is_busy
    started = await jobs.start(JOB, Slow(time), some(2))
    assert jobs.is_busy
    await jobs.wait(started.id, LONG)
    await time.sleep(1)
    assert not jobs.is_busy


async def test_a_job_whose_end_the_journal_did_not_take_is_paused_and_says_why(
    journal: Journal, time: FakeTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise Failure(Code.UNAVAILABLE, "The disk is full.")

    async with LocalJobs(journal, clock=time.clock, sleep=time.sleep) as jobs:
        with monkeypatch.context() as patched:
            patched.setattr(journal, "end", fail)
            started = await jobs.start(JOB, Toy(), some(1))
            await time.sleep(1)
        row = await jobs.get(started.id)

    assert (row.state, row.owned) == (JobState.PAUSED, False)
    assert row.error
    assert row.error["message"] == "The disk is full."


async def test_cancelling_lets_what_is_under_way_end_and_sends_nothing_more(
    jobs: LocalJobs, time: FakeTime
) -> None:
    work = Slow(time, repeatable=False)
    started = await jobs.start(JOB, work, some(10))
    await time.sleep(1.2)
    asked = await jobs.cancel(started.id)
    assert asked.cancelling
    job = await jobs.wait(started.id, LONG)

    assert job.state is JobState.CANCELLED
    assert work.sent == ["k1", "k2", "k3"]
    assert job.counts == {RecordState.DONE: 3, RecordState.SKIPPED: 7}


async def test_cancelling_from_another_process_stops_the_next_record(
    jobs: LocalJobs, process: Callable[[], LocalJobs], time: FakeTime
) -> None:
    work = Slow(time)
    started = await jobs.start(JOB, work, some(50))
    async with process() as other:
        await time.sleep(1.2)
        await other.cancel(started.id)
        job = await other.wait(started.id, LONG)

    assert job.state is JobState.CANCELLED
    assert work.sent == ["k1", "k2", "k3"]


@pytest.mark.parametrize("local", [True, False])
async def test_cancelling_cuts_a_pause_between_attempts_short(
    jobs: LocalJobs, process: Callable[[], LocalJobs], time: FakeTime, local: bool
) -> None:
    work = Toy(answers={"k1": failures("BUDGET_EXHAUSTED", 1, retry_after=250)})
    started = await jobs.start(JOB, work, some(2))
    before = time.now
    async with process() as other:
        await time.sleep(1)
        await (jobs if local else other).cancel(started.id)
        job = await other.wait(started.id, LONG)

    assert job.state is JobState.CANCELLED
    assert time.now - before < 5


@pytest.mark.parametrize("local", [True, False])
async def test_cancelling_interrupts_gathering(
    jobs: LocalJobs, process: Callable[[], LocalJobs], time: FakeTime, local: bool
) -> None:
    class Endless(Toy):
        async def gather(self, job: Handle) -> None:
            await time.sleep(1e6)

    started = await jobs.start(JOB, Endless())
    async with process() as other:
        await time.sleep(0.1)
        await (jobs if local else other).cancel(started.id)
        before = time.now
        job = await other.wait(started.id, LONG)

    assert job.state is JobState.CANCELLED
    assert time.now - before < (0.6 if local else 5)


async def test_an_ended_job_stays_as_it_is_when_cancelled(jobs: LocalJobs) -> None:
    started = await jobs.start(JOB, Toy(), some(1))
    await jobs.wait(started.id, LONG)
    assert (await jobs.cancel(started.id)).state is JobState.DONE


async def test_failed_records_are_sent_again_alone(jobs: LocalJobs) -> None:
    work = Toy(
        answers={"k2": failures("REJECTED", 1), "k3": failures("OUTCOME_UNKNOWN", 1)},
        repeatable=False,
    )
    started = await jobs.start(JOB, work, some(4))
    await jobs.wait(started.id, LONG)
    await jobs.retry_failed(started.id, work)
    job = await jobs.wait(started.id, LONG)

    assert work.sent == ["k1", "k2", "k3", "k4", "k2"]
    assert job.counts == {RecordState.DONE: 3, RecordState.UNKNOWN: 1}
    with pytest.raises(Failure, match="No record"):
        await jobs.retry_failed(started.id, work)


async def test_what_was_cancelled_is_not_sent_when_failed_records_are(
    jobs: LocalJobs, time: FakeTime
) -> None:
    work = Slow(time)
    work.answers = {"k1": failures("REJECTED", 1)}
    started = await jobs.start(JOB, work, some(10))
    await time.sleep(1.2)
    await jobs.cancel(started.id)
    await jobs.wait(started.id, LONG)
    await jobs.retry_failed(started.id, work)
    job = await jobs.wait(started.id, LONG)

    assert work.sent == ["k1", "k2", "k3", "k1"]
    assert job.counts == {RecordState.DONE: 3, RecordState.SKIPPED: 7}


async def test_several_jobs_run_side_by_side(jobs: LocalJobs, time: FakeTime) -> None:
    before = time.now
    started = [await jobs.start(JOB, Slow(time), some(4)) for _ in range(5)]
    for each in started:
        assert (await jobs.wait(each.id, LONG)).state is JobState.DONE
    assert time.now - before < 4
