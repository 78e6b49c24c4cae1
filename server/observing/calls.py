"""A middleware of the MCP server that measures each call."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

from opentelemetry import propagate
from opentelemetry.trace import SpanKind, Status, StatusCode

from server.errors import ERROR_META

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

    from server.observing.metrics import Metrics

_CALL = "tools/call"
# A caller may name anything: a label for each of them would fill the memory.
_UNKNOWN_TOOL = "unknown"
_TRACE_FIELDS = ("traceparent", "tracestate")


class CallObserver:
    """Makes a span of each message and counts the calls.

    Spans carry the names of MCP's semantic conventions.

    Args:
        tools: the names that may become a label.
    """

    def __init__(self, tracer: Tracer, metrics: Metrics | None, tools: Collection[str]) -> None:
        self._tracer = tracer
        self._metrics = metrics
        self._tools = frozenset(tools)

    async def __call__(self, ctx: Any, call_next: Callable[[Any], Awaitable[Any]]) -> Any:
        """Pass a message on and measure what it takes."""
        tool = self._read_tool(ctx)
        attributes: dict[str, str] = {"mcp.method.name": ctx.method}
        if tool:
            attributes |= {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": tool}
        start = time.monotonic()
        outcome = "INTERNAL"
        with self._tracer.start_as_current_span(
            f"{ctx.method} {tool}".rstrip(),
            context=_read_context(ctx.meta),
            kind=SpanKind.SERVER,
            attributes=attributes,
            # An exception's text may hold what a caller sent.
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                result = await call_next(ctx)
                outcome = _read_outcome(result)
                return result
            finally:
                if outcome not in ("ok", "input_required"):
                    span.set_attribute("error.type", outcome)
                    span.set_status(Status(StatusCode.ERROR))
                if tool and self._metrics is not None:
                    self._metrics.count_call(tool, outcome, time.monotonic() - start)

    def _read_tool(self, ctx: Any) -> str:
        """Return the name of the called tool; empty where the message calls none."""
        if ctx.method != _CALL:
            return ""
        name = (ctx.params or {}).get("name")
        return name if isinstance(name, str) and name in self._tools else _UNKNOWN_TOOL


def _read_outcome(result: Any) -> str:
    """Return `ok`, `input_required`, or the code of a failure."""
    if not isinstance(result, Mapping):
        # The modern era ends a call that asks the user with such an object.
        return "input_required" if hasattr(result, "input_requests") else "ok"
    error = (result.get("_meta") or {}).get(ERROR_META)
    return str(error["code"]) if isinstance(error, Mapping) else "ok"


def _read_context(meta: Any) -> Any:
    """Return the trace that the client's message belongs to."""
    if not isinstance(meta, Mapping):
        return None
    carrier = {name: meta[name] for name in _TRACE_FIELDS if isinstance(meta.get(name), str)}
    return propagate.extract(carrier) if carrier else None
