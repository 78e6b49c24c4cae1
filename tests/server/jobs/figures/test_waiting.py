"""How often the jobs of a process look, how much they hand out at once, and how they end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import anyio
import pytest

from server.jobs import (
    Handle,
    JobState,
    Journal,
    Leases,
    LocalJobs,
    NewRecord,
    RecordRow,
    RecordState,
    SqliteJournal,
)
from server.jobs.lease import Lease
from server.jobs.model import Mark
from server.jobs.sqlite.database import Busy
from tests.support.jobs.doubles import JOB, FakeTime, Slow, Toy, begun, some


class Naps:
    """Sleeps of the fake clock, and how long each of them was."""

    def __init__(self, time: FakeTime) -> None:
        self._time = time
        self.seconds: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.seconds.append(seconds)
        await self._time.sleep(seconds)


def jobs_of(journal: Journal, time: FakeTime, naps: Naps | None = None) -> LocalJobs:
    return LocalJobs(journal, clock=time.clock, sleep=naps.sleep if naps else time.sleep)


@pytest.fixture
def journals(tmp_path: Path, time: FakeTime) -> Callable[[], Journal]:
    return lambda: SqliteJournal(tmp_path, leases=Leases(clock=time.clock), wall=time.clock)


async def test_a_job_of_this_process_is_looked_at_twenty_times_a_second(
    journal: Journal, time: FakeTime
) -> None:
    naps = Naps(time)
    async with jobs_of(journal, time, naps) as jobs:
        started = await jobs.start(JOB, Slow(time), some(4))
        naps.seconds.clear()
        await jobs.wait(started.id, 20)

        assert time.now == pytest.approx(1002, abs=0.06)
        assert {nap for nap in naps.seconds if nap != 1.0} == {0.05}


async def test_a_job_of_another_process_is_looked_at_twice_a_second(
    journals: Callable[[], Journal], time: FakeTime
) -> None:
    naps = Naps(time)
    async with jobs_of(journals(), time) as one, jobs_of(journals(), time, naps) as two:
        started = await one.start(JOB, Slow(time), some(4))
        await two.wait(started.id, 20)

        assert set(naps.seconds) == {0.5}
        assert time.now == pytest.approx(1002, abs=0.51)


async def test_the_last_look_comes_when_the_time_is_up_and_no_nap_is_negative(
    journal: Journal, time: FakeTime
) -> None:
    naps = Naps(time)

    async def hear(*_: object) -> None:
        await time.sleep(5)

    async with jobs_of(journal, time, naps) as jobs:
        started = await jobs.start(JOB, Slow(time), some(100))
        before = time.now
        await jobs.wait(started.id, 1.12)
        assert time.now - before == pytest.approx(1.12)

        await jobs.wait(started.id, 2, hear)
        assert min(naps.seconds) >= 0


async def test_progress_is_first_told_after_a_second(
    journals: Callable[[], Journal], time: FakeTime
) -> None:
    moments: list[float] = []

    async def hear(*_: object) -> None:
        moments.append(time.now - 1000)

    async with jobs_of(journals(), time) as one, jobs_of(journals(), time) as two:
        started = await one.start(JOB, Slow(time), some(10))
        await two.wait(started.id, 3, hear)

    assert moments == [1.0, 2.0]


async def test_progress_of_a_job_that_sends_nothing_is_what_it_gathered(
    journal: Journal, time: FakeTime
) -> None:
    class Gathering(Toy):
        async def gather(self, job: Handle) -> None:
            await job.checkpoint(gathered=12)
            await job.sleep(3)

    reports: list[tuple[Any, ...]] = []

    async def hear(*values: Any) -> None:
        reports.append(values)

    async with jobs_of(journal, time) as jobs:
        started = await jobs.start(JOB, Gathering())
        await jobs.wait(started.id, 20, hear)

    assert reports == [(12, None, "gathering")]


async def test_fifty_jobs_are_listed_unless_somebody_asks_for_more(
    journal: Journal, time: FakeTime
) -> None:
    names = [(await begun(journal, 0)).job for _ in range(52)]
    async with jobs_of(journal, time) as jobs:
        assert [row.id for row in await jobs.list()] == names[:1:-1]
        assert [row.id for row in await jobs.list(offset=50)] == names[1::-1]
        assert len(await jobs.list(limit=52)) == 52


async def test_a_hundred_records_are_handed_out_from_the_first_one_on(
    journal: Journal, time: FakeTime
) -> None:
    lease = await begun(journal, 102)
    await journal.mark(lease, [Mark(number, RecordState.FAILED) for number in range(1, 103)])
    async with jobs_of(journal, time) as jobs:
        for look in (jobs.records, jobs.failures):
            assert [row.number for row in await look(lease.job)] == [*range(1, 101)]
            assert [row.number for row in await look(lease.job, after=100)] == [101, 102]


async def test_the_records_of_a_job_are_journalled_a_thousand_at_a_time(
    journal: Journal, time: FakeTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    add = journal.add

    async def watch_add(lease: Lease, records: Sequence[NewRecord]) -> int:
        sizes.append(len(records))
        return await add(lease, records)

    monkeypatch.setattr(journal, "add", watch_add)
    async with jobs_of(journal, time) as jobs:
        await jobs.start(JOB, Slow(time), some(2500))

    assert sizes == [1000, 1000, 500]


async def test_a_server_that_ends_looks_a_hundred_times_a_second_whether_all_is_done(
    journal: Journal, time: FakeTime
) -> None:
    naps = Naps(time)
    async with jobs_of(journal, time, naps) as jobs:
        await jobs.start(JOB, Slow(time), some(10))
        await time.sleep(0.1)
        naps.seconds.clear()
        before = time.now

    assert time.now - before == pytest.approx(0.4, abs=0.03)
    assert {nap for nap in naps.seconds if nap < 1} == {0.01}


async def test_a_server_ends_in_time_even_where_nothing_can_be_journalled(
    journal: Journal, time: FakeTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: object) -> None:
        await time.sleep(10)
        raise Busy

    async with jobs_of(journal, time) as jobs:
        await jobs.start(JOB, Slow(time, 100), some(2))
        await time.sleep(0.1)
        monkeypatch.setattr(journal, "end", refuse)
        before = time.now

    assert time.now - before == pytest.approx(1.3, abs=0.05)


async def test_a_host_that_is_cancelled_still_gives_up_what_hangs_and_journals_that(
    journal: Journal, time: FakeTime
) -> None:
    class Hanging(Toy):
        async def send(self, job: Handle, records: list[RecordRow]) -> None:
            await job.admit(records)
            await anyio.sleep_forever()

    with anyio.CancelScope() as scope:
        async with jobs_of(journal, time) as jobs:
            await jobs.start(JOB, Hanging(), some(2))
            await time.sleep(0.1)
            before = time.now
            scope.cancel()
            await anyio.sleep_forever()

    assert time.now - before < 1.5
    (job,) = await journal.jobs()
    assert (job.state, job.owned) == (JobState.PAUSED, False)
    assert job.counts == {RecordState.SENDING: 1, RecordState.PENDING: 1}
