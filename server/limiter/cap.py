"""A limiter for an API without a documented limit: it caps the sends under way at once."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

import anyio

from server.errors import Code, Failure
from server.limiter.interface import Lane, Slot, Snapshot


class _CapSlot:
    """A place among the sends under way; when it is used and answered changes nothing about it."""

    def note_sent(self) -> None:
        """Do nothing: only how many sends are under way counts. See `Slot.note_sent`."""

    def report_answer(
        self,
        status: int,
        headers: Mapping[str, str],
        *,
        retry_after: float | None = None,
        new_connection: bool = False,
    ) -> None:
        """Do nothing: without a rate there is nothing to learn. See `Slot.report_answer`."""


class ConcurrencyCap:
    """A `Limiter` that allows `most` sends at once, whatever their key, first come first served.

    Jobs get at most half of the places, so that interactive calls do not wait behind them.
    """

    def __init__(self, most: int = 4, clock: Callable[[], float] = time.monotonic) -> None:
        self._places = anyio.CapacityLimiter(most)
        # At least one, else a cap of one would never let a job through.
        self._for_jobs = anyio.CapacityLimiter(max(1, most // 2))
        self._clock = clock

    @asynccontextmanager
    async def slot(
        self,
        key: str,
        *,
        operation: str = "",
        cost: float = 5,
        lane: Lane = "interactive",
        deadline: float | None = None,
    ) -> AsyncIterator[Slot]:
        """Wait for a free place; only the lane and the deadline matter. See `Limiter.slot`."""
        # anyio refuses a second place to the same borrower, by default the task: each slot
        # therefore borrows under a token of its own.
        token = object()
        until = None if deadline is None else max(0.0, deadline - self._clock())
        async with AsyncExitStack() as stack:
            with anyio.move_on_after(until) as waiting:
                # The jobs' own limit comes first: a waiting job must not hold a common place.
                pools = (self._for_jobs, self._places) if lane == "job" else (self._places,)
                for places in pools:
                    await places.acquire_on_behalf_of(token)
                    stack.callback(places.release_on_behalf_of, token)
            if waiting.cancelled_caught:
                raise _make_busy_failure()
            yield _CapSlot()

    async def snapshot(self, key: str) -> Snapshot | None:
        """Return None: there is no rate to show."""
        return None


def _make_busy_failure() -> Failure:
    return Failure(
        Code.RATE_LIMITED,
        "Earlier calls to this server are still under way.",
        "Wait for them to end, then repeat the call.",
        retryable=True,
    )
