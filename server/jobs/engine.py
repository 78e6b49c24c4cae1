"""The jobs of one process: start, wait for, read, stop and resume them."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import replace
from types import TracebackType
from typing import Self

import anyio

from server.errors import Code, Failure
from server.jobs.interface import Progress, Work
from server.jobs.journal import Journal
from server.jobs.lease import Lease
from server.jobs.model import (
    Account,
    End,
    JobRow,
    JobState,
    NewJob,
    NewRecord,
)
from server.jobs.observer import Meter, OnEnd, no_limits, tell_nobody
from server.jobs.reading import JournalReader, Reporter, journal_job
from server.jobs.runner import Runner

# Seconds that what is under way gets when the server ends.
GRACE = 1.0

# Enough for one transaction; hosts kill a server that takes long to end.
_LAST_WORDS = 0.3
# Jobs of other processes are seen only through the file, so they are looked at less often.
_POLL = 0.05
_POLL_OTHERS = 0.5


class LocalJobs(JournalReader):
    """Runs jobs in the background of this process; entered and left in one task.

    Args:
        journal: shared with the other processes of this user.
        owner: names this process in the journal.
        clock: monotonic seconds.
        sleep: coroutine function that waits a number of seconds of that clock.
        grace: seconds that what is under way gets when the server ends.
        accounts: whose jobs are seen, stopped and resumed here; None for everybody's.
        on_end: told of each job that ended in this process.
        meter: returns what the API of a job allows now, for the forecasts.

    The methods are those of `Jobs`.
    """

    def __init__(
        self,
        journal: Journal,
        *,
        owner: str | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = anyio.sleep,
        grace: float = GRACE,
        accounts: Collection[Account] | None = None,
        meter: Meter = no_limits,
        on_end: OnEnd = tell_nobody,
    ) -> None:
        super().__init__(journal, accounts)
        self._meter = meter
        # The number alone may soon be given to another process.
        self._owner = owner or f"{os.getpid()}-{secrets.token_hex(4)}"
        self._clock = clock
        self._sleep = sleep
        self._grace = grace
        self._on_end = on_end
        self._group = anyio.create_task_group()
        self._runners: dict[str, Runner] = {}
        # The ends that the journal could not take: on a full disk it says nothing itself.
        self._unwritten: dict[str, End] = {}
        self._closed = False

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        # The server ends by cancellation, and that must not keep the jobs from being journalled.
        with anyio.CancelScope(shield=True):
            await self.close()
        return await self._group.__aexit__(kind, error, trace)

    @property
    def is_busy(self) -> bool:
        """Whether a job runs in this process."""
        return any(not runner.ended for runner in self._runners.values())

    async def start(
        self, job: NewJob, work: Work, records: Sequence[NewRecord] | None = None
    ) -> JobRow:
        """Journal a job and start it in the background.

        Args:
            records: the records, where they are known already; then the work gathers nothing.
        """
        self._refuse_if_closed()
        lease = await journal_job(self._journal, self._owner, job, work, records, self._sleep)
        return await self._start_runner(lease, work)

    async def wait(
        self, job_id: str, seconds: float, on_progress: Progress | None = None
    ) -> JobRow:
        until = self._clock() + seconds
        reporter = Reporter(on_progress, self._clock)
        while True:
            runner = self._runners.get(job_id)
            if runner is None or self._clock() >= until:
                row = await self.get(job_id)
                # Another process may run the job: its lease decides, not this one's runners.
                if not row.owned or self._clock() >= until:
                    return row
            if reporter.is_due():
                message = runner.handle.message if runner else ""
                await reporter.report(await self.get(job_id), message)
            pause = _POLL if runner else _POLL_OTHERS
            await self._sleep(max(0.0, min(until - self._clock(), pause)))

    async def get(self, job_id: str) -> JobRow:
        """Return the job as it stands.

        Raises:
            Failure: It belongs to another token.
        """
        row = await super().get(job_id)
        end = self._unwritten.get(job_id)
        if end is None or row.ended:
            return row
        # What the journal could not take is the last that is known of the job.
        return replace(row, state=JobState.PAUSED, error=end.error, owned=False)

    async def orphans(self, origin: str, account: str) -> Sequence[JobRow]:
        return await self._journal.orphans(origin, account)

    async def cancel(self, job_id: str) -> JobRow:
        """Stop a job for good; one that another process runs stops at its next record."""
        await self.get(job_id)
        self._unwritten.pop(job_id, None)
        await self._journal.cancel(job_id)
        # The journal first: a crash after it cannot undo the cancellation.
        if runner := self._runners.get(job_id):
            runner.stop(End(JobState.CANCELLED))
        return await self.get(job_id)

    async def resume(self, job_id: str, work: Work) -> JobRow:
        """Resume an interrupted job in the background.

        Raises:
            Failure: another process works on it, or it has ended.
        """
        return await self._take(job_id, work, again=False)

    async def retry_failed(self, job_id: str, work: Work) -> JobRow:
        return await self._take(job_id, work, again=True)

    async def close(self) -> None:
        """Pause everything: nothing new is sent, and what is under way is given up after the
        grace."""
        self._closed = True
        running = [*self._runners.values()]
        for runner in running:
            runner.stop(End(JobState.PAUSED))
        await self._wait_until_ended(running, self._grace)
        for runner in running:
            # Cancelled only after the grace: a request that was sent may still be answered.
            runner.interrupt()
        await self._wait_until_ended(running, _LAST_WORDS)
        for runner in running:
            # The journal is out of reach: the lease runs out, and the job can be resumed.
            runner.abandon()

    async def _wait_until_ended(self, runners: Sequence[Runner], seconds: float) -> None:
        until = self._clock() + seconds
        while (left := until - self._clock()) > 0:
            if all(runner.ended for runner in runners):
                return
            await self._sleep(min(left, 0.01))

    async def _take(self, job_id: str, work: Work, *, again: bool) -> JobRow:
        self._refuse_if_closed()
        row = await self.get(job_id)
        # Asked for twice, as models do: it already runs here, which is what was wanted.
        if job_id in self._runners and not again:
            return row
        lease = await self._journal.take(job_id, self._owner, again=again)
        return await self._start_runner(lease, work)

    async def _start_runner(self, lease: Lease, work: Work) -> JobRow:
        row = await self._journal.job(lease.job)
        runner = Runner(
            self._journal,
            lease,
            row,
            work,
            clock=self._clock,
            sleep=self._sleep,
            meter=self._meter,
        )
        if self._closed:  # meanwhile
            runner.stop(End(JobState.PAUSED))
        self._unwritten.pop(lease.job, None)
        # Before the task starts: a cancellation right after this must find it.
        self._runners[lease.job] = runner
        self._group.start_soon(self._run, lease.job, runner)
        return await self.get(lease.job)

    async def _run(self, job_id: str, runner: Runner) -> None:
        try:
            await runner.run()
        finally:
            if runner.unwritten:
                self._unwritten[job_id] = runner.unwritten
            # A job taken again may already have its next runner here.
            if self._runners.get(job_id) is runner:
                del self._runners[job_id]
        # Out of reach of the journal nothing more is known of the job.
        with suppress(Failure):
            row = await self._journal.job(job_id)
            if row.ended:
                await self._on_end(row)

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise Failure(
                Code.UNAVAILABLE,
                "This server is shutting down.",
                "Start it again, then repeat the call.",
            )
