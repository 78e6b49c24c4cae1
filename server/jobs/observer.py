"""Looks at a running job every few seconds and journals what is expected of it, so that any process
can show it."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from server.jobs.forecast import (
    Standing,
    is_out_of_credits,
    make_forecast,
    read_estimate,
    read_forecast,
)
from server.jobs.handle import Handle
from server.jobs.journal import Journal
from server.jobs.lease import Lease
from server.jobs.model import JobRow, Phase
from server.limiter.interface import Snapshot

# A function that returns what the API of a job allows now; None for one without limits.
Meter = Callable[[JobRow], Awaitable[Snapshot | None]]

# Seconds between two looks: each is a transaction of the file that all jobs share.
LOOK_SECONDS = 5.0
# Seconds back over which the speed is measured.
SPEED_SECONDS = 60.0


@dataclass(frozen=True)
class Trouble:
    """A failure that may pass: its message, and when the next attempt is (monotonic seconds)."""

    message: str = ""
    until: float = 0.0


# Told of a job that has ended.
OnEnd = Callable[[JobRow], Awaitable[None]]


async def tell_nobody(row: JobRow) -> None:
    """Do nothing: nobody asked for progress."""


async def no_limits(_: JobRow) -> Snapshot | None:
    """Return None: nothing is known of what the API allows."""
    return None


class Observer:
    """Keeps the forecast of one job up to date."""

    def __init__(
        self,
        journal: Journal,
        lease: Lease,
        handle: Handle,
        *,
        meter: Meter,
        clock: Callable[[], float],
    ) -> None:
        self._journal = journal
        self._lease = lease
        self._handle = handle
        self._meter = meter
        self._clock = clock
        self._start = self._looked_at = clock()
        earlier = read_forecast(handle.counters)
        # A job that resumes has been worked on before.
        self._active_before = self._active = earlier.active if earlier else 0.0
        self._phase = handle.row.phase
        self._out_of_credits = False
        self._samples = deque([(self._start, count_finished(handle.row))])

    async def look(self, trouble: Trouble, *, last: bool = False) -> None:
        """Journal a new forecast, if one is due.

        Args:
            trouble: The failure that the job met last.
            last: Whether the job is about to end: then it is time, if there was a forecast before.

        Raises:
            Failure, Stopped, LostLease: as `Journal.checkpoint`.
        """
        now = self._clock()
        due = now - self._looked_at >= LOOK_SECONDS
        if not (due or (last and "forecast" in self._handle.counters)):
            return
        self._looked_at = now
        row = await self._journal.job(self._lease.job)
        limits = await self._meter(row)
        estimate = read_estimate(row.counters)
        self._forget_other_speed(row, is_out_of_credits(estimate, limits))
        forecast = make_forecast(self._measure(row, trouble, now, last=last), estimate, limits)
        # Through the handle: what the work journals next keeps it.
        self._handle.counters = {**self._handle.counters, "forecast": forecast.to_dict()}
        await self._journal.checkpoint(self._lease, None, self._handle.counters)

    def _forget_other_speed(self, row: JobRow, out_of_credits: bool) -> None:
        # Gathering says nothing about how fast the records are sent that it found, and the speed
        # with credits in reserve nothing about that without.
        if (row.phase, out_of_credits) != (self._phase, self._out_of_credits):
            self._samples.clear()
        self._out_of_credits = out_of_credits

    def _measure(self, row: JobRow, trouble: Trouble, now: float, *, last: bool) -> Standing:
        finished = count_finished(row)
        # What is awaited at the end, such as posts to arrive, was no part of the plan.
        if self._phase is not Phase.FINISHING:
            self._active = self._active_before + now - self._start
        self._samples.append((now, finished))
        self._phase = row.phase
        while now - self._samples[0][0] > SPEED_SECONDS:
            self._samples.popleft()
        start, before = self._samples[0]
        gained = finished - before
        # While results are awaited at the end, nothing tells how long that takes.
        total = row.total if row.phase is not Phase.FINISHING else None
        return Standing(
            finished,
            finished if last else total,
            gained / (now - start) if gained > 0 else None,
            self._active,
            self._handle.message,
            max(0.0, trouble.until - now),
            trouble.message,
        )


def count_finished(row: JobRow) -> int:
    """Return how far a job is: records that need no more work, or those that were gathered."""
    # While records are gathered none is finished: their number is the progress then.
    gathered: int = row.counters.get("gathered", 0)
    return row.finished_records or gathered
