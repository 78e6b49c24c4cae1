"""What a worker needs to start, and the jobs themselves over PostgreSQL."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from server.errors import Code, Failure
from server.jobs import JobState, LocalJobs, RecordRow
from server.settings import Secret, SettingsError, load
from server.team.jobs.journal import PostgresJournal
from server.team.jobs.queue import Queue
from server.team.jobs.worker import check_start, look_after_jobs
from server.team.settings import TeamSettings
from server.team.store.database import Database
from tests.support.jobs.doubles import JOB, Toy, some

WHOLE = TeamSettings(
    policy=Path("policy.toml"),
    state_keys=(bytes(range(32)),),
    database_url=Secret("postgresql://somebody@127.0.0.1/archive"),
)


@pytest.mark.parametrize(
    ("team", "variable"),
    [
        (replace(WHOLE, database_url=None), "ARCHIVE_MCP_DATABASE_URL"),
        (replace(WHOLE, policy=None), "ARCHIVE_MCP_POLICY"),
        (replace(WHOLE, state_keys=()), "ARCHIVE_MCP_STATE_KEYS"),
    ],
)
def test_a_worker_without_what_it_needs_says_what_to_set(team: TeamSettings, variable: str) -> None:
    with pytest.raises(SettingsError, match=f"[Ss]et {variable} as for the servers"):
        check_start(load({}, environment={}), team)


def test_a_worker_of_a_trial_needs_no_policy() -> None:
    base = replace(load({}, environment={}), sandbox=True)
    check_start(base, replace(WHOLE, policy=None))


class Waiting(PostgresJournal):
    """A journal with a job that waits and one that somebody works on; its first answer is lost."""

    def __init__(self) -> None:
        self.lease_seconds = 0.003
        self.looks = 0
        self.tidied: list[int] = []

    async def interrupted(self) -> list[str]:
        self.looks += 1
        if self.looks == 1:
            raise Failure(Code.UNAVAILABLE, "The database is gone.", "Wait.")
        return ["waits", "runs"]

    async def tidy(self) -> None:
        self.tidied.append(self.looks)


class Deferring(Queue):
    """A queue that keeps what it was told."""

    def __init__(self) -> None:
        self.deferred: list[str] = []
        self.silences: set[float] = set()

    async def defer(self, job: str) -> None:
        self.deferred.append(job)

    async def forget_stalled(self, seconds: float) -> None:
        self.silences.add(seconds)


async def test_a_worker_looks_for_waiting_jobs_again_and_again_and_tidies_every_ten_minutes() -> (
    None
):
    journal, queue, stopping = Waiting(), Deferring(), anyio.Event()

    def clock() -> float:
        # Five minutes from one look to the next.
        if journal.looks == 8:
            stopping.set()
        return 300.0 * journal.looks

    with anyio.fail_after(10):
        await look_after_jobs(journal, queue, {"runs"}, stopping, clock)

    assert queue.deferred == ["waits"] * 7
    assert journal.tidied == [2, 5, 8]
    # Long enough for a worker whose machine was busy, whose heart beats every 5 s.
    assert queue.silences == {30.0}


@pytest.mark.parametrize(("width", "batch", "repeatable"), [(8, 1, False), (3, 10, True)])
async def test_many_senders_at_once_send_each_record_once(
    database: Database, width: int, batch: int, repeatable: bool
) -> None:
    chance = random.Random(width)

    async def during(_: RecordRow) -> None:
        await anyio.sleep(chance.uniform(0, 0.005))

    journal = PostgresJournal(database, "own")
    work = Toy([some(150), some(200)], during=during, repeatable=repeatable, width=width)
    work.batch = batch
    async with LocalJobs(journal) as jobs:
        started = await jobs.start(JOB, work)
        row = await jobs.wait(started.id, 60)

    assert (row.state, row.error, row.total) == (JobState.DONE, None, 200)
    assert sorted(work.sent) == sorted(record.key for record in some(200))
    records = await journal.records(started.id, limit=1000)
    assert {(record.state, record.sends) for record in records} == {("done", 1)}


async def test_a_job_that_is_resumed_by_another_process_sends_nothing_twice(
    database: Database,
) -> None:
    journal = PostgresJournal(database, "own")
    first, second = Toy(repeatable=False, width=4), Toy(repeatable=False, width=4)
    enough = anyio.Event()

    async def during(_: RecordRow) -> None:
        if len(first.sent) >= 40:
            enough.set()
        await anyio.sleep(0.002)

    first.during = during
    async with LocalJobs(journal) as jobs:
        started = await jobs.start(JOB, first, some(100))
        await enough.wait()
    async with LocalJobs(journal) as jobs:
        await jobs.resume(started.id, second)
        row = await jobs.wait(started.id, 60)

    assert row.state is JobState.DONE
    assert sorted([*first.sent, *second.sent]) == sorted(record.key for record in some(100))
