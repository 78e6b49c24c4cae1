"""Spans of calls, waits and requests, through the whole server over the sandbox."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from mcp import Client
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import prompts
from server.dispatch import Dispatcher
from server.observing import Telemetry
from server.observing.metrics import Metrics
from server.protocol.handlers import build_server
from server.sandbox import MAIN
from server.services import Services
from server.settings import Settings
from server.tool.catalog import Catalog
from tests.support.clocks import fixed_sandbox
from tests.support.doubles import OpenLimiter
from tests.support.paths import SURFACE

SECRET_WORDS = "what nobody may read in a trace"


class Bench:
    """A server over the sandbox, and what it measured."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.metrics = Metrics()
        self.telemetry = Telemetry(provider.get_tracer("test"), self.metrics)

    @asynccontextmanager
    async def connect(self, era: str) -> AsyncIterator[Client]:
        catalog = Catalog.read(SURFACE, importlib.import_module)
        catalog.offer(backends={"archive"}, toolsets=["all"], read_only=False)
        services = Services(
            Settings(sandbox=True),
            limiter=OpenLimiter(),
            sandbox=fixed_sandbox(items=50),
            telemetry=self.telemetry,
        )
        async with services:
            calls = Dispatcher(catalog, services, Settings().timezone)
            server = build_server(catalog, calls, prompts.DOCUMENTS, prompts.instructions())
            async with Client(server, mode=era) as client:
                yield client

    def spans(self, start: str = "") -> list[ReadableSpan]:
        spans = self._exporter.get_finished_spans()
        return [span for span in spans if span.name.startswith(start)]

    def figures(self) -> str:
        return self.metrics.render().decode()


def attributes(span: ReadableSpan) -> Mapping[str, Any]:
    return dict(span.attributes or {})


@pytest.fixture(params=["legacy", "auto"])
def era(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def test_a_call_holds_its_waits_and_requests(era: str) -> None:
    bench = Bench()
    async with bench.connect(era) as client:
        await client.call_tool(
            "archive_search_items", {"workspace": MAIN, "captionPhrase": SECRET_WORDS}
        )
    (call,) = bench.spans("tools/call")
    assert call.name == "tools/call archive_search_items"
    assert attributes(call)["gen_ai.tool.name"] == "archive_search_items"
    (wait, *_), (send, *_) = bench.spans("wait for the pace"), bench.spans("items")
    assert call.context is not None
    for span in (wait, send):
        assert span.parent is not None
        assert span.parent.span_id == call.context.span_id
    assert attributes(send)["http.response.status_code"] == 200
    assert SECRET_WORDS not in "".join(span.to_json() for span in bench.spans())
    figures = bench.figures()
    assert 'archive_mcp_calls_total{outcome="ok",tool="archive_search_items"} 1.0' in figures
    assert 'archive_mcp_requests_total{api="archive",status="200"}' in figures
    assert 'archive_mcp_pace_wait_seconds_count{api="archive",lane="interactive"}' in figures


async def test_an_error_is_its_code_and_nothing_else(era: str) -> None:
    bench = Bench()
    async with bench.connect(era) as client:
        await client.call_tool("archive_get_collection", {"workspace": MAIN, "id": SECRET_WORDS})
        await client.call_tool(SECRET_WORDS, {})
    first, second = bench.spans("tools/call")
    assert attributes(first)["error.type"] == "NOT_FOUND"
    assert not first.status.is_ok
    assert second.name == "tools/call unknown"
    assert SECRET_WORDS not in "".join(span.to_json() for span in bench.spans())
    assert SECRET_WORDS not in bench.figures()
    assert first.name == "tools/call archive_get_collection"
    assert 'outcome="NOT_FOUND",tool="unknown"' in bench.figures()


async def test_the_trace_of_the_client_goes_on() -> None:
    bench = Bench()
    trace = "0af7651916cd43dd8448eb211c80319c"
    async with bench.connect("auto") as client:
        meta: Any = {"traceparent": f"00-{trace}-b7ad6b7169203331-01"}
        await client.call_tool("archive_get_workspaces", {}, meta=meta)
    (call,) = bench.spans("tools/call")
    assert call.context is not None
    assert f"{call.context.trace_id:032x}" == trace
