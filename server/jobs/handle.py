"""What a kind of work sees of its job."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeVar

from server.jobs.journal import Journal
from server.jobs.lease import Lease
from server.jobs.model import (
    End,
    JobRow,
    JobState,
    Mark,
    NewRecord,
    RecordRow,
    RecordState,
    Stopped,
)
from server.jobs.rows import to_json
from server.text import truncate

T = TypeVar("T")

# The most characters of a record's reason, which may quote untrusted content.
LONGEST_REASON = 500

# The factor by which each pause of `poll` is longer than the one before it.
PAUSE_GROWTH = 1.5
_NAP = 0.25


class JobProgress:
    """Whether the job goes on, and how it ends once that is decided."""

    def __init__(self) -> None:
        self.end: End | None = None

    def decide(self, end: End) -> None:
        """Decide how the job ends; the first decision counts."""
        self.end = self.end or end

    def abandon(self) -> None:
        """Give the job up to another process: no decision of this one counts any more."""
        # Overrides an earlier decision: the other process journals the end now.
        self.end = End(None)


class Handle:
    """The job that a kind of work works on: where it stands, what it found, what became of each
    record.

    `row` is the job as it was when this process took it; `cursor` and `counters` are kept up to
    date.
    """

    def __init__(
        self,
        journal: Journal,
        lease: Lease,
        row: JobRow,
        progress: JobProgress,
        *,
        sleep: Callable[[float], Awaitable[object]],
    ) -> None:
        # Read once: only the owner changes these, and the owner is this process.
        self.row = row
        self.cursor: Any = row.cursor
        self.counters: dict[str, Any] = row.counters
        self.message = ""
        self.steps = 0
        self._journal = journal
        self._lease = lease
        self._progress = progress
        self._sleep = sleep
        self._marks: dict[int, Mark] = {}
        self._admitted: set[int] = set()

    @property
    def stopping(self) -> bool:
        """Whether the job was cancelled or is to pause. Long loops of a kind of work check it."""
        return self._progress.end is not None

    @property
    def cancelled(self) -> bool:
        """Whether nobody will resume the job, so that what it kept for that may be removed."""
        end = self._progress.end
        return end is not None and end.state is JobState.CANCELLED

    async def add(self, records: Sequence[NewRecord], cursor: Any = None, **counters: Any) -> int:
        """Journal records and the place that gathering reached, together; keys that are known
        already are left out.

        Args:
            cursor: where to go on, JSON-ready; None leaves it as it is.
            counters: those to be set, JSON-ready.

        Returns:
            How many records were new.

        Raises:
            Stopped: the job is to stop.
            LostLease: another process works on it.
        """
        merged = {**self.counters, **counters}
        added = await self._count_step(self._journal.add(self._lease, records, cursor, merged))
        self._move_cursor(cursor, merged)
        return added

    async def checkpoint(
        self, cursor: Any = None, *, total: int | None = None, **counters: Any
    ) -> None:
        """Journal the place reached, the expected number of records, and counters. The arguments
        and errors are those of `add`."""
        merged = {**self.counters, **counters}
        await self._count_step(self._journal.checkpoint(self._lease, cursor, merged, total))
        self._move_cursor(cursor, merged)

    async def set_total(self, total: int) -> None:
        """Journal how many records are expected. The errors are those of `add`."""
        await self.checkpoint(total=total)

    def set_message(self, message: str) -> None:
        """Set what the job does now, in a few words for the user; it is not journalled."""
        self.message = message

    async def admit(self, records: Sequence[RecordRow]) -> None:
        """Journal that these records' bytes are about to leave. To be called with nothing else
        awaited in between.

        Raises:
            Stopped: nothing more is to be sent.
            LostLease: another process works on the job.
            Failure: the journal cannot be written now: nothing may be sent either.
        """
        numbers = [record.number for record in records]
        # A retry inside one send comes here again, its records `sending` already.
        again = not self._admitted.isdisjoint(numbers)
        await self._journal_unless_stopped(self._journal.admit(self._lease, numbers, again=again))
        # Only after the journal agreed: a refused record was not sent.
        self._admitted.update(numbers)

    def mark_done(self, record: RecordRow, detail: Any = None) -> None:
        """Mark the record as processed; a detail replaces the one it had.

        Marks are journalled when `send` ends.
        """
        self._mark(record, RecordState.DONE, None, None, detail)

    def mark_failed(
        self, record: RecordRow, reason: str, *, code: str = "REJECTED", detail: Any = None
    ) -> None:
        """Mark the record as refused: nothing was changed for it."""
        self._mark(record, RecordState.FAILED, code, reason, detail)

    def mark_unknown(self, record: RecordRow, reason: str, *, detail: Any = None) -> None:
        """Mark the record as one that may or may not have been processed."""
        self._mark(record, RecordState.UNKNOWN, "OUTCOME_UNKNOWN", reason, detail)

    def mark_skipped(self, record: RecordRow, reason: str, *, detail: Any = None) -> None:
        """Mark the record as one that needed no change."""
        self._mark(record, RecordState.SKIPPED, None, reason, detail)

    def mark_pending(self, record: RecordRow) -> None:
        """Mark the record as provably not processed, to be sent later."""
        self._mark(record, RecordState.PENDING, None, None, None)

    async def count(self, state: RecordState) -> int:
        """Return how many records are in that state."""
        row = await self._journal.job(self._lease.job)
        return row.counts.get(state, 0)

    async def rows(
        self, *states: RecordState, after: int = 0, limit: int = 1000
    ) -> list[RecordRow]:
        """Return the records of these states (or all) with a number above `after`, in order."""
        return await self._journal.records(self._lease.job, states, after=after, limit=limit)

    async def row_pages(
        self, *states: RecordState, size: int = 1000
    ) -> AsyncIterator[list[RecordRow]]:
        """Yield all records of these states (or all), in order, at most `size` at a time."""
        after = 0
        while rows := await self.rows(*states, after=after, limit=size):
            yield rows
            after = rows[-1].number

    async def all_rows(self, *states: RecordState) -> AsyncIterator[RecordRow]:
        """Yield all records of these states (or all), in order."""
        async for rows in self.row_pages(*states):
            for row in rows:
                yield row

    async def sleep(self, seconds: float) -> None:
        """Wait, but not after the job is to stop.

        Raises:
            Stopped: it is.
        """
        while seconds > 0 and not self._progress.end:
            await self._sleep(min(seconds, _NAP))
            seconds -= _NAP
        if self._progress.end:
            raise Stopped(self._lease.job)

    async def poll(
        self, *, first: float, longest: float, limit: float, counter: str | None = None
    ) -> AsyncIterator[float]:
        """Yield before each check of something awaited, with growing pauses between the checks.

        Args:
            first: seconds of the first pause.
            longest: seconds of the longest pause.
            limit: seconds of all pauses; one more check follows the last of them.
            counter: the counter that holds the seconds waited, so that a job that was interrupted
                waits only for the rest; None journals nothing.

        Yields:
            The seconds left; 0 at the last look.

        Raises:
            Stopped: the job is to stop.
            LostLease: another process works on the job.
        """
        waited = float(self.counters.get(counter, 0)) if counter else 0.0
        pause = first
        while (left := limit - waited) > 0:
            yield left
            step = min(pause, left)
            await self.sleep(step)
            waited, pause = waited + step, min(pause * PAUSE_GROWTH, longest)
            if counter:
                journalled: dict[str, Any] = {counter: waited}
                await self.checkpoint(**journalled)
        yield 0.0

    async def journal_marks(self, records: Sequence[RecordRow]) -> None:
        """Journal the marks of records now: for what becomes known of them only after they were
        sent. The errors are those of `add`."""
        if marks := self.collect(records):
            await self._count_step(self._journal.mark(self._lease, marks))

    def collect(self, records: Sequence[RecordRow]) -> list[Mark]:
        """Take the marks of records whose send has ended."""
        # The next send of a record is a new one, and must find it pending.
        self._admitted.difference_update(record.number for record in records)
        taken: list[Mark] = []
        for record in records:
            mark = self._marks.pop(record.number, None)
            if mark is not None:
                taken.append(mark)
        return taken

    def _mark(
        self,
        record: RecordRow,
        state: RecordState,
        code: str | None,
        reason: str | None,
        detail: Any,
    ) -> None:
        # Cut here, so that no kind of work can fill the journal with a long answer.
        brief = truncate(reason, LONGEST_REASON) if reason else reason
        self._marks[record.number] = Mark(record.number, state, code, brief, to_json(detail))

    async def _count_step(self, change: Coroutine[Any, Any, T]) -> T:
        result = await self._journal_unless_stopped(change)
        # The runner compares it, to see whether gathering advanced between two failures.
        self.steps += 1
        return result

    async def _journal_unless_stopped(self, change: Coroutine[Any, Any, T]) -> T:
        """Journal something unless the job is to stop, which the journal may be the first to
        know."""
        if self._progress.end:
            change.close()
            raise Stopped(self._lease.job)
        try:
            return await change
        except Stopped:
            # Remembered, so that nothing else is tried before the watcher notices.
            self._progress.decide(End(JobState.CANCELLED))
            raise

    def _move_cursor(self, cursor: Any, counters: dict[str, Any]) -> None:
        self.cursor = self.cursor if cursor is None else cursor
        self.counters = counters
