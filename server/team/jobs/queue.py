"""The queue of a team's jobs: a nudge for the workers; everything else is in the journal."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from types import TracebackType
from typing import Protocol, Self

import anyio
import procrastinate
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.jobs import Status

from server.jobs.forecast import Forecast, read_forecast
from server.jobs.interface import Progress, Work
from server.jobs.model import Account, End, JobRow, JobState, NewJob, NewRecord
from server.jobs.reading import JournalReader, Reporter, journal_job
from server.team.jobs.journal import PostgresJournal

TASK = "run_job"
QUEUE = "jobs"

log = logging.getLogger("archive_mcp.team")

# Who journals a job in a server, before a worker takes it.
_OWNER = "a server"
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 0.5
_PAUSE_GROWTH = 1.5
_WAITS_FOR = "a free worker"
# Seconds that a caller waits for the queue. A nudge that was lost is only late: the workers look
# for what waits in the journal themselves.
_PATIENCE = 2.0


class Nudges(Protocol):
    """What tells the workers that a job waits."""

    async def defer(self, job: str) -> None:
        """Tell one of them; at most once while none has heard it."""


class Queue:
    """The workers' queue in the team's database, used from one event loop.

    Args:
        url: postgresql://user:password@host:port/name.
    """

    def __init__(self, url: str) -> None:
        self.app = make_app(url)
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self.app.open_async())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with anyio.CancelScope(shield=True):
            await self._stack.aclose()

    async def defer(self, job: str) -> None:
        """Tell a worker that a job waits, unless one was told that has not looked yet."""
        task = self.app.configure_task(TASK, queue=QUEUE, queueing_lock=job)
        try:
            await task.defer_async(job=job)
        except AlreadyEnqueued:
            return
        except ConnectorException as error:
            log.warning("%s waits until a worker looks for it: %s", job, error)

    async def forget_stalled(self, seconds: float) -> None:
        """Delete what workers had taken that are silent for so many seconds; the journal says what
        is left to do."""
        manager = self.app.job_manager
        for job in await manager.get_stalled_jobs(seconds_since_heartbeat=seconds):
            if job.id is not None:
                await manager.finish_job_by_id_async(job.id, Status.FAILED, delete_job=True)


def make_app(url: str) -> procrastinate.App:
    """Return procrastinate's view of the team's database."""
    connector = procrastinate.PsycopgConnector(
        conninfo=url,
        min_size=0,
        max_size=4,
        timeout=_PATIENCE,
        kwargs={"connect_timeout": 5, "application_name": "archive-mcp queue"},
    )
    return procrastinate.App(connector=connector)


class QueuedJobs(JournalReader):
    """Long work that workers do: here it is only journalled, looked at and stopped.

    Args:
        journal: of one principal.
        accounts: whose jobs are seen; None for all of the principal's.

    The methods are those of `Jobs`.
    """

    def __init__(
        self,
        journal: PostgresJournal,
        nudges: Nudges,
        *,
        accounts: Collection[Account] | None = None,
    ) -> None:
        super().__init__(journal, accounts)
        self._nudges = nudges

    @property
    def is_busy(self) -> bool:
        """Whether this process works on a job; never, because workers do."""
        return False

    async def start(
        self, job: NewJob, work: Work, records: Sequence[NewRecord] | None = None
    ) -> JobRow:
        """Journal a job and tell the workers of it.

        Args:
            records: the records, where they are known already; then the work gathers nothing.
        """
        lease = await journal_job(self._journal, _OWNER, job, work, records, anyio.sleep)
        # From here on whoever looks for interrupted jobs finds it, however this server ends.
        await self._journal.end(lease, End(JobState.PAUSED))
        await self._nudges.defer(lease.job)
        return await self.get(lease.job)

    async def wait(
        self, job_id: str, seconds: float, on_progress: Progress | None = None
    ) -> JobRow:
        until = anyio.current_time() + seconds
        reporter = Reporter(on_progress, anyio.current_time)
        pause = _FIRST_PAUSE
        while True:
            row = await self.get(job_id)
            left = until - anyio.current_time()
            if not row.owned or left <= 0:
                return row
            if reporter.is_due():
                await reporter.report(row, _describe_wait(row))
            await anyio.sleep(min(left, pause))
            pause = min(pause * _PAUSE_GROWTH, _LONGEST_PAUSE)

    async def get(self, job_id: str) -> JobRow:
        """Return the job as it stands; one that waits for a worker counts as running.

        Raises:
            Failure: It belongs to another token.
        """
        return _show_waiting(await super().get(job_id))

    async def list(
        self, account: str | None = None, *, limit: int = 50, offset: int = 0
    ) -> list[JobRow]:
        """Return the jobs of one token or of all accounts of the principal, newest first."""
        rows = await super().list(account, limit=limit, offset=offset)
        return [_show_waiting(row) for row in rows]

    async def orphans(self, origin: str, account: str) -> Sequence[JobRow]:
        """Return nothing: what was interrupted is the workers' business."""
        del origin, account
        return ()

    async def cancel(self, job_id: str) -> JobRow:
        """Stop a job for good; one that a worker runs stops at its next record."""
        await self.get(job_id)
        await self._journal.cancel(job_id)
        return await self.get(job_id)

    async def resume(self, job_id: str, work: Work) -> JobRow:
        """Have the workers resume a job that has paused.

        Raises:
            Failure: a worker works on it, or it has ended.
        """
        del work  # a worker builds its own
        return await self._hand_over(job_id, again=False)

    async def retry_failed(self, job_id: str, work: Work) -> JobRow:
        """Have the workers send the failed records of a job once more, and those of unknown
        outcome where that is harmless.

        Raises:
            Failure: a worker works on it, or there is no such record.
        """
        del work
        return await self._hand_over(job_id, again=True)

    async def _hand_over(self, job_id: str, *, again: bool) -> JobRow:
        await self.get(job_id)
        # Taken and given back: that alone makes a job that an error paused one that waits.
        lease = await self._journal.take(job_id, _OWNER, again=again)
        await self._journal.end(lease, End(JobState.PAUSED))
        await self._nudges.defer(job_id)
        return await self.get(job_id)


def _describe_wait(row: JobRow) -> str:
    """Return what holds a job up, in words; empty where nothing does."""
    forecast = read_forecast(row.counters)
    return f"waits for {forecast.waits_for}" if forecast and forecast.waits_for else ""


def _show_waiting(row: JobRow) -> JobRow:
    """Return a job that waits for a worker as one that runs, with what it waits for."""
    if row.state is not JobState.PAUSED or row.error is not None or row.owned:
        return row
    forecast = Forecast(0.0, waits_for=_WAITS_FOR).to_dict()
    counters = {**row.counters, "forecast": {**forecast, **row.counters.get("forecast", {})}}
    counters["forecast"]["waitsFor"] = _WAITS_FOR
    return replace(row, state=JobState.RUNNING, owned=True, counters=counters)
