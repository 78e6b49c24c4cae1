"""Spans and figures together, as the rest of the program uses them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from opentelemetry import trace

from server.limiter import Limiter
from server.observing.calls import CallObserver
from server.observing.sends import ObservedLimiter

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

    from server.observing.metrics import Metrics


@dataclass(frozen=True)
class Telemetry:
    """What is measured.

    Args:
        tracer: makes the spans.
        metrics: counts; None where nobody reads figures.
        end: sends what was not sent yet, and blocks meanwhile.
    """

    tracer: Tracer = field(default_factory=trace.NoOpTracer)
    metrics: Metrics | None = None
    end: Callable[[], object] = lambda: None

    def observe_limiter(self, limiter: Limiter, api: str) -> Limiter:
        """Return a limiter whose waits and sends are measured."""
        return ObservedLimiter(limiter, api, self.tracer, self.metrics)

    def observe_calls(self, tools: Collection[str]) -> CallObserver:
        """Return a middleware that measures calls of these tools."""
        return CallObserver(self.tracer, self.metrics, tools)
