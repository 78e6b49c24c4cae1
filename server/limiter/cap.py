"""A limiter for an API without a documented limit: at most so many sends at once, behind the same
interface."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

import anyio

from server.errors import Code, Failure
from server.limiter.interface import Lane, Slot, Snapshot


class _Place:
    """A place among those that send at once: the answer teaches it nothing."""

    def report_answer(
        self,
        status: int,
        headers: Mapping[str, str],
        *,
        retry_after: float | None = None,
        new_connection: bool = False,
    ) -> None:
        """See `Slot.answered`."""


class ConcurrencyCap:
    """A `Limiter` that lets `most` sends be under way at once, whatever their key, in the order of
    their coming.

    Jobs have half of the places at most, so that interactive calls do not wait behind them.
    """

    def __init__(self, most: int = 4, clock: Callable[[], float] = time.monotonic) -> None:
        self._places = anyio.CapacityLimiter(most)
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
        """See `Limiter.slot`: here only the lane and the deadline matter."""
        token = object()
        until = None if deadline is None else max(0.0, deadline - self._clock())
        async with AsyncExitStack() as content:
            with anyio.move_on_after(until) as waiting:
                for places in (self._for_jobs, self._places) if lane == "job" else (self._places,):
                    await places.acquire_on_behalf_of(token)
                    content.callback(places.release_on_behalf_of, token)
            if waiting.cancelled_caught:
                raise _busy()
            yield _Place()

    async def snapshot(self, key: str) -> Snapshot | None:
        """Nothing is known: there is no rate here."""
        return None


def _busy() -> Failure:
    return Failure(
        Code.RATE_LIMITED,
        "Earlier calls to this server are still under way.",
        "Wait for them to end, then repeat the call.",
        retryable=True,
    )
