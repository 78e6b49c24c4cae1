"""What a worker does with the jobs that the queue hands to it."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio
import pytest

from server.errors import Code, Failure
from server.jobs import JobRow, JobState, LocalJobs, RecordState, Work
from server.jobs.model import End, to_dict
from server.team.jobs import host
from server.team.jobs.host import JobHost
from server.team.jobs.journal import PostgresJournal
from server.team.jobs.people import Person
from server.team.jobs.queue import QueuedJobs
from server.team.store.database import Database
from tests.support.jobs.doubles import JOB, Toy, some
from tests.support.jobs.queued import Nudged


@dataclass
class OnePerson:
    """Opens one person, whose jobs all do the same.

    Args:
        refusal: what opening them raises.
    """

    journal: PostgresJournal
    work: Work
    refusal: Exception | None = None
    opened: list[tuple[str, str | None]] = field(default_factory=list)
    local: LocalJobs | None = None

    @asynccontextmanager
    async def open(self, principal_id: str, sealed_identity: str | None) -> AsyncIterator[Person]:
        self.opened.append((principal_id, sealed_identity))
        if self.refusal:
            raise self.refusal
        async with LocalJobs(self.journal, grace=0.1) as self.local:
            yield Person(None, self)  # type: ignore[arg-type]  # nobody looks at either

    async def jobs(self) -> LocalJobs:
        assert self.local
        return self.local

    async def load_work(self, row: JobRow) -> Work:
        del row
        return self.work


@pytest.fixture(autouse=True)
def recovery(monkeypatch: pytest.MonkeyPatch) -> None:
    """The person says themselves what the work is."""

    def find(catalog: Any, services: Any) -> Any:
        del catalog
        return services

    monkeypatch.setattr(host, "Recovery", find)


@pytest.fixture
async def job(journal: PostgresJournal, nudges: Nudged) -> str:
    started = await QueuedJobs(journal, nudges).start(JOB, Toy(), some(3))
    nudges.jobs.clear()
    return started.id


async def test_a_job_runs_in_the_name_of_whoever_started_it(
    database: Database, journal: PostgresJournal, nudges: Nudged, job: str
) -> None:
    people = OnePerson(journal, Toy())
    async with JobHost(PostgresJournal(database, None), people, nudges) as running:
        await running.run(job)

    assert people.opened == [("own", "sealed")]
    assert (await journal.job(job)).counts == {RecordState.DONE: 3}
    assert (running.running, nudges.jobs) == (set(), [])


@pytest.mark.parametrize(
    ("code", "state"),
    [
        (Code.FORBIDDEN, JobState.FAILED),
        (Code.READ_ONLY, JobState.FAILED),
        (Code.INVALID_ARGUMENT, JobState.FAILED),
        (Code.UNAUTHENTICATED, JobState.PAUSED),
        (Code.NOT_CONFIGURED, JobState.PAUSED),
    ],
)
async def test_a_job_that_nobody_may_do_ends_and_says_why(
    journal: PostgresJournal, nudges: Nudged, job: str, code: Code, state: JobState
) -> None:
    refusal = Failure(code, "This is why.", "Do that.")
    async with JobHost(journal, OnePerson(journal, Toy(), refusal), nudges) as running:
        await running.run(job)

    row = await journal.job(job)
    assert (row.state, row.error, row.owned) == (state, to_dict(refusal), False)
    assert await journal.interrupted() == []


@pytest.mark.parametrize(
    "trouble",
    [Failure(Code.UNAVAILABLE, "Archive is down."), ZeroDivisionError("a bug")],
)
async def test_a_job_that_cannot_be_opened_now_waits_on(
    journal: PostgresJournal,
    nudges: Nudged,
    job: str,
    trouble: Exception,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "archive_mcp.team")
    async with JobHost(journal, OnePerson(journal, Toy(), trouble), nudges) as running:
        await running.run(job)

    assert await journal.interrupted() == [job]
    assert job in caplog.text


async def test_a_nudge_that_comes_late_changes_nothing(
    journal: PostgresJournal, nudges: Nudged, job: str
) -> None:
    people = OnePerson(journal, Toy())
    lease = await journal.take(job, "another worker")
    async with JobHost(journal, people, nudges) as running:
        await running.run(job)
        assert (await journal.job(job)).owned
        await journal.end(lease, End(JobState.DONE))
        await running.run(job)
        await running.run("job_gone")

    assert people.opened == []


async def test_a_caller_that_is_cancelled_leaves_the_job_running(
    journal: PostgresJournal, nudges: Nudged, job: str
) -> None:
    sending, answer = anyio.Event(), anyio.Event()

    async def wait(_: object) -> None:
        sending.set()
        await answer.wait()

    people = OnePerson(journal, Toy(during=wait))
    async with JobHost(journal, people, nudges) as running:
        async with anyio.create_task_group() as group:
            group.start_soon(running.run, job)
            await sending.wait()
            group.cancel_scope.cancel()
        assert running.running == {job}
        answer.set()
        # It is under way already.
        await running.run(job)

    assert (await journal.job(job)).state is JobState.DONE
    assert len(people.opened) == 1


async def test_what_is_under_way_when_the_worker_ends_is_given_back(
    journal: PostgresJournal, nudges: Nudged, job: str
) -> None:
    sending = anyio.Event()

    async def wait(_: object) -> None:
        sending.set()
        await anyio.sleep_forever()

    people = OnePerson(journal, Toy(during=wait))
    async with JobHost(journal, people, nudges) as running, anyio.create_task_group() as group:
        group.start_soon(running.run, job)
        with anyio.fail_after(60):
            await sending.wait()
        running.close()
        assert people.local
        await people.local.close()

    row = await journal.job(job)
    assert (row.state, row.error) == (JobState.PAUSED, None)
    assert nudges.jobs == [job]
    nudges.jobs.clear()
    async with JobHost(journal, people, nudges) as ending:
        ending.close()
        await ending.run(job)
    assert nudges.jobs == [job]
