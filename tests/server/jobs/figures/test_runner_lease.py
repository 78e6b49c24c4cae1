"""How a running job keeps its lease, and what is said where it cannot be journalled."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator
from itertools import pairwise
from unittest.mock import AsyncMock

import pytest

from server.errors import Code, Failure
from server.jobs import (
    Handle,
    JobState,
    Journal,
    Leases,
    LocalJobs,
    LostLease,
    RecordRow,
    RecordState,
    SqliteJournal,
)
from server.jobs.lease import Lease
from server.jobs.sqlite.database import Busy
from tests.support.jobs.doubles import JOB, LONG, FakeTime, Slow, Toy, ended, some


@pytest.fixture
async def jobs(journal: Journal, time: FakeTime) -> AsyncIterator[LocalJobs]:
    async with LocalJobs(journal, clock=time.clock, sleep=time.sleep) as running:
        yield running


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
    journal = SqliteJournal(None, leases=Leases(seconds, time.clock), wall=time.clock)
    looked, renewed = [time.now], []
    is_cancelled, renew = journal.is_cancelled, journal.renew

    async def look(lease: Lease) -> bool:
        looked.append(time.now)
        return await is_cancelled(lease)

    async def keep(lease: Lease) -> bool:
        renewed.append(time.now - 1000)
        return await renew(lease)

    monkeypatch.setattr(journal, "is_cancelled", look)
    monkeypatch.setattr(journal, "renew", keep)
    async with LocalJobs(journal, clock=time.clock, sleep=time.sleep) as jobs:
        await ended(jobs, Slow(time, 11.3), some(1))

    assert [later - earlier for earlier, later in pairwise(looked)] == looks
    assert renewed == renewals


async def test_a_journal_that_is_locked_for_a_while_does_not_end_the_watch_over_the_lease(
    journal: Journal, jobs: LocalJobs, time: FakeTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_cancelled, locked = journal.is_cancelled, [Busy()] * 2

    async def look(lease: Lease) -> bool:
        if locked:
            raise locked.pop()
        return await is_cancelled(lease)

    monkeypatch.setattr(journal, "is_cancelled", look)
    started = await jobs.start(JOB, Slow(time, 40), some(1))
    await time.sleep(30)

    assert locked == []
    assert (await journal.job(started.id)).owned
    assert (await jobs.wait(started.id, LONG)).counts == {RecordState.DONE: 1}


async def test_a_cancellation_that_only_the_renewal_hears_of_is_obeyed(
    journal: Journal, jobs: LocalJobs, time: FakeTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "is_cancelled", AsyncMock(return_value=False))
    monkeypatch.setattr(journal, "renew", AsyncMock(return_value=True))
    work = Slow(time, 3)
    job = await ended(jobs, work, some(10))

    assert job.state is JobState.CANCELLED
    assert work.sent == ["k1", "k2"]


async def test_a_job_that_was_taken_over_is_left_without_a_word(
    journal: Journal, jobs: LocalJobs, time: FakeTime, caplog: pytest.LogCaptureFixture
) -> None:
    class Lost(Toy):
        async def finish(self, job: Handle) -> dict[str, object]:
            raise LostLease(job.row.id)

    caplog.set_level(logging.INFO, "archive_mcp.jobs")
    started = await jobs.start(JOB, Lost(), some(1))
    await time.sleep(1)

    row = await journal.job(started.id)
    assert (row.state, row.finished, row.error) == (JobState.RUNNING, None, None)
    assert f"{started.id} is worked on by another process" in caplog.text


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
    jobs: LocalJobs,
    time: FakeTime,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    trouble: Exception,
    words: str,
    level: int,
) -> None:
    async def fail(*_: object) -> None:
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
    assert (await journal.job(started.id)).counts == {RecordState.DONE: 1}
    assert (await ended(jobs, Toy(), some(2))).state is JobState.DONE


async def test_an_incident_has_eight_digits_and_the_log_says_which_record_was_forgotten(
    jobs: LocalJobs, caplog: pytest.LogCaptureFixture
) -> None:
    class Forgetful(Toy):
        async def send(self, job: Handle, records: list[RecordRow]) -> None:
            job.mark_done(records[0])

    job = await ended(jobs, Forgetful(batch=3), some(3))

    assert job.error
    assert re.search(r"\(incident [0-9a-f]{8}\)", job.error["message"])
    assert "a send left record 2 without a mark" in caplog.text
