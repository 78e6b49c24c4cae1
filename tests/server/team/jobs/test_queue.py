"""Jobs that a server only journals, and workers do."""

from __future__ import annotations

import anyio
import pytest

from server.errors import Code, Failure
from server.jobs import JobRow, JobState, RecordState
from server.jobs.forecast import read_forecast
from server.jobs.model import End, Mark
from server.team.jobs.journal import PostgresJournal
from server.team.jobs.queue import Queue, QueuedJobs
from server.team.store.database import Database
from tests.support.jobs.doubles import JOB, Toy, some
from tests.support.jobs.queued import Nudged


@pytest.fixture
def jobs(journal: PostgresJournal, nudges: Nudged) -> QueuedJobs:
    return QueuedJobs(journal, nudges)


def read_wait(row: JobRow) -> str:
    forecast = read_forecast(row.counters)
    return forecast.waits_for if forecast else ""


async def test_a_job_that_waits_for_a_worker_counts_as_running_and_says_so(
    jobs: QueuedJobs, journal: PostgresJournal, nudges: Nudged
) -> None:
    started = await jobs.start(JOB, Toy(), some(2500))

    assert (started.state, started.owned, read_wait(started)) == ("running", True, "a free worker")
    forecast = read_forecast(started.counters)
    assert forecast
    # Nobody has worked on it yet.
    assert forecast.active == 0
    assert (started.total, started.counts) == (2500, {RecordState.PENDING: 2500})
    assert nudges.jobs == [started.id]
    assert await journal.interrupted() == [started.id]
    assert await jobs.list() == [started]
    assert await jobs.orphans(JOB.origin, JOB.account) == ()
    assert jobs.is_busy is False


async def test_a_job_of_unknown_records_starts_with_gathering(jobs: QueuedJobs) -> None:
    assert (await jobs.start(JOB, Toy([some(3)]))).phase == "gathering"


async def test_a_wait_ends_with_the_job_or_with_its_time(
    jobs: QueuedJobs, journal: PostgresJournal
) -> None:
    started = await jobs.start(JOB, Toy(), some(1))
    reports: list[tuple[int, int | None, str]] = []

    async def note(count: int, total: int | None, message: str) -> None:
        reports.append((count, total, message))

    start = anyio.current_time()
    row = await jobs.wait(started.id, 2.5, note)
    assert (row.owned, anyio.current_time() - start >= 2.5) == (True, True)
    assert reports == [(0, 1, "waits for a free worker")]

    lease = await journal.take(started.id, "a worker")
    assert read_wait(await jobs.get(started.id)) == ""
    async with anyio.create_task_group() as group:
        group.start_soon(journal.end, lease, End(JobState.DONE, result={"a": 1}))
        with anyio.fail_after(60):
            row = await jobs.wait(started.id, 3600)
    assert (row.state, row.result) == (JobState.DONE, {"a": 1})


async def test_a_job_that_waits_is_cancelled_at_once_and_one_that_runs_is_asked(
    jobs: QueuedJobs, journal: PostgresJournal
) -> None:
    waiting = await jobs.start(JOB, Toy(), some(2))
    running = await jobs.start(JOB, Toy(), some(2))
    await journal.take(running.id, "a worker")

    assert (await jobs.cancel(waiting.id)).counts == {RecordState.SKIPPED: 2}
    assert (await jobs.get(waiting.id)).state is JobState.CANCELLED
    assert (await jobs.cancel(running.id)).cancelling


async def test_a_job_that_an_error_paused_waits_again_once_it_is_resumed(
    jobs: QueuedJobs, journal: PostgresJournal, nudges: Nudged
) -> None:
    started = await jobs.start(JOB, Toy(), some(1))
    lease = await journal.take(started.id, "a worker")
    await journal.end(lease, End(JobState.PAUSED, {"code": "UNAUTHENTICATED", "message": "no"}))
    paused = await jobs.get(started.id)
    assert (paused.state, paused.owned) == (JobState.PAUSED, False)
    assert await journal.interrupted() == []

    resumed = await jobs.resume(started.id, Toy())
    assert (resumed.state, resumed.owned, resumed.error) == (JobState.RUNNING, True, None)
    assert nudges.jobs == [started.id] * 2


async def test_failed_records_wait_again_and_a_job_without_any_is_refused(
    jobs: QueuedJobs, journal: PostgresJournal, nudges: Nudged
) -> None:
    started = await jobs.start(JOB, Toy(), some(2))
    lease = await journal.take(started.id, "a worker")
    await journal.mark(lease, [Mark(1, RecordState.DONE), Mark(2, RecordState.FAILED, "X", "no")])
    await journal.end(lease, End(JobState.DONE))
    # With its end the job forgot who had started it.
    assert await journal.read_owner(started.id) == ("own", None)

    again = await jobs.retry_failed(started.id, Toy())
    assert again.counts == {RecordState.DONE: 1, RecordState.PENDING: 1}
    assert await journal.read_owner(started.id) == ("own", "sealed")
    lease = await journal.take(started.id, "a worker")
    await journal.mark(lease, [Mark(2, RecordState.DONE)])
    await journal.end(lease, End(JobState.DONE))
    with pytest.raises(Failure, match="No record"):
        await jobs.retry_failed(started.id, Toy())
    assert nudges.jobs == [started.id] * 2


async def test_a_job_that_a_worker_has_is_not_handed_over(
    jobs: QueuedJobs, journal: PostgresJournal
) -> None:
    started = await jobs.start(JOB, Toy(), some(1))
    await journal.take(started.id, "a worker")
    with pytest.raises(Failure) as caught:
        await jobs.resume(started.id, Toy())
    assert caught.value.code is Code.UNAVAILABLE


async def test_jobs_of_other_accounts_are_not_touched(
    journal: PostgresJournal, nudges: Nudged
) -> None:
    started = await QueuedJobs(journal, nudges).start(JOB, Toy(), some(1))
    elsewhere = QueuedJobs(journal, nudges, accounts=[("https://other.test", JOB.account)])

    assert await elsewhere.list() == []
    assert await elsewhere.count_others() == 1
    for ask in (elsewhere.get, elsewhere.cancel):
        with pytest.raises(Failure, match="belongs to another"):
            await ask(started.id)


async def test_a_worker_that_was_not_told_yet_is_not_told_twice(
    database: Database, database_url: str
) -> None:
    async with Queue(database_url) as queue:
        for job in ("job_a", "job_b", "job_a", "job_a"):
            await queue.defer(job)

    rows = await database.execute("SELECT args->>'job' FROM procrastinate_jobs ORDER BY id")
    assert rows == [("job_a",), ("job_b",)]


async def test_a_queue_that_is_away_loses_no_job(
    caplog: pytest.LogCaptureFixture, journal: PostgresJournal
) -> None:
    async with Queue("postgresql://nobody:nothing@127.0.0.1:1/nothing") as queue:
        started = await QueuedJobs(journal, queue).start(JOB, Toy(), some(1))

    assert f"{started.id} waits until a worker looks for it" in caplog.text
    assert await journal.interrupted() == [started.id]


async def test_what_a_dead_worker_had_taken_is_forgotten_and_what_a_live_one_has_is_not(
    database: Database, database_url: str
) -> None:
    async with Queue(database_url) as queue:
        manager = queue.app.job_manager
        for job in ("job_a", "job_b", "job_c"):
            await queue.defer(job)
        dead, live = await manager.register_worker(), await manager.register_worker()
        for worker in (dead, live):
            assert await manager.fetch_job(queues=None, worker_id=worker)
        await database.execute(
            "UPDATE procrastinate_workers SET last_heartbeat = now() - interval '31 s' "
            "WHERE id = %s",
            [dead],
        )
        await queue.forget_stalled(30)

    rows = await database.execute(
        "SELECT args->>'job', status::text FROM procrastinate_jobs ORDER BY id"
    )
    assert rows == [("job_b", "doing"), ("job_c", "todo")]
