"""How long a job waits, how often it tries, and how it keeps its lease: the exact figures."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest

from server.errors import Code, Failure
from server.jobs import Handle, Jobs, JobState, Journal, Leases, LostLease, RecordRow, RecordState
from server.jobs.database import Busy
from server.jobs.lease import Lease
from tests.support.jobs.doubles import JOB, LONG, FakeTime, Slow, Toy, ended, failures, some


@pytest.fixture
async def jobs(journal: Journal, time: FakeTime) -> AsyncIterator[Jobs]:
    async with Jobs(journal, clock=time.clock, sleep=time.sleep) as running:
        yield running


class Timed(Toy):
    """Notes when each of its sends left."""

    def __init__(self, time: FakeTime, answers: dict[str, list[BaseException]]) -> None:
        async def note(_: RecordRow) -> None:
            self.moments.append(time.now)

        super().__init__(answers=answers, during=note)
        self.moments: list[float] = []

    @property
    def pauses(self) -> list[float]:
        """Seconds from one send to the next."""
        return [later - earlier for earlier, later in pairwise(self.moments)]


async def test_pauses_double_from_a_second_up_to_a_minute(jobs: Jobs, time: FakeTime) -> None:
    work = Timed(time, {"k1": failures("UNAVAILABLE", 7)})
    await ended(jobs, work, some(1))

    assert work.pauses == [1, 2, 4, 8, 16, 32, 60]


@pytest.mark.parametrize(
    ("asked", "pause"),
    [(100, 100), (0.5, 1), (299.5, 299.5), (1000, 300), ("soon", 1), (None, 1), (0, 1)],
)
async def test_a_pause_that_is_asked_for_is_made_up_to_five_minutes(
    jobs: Jobs, time: FakeTime, asked: object, pause: float
) -> None:
    work = Timed(time, {"k1": failures("RATE_LIMITED", 1, retry_after=asked)})
    await ended(jobs, work, some(1))

    assert work.pauses == [pause]


async def test_the_pause_grows_only_with_failures_in_a_row(jobs: Jobs, time: FakeTime) -> None:
    answers = {"k1": failures("UNAVAILABLE", 2), "k2": failures("UNAVAILABLE", 1)}
    work = Timed(time, answers)
    await ended(jobs, work, some(3))

    assert work.sent == ["k1", "k1", "k1", "k2", "k2", "k3"]
    assert work.pauses == [1, 2, 0, 1, 0]


async def test_a_refusal_shows_that_the_api_answers_and_ends_the_row_of_failures(
    jobs: Jobs, time: FakeTime
) -> None:
    answers = {
        "k1": [*failures("UNAVAILABLE", 2), *failures("REJECTED", 1)],
        "k2": failures("UNAVAILABLE", 1),
    }
    work = Timed(time, answers)
    await ended(jobs, work, some(2))

    assert work.pauses == [1, 2, 0, 1]


async def test_a_record_that_failed_three_times_lets_the_others_go_first(jobs: Jobs) -> None:
    work = Toy(answers={"k1": failures("UNAVAILABLE", 4)})
    await ended(jobs, work, some(4))

    assert work.sent == ["k1", "k1", "k1", "k2", "k3", "k4", "k1", "k1"]


async def test_a_record_that_got_through_is_not_held_back_for_its_earlier_failures(
    jobs: Jobs,
) -> None:
    work = Toy(answers={"k1": failures("UNAVAILABLE", 2), "k2": failures("UNAVAILABLE", 2)})
    await ended(jobs, work, some(3))

    assert work.sent == ["k1", "k1", "k1", "k2", "k2", "k2", "k3"]


async def test_a_record_is_given_up_after_nine_failures_if_others_got_through(jobs: Jobs) -> None:
    work = Toy(answers={"k1": failures("UNAVAILABLE", 99, "crashed")})
    job = await ended(jobs, work, some(4))

    assert job.state is JobState.DONE
    assert work.sent == ["k1"] * 3 + ["k2", "k3", "k4"] + ["k1"] * 8
    assert [row.reason for row in await jobs.failures(job.id)] == ["crashed"]


async def test_eight_failures_in_a_row_pause_the_job_and_seven_do_not(jobs: Jobs) -> None:
    seven = await ended(jobs, Toy(answers={"k1": failures("TIMEOUT", 7)}), some(1))
    eight = await ended(jobs, Toy(answers={"k1": failures("TIMEOUT", 8)}), some(1))

    assert (seven.state, eight.state) == (JobState.DONE, JobState.PAUSED)
    assert eight.counts == {RecordState.PENDING: 1}


async def test_gathering_is_given_up_after_eight_failures_in_a_row(
    jobs: Jobs, time: FakeTime
) -> None:
    work = Toy([some(1)])
    work.gathers = failures("TIMEOUT", 99)
    job = await ended(jobs, work)

    assert (job.state, len(work.gathers)) == (JobState.PAUSED, 91)
    assert time.now - 1000 == pytest.approx(1 + 2 + 4 + 8 + 16 + 32 + 60, abs=0.1)


async def test_gathering_that_got_a_step_further_begins_a_new_row_of_failures(
    jobs: Jobs, time: FakeTime
) -> None:
    moments: list[float] = []

    class Stepping(Toy):
        async def gather(self, job: Handle) -> None:
            moments.append(time.now)
            if len(moments) == 3:
                await job.checkpoint(1)
            if len(moments) < 5:
                raise Failure(Code.TIMEOUT, "slow")

    await ended(jobs, Stepping())

    assert [later - earlier for earlier, later in pairwise(moments)] == [1, 2, 1, 2]


async def test_a_pause_is_left_within_a_quarter_of_a_second_when_the_job_is_cancelled(
    jobs: Jobs, time: FakeTime
) -> None:
    work = Toy(answers={"k1": failures("BUDGET_EXHAUSTED", 1, retry_after=250)})
    started = await jobs.start(JOB, work, some(2))
    await time.sleep(1.3)
    before = time.now
    await jobs.cancel(started.id)
    await jobs.wait(started.id, LONG)

    assert time.now - before <= 0.3


async def test_a_job_in_a_pause_naps_and_does_not_spin(journal: Journal, time: FakeTime) -> None:
    naps: list[float] = []

    async def sleep(seconds: float) -> None:
        naps.append(seconds)
        await time.sleep(seconds)

    async with Jobs(journal, clock=time.clock, sleep=sleep) as jobs:
        work = Toy(answers={"k1": failures("BUDGET_EXHAUSTED", 1, retry_after=7)})
        await jobs.start(JOB, work, some(2))
        await time.sleep(5.1)

    assert naps.count(0.25) == 21
    assert min(naps) >= 0


@pytest.mark.parametrize(
    ("seconds", "looks", "renewals"),
    [(15.0, [1.0] * 11, [5.0, 10.0]), (2.0, [0.5] * 22, [1.0 * n for n in range(1, 12)])],
)
async def test_a_lease_is_renewed_each_third_of_its_time_and_the_journal_looked_at_each_second(
    time: FakeTime,
    monkeypatch: pytest.MonkeyPatch,
    seconds: float,
    looks: list[float],
    renewals: list[float],
) -> None:
    journal = Journal(None, leases=Leases(seconds, time.clock), wall=time.clock)
    looked, renewed = [time.now], []
    is_cancelled, renew = journal.is_cancelled, journal.renew

    def look(lease: Lease) -> bool:
        looked.append(time.now)
        return is_cancelled(lease)

    def keep(lease: Lease) -> bool:
        renewed.append(time.now - 1000)
        return renew(lease)

    monkeypatch.setattr(journal, "is_cancelled", look)
    monkeypatch.setattr(journal, "renew", keep)
    async with Jobs(journal, clock=time.clock, sleep=time.sleep) as jobs:
        await ended(jobs, Slow(time, 11.3), some(1))

    assert [later - earlier for earlier, later in pairwise(looked)] == looks
    assert renewed == renewals


async def test_a_journal_that_is_locked_for_a_while_does_not_end_the_watch_over_the_lease(
    journal: Journal, jobs: Jobs, time: FakeTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_cancelled, locked = journal.is_cancelled, [Busy()] * 2

    def look(lease: Lease) -> bool:
        if locked:
            raise locked.pop()
        return is_cancelled(lease)

    monkeypatch.setattr(journal, "is_cancelled", look)
    started = await jobs.start(JOB, Slow(time, 40), some(1))
    await time.sleep(30)

    assert locked == []
    assert journal.job(started.id).owned
    assert (await jobs.wait(started.id, LONG)).counts == {RecordState.DONE: 1}


async def test_a_cancellation_that_only_the_renewal_hears_of_is_obeyed(
    journal: Journal, jobs: Jobs, time: FakeTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "is_cancelled", lambda _: False)
    monkeypatch.setattr(journal, "renew", lambda _: True)
    work = Slow(time, 3)
    job = await ended(jobs, work, some(10))

    assert job.state is JobState.CANCELLED
    assert work.sent == ["k1", "k2"]


async def test_a_job_that_was_taken_over_is_left_without_a_word(
    journal: Journal, jobs: Jobs, time: FakeTime, caplog: pytest.LogCaptureFixture
) -> None:
    class Lost(Toy):
        async def finish(self, job: Handle) -> dict[str, object]:
            raise LostLease(job.row.id)

    caplog.set_level(logging.INFO, "archive_mcp.jobs")
    started = await jobs.start(JOB, Lost(), some(1))
    await time.sleep(1)

    row = journal.job(started.id)
    assert (row.state, row.finished, row.error) == (JobState.RUNNING, None, None)
    assert f"{started.id} is worked on by another process" in caplog.text


async def test_an_unknown_outcome_of_some_records_is_tried_again_for_those_alone(
    jobs: Jobs,
) -> None:
    answers = {"k2": failures("OUTCOME_UNKNOWN", 2), "k1": failures("TIMEOUT", 1)}
    work = Toy(answers=answers)
    job = await ended(jobs, work, some(3))

    assert job.counts == {RecordState.DONE: 3}
    assert work.sent == ["k1", "k1", "k2", "k2", "k2", "k3"]


@pytest.mark.parametrize(
    ("trouble", "words", "level"),
    [
        (LostLease("a job"), "was taken over by another process", logging.INFO),
        (
            Failure(Code.UNAVAILABLE, "The disk is full."),
            "could not be journalled as done: The disk is full.",
            logging.WARNING,
        ),
        (
            ZeroDivisionError("a bug"),
            r"incident [0-9a-f]{8} in \w+, which was left as it is",
            logging.ERROR,
        ),
    ],
)
async def test_a_job_whose_end_cannot_be_journalled_is_left_with_a_line_in_the_log(
    journal: Journal,
    jobs: Jobs,
    time: FakeTime,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    trouble: Exception,
    words: str,
    level: int,
) -> None:
    def fail(*_: object) -> None:
        raise trouble

    caplog.set_level(logging.INFO, "archive_mcp.jobs")
    end = journal.end
    monkeypatch.setattr(journal, "end", fail)
    started = await jobs.start(JOB, Toy(), some(1))
    await time.sleep(1)
    monkeypatch.setattr(journal, "end", end)

    (line,) = caplog.records
    assert re.search(words, line.getMessage())
    assert line.levelno == level
    assert journal.job(started.id).counts == {RecordState.DONE: 1}
    assert (await ended(jobs, Toy(), some(2))).state is JobState.DONE


async def test_what_was_gathered_at_last_ends_the_row_of_failures(
    jobs: Jobs, time: FakeTime
) -> None:
    work = Timed(time, {"k1": failures("UNAVAILABLE", 1)})
    work.pages = [some(1)]
    work.gathers = failures("UNAVAILABLE", 2)
    await ended(jobs, work)

    assert work.pauses == [1]


async def test_a_record_that_was_given_up_ends_the_row_of_failures(
    jobs: Jobs, time: FakeTime
) -> None:
    moments: list[float] = []

    class Finishing(Toy):
        async def finish(self, job: Handle) -> dict[str, object]:
            moments.append(time.now)
            return await super().finish(job)

    work = Finishing(answers={"k1": failures("UNAVAILABLE", 99)})
    work.finishes = failures("UNAVAILABLE", 1)
    job = await ended(jobs, work, some(4))

    assert job.counts == {RecordState.DONE: 3, RecordState.FAILED: 1}
    assert [later - earlier for earlier, later in pairwise(moments)] == [1]


async def test_an_incident_has_eight_digits_and_the_log_says_which_record_was_forgotten(
    jobs: Jobs, caplog: pytest.LogCaptureFixture
) -> None:
    class Forgetful(Toy):
        async def send(self, job: Handle, records: list[RecordRow]) -> None:
            job.done(records[0])

    job = await ended(jobs, Forgetful(batch=3), some(3))

    assert job.error
    assert re.search(r"\(incident [0-9a-f]{8}\)", job.error["message"])
    assert "a send left record 2 without a mark" in caplog.text
