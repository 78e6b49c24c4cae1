"""Sends that fail: the record, a pause, or the job."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest

from server.errors import Code, Failure
from server.jobs import (
    Handle,
    JobState,
    Journal,
    LocalJobs,
    RecordRow,
    RecordState,
)
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


@pytest.mark.parametrize("code", ["REJECTED", "NOT_FOUND", "INVALID_ARGUMENT"])
async def test_a_refused_record_fails_with_its_reason_and_the_job_goes_on(
    jobs: LocalJobs, code: str
) -> None:
    job = await ended(jobs, Toy(answers={"k2": failures(code, 1, "cannot be")}), some(3))

    (failed,) = await jobs.failures(job.id)
    assert (failed.key, failed.code, failed.reason) == ("k2", code, "cannot be")
    assert job.counts == {RecordState.DONE: 2, RecordState.FAILED: 1}
    assert job.state is JobState.DONE


async def test_a_refused_send_of_several_is_taken_apart_to_find_the_one(jobs: LocalJobs) -> None:
    work = Toy(answers={"k3": failures("REJECTED", 2)}, batch=5)
    job = await ended(jobs, work, some(5))

    assert [row.key for row in await jobs.failures(job.id)] == ["k3"]
    assert work.sends == [["k1", "k2", "k3", "k4", "k5"], ["k1"], ["k2"], ["k3"], ["k4"], ["k5"]]


async def test_an_unknown_outcome_of_repeatable_work_is_tried_twice_more(jobs: LocalJobs) -> None:
    answers = {"k1": failures("OUTCOME_UNKNOWN", 2), "k2": failures("OUTCOME_UNKNOWN", 3)}
    work = Toy(answers=answers)
    job = await ended(jobs, work, some(3))

    assert {row.key: row.state for row in await jobs.records(job.id)} == {
        "k1": "done",
        "k2": "unknown",
        "k3": "done",
    }
    assert [work.sent.count(key) for key in ("k1", "k2", "k3")] == [3, 3, 1]


async def test_an_unknown_outcome_of_other_work_is_never_tried_again(jobs: LocalJobs) -> None:
    work = Toy(answers={"k1": failures("OUTCOME_UNKNOWN", 1, "lost")}, repeatable=False)
    job = await ended(jobs, work, some(2))

    assert work.sent == ["k1", "k2"]
    (unknown,) = await jobs.failures(job.id)
    assert (unknown.state, unknown.code, unknown.reason) == ("unknown", "OUTCOME_UNKNOWN", "lost")


@pytest.mark.parametrize(("writes", "state"), [(True, "unknown"), (False, "failed")])
async def test_a_refusal_after_an_unknown_outcome_does_not_say_that_nothing_happened(
    jobs: LocalJobs, *, writes: bool, state: str
) -> None:
    answers = {"k1": [*failures("OUTCOME_UNKNOWN", 1), *failures("NOT_FOUND", 1, "not there")]}
    work = Toy(answers=answers)
    work.writes = writes
    job = await ended(jobs, work, some(2))

    (failed,) = await jobs.failures(job.id)
    assert failed.state == state
    assert str(failed.reason).startswith("not there")
    assert work.sent.count("k1") == 2


@pytest.mark.parametrize("code", ["RATE_LIMITED", "UNAVAILABLE", "TIMEOUT", "BUDGET_EXHAUSTED"])
async def test_what_may_pass_is_waited_for_with_growing_pauses(
    jobs: LocalJobs, time: FakeTime, code: str
) -> None:
    moments: list[float] = []

    async def note(_: RecordRow) -> None:
        moments.append(time.now)

    work = Toy(answers={"k1": failures(code, 3)}, during=note)
    job = await ended(jobs, work, some(2))

    assert job.counts == {RecordState.DONE: 2}
    pauses = [later - earlier for earlier, later in pairwise(moments)]
    assert pauses[:3] == pytest.approx([1, 2, 4], abs=0.1)


async def test_the_pause_that_a_failure_asks_for_is_kept(jobs: LocalJobs, time: FakeTime) -> None:
    before = time.now
    await ended(
        jobs, Toy(answers={"k1": failures("BUDGET_EXHAUSTED", 1, retry_after=100)}), some(1)
    )

    assert 100 <= time.now - before < 102


async def test_failures_of_sends_that_were_under_way_together_count_once(
    jobs: LocalJobs, time: FakeTime
) -> None:
    async def slow(_: RecordRow) -> None:
        await time.sleep(0.1)

    answers = {f"k{number}": failures("UNAVAILABLE", 3) for number in range(1, 9)}
    job = await ended(jobs, Toy(answers=answers, width=8, during=slow), some(8))

    assert job.counts == {RecordState.DONE: 8}


async def test_eight_failures_in_a_row_pause_the_job_with_the_reason_and_nothing_is_lost(
    jobs: LocalJobs,
) -> None:
    answers = {f"k{number}": failures("UNAVAILABLE", 99, "down") for number in range(1, 10)}
    work = Toy(answers=answers)
    job = await ended(jobs, work, some(9))

    assert (job.state, job.counts) == (JobState.PAUSED, {RecordState.PENDING: 9})
    assert job.error
    assert (job.error["code"], job.error["message"], job.error["hint"]) == (
        "UNAVAILABLE",
        "down",
        "a hint",
    )
    assert len(work.sent) == 8


async def test_a_record_that_alone_keeps_failing_lets_others_go_first_and_fails_at_last(
    jobs: LocalJobs,
) -> None:
    job = await ended(jobs, Toy(answers={"k1": failures("UNAVAILABLE", 99, "crashed")}), some(20))

    assert job.state is JobState.DONE
    assert job.counts == {RecordState.DONE: 19, RecordState.FAILED: 1}
    (failed,) = await jobs.failures(job.id)
    assert (failed.key, failed.code, failed.reason) == ("k1", "UNAVAILABLE", "crashed")


@pytest.mark.parametrize("code", ["UNAUTHENTICATED", "FORBIDDEN", "NOT_CONFIGURED"])
@pytest.mark.parametrize("early", [True, False])
async def test_what_the_user_must_mend_pauses_the_job_at_once(
    jobs: LocalJobs, code: str, early: bool
) -> None:
    work = Toy(answers={"k2": failures(code, 1)}, repeatable=False, early=early)
    job = await ended(jobs, work, some(3))

    assert (job.state, job.error and job.error["code"]) == (JobState.PAUSED, code)
    assert {row.key: row.state for row in await jobs.records(job.id)} == {
        "k1": "done",
        "k2": "pending",
        "k3": "pending",
    }

    await jobs.resume(job.id, work)
    again = await jobs.wait(job.id, LONG)
    assert (again.state, again.error, again.counts) == (JobState.DONE, None, {RecordState.DONE: 3})


FULL = Failure(Code.UNAVAILABLE, "The disk is full.", "Free some space.", disk="full")


async def test_a_full_disk_pauses_the_job_at_once_and_says_so(
    jobs: LocalJobs, time: FakeTime
) -> None:
    job = await ended(jobs, Toy(answers={"k2": [FULL]}), some(3))

    assert job.state is JobState.PAUSED
    assert job.error is not None
    assert job.error["message"] == "The disk is full."


async def test_a_job_says_that_the_disk_is_full_even_where_the_journal_cannot(
    jobs: LocalJobs, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: object) -> None:
        raise FULL

    started = await jobs.start(JOB, Toy(), some(3))
    monkeypatch.setattr(journal, "mark", refuse)
    monkeypatch.setattr(journal, "end", refuse)
    job = await jobs.wait(started.id, LONG)

    assert (job.state, job.owned) == (JobState.PAUSED, False)
    assert job.error is not None
    assert job.error["message"] == "The disk is full."


async def test_a_fault_of_the_work_is_masked_with_an_id_that_is_in_the_log(
    jobs: LocalJobs, caplog: pytest.LogCaptureFixture
) -> None:
    job = await ended(jobs, Toy(answers={"k2": [ZeroDivisionError("secret")]}), some(3))

    assert (job.state, job.error and job.error["code"]) == (JobState.FAILED, "INTERNAL")
    assert job.error
    assert "secret" not in str(job.error)
    incident = job.error["message"].partition("incident ")[2][:8]
    assert incident in caplog.text
    assert "ZeroDivisionError" in caplog.text


async def test_a_send_that_forgets_a_record_is_a_fault(
    jobs: LocalJobs, caplog: pytest.LogCaptureFixture
) -> None:
    class Forgetful(Toy):
        async def send(self, job: Handle, records: list[RecordRow]) -> None:
            return

    caplog.set_level(logging.CRITICAL, "archive_mcp.jobs")
    job = await ended(jobs, Forgetful(), some(1))

    assert job.state is JobState.FAILED


async def test_a_result_that_is_not_json_is_a_fault(jobs: LocalJobs) -> None:
    class Odd(Toy):
        async def finish(self, job: Handle) -> dict[str, object]:
            return {"a set": {1}}

    assert (await ended(jobs, Odd(), some(1))).state is JobState.FAILED
