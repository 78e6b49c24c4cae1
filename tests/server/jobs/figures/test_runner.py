"""How long a job waits, how often it tries, and how it keeps its lease: the exact figures."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import pairwise

import pytest

from server.errors import Code, Failure
from server.jobs import Handle, JobState, Journal, LocalJobs, RecordRow, RecordState
from tests.support.jobs.doubles import JOB, LONG, FakeTime, Toy, ended, failures, some


@pytest.fixture
async def jobs(journal: Journal, time: FakeTime) -> AsyncIterator[LocalJobs]:
    async with LocalJobs(journal, clock=time.clock, sleep=time.sleep) as running:
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


async def test_pauses_double_from_a_second_up_to_a_minute(jobs: LocalJobs, time: FakeTime) -> None:
    work = Timed(time, {"k1": failures("UNAVAILABLE", 7)})
    await ended(jobs, work, some(1))

    assert work.pauses == [1, 2, 4, 8, 16, 32, 60]


@pytest.mark.parametrize(
    ("asked", "pause"),
    [(100, 100), (0.5, 1), (299.5, 299.5), (1000, 300), ("soon", 1), (None, 1), (0, 1)],
)
async def test_a_pause_that_is_asked_for_is_made_up_to_five_minutes(
    jobs: LocalJobs, time: FakeTime, asked: object, pause: float
) -> None:
    work = Timed(time, {"k1": failures("RATE_LIMITED", 1, retry_after=asked)})
    await ended(jobs, work, some(1))

    assert work.pauses == [pause]


async def test_the_pause_grows_only_with_failures_in_a_row(jobs: LocalJobs, time: FakeTime) -> None:
    answers = {"k1": failures("UNAVAILABLE", 2), "k2": failures("UNAVAILABLE", 1)}
    work = Timed(time, answers)
    await ended(jobs, work, some(3))

    assert work.sent == ["k1", "k1", "k1", "k2", "k2", "k3"]
    assert work.pauses == [1, 2, 0, 1, 0]


async def test_a_refusal_shows_that_the_api_answers_and_ends_the_row_of_failures(
    jobs: LocalJobs, time: FakeTime
) -> None:
    answers = {
        "k1": [*failures("UNAVAILABLE", 2), *failures("REJECTED", 1)],
        "k2": failures("UNAVAILABLE", 1),
    }
    work = Timed(time, answers)
    await ended(jobs, work, some(2))

    assert work.pauses == [1, 2, 0, 1]


async def test_a_record_that_failed_three_times_lets_the_others_go_first(jobs: LocalJobs) -> None:
    work = Toy(answers={"k1": failures("UNAVAILABLE", 4)})
    await ended(jobs, work, some(4))

    assert work.sent == ["k1", "k1", "k1", "k2", "k3", "k4", "k1", "k1"]


async def test_a_record_that_got_through_is_not_held_back_for_its_earlier_failures(
    jobs: LocalJobs,
) -> None:
    work = Toy(answers={"k1": failures("UNAVAILABLE", 2), "k2": failures("UNAVAILABLE", 2)})
    await ended(jobs, work, some(3))

    assert work.sent == ["k1", "k1", "k1", "k2", "k2", "k2", "k3"]


async def test_a_record_is_given_up_after_nine_failures_if_others_got_through(
    jobs: LocalJobs,
) -> None:
    work = Toy(answers={"k1": failures("UNAVAILABLE", 99, "crashed")})
    job = await ended(jobs, work, some(4))

    assert job.state is JobState.DONE
    assert work.sent == ["k1"] * 3 + ["k2", "k3", "k4"] + ["k1"] * 8
    assert [row.reason for row in await jobs.failures(job.id)] == ["crashed"]


async def test_eight_failures_in_a_row_pause_the_job_and_seven_do_not(jobs: LocalJobs) -> None:
    seven = await ended(jobs, Toy(answers={"k1": failures("TIMEOUT", 7)}), some(1))
    eight = await ended(jobs, Toy(answers={"k1": failures("TIMEOUT", 8)}), some(1))

    assert (seven.state, eight.state) == (JobState.DONE, JobState.PAUSED)
    assert eight.counts == {RecordState.PENDING: 1}


async def test_gathering_is_given_up_after_eight_failures_in_a_row(
    jobs: LocalJobs, time: FakeTime
) -> None:
    work = Toy([some(1)])
    work.gathers = failures("TIMEOUT", 99)
    job = await ended(jobs, work)

    assert (job.state, len(work.gathers)) == (JobState.PAUSED, 91)
    assert time.now - 1000 == pytest.approx(1 + 2 + 4 + 8 + 16 + 32 + 60, abs=0.1)


async def test_gathering_that_got_a_step_further_begins_a_new_row_of_failures(
    jobs: LocalJobs, time: FakeTime
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
    jobs: LocalJobs, time: FakeTime
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

    async with LocalJobs(journal, clock=time.clock, sleep=sleep) as jobs:
        work = Toy(answers={"k1": failures("BUDGET_EXHAUSTED", 1, retry_after=7)})
        await jobs.start(JOB, work, some(2))
        await time.sleep(5.1)

    assert naps.count(0.25) == 21
    assert min(naps) >= 0


async def test_an_unknown_outcome_of_some_records_is_tried_again_for_those_alone(
    jobs: LocalJobs,
) -> None:
    answers = {"k2": failures("OUTCOME_UNKNOWN", 2), "k1": failures("TIMEOUT", 1)}
    work = Toy(answers=answers)
    job = await ended(jobs, work, some(3))

    assert job.counts == {RecordState.DONE: 3}
    assert work.sent == ["k1", "k1", "k2", "k2", "k2", "k3"]


async def test_what_was_gathered_at_last_ends_the_row_of_failures(
    jobs: LocalJobs, time: FakeTime
) -> None:
    work = Timed(time, {"k1": failures("UNAVAILABLE", 1)})
    work.pages = [some(1)]
    work.gathers = failures("UNAVAILABLE", 2)
    await ended(jobs, work)

    assert work.pauses == [1]


async def test_a_record_that_was_given_up_ends_the_row_of_failures(
    jobs: LocalJobs, time: FakeTime
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
