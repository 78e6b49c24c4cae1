"""What every implementation of long work does with the journal alone: it journals a new job, and
looks at jobs and records."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence

from server.jobs.forecast import describe_left
from server.jobs.interface import Progress, Work
from server.jobs.journal import Journal
from server.jobs.lease import Lease
from server.jobs.model import Account, JobRow, NewJob, NewRecord, Phase, RecordRow, RecordState
from server.jobs.observer import count_finished
from server.jobs.ownership import make_foreign

# A piece is written in one go, during which the event loop answers nobody.
_CHUNK = 1_000
# More often than once a second no person reads it, and every report is a message to the host.
_REPORT_PAUSE = 1.0


class JournalReader:
    """Reads the jobs of a journal.

    Args:
        accounts: whose jobs are seen; None for everybody's.

    The methods are those of `Jobs`.
    """

    def __init__(self, journal: Journal, accounts: Collection[Account] | None) -> None:
        self._journal = journal
        self._accounts = accounts

    async def get(self, job_id: str) -> JobRow:
        """Return the job as it stands.

        Raises:
            Failure: It belongs to another token.
        """
        row = await self._journal.job(job_id)
        if self._accounts is not None and (row.origin, row.account) not in self._accounts:
            raise make_foreign(row.id)
        return row

    async def list(
        self, account: str | None = None, *, limit: int = 50, offset: int = 0
    ) -> list[JobRow]:
        """Return the jobs of one token or of all accounts of this server, whichever process runs
        them, newest first."""
        return await self._journal.jobs(
            account, accounts=self._accounts, limit=limit, offset=offset
        )

    async def count_others(self) -> int:
        accounts = self._accounts
        if accounts is None:
            return 0
        return await self._journal.count_others(accounts)

    async def records(
        self, job_id: str, states: Sequence[RecordState] = (), *, after: int = 0, limit: int = 100
    ) -> Sequence[RecordRow]:
        return await self._journal.records(job_id, states, after=after, limit=limit)

    async def record_pages(
        self, job_id: str, states: Sequence[RecordState] = (), *, after: int = 0, size: int = 1000
    ) -> AsyncIterator[Sequence[RecordRow]]:
        while rows := await self.records(job_id, states, after=after, limit=size):
            yield rows
            after = rows[-1].number

    async def failures(
        self, job_id: str, *, after: int = 0, limit: int = 100
    ) -> Sequence[RecordRow]:
        return await self.records(
            job_id, (RecordState.FAILED, RecordState.UNKNOWN), after=after, limit=limit
        )


class Reporter:
    """Passes progress on, at most once a second and only where it changed."""

    def __init__(self, on_progress: Progress | None, clock: Callable[[], float]) -> None:
        self._on_progress = on_progress
        self._clock = clock
        self._reported_at = clock()
        self._last: tuple[int, int | None, str] | None = None

    def is_due(self) -> bool:
        """Return whether somebody listens and has heard nothing for a second."""
        if self._on_progress is None:
            return False
        return self._clock() - self._reported_at >= _REPORT_PAUSE

    async def report(self, row: JobRow, message: str = "") -> None:
        """Report progress, unless it is the same as before: that would only be noise.

        Args:
            message: what the job does now; the name of its phase where it does not say.
        """
        self._reported_at = self._clock()
        words = [message or str(row.phase), describe_left(row)]
        progress = count_finished(row), row.total, "; ".join(filter(None, words))
        if self._on_progress is None or progress == self._last:
            return
        self._last = progress
        await self._on_progress(*progress)


async def journal_job(
    journal: Journal,
    owner: str,
    job: NewJob,
    work: Work,
    records: Sequence[NewRecord] | None,
    sleep: Callable[[float], Awaitable[object]],
) -> Lease:
    """Journal a new job, with its records where they are known already, and return its lease."""
    phase = Phase.GATHERING if records is None else Phase.SENDING
    lease = await journal.create(
        job, owner, writes=work.writes, repeatable=work.repeatable, phase=phase
    )
    if records is not None:
        total = 0
        # Piece by piece: other callers go on in between.
        for start in range(0, len(records), _CHUNK):
            total += await journal.add(lease, records[start : start + _CHUNK])
            await sleep(0)
        await journal.checkpoint(lease, total=total)
    # Only now visible: a crash before this leaves nothing that another server would resume.
    await journal.start(lease)
    return lease
