"""One job worked off: order, admission, gathering, finishing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest

from server.errors import Code, Failure
from server.jobs import (
    Handle,
    JobState,
    Journal,
    Leases,
    LocalJobs,
    NewRecord,
    Phase,
    RecordRow,
    RecordState,
    SqliteJournal,
)
from server.jobs.handle import JobProgress
from server.jobs.model import End
from tests.support.jobs.doubles import (
    JOB,
    LONG,
    FakeTime,
    Toy,
    ended,
    failures,
    some,
)


@pytest.fixture
async def jobs(journal: Journal, time: FakeTime) -> AsyncIterator[LocalJobs]:
    async with LocalJobs(journal, clock=time.clock, sleep=time.sleep) as running:
        yield running


async def test_the_phases_follow_each_other_and_the_result_is_journalled(jobs: LocalJobs) -> None:
    job = await ended(jobs, Toy([some(3), [NewRecord("k3"), NewRecord("last")]]))

    assert (job.state, job.phase, job.total) == (JobState.DONE, Phase.FINISHING, 4)
    assert job.counts == {RecordState.DONE: 4}
    assert job.result == {"sent": 4}
    assert (job.cursor, job.counters) == (2, {"pages": 2})
    assert job.finished is not None
    assert not job.owned


async def test_records_known_at_the_start_are_sent_in_order_without_gathering(
    jobs: LocalJobs,
) -> None:
    work = Toy([[NewRecord("never")]])
    started = await jobs.start(JOB, work, some(2500))
    job = await jobs.wait(started.id, LONG)

    assert work.sent == [f"k{number}" for number in range(1, 2501)]
    assert (started.total, job.total, job.finished_records) == (2500, 2500, 2500)


async def test_a_job_without_records_is_done(jobs: LocalJobs) -> None:
    assert (await ended(jobs, Toy())).state is JobState.DONE


async def test_a_record_given_twice_is_sent_once(jobs: LocalJobs) -> None:
    work = Toy()
    job = await ended(jobs, work, [*some(2), NewRecord("k1")])

    assert work.sent == ["k1", "k2"]
    assert job.total == 2


async def test_sends_are_as_many_at_a_time_as_the_kind_allows_and_as_large(
    jobs: LocalJobs, time: FakeTime
) -> None:
    async def slow(_: RecordRow) -> None:
        await time.sleep(0.1)

    work = Toy(during=slow, width=3, batch=4)
    await ended(jobs, work, some(30))

    assert work.most == 3
    assert [len(each) for each in work.sends] == [4] * 7 + [2]
    assert sorted(work.sent) == sorted(record.key for record in some(30))


async def test_records_that_wait_for_their_turn_are_not_given_to_another_sender(
    jobs: LocalJobs, time: FakeTime
) -> None:
    async def wait(_: RecordRow) -> None:
        await time.sleep(0.2)

    work = Toy(before=wait, width=4, batch=2)
    job = await ended(jobs, work, some(20))

    assert job.state is JobState.DONE
    assert sorted(work.sent) == sorted(record.key for record in some(20))


async def test_a_detail_stays_unless_another_replaces_it(jobs: LocalJobs) -> None:
    class Silent(Toy):
        async def send(self, job: Handle, records: list[RecordRow]) -> None:
            await job.admit(records)
            job.mark_done(records[0], {"new": 1} if records[0].key == "k2" else None)

    job = await ended(jobs, Silent(), [NewRecord("k1", {"old": 1}), NewRecord("k2", {"old": 2})])

    assert [row.detail for row in await jobs.records(job.id)] == [{"old": 1}, {"new": 1}]


async def test_the_first_reason_to_end_counts_unless_the_job_is_lost() -> None:
    progress = JobProgress()
    progress.decide(End(JobState.PAUSED, {"code": "FORBIDDEN"}))
    progress.decide(End(JobState.PAUSED))
    assert progress.end == End(JobState.PAUSED, {"code": "FORBIDDEN"})
    progress.abandon()
    progress.decide(End(JobState.DONE))
    assert progress.end == End(None)


async def test_what_a_send_says_of_a_record_is_kept_with_it(jobs: LocalJobs) -> None:
    class Told(Toy):
        async def send(self, job: Handle, records: list[RecordRow]) -> None:
            await job.admit(records)
            match records[0].key:
                case "k1":
                    job.mark_failed(records[0], "not allowed")
                case "k2":
                    job.mark_unknown(records[0], "no answer")
                case "k3":
                    job.mark_skipped(records[0], "there already")
                case _:
                    job.mark_done(records[0], {"before": 1})

    job = await ended(jobs, Told(), some(4))

    rows = await jobs.records(job.id)
    assert [(row.state, row.code, row.reason) for row in rows[:3]] == [
        ("failed", "REJECTED", "not allowed"),
        ("unknown", "OUTCOME_UNKNOWN", "no answer"),
        ("skipped", None, "there already"),
    ]
    assert rows[3].detail == {"before": 1}
    assert [row.key for row in await jobs.failures(job.id)] == ["k1", "k2"]


async def test_gathering_goes_on_where_it_was_after_a_failure_that_passes(jobs: LocalJobs) -> None:
    work = Toy([some(2), [NewRecord("k3")]])
    work.gathers = failures("UNAVAILABLE", 7)
    job = await ended(jobs, work)

    assert work.sent == ["k1", "k2", "k3"]
    assert job.state is JobState.DONE


async def test_gathering_that_gets_on_between_its_failures_is_not_given_up(jobs: LocalJobs) -> None:
    class Halting(Toy):
        async def gather(self, job: Handle) -> None:
            if (job.cursor or 0) < 20:
                await job.checkpoint((job.cursor or 0) + 1)
                raise Failure(Code.UNAVAILABLE, "down")

    assert (await ended(jobs, Halting())).state is JobState.DONE


async def test_a_page_without_a_place_keeps_the_place_and_counters_are_merged(
    jobs: LocalJobs,
) -> None:
    class Counting(Toy):
        async def gather(self, job: Handle) -> None:
            await job.checkpoint({"after": "x"}, pages=1)
            await job.add(some(1), files=2)
            self.seen = job.cursor, dict(job.counters)

    work = Counting()
    job = await ended(jobs, work)

    assert work.seen == (job.cursor, job.counters) == ({"after": "x"}, {"pages": 1, "files": 2})


@pytest.mark.parametrize(
    ("code", "times", "state"),
    [
        ("NOT_FOUND", 1, JobState.FAILED),
        ("FORBIDDEN", 1, JobState.PAUSED),
        ("TIMEOUT", 8, JobState.PAUSED),
    ],
)
async def test_gathering_that_fails_for_good_ends_or_pauses_the_job(
    jobs: LocalJobs, code: str, times: int, state: JobState
) -> None:
    work = Toy([some(2)])
    work.gathers = failures(code, times)
    job = await ended(jobs, work)

    assert (job.state, job.phase, work.sent) == (state, Phase.GATHERING, [])


async def test_finishing_is_tried_again_without_sending_anything_again(jobs: LocalJobs) -> None:
    work = Toy()
    work.finishes = [*failures("UNAVAILABLE", 2), *failures("FORBIDDEN", 1)]
    job = await ended(jobs, work, some(2))
    assert (job.state, job.phase) == (JobState.PAUSED, Phase.FINISHING)

    await jobs.resume(job.id, work)
    assert (await jobs.wait(job.id, LONG)).result == {"sent": 2}


async def test_a_record_that_is_done_is_not_admitted_again(
    journal: Journal, jobs: LocalJobs
) -> None:
    class Twice(Toy):
        first: RecordRow | None = None

        async def send(self, job: Handle, records: list[RecordRow]) -> None:
            if self.first:
                await job.admit([self.first])
                self.sent.append("again")
            self.first = records[0]
            await super().send(job, records)

    work = Twice()
    job = await ended(jobs, work, some(2))

    assert "again" not in work.sent
    assert job.state is JobState.FAILED


async def test_a_client_that_repeats_a_request_admits_it_each_time(jobs: LocalJobs) -> None:
    class Repeating(Toy):
        async def send(self, job: Handle, records: list[RecordRow]) -> None:
            await job.admit(records)
            await super().send(job, records)

    job = await ended(jobs, Repeating(), some(2))

    assert [(row.state, row.sends) for row in await jobs.records(job.id)] == [
        ("done", 2),
        ("done", 2),
    ]


async def test_a_journal_that_cannot_be_written_keeps_a_record_from_being_sent(
    journal: Journal, jobs: LocalJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    admit, full = journal.admit, [Failure(Code.UNAVAILABLE, "disk full")]

    async def refuse(*values: object, **options: object) -> None:
        if full:
            raise full.pop()
        await admit(*values, **options)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr(journal, "admit", refuse)
    work = Toy(repeatable=False)
    await ended(jobs, work, some(2))

    assert work.sent == ["k1", "k2"]


async def test_time_spent_in_a_job_keeps_its_lease(
    journal: Journal, jobs: LocalJobs, time: FakeTime
) -> None:
    seen: list[bool] = []

    async def slow(_: RecordRow) -> None:
        for _turn in range(10):
            await time.sleep(10)
            seen.append((await journal.jobs())[0].owned)

    await ended(jobs, Toy(during=slow), some(1))

    assert seen == [True] * 10


async def test_the_host_may_be_cancelled_and_the_job_is_paused_all_the_same(
    journal: Journal, time: FakeTime
) -> None:
    async def slow(_: RecordRow) -> None:
        await time.sleep(0.5)

    with anyio.CancelScope() as scope:
        async with LocalJobs(journal, clock=time.clock, sleep=time.sleep) as jobs:
            await jobs.start(JOB, Toy(during=slow), some(100))
            await time.sleep(0.1)
            scope.cancel()
            await anyio.sleep_forever()

    (job,) = await journal.jobs()
    assert (job.state, job.owned) == (JobState.PAUSED, False)
    assert set(job.counts) == {RecordState.DONE, RecordState.PENDING}


class Late(SqliteJournal):
    """A journal whose answers come late: much has happened since."""

    async def records(self, *values: Any, **options: Any) -> list[RecordRow]:
        rows: list[RecordRow] = await super().records(*values, **options)
        for _ in range(20):
            await anyio.lowlevel.checkpoint()
        return rows


@pytest.mark.parametrize(("width", "batch"), [(2, 1), (8, 1), (4, 3)])
async def test_what_was_sent_while_the_journal_answered_is_not_sent_again(
    time: FakeTime, width: int, batch: int
) -> None:
    journal = Late(None, leases=Leases(clock=time.clock), wall=time.clock, sleep=time.sleep)

    async def turn(record: RecordRow) -> None:
        for _ in range(record.number % 7):
            await anyio.lowlevel.checkpoint()

    # A record that waits for its turn is still pending in the journal.
    work = Toy(before=turn, during=turn, repeatable=False, width=width, batch=batch)
    async with LocalJobs(journal, clock=time.clock, sleep=time.sleep) as jobs:
        job = await ended(jobs, work, some(120))

    assert (job.state, job.error) == (JobState.DONE, None)
    assert sorted(work.sent) == sorted(record.key for record in some(120))
