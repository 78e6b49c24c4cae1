"""What a kind of work can see of its job and say about it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from server.jobs import Handle, JobState, Journal, LocalJobs, RecordRow, RecordState, Stopped
from tests.support.jobs.doubles import JOB, LONG, FakeTime, Toy, ended, some


@pytest.fixture
async def jobs(journal: Journal, time: FakeTime) -> AsyncIterator[LocalJobs]:
    async with LocalJobs(journal, clock=time.clock, sleep=time.sleep) as running:
        yield running


@pytest.mark.parametrize(
    ("length", "reason"), [(499, "x" * 499), (500, "x" * 500), (501, "x" * 497 + "...")]
)
async def test_a_reason_of_more_than_five_hundred_characters_is_cut(
    jobs: LocalJobs, length: int, reason: str
) -> None:
    class Refusing(Toy):
        async def send(self, job: Handle, records: list[RecordRow]) -> None:
            await job.admit(records)
            job.mark_failed(records[0], "x" * length)

    job = await ended(jobs, Refusing(), some(1))

    assert [row.reason for row in await jobs.failures(job.id)] == [reason]


async def test_a_work_can_count_and_read_the_records_of_its_job(jobs: LocalJobs) -> None:
    class Looking(Toy):
        async def finish(self, job: Handle) -> dict[str, object]:
            return {
                "done": await job.count(RecordState.DONE),
                "failed": await job.count(RecordState.FAILED),
                "first": [row.number for row in await job.rows()][:2],
                "rows": len(await job.rows()),
                "later": [row.number for row in await job.rows(RecordState.DONE, after=1000)],
                "none": await job.rows(RecordState.FAILED),
                "two": [row.number for row in await job.rows(limit=2)],
            }

    job = await ended(jobs, Looking(batch=100), some(1003))

    assert job.result == {
        "done": 1003,
        "failed": 0,
        "first": [1, 2],
        "rows": 1000,
        "later": [1001, 1002, 1003],
        "none": [],
        "two": [1, 2],
    }


@pytest.mark.parametrize("seconds", [0.0, 0.5, 2.0])
async def test_a_work_sleeps_as_long_as_it_says(
    jobs: LocalJobs, time: FakeTime, seconds: float
) -> None:
    class Resting(Toy):
        slept = -1.0

        async def gather(self, job: Handle) -> None:
            before = time.now
            await job.sleep(seconds)
            self.slept = time.now - before

    work = Resting()
    job = await ended(jobs, work)

    assert job.state is JobState.DONE
    assert work.slept == seconds


async def test_a_sleeping_work_notices_within_a_quarter_of_a_second_that_it_is_to_stop(
    jobs: LocalJobs, time: FakeTime
) -> None:
    class Sleeping(Toy):
        def __init__(self) -> None:
            super().__init__()
            self.stopped: list[float] = []
            self.flags: list[tuple[bool, bool]] = []

        async def send(self, job: Handle, records: list[RecordRow]) -> None:
            self.flags.append((job.stopping, job.cancelled))
            try:
                await job.sleep(100)
            except Stopped:
                self.stopped.append(time.now)
                self.flags.append((job.stopping, job.cancelled))
                raise

    work = Sleeping()
    started = await jobs.start(JOB, work, some(1))
    await time.sleep(1.3)
    cancelled = time.now
    await jobs.cancel(started.id)
    job = await jobs.wait(started.id, LONG)

    assert job.state is JobState.CANCELLED
    assert len(work.stopped) == 1
    assert work.stopped[0] - cancelled <= 0.25
    assert work.flags == [(False, False), (True, True)]


async def test_a_work_that_is_to_pause_is_stopping_but_not_cancelled(
    jobs: LocalJobs, time: FakeTime
) -> None:
    flags: list[tuple[bool, bool]] = []

    class Looking(Toy):
        async def send(self, job: Handle, records: list[RecordRow]) -> None:
            await time.sleep(0.5)
            flags.append((job.stopping, job.cancelled))
            job.mark_pending(records[0])

    await jobs.start(JOB, Looking(), some(1))
    await time.sleep(0.1)
    await jobs.close()

    assert flags == [(True, False)]


async def test_a_sleep_that_would_begin_after_the_end_does_not(
    jobs: LocalJobs, time: FakeTime
) -> None:
    class Late(Toy):
        async def send(self, job: Handle, records: list[RecordRow]) -> None:
            await time.sleep(0.5)
            await job.sleep(0)

    started = await jobs.start(JOB, Late(), some(1))
    await time.sleep(0.1)
    await jobs.cancel(started.id)

    assert (await jobs.wait(started.id, LONG)).state is JobState.CANCELLED
    assert time.now - 1000 < 1


async def test_marks_of_records_are_journalled_at_once_where_the_work_asks_for_it(
    jobs: LocalJobs,
) -> None:
    class Settling(Toy):
        def __init__(self) -> None:
            super().__init__(batch=2)
            self.counts: list[tuple[int, int]] = []

        async def look(self, job: Handle) -> None:
            done, sending = RecordState.DONE, RecordState.SENDING
            self.counts.append((await job.count(done), await job.count(sending)))

        async def send(self, job: Handle, records: list[RecordRow]) -> None:
            await job.admit(records)
            job.mark_done(records[0])
            await self.look(job)
            await job.journal_marks(records[:1])
            await self.look(job)
            job.mark_done(records[1])
            await job.journal_marks(records[:1])
            await self.look(job)
            job.mark_done(records[0])

    work = Settling()
    job = await ended(jobs, work, some(2))

    assert work.counts == [(0, 2), (1, 1), (1, 1)]
    assert job.counts == {RecordState.DONE: 2}


async def test_all_records_are_read_page_by_page_in_order(jobs: LocalJobs) -> None:
    class Reading(Toy):
        async def finish(self, job: Handle) -> dict[str, object]:
            pages = job.row_pages(RecordState.DONE, size=2)
            return {
                "pages": [[row.number for row in rows] async for rows in pages],
                "all": [row.number async for row in job.all_rows()],
                "none": [row async for row in job.all_rows(RecordState.FAILED)],
            }

    job = await ended(jobs, Reading(batch=100), some(5))

    assert job.result == {"pages": [[1, 2], [3, 4], [5]], "all": [1, 2, 3, 4, 5], "none": []}


async def test_the_records_of_another_job_are_read_page_by_page_in_order(jobs: LocalJobs) -> None:
    job = await ended(jobs, Toy(batch=100), some(5))

    pages = [rows async for rows in jobs.record_pages(job.id, after=1, size=3)]

    assert [[row.number for row in rows] for rows in pages] == [[2, 3, 4], [5]]


@pytest.mark.parametrize(
    ("limit", "left"),
    [(0.0, [0.0]), (1.0, [1.0, 0.0]), (20.0, [20.0, 18.0, 15.0, 10.5, 4.5, 0.0])],
)
async def test_a_poll_looks_at_growing_intervals_and_once_more_at_the_end(
    jobs: LocalJobs, limit: float, left: list[float]
) -> None:
    class Waiting(Toy):
        async def finish(self, job: Handle) -> dict[str, object]:
            looks = job.poll(first=2.0, longest=6.0, limit=limit, counter="waited")
            return {"left": [rest async for rest in looks], "waited": job.counters.get("waited")}

    job = await ended(jobs, Waiting(), some(1))

    assert job.result == {"left": left, "waited": limit or None}


async def test_a_poll_that_was_interrupted_waits_only_for_the_rest(jobs: LocalJobs) -> None:
    class Waiting(Toy):
        async def finish(self, job: Handle) -> dict[str, object]:
            await job.checkpoint(waited=9.0)
            looks = job.poll(first=2.0, longest=3.0, limit=10.0, counter="waited")
            return {"left": [rest async for rest in looks]}

    job = await ended(jobs, Waiting(), some(1))

    assert job.result == {"left": [1.0, 0.0]}
