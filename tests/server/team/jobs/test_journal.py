"""What only the journal in PostgreSQL does: principals, tokens, and trouble with the database."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import anyio
import pytest

from server.errors import Code, Failure
from server.jobs import JobState, LostLease, NewJob, NewRecord, Phase, RecordState
from server.jobs.lease import Lease
from server.jobs.model import End, Mark
from server.team.jobs.journal import PostgresJournal
from server.team.store.database import Database
from tests.support.jobs.doubles import JOB, begun, some, states
from tests.support.team.engines.postgres import Postgres

T = TypeVar("T")

ASKS: dict[str, Callable[[PostgresJournal, str], Awaitable[object]]] = {
    "job": lambda journal, name: journal.job(name),
    "cancel": lambda journal, name: journal.cancel(name),
    "take": lambda journal, name: journal.take(name, "me"),
    "take again": lambda journal, name: journal.take(name, "me", again=True),
}


@pytest.mark.parametrize("ask", ASKS)
async def test_the_job_of_another_person_does_not_exist(database: Database, ask: str) -> None:
    own, other = PostgresJournal(database, "own"), PostgresJournal(database, "other")
    lease = await begun(own)
    await own.end(lease, End(JobState.PAUSED))
    before = await own.job(lease.job)

    with pytest.raises(Failure, match="There is no job") as caught:
        await ASKS[ask](other, lease.job)
    assert caught.value.code is Code.NOT_FOUND
    assert await own.job(lease.job) == before


async def test_a_person_sees_only_their_own_jobs_and_a_worker_all(database: Database) -> None:
    own, other = PostgresJournal(database, "own"), PostgresJournal(database, "other")
    lease = await begun(own)
    await own.end(lease, End(JobState.PAUSED))
    worker = PostgresJournal(database, None)

    assert [row.id for row in await own.jobs()] == [lease.job]
    assert await other.jobs() == []
    assert await other.records(lease.job) == []
    assert await other.orphans(JOB.origin, JOB.account) == []
    assert await other.count_others([]) == 0
    assert await own.count_others([]) == 1
    assert [row.id for row in await worker.jobs()] == [lease.job]
    assert await worker.interrupted() == [lease.job]


async def test_a_worker_starts_nothing_in_nobodys_name(database: Database) -> None:
    with pytest.raises(ValueError, match="belongs to somebody"):
        await begun(PostgresJournal(database, None))


@pytest.mark.parametrize("state", [JobState.DONE, JobState.FAILED, JobState.CANCELLED])
async def test_the_sealed_identity_is_kept_until_the_job_ends(
    database: Database, state: JobState
) -> None:
    journal = PostgresJournal(database, "own", sealed_identity="sealed")
    lease = await begun(journal)
    assert await journal.read_owner(lease.job) == ("own", "sealed")

    await journal.end(lease, End(JobState.PAUSED))
    assert await journal.read_owner(lease.job) == ("own", "sealed")
    lease = await journal.take(lease.job, "second")
    await journal.end(lease, End(state))
    assert await journal.read_owner(lease.job) == ("own", None)


async def test_a_job_that_is_taken_up_again_gets_the_token_of_whoever_asks(
    database: Database,
) -> None:
    lease = await begun(PostgresJournal(database, "own", sealed_identity="old"))
    await PostgresJournal(database, "own").end(lease, End(JobState.PAUSED))
    await PostgresJournal(database, "own", sealed_identity="new").take(lease.job, "second")

    assert await PostgresJournal(database, None).read_owner(lease.job) == ("own", "new")


async def test_several_marks_of_one_record_count_in_their_order_and_done_stays(
    database: Database,
) -> None:
    journal = PostgresJournal(database, "own")
    lease = await begun(journal, 2)
    first = [Mark(1, RecordState.FAILED, "X", "no", '"kept"'), Mark(1, RecordState.PENDING)]
    second = [Mark(2, RecordState.DONE), Mark(2, RecordState.PENDING)]
    await journal.mark(lease, [*first, *second])

    one, two = await journal.records(lease.job)
    assert (one.state, one.code, one.reason, one.detail) == ("pending", None, None, "kept")
    assert two.state is RecordState.DONE


async def test_texts_that_postgresql_cannot_keep_lose_only_that_character(
    database: Database,
) -> None:
    journal = PostgresJournal(database, "own")
    job = NewJob("a_tool", "a\0b", "https://api.test", "account")
    lease = await journal.create(job, "me", writes=True, repeatable=True, phase=Phase.SENDING)
    await journal.add(lease, [NewRecord("k\0ey", {"text": "c\0d"})])
    await journal.start(lease)
    await journal.mark(lease, [Mark(1, RecordState.FAILED, "X", "e\0f")])

    (record,) = await journal.records(lease.job)
    assert ((await journal.job(lease.job)).title, record.key, record.reason) == ("ab", "key", "ef")
    assert record.detail == {"text": "c\0d"}


async def test_a_key_may_be_longer_than_an_entry_of_an_index(database: Database) -> None:
    journal = PostgresJournal(database, "own")
    lease = await begun(journal, 0)
    long = "https://a.test/" + "".join(map(str, range(5000)))

    assert await journal.add(lease, [NewRecord(long), NewRecord(long), NewRecord("b")]) == 2
    assert [row.key for row in await journal.records(lease.job)] == [long, "b"]


async def test_of_many_takers_at_once_one_gets_the_job(database: Database) -> None:
    journal = PostgresJournal(database, "own")
    lease = await begun(journal)
    await journal.end(lease, End(JobState.PAUSED))
    taken: list[Lease] = []
    refused: list[Code] = []

    async def take(owner: str) -> None:
        try:
            taken.append(await journal.take(lease.job, owner))
        except Failure as failure:
            refused.append(failure.code)

    async with anyio.create_task_group() as group:
        for number in range(12):
            group.start_soon(take, f"owner {number}")

    assert (len(taken), refused) == (1, [Code.UNAVAILABLE] * 11)
    await journal.renew(taken[0])


async def test_a_mark_that_waits_for_whoever_takes_the_job_changes_nothing(
    database: Database,
) -> None:
    journal = PostgresJournal(database, "own", lease_seconds=0.0)
    lease = await begun(journal, repeatable=False)
    await journal.admit(lease, [1])
    lost: list[str] = []

    async def mark() -> None:
        try:
            await journal.mark(lease, [Mark(1, RecordState.DONE)])
        except LostLease:
            lost.append("mark")

    async def admit() -> None:
        try:
            await journal.admit(lease, [2])
        except LostLease:
            lost.append("admit")

    async with anyio.create_task_group() as group, database.transaction() as db:
        # As `take` does it, in the middle of its transaction.
        await db.execute("UPDATE job_runs SET fence = fence + 1, owner = 'second'")
        group.start_soon(mark)
        group.start_soon(admit)
        await anyio.sleep(0.3)
        assert lost == []

    assert sorted(lost) == ["admit", "mark"]
    assert await states(journal, lease) == ["sending", "pending", "pending"]


def lose_an_answer(
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    meanwhile: Callable[[], Awaitable[object]] | None = None,
) -> None:
    """Do the next changes twice, as where the first try went through and its answer was lost."""
    run = database.run

    async def run_twice(attempt: Callable[..., Awaitable[T]], **options: float | None) -> T:
        monkeypatch.undo()
        await run(attempt, **options)
        if meanwhile is not None:
            await meanwhile()
        return await run(attempt, **options)

    monkeypatch.setattr(database, "run", run_twice)


async def test_records_whose_answer_was_lost_are_counted_as_added(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = PostgresJournal(database, "own")
    lease = await begun(journal, 3)
    lose_an_answer(database, monkeypatch)

    assert await journal.add(lease, [*some(3), NewRecord("new"), NewRecord("newer")]) == 2
    assert len(await journal.records(lease.job)) == 5


async def test_an_end_whose_answer_was_lost_is_no_lost_lease(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = PostgresJournal(database, "own")
    lease = await begun(journal)
    lose_an_answer(database, monkeypatch)

    await journal.end(lease, End(JobState.PAUSED))
    assert (await journal.job(lease.job)).state is JobState.PAUSED


async def test_a_job_that_was_taken_up_after_its_end_is_not_ended_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = PostgresJournal(database, "own")
    lease = await begun(journal)
    lose_an_answer(database, monkeypatch, lambda: journal.take(lease.job, "second"))

    with pytest.raises(LostLease):
        await journal.end(lease, End(JobState.PAUSED))
    assert (await journal.job(lease.job)).state is JobState.RUNNING


async def test_the_lease_of_a_job_that_was_deleted_is_lost(database: Database) -> None:
    journal = PostgresJournal(database, "own")
    lease = await begun(journal)
    await database.execute("DELETE FROM jobs WHERE id = %s", (lease.job,))

    with pytest.raises(LostLease):
        await journal.end(lease, End(JobState.PAUSED))


async def test_a_database_that_restarts_loses_and_doubles_nothing(
    own_postgres: Postgres, own_database_url: str, tmp_path: Path
) -> None:
    async with Database(own_database_url) as database:
        journal = PostgresJournal(database, "own")
        lease = await begun(journal, 3)
        await journal.admit(lease, [1])
        await anyio.to_thread.run_sync(own_postgres.restart)

        await journal.mark(lease, [Mark(1, RecordState.DONE)])
        assert await journal.add(lease, [*some(3), NewRecord("new")]) == 1
        await anyio.to_thread.run_sync(own_postgres.restart)
        await journal.end(lease, End(JobState.PAUSED))
        await anyio.to_thread.run_sync(own_postgres.restart)
        second = await journal.take(lease.job, "second")
        assert await states(journal, second) == ["done", "pending", "pending", "pending"]


async def test_nothing_is_sent_while_the_database_is_away(
    own_postgres: Postgres, own_database_url: str
) -> None:
    async with Database(own_database_url, patience=3600) as database:
        journal = PostgresJournal(database, "own")
        lease = await begun(journal)
        await anyio.to_thread.run_sync(own_postgres.stop)
        # A turn of the limiter does not wait as long as others do.
        with anyio.fail_after(60), pytest.raises(Failure) as caught:
            await journal.admit(lease, [1])
        assert caught.value.code is Code.UNAVAILABLE
        await anyio.to_thread.run_sync(own_postgres.start)
        assert await states(journal, lease) == ["pending"] * 3
