"""A limiter that measures how long sends wait for their turn and for their answer."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

from opentelemetry.trace import SpanKind, Status, StatusCode

from server.errors import Failure
from server.limiter.interface import Lane, Limiter, Slot, Snapshot

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer

    from server.observing.metrics import Metrics

# Hex digits of a key: enough to tell workspaces apart.
_SHORT_KEY = 12
# What is counted where no answer came.
_NO_STATUS = 0


class _ObservedSlot:
    """A slot that remembers the status of its answer."""

    def __init__(self, slot: Slot) -> None:
        self._slot = slot
        self.status = _NO_STATUS

    def note_sent(self) -> None:
        """Pass it on. See `Slot.note_sent`."""
        self._slot.note_sent()

    def report_answer(
        self,
        status: int,
        headers: Mapping[str, str],
        *,
        retry_after: float | None = None,
        new_connection: bool = False,
    ) -> None:
        """Remember the status. See `Slot.report_answer`."""
        self.status = status
        self._slot.report_answer(
            status, headers, retry_after=retry_after, new_connection=new_connection
        )


class ObservedLimiter:
    """A `Limiter` that measures another one.

    Each send has two spans, the wait and the request, so a retry shows as one more of each.
    """

    def __init__(self, limiter: Limiter, api: str, tracer: Tracer, metrics: Metrics | None) -> None:
        self._limiter = limiter
        self._api = api
        self._tracer = tracer
        self._metrics = metrics

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
        """Wait for the turn of one send. See `Limiter.slot`."""
        turn = self._limiter.slot(key, operation=operation, cost=cost, lane=lane, deadline=deadline)
        async with AsyncExitStack() as stack:
            start = time.monotonic()
            with self._trace("wait for the pace", {"archive_mcp.lane": lane}):
                slot = await stack.enter_async_context(turn)
            if self._metrics is not None:
                self._metrics.count_wait(self._api, lane, time.monotonic() - start)
            with self._observe(operation, slot) as observed:
                yield observed
        await self._note_credits(key)

    @contextmanager
    def _observe(self, operation: str, slot: Slot) -> Iterator[_ObservedSlot]:
        """Measure the send of a slot."""
        observed, start = _ObservedSlot(slot), time.monotonic()
        try:
            with self._trace(operation or "request", {}, SpanKind.CLIENT) as span:
                yield observed
                span.set_attribute("http.response.status_code", observed.status)
        finally:
            if self._metrics is not None:
                seconds = time.monotonic() - start
                self._metrics.count_request(self._api, observed.status, seconds)

    @contextmanager
    def _trace(
        self, name: str, attributes: Mapping[str, str], kind: SpanKind = SpanKind.INTERNAL
    ) -> Iterator[Span]:
        """Make a span; of an error it says the code or the type alone."""
        with self._tracer.start_as_current_span(
            name,
            kind=kind,
            attributes={"archive_mcp.api": self._api, **attributes},
            # An exception's text may hold what a caller sent.
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield span
            except BaseException as error:  # a cancelled send has its span too
                reason = error.code if isinstance(error, Failure) else type(error).__name__
                span.set_attribute("error.type", str(reason))
                span.set_status(Status(StatusCode.ERROR))
                raise

    async def snapshot(self, key: str) -> Snapshot | None:
        """Return the pace and the credits of a key. See `Limiter.snapshot`."""
        return await self._limiter.snapshot(key)

    async def _note_credits(self, key: str) -> None:
        if self._metrics is None:
            return
        snapshot = await self._limiter.snapshot(key)
        if snapshot is not None and snapshot.credits is not None:
            self._metrics.set_credits(key[:_SHORT_KEY], snapshot.credits)
