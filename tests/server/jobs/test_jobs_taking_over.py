"""The end of a process, and what the next one makes of its jobs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import anyio
import pytest

from server.errors import Failure
from server.jobs import (
    Handle,
    JobState,
    LocalJobs,
    RecordRow,
    RecordState,
)
from server.jobs.lease import LEASE_SECONDS, Lease
from tests.support.jobs.doubles import (
    JOB,
    LONG,
    FakeTime,
    Slow,
    Toy,
    some,
)


@pytest.fixture
async def jobs(process: Callable[[], LocalJobs]) -> AsyncIterator[LocalJobs]:
    async with process() as running:
        yield running


@pytest.mark.parametrize("cancelled", [True, False])
async def test_a_work_can_tell_a_cancellation_from_a_pause(
    process: Callable[[], LocalJobs], time: FakeTime, cancelled: bool
) -> None:
    told: list[bool] = []

    class Paging(Toy):
        async def gather(self, job: Handle) -> None:
            try:
                while True:
                    await job.checkpoint(1)
                    await time.sleep(0.1)
            finally:
                told.append(job.cancelled)

    async with process() as other:
        async with process() as jobs:
            started = await jobs.start(JOB, Paging())
            await time.sleep(0.25)
            if cancelled:
                await other.cancel(started.id)
                await time.sleep(0.2)
        assert (await other.get(started.id)).state is (
            JobState.CANCELLED if cancelled else JobState.PAUSED
        )
    assert told == [cancelled]


async def test_a_server_that_ends_pauses_its_jobs_within_a_second_and_another_goes_on_at_once(
    process: Callable[[], LocalJobs], time: FakeTime
) -> None:
    first, second = Slow(time), Slow(time)
    async with process() as jobs:
        started = await jobs.start(JOB, first, some(10))
        await time.sleep(1.2)
        before = time.now
    assert time.now - before < 1
    assert first.sent == ["k1", "k2", "k3"]

    async with process() as jobs:
        (orphan,) = await jobs.orphans(JOB.origin, JOB.account)
        assert (orphan.id, orphan.state, orphan.counts[RecordState.DONE]) == (
            started.id,
            JobState.PAUSED,
            3,
        )
        await jobs.resume(started.id, second)
        job = await jobs.wait(started.id, LONG)
    assert job.counts == {RecordState.DONE: 10}
    assert second.sent == [f"k{number}" for number in range(4, 11)]


@pytest.mark.parametrize(
    ("repeatable", "becomes"), [(True, RecordState.PENDING), (False, RecordState.UNKNOWN)]
)
async def test_what_does_not_end_within_the_grace_stays_journalled_as_being_sent(
    process: Callable[[], LocalJobs], time: FakeTime, repeatable: bool, becomes: RecordState
) -> None:
    async with process() as jobs:
        started = await jobs.start(JOB, Slow(time, 60, repeatable=repeatable, width=2), some(5))
        await time.sleep(1)
        before = time.now
    assert 1 <= time.now - before < 1.5

    async with process() as jobs:
        assert (await jobs.get(started.id)).counts == {
            RecordState.SENDING: 2,
            RecordState.PENDING: 3,
        }
        await jobs.resume(started.id, Slow(time, 60, repeatable=repeatable))
        counts = (await jobs.get(started.id)).counts
        assert counts.get(becomes, 0) >= 2


async def test_what_was_already_known_when_the_grace_ended_is_journalled(
    process: Callable[[], LocalJobs], time: FakeTime
) -> None:
    class Half(Toy):
        async def send(self, job: Handle, records: list[RecordRow]) -> None:
            await job.admit(records)
            job.mark_done(records[0])
            await time.sleep(100)

    async with process() as jobs:
        started = await jobs.start(JOB, Half(batch=2), some(2))
        await time.sleep(1)
    async with process() as jobs:
        assert (await jobs.get(started.id)).counts == {RecordState.DONE: 1, RecordState.SENDING: 1}


async def test_what_waits_for_its_turn_is_not_sent_any_more_when_the_server_ends(
    process: Callable[[], LocalJobs], time: FakeTime
) -> None:
    async def wait(_: RecordRow) -> None:
        await time.sleep(0.5)

    work = Toy(before=wait)
    async with process() as jobs:
        await jobs.start(JOB, work, some(5))
        await time.sleep(0.1)
    assert work.sent == []


async def test_a_job_that_begins_while_the_server_ends_is_paused(
    process: Callable[[], LocalJobs], time: FakeTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = Slow(time)
    async with process() as jobs:
        begin = jobs._journal.start

        async def slow(lease: Lease) -> None:
            await time.sleep(0.15)
            await begin(lease)

        monkeypatch.setattr(jobs._journal, "start", slow)
        async with anyio.create_task_group() as group:
            group.start_soon(jobs.start, JOB, work, some(3))
            await time.sleep(0.03)
            await jobs.close()
    async with process() as jobs:
        (job,) = await jobs.list()
        assert (job.state, work.sent) == (JobState.PAUSED, [])


async def test_a_send_that_hangs_is_given_up_when_another_process_took_the_job(
    process: Callable[[], LocalJobs], time: FakeTime
) -> None:
    class Hanging(Toy):
        async def send(self, job: Handle, records: list[RecordRow]) -> None:
            await job.admit(records)
            await anyio.sleep_forever()

    async with process() as one, process() as two:
        started = await one.start(JOB, Hanging(), some(1))
        await time.sleep(1)
        time.now += LEASE_SECONDS + 1
        await two._journal.take(started.id, "two")
        await time.sleep(10)
        assert one._runners == {}


async def test_nothing_is_started_by_a_server_that_ends(jobs: LocalJobs) -> None:
    await jobs.close()
    with pytest.raises(Failure, match="is shutting down"):
        await jobs.start(JOB, Toy(), some(1))
    assert await jobs.list() == []


async def test_a_job_goes_on_after_its_server_was_suspended_only_if_nobody_took_it(
    process: Callable[[], LocalJobs], time: FakeTime
) -> None:
    suspended, taken = anyio.Event(), anyio.Event()

    class Suspended(Toy):
        async def send(self, job: Handle, records: list[RecordRow]) -> None:
            if records[0].key == "k3":
                suspended.set()
                await taken.wait()
            await super().send(job, records)

    first, second = Suspended(width=1), Toy()
    async with process() as one, process() as two:
        started = await one.start(JOB, first, some(6))
        await suspended.wait()
        journal = two._journal
        time.now += (
            LEASE_SECONDS + 1
        )  # the first one's clock went on, but it did not get to renew its lease
        lease = await journal.take(started.id, "two")
        taken.set()
        await time.sleep(3)
        assert first.sent == ["k1", "k2"]
        await journal.admit(lease, [3])
        time.now += LEASE_SECONDS + 1
        await two.resume(started.id, second)
        assert (await two.wait(started.id, LONG)).state is JobState.DONE
    assert second.sent == ["k3", "k4", "k5", "k6"]


async def test_a_job_that_runs_here_is_not_resumed_twice(jobs: LocalJobs, time: FakeTime) -> None:
    work = Slow(time)
    started = await jobs.start(JOB, work, some(4))
    await jobs.resume(started.id, work)
    await jobs.wait(started.id, LONG)

    assert work.sent == ["k1", "k2", "k3", "k4"]


async def test_a_job_that_another_process_runs_is_not_resumed(
    jobs: LocalJobs, process: Callable[[], LocalJobs], time: FakeTime
) -> None:
    started = await jobs.start(JOB, Slow(time), some(4))
    async with process() as other:
        with pytest.raises(Failure, match="Another server"):
            await other.resume(started.id, Toy())
