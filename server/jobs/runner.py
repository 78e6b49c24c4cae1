"""The runner of one job, which starts where the journal says that the job stands."""

from __future__ import annotations

import json
import logging
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

import anyio

from server.errors import Code, Failure
from server.jobs.failures import REFUSED, choose_pause, may_pass
from server.jobs.handle import Handle, JobProgress
from server.jobs.interface import Work
from server.jobs.journal import Journal
from server.jobs.lease import Lease
from server.jobs.model import (
    End,
    JobRow,
    JobState,
    LostLease,
    Mark,
    Phase,
    RecordRow,
    RecordState,
    Stopped,
    to_dict,
)
from server.jobs.observer import Meter, Observer, Trouble, no_limits

log = logging.getLogger("archive_mcp.jobs")

# Passing failures in a row after which the job pauses.
STRIKES = 8
# How often a repeatable record is sent again after its outcome was unknown.
RETRIES = 2
# Passing failures of one record after which other records go first.
DEFERRED_AFTER = 3
_NAP = 0.25
# Seconds between looks at the file, where another process may have cancelled the job.
_LOOK = 1.0


class Runner:
    """One job in this process.

    Args:
        lease: the right to work on it, taken already.
        row: the job as it was journalled then.
        clock: monotonic seconds.
        sleep: coroutine function that waits a number of seconds of that clock.
        meter: returns what the API allows now.
    """

    def __init__(
        self,
        journal: Journal,
        lease: Lease,
        row: JobRow,
        work: Work,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[object]],
        meter: Meter = no_limits,
    ) -> None:
        self.progress = JobProgress()
        self.handle = Handle(journal, lease, row, self.progress, sleep=sleep)
        self.ended = False
        # The end that the journal could not take.
        self.unwritten: End | None = None
        self._journal = journal
        self._lease = lease
        self._work = work
        self._clock = clock
        self._sleep = sleep
        # Two scopes: the inner one ends the work, the outer one also the journalling of its end.
        self._whole = anyio.CancelScope(shield=True)
        self._part = anyio.CancelScope()
        self._asking: anyio.CancelScope | None = None
        self._in_flight: set[int] = set()
        # One claim and one write of marks at a time: a journal may answer any moment later.
        self._claiming = anyio.Lock(fast_acquire=True)
        self._flushing = anyio.Lock(fast_acquire=True)
        self._unwritten: list[Mark] = []
        self._strikes = 0
        # Raised with every strike, to see which sends had started before it.
        self._round = 0
        self._open_at = 0.0
        self._trouble = ""
        self._observer = Observer(journal, lease, self.handle, meter=meter, clock=clock)
        self._tries: Counter[int] = Counter()
        self._unsure: Counter[int] = Counter()

    async def run(self) -> None:
        """Run the job until it ends or is stopped, and journal the end."""
        # Shielded: a cancellation from outside would skip journalling what was sent.
        try:
            with self._whole:
                with self._part:
                    async with anyio.create_task_group() as group:
                        group.start_soon(self._watch)
                        await self._run_phases()
                        # The watcher runs until it is stopped, and the group would wait for it.
                        group.cancel_scope.cancel()
                await self._leave()
        except Exception:  # the outermost handler: a fault of one job is not to end the server
            log.exception(
                "incident %s in %s, which was left as it is", secrets.token_hex(4), self._lease.job
            )
        finally:
            self.ended = True

    def stop(self, end: End) -> None:
        """Stop sending anything new; sends under way continue, gathering and finishing do not."""
        self.progress.decide(end)
        # Gathering and finishing change nothing at the API, so they may be broken off.
        if self._asking:
            self._asking.cancel()

    def interrupt(self) -> None:
        """Cancel what is under way, and journal the end."""
        self._part.cancel()

    def abandon(self) -> None:
        """End at once without journalling anything; the lease expires."""
        self._whole.cancel()

    async def _watch(self) -> None:
        """Renew the lease, and stop when another process cancelled the job."""
        look = min(_LOOK, self._journal.lease_seconds / 4)
        renewed = self._clock()
        while True:
            await self._sleep(look)
            try:
                cancelled = await self._journal.is_cancelled(self._lease)
                # A third of the lease: if one renewal fails, the next still comes in time.
                if self._clock() - renewed >= self._journal.lease_seconds / 3:
                    cancelled = await self._journal.renew(self._lease)
                    renewed = self._clock()
                await self._observe()
            except Stopped:
                cancelled = True
            except LostLease:
                self.progress.abandon()
                self.interrupt()
                return
            except Failure as failure:
                # The journal may be locked for a moment, and the lease lasts longer than that.
                log.info("%s: %s", self._lease.job, failure.message)
                continue
            if cancelled:
                self.stop(End(JobState.CANCELLED))

    async def _observe(self, *, last: bool = False) -> None:
        trouble = Trouble(self._trouble, self._open_at)
        await self._observer.look(trouble, last=last)

    async def _run_phases(self) -> None:
        if self.handle.row.phase is Phase.GATHERING:
            await self._run_phase(self._gather)
        if self.handle.row.phase is not Phase.FINISHING and not self.progress.end:
            await self._send()
        if not self.progress.end:
            await self._run_phase(self._finish)

    async def _run_phase(self, part: Callable[[], Awaitable[None]]) -> None:
        """Run a phase; an exception from it decides how the job ends."""
        try:
            await part()
        except LostLease:
            self.progress.abandon()
        except Stopped:
            self.progress.decide(End(JobState.PAUSED))
        except Failure as failure:
            # Anything else, such as a token that is refused, can be put right, and the job resumed.
            state = JobState.FAILED if failure.code in REFUSED else JobState.PAUSED
            self.progress.decide(End(state, to_dict(failure)))
        except Exception:  # the outermost handler of a job: whatever else escapes is a bug
            incident = secrets.token_hex(4)
            log.exception("incident %s in %s", incident, self._lease.job)
            masked = Failure(
                Code.INTERNAL,
                f"The job failed because of a fault in this server (incident {incident}).",
                "The user finds the details under that id in the server's log.",
            )
            self.progress.decide(End(JobState.FAILED, to_dict(masked)))

    async def _gather(self) -> None:
        await self._repeat(lambda: self._work.gather(self.handle))
        if not self.progress.end:
            await self._journal.enter(self._lease, Phase.SENDING)

    async def _finish(self) -> None:
        result = await self._repeat(lambda: self._work.finish(self.handle))
        if not self.progress.end:
            # Tried here, where an unfit result is a fault of the work, not of the journal.
            json.dumps(result)
            # The work is done, whatever keeps the last figures of it from being journalled.
            with suppress(Failure, Stopped):
                await self._observe(last=True)
            self.progress.decide(End(JobState.DONE, result=result))

    async def _repeat(self, ask: Callable[[], Awaitable[Any]]) -> Any:
        """Repeat a request while its failure may pass; return its result, or None if the job must
        stop."""
        while not self.progress.end:
            steps, began = self.handle.steps, self._round
            try:
                with anyio.CancelScope() as self._asking:
                    result = await ask()
                    self._strikes = 0
                    return result
            except Failure as failure:
                if not may_pass(failure):
                    raise
                # Pages were journalled since the last failure: the API works, if not always.
                if self.handle.steps != steps:
                    self._strikes = 0
                self._strike(failure, began)
            finally:
                self._asking = None
            await self._wait_until_open()
        return None

    async def _send(self) -> None:
        async with anyio.create_task_group() as group:
            for _ in range(self._work.width):
                group.start_soon(self._run_phase, self._send_batches)
        if not self.progress.end:
            await self._run_phase(lambda: self._journal.enter(self._lease, Phase.FINISHING))

    async def _send_batches(self) -> None:
        while True:
            await self._wait_until_open()
            if self.progress.end:
                return
            rows = await self._claim()
            # A record that fails now is sent again by its own sender: nothing is left here.
            if not rows:
                return
            try:
                await self._deliver(rows)
            finally:
                self._in_flight.difference_update(row.number for row in rows)

    async def _claim(self) -> list[RecordRow]:
        """Return the next records to send, in order; those that failed often come last."""
        async with self._claiming:
            # As it is now: a record that is sent while the journal answers is still pending there.
            in_flight = {*self._in_flight}
            # Enough rows to fill a batch even if all in flight and all that failed come first.
            limit = self._work.batch + len(in_flight) + len(self._tries)
            rows = await self._journal.records(self._lease.job, [RecordState.PENDING], limit=limit)
            free = [row for row in rows if row.number not in in_flight]
            # The sort is stable: the others stay in the order in which they were gathered.
            free.sort(key=lambda row: self._tries[row.number] >= DEFERRED_AFTER)
            claimed = free[: self._work.batch]
            self._in_flight.update(row.number for row in claimed)
            return claimed

    async def _deliver(self, rows: list[RecordRow]) -> None:
        began, failure = self._round, None
        try:
            await self._work.send(self.handle, rows)
        except Failure as caught:
            failure = caught
        finally:
            # Also after a cancellation: what is known of the records is journalled with the end.
            marks = self.handle.collect(rows)
            self._unwritten += marks
        existing = {mark.number for mark in marks}
        # What the work marked before it failed stands: only the rest shares the failure.
        left = [row for row in rows if row.number not in existing]
        if failure:
            await self._handle_failure(left, failure, began)
        elif left:
            # A bug of the kind of work; going on would send the record again without end.
            raise RuntimeError(f"a send left record {left[0].number} without a mark")
        else:
            self._strikes = 0
            for row in rows:
                self._tries.pop(row.number, None)
        await self._flush()

    async def _handle_failure(self, rows: list[RecordRow], failure: Failure, began: int) -> None:
        """Mark the records of a send that failed, and decide how to go on."""
        if failure.code in REFUSED:
            self._strikes = 0
            # In a batch it is not known whose fault it was.
            if len(rows) == 1:
                self._mark_refused(rows[0], failure)
            else:
                await self._send_singly(rows)
            return
        if not may_pass(failure):
            self._mark(rows, RecordState.PENDING)
            # Such as a refused token: every other record would meet it, so the job pauses at once.
            raise failure
        for row in rows:
            self._tries[row.number] += 1
            self._unsure[row.number] += failure.code is Code.OUTCOME_UNKNOWN
            if self._may_repeat(row, failure):
                self._mark([row], RecordState.PENDING)
            else:
                self._mark([row], RecordState.UNKNOWN, failure)
        self._strike(failure, began, rows)

    def _may_repeat(self, row: RecordRow, failure: Failure) -> bool:
        # After a clear failure nothing happened; else only repeatable work goes again.
        if failure.code is not Code.OUTCOME_UNKNOWN:
            return True
        return self.handle.row.repeatable and self._unsure[row.number] <= RETRIES

    def _mark_refused(self, row: RecordRow, failure: Failure) -> None:
        # A refusal says nothing of an earlier send, whose answer was lost: "not found" may be what
        # that one did.
        if self._work.writes and self._unsure[row.number]:
            doubt = Failure(
                Code.OUTCOME_UNKNOWN,
                f"{failure.message} An earlier attempt may have made the change.",
            )
            self._mark([row], RecordState.UNKNOWN, doubt)
            return
        self._mark([row], RecordState.FAILED, failure)

    async def _send_singly(self, rows: list[RecordRow]) -> None:
        """Send the records of a refused batch one by one, to find the one that was refused."""
        self._mark(rows, RecordState.PENDING)
        await self._flush()
        for row in rows:
            await self._wait_until_open()
            if self.progress.end:
                return
            await self._deliver([row])

    def _strike(self, failure: Failure, began: int, rows: Sequence[RecordRow] = ()) -> None:
        """Count a failure that may pass, and pause all sends."""
        # Sends that were under way together fail together, and count as one.
        if began != self._round:
            return
        self._round += 1
        self._strikes += 1
        self._trouble = failure.message
        if self._strikes >= STRIKES:
            # More failures than strikes: others got through meanwhile, so the fault is the record's
            # own.
            if rows and all(self._tries[row.number] > STRIKES for row in rows):
                self._strikes = 0
                self._mark(rows, RecordState.FAILED, failure)
                return
            self.progress.decide(End(JobState.PAUSED, to_dict(failure)))
            return
        self._open_at = self._clock() + choose_pause(failure, self._strikes)

    def _mark(
        self, rows: Sequence[RecordRow], state: RecordState, failure: Failure | None = None
    ) -> None:
        code = reason = None
        if failure is not None:
            code, reason = str(failure.code), failure.message
        for row in rows:
            self._unwritten.append(Mark(row.number, state, code, reason))

    async def _wait_until_open(self) -> None:
        while not self.progress.end and (left := self._open_at - self._clock()) > 0:
            await self._sleep(min(left, _NAP))

    async def _flush(self) -> None:
        """Journal the marks not journalled yet."""
        async with self._flushing:
            marks = [*self._unwritten]
            if not marks:
                return
            await self._journal.mark(self._lease, marks)
            # After the write only: marks that could not be journalled must be tried again.
            del self._unwritten[: len(marks)]

    async def _leave(self) -> None:
        # Undecided means interrupted from outside: nothing failed, so the job can be resumed.
        end = self.progress.end or End(JobState.PAUSED)
        if end.state is None:
            log.info("%s is worked on by another process", self._lease.job)
            return
        try:
            await self._flush()
            await self._journal.end(self._lease, end)
        except LostLease:
            log.info("%s was taken over by another process", self._lease.job)
        except Failure as failure:
            log.warning(
                "%s could not be journalled as %s: %s", self._lease.job, end.state, failure.message
            )
            # Why the journal failed says more than what it could not take.
            self.unwritten = End(JobState.PAUSED, to_dict(failure))
