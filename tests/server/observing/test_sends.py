"""The measuring limiter: what it counts, and that it changes nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest

from server.errors import Code, Failure
from server.limiter import Slot, Snapshot
from server.observing import Telemetry
from server.observing.metrics import Metrics


class Turnstile:
    """A limiter that keeps what it was asked for and told."""

    def __init__(self, refusal: Failure | None = None) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.answers: list[tuple[int, Mapping[str, Any]]] = []
        self.left: list[BaseException | None] = []
        self.refusal = refusal

    @asynccontextmanager
    async def slot(self, key: str, **options: Any) -> AsyncIterator[Slot]:
        self.asked.append((key, options))
        if self.refusal:
            raise self.refusal
        try:
            yield self
        except BaseException as error:
            self.left.append(error)
            raise
        self.left.append(None)

    def note_sent(self) -> None:
        self.answers.append((0, {}))

    def report_answer(self, status: int, headers: Mapping[str, str], **options: Any) -> None:
        self.answers.append((status, {**options, "headers": headers}))

    async def snapshot(self, key: str) -> Snapshot | None:
        return Snapshot(0.2, 0, None, "growth", 10_000, 8, 1234.0)


def read(metrics: Metrics, name: str) -> list[str]:
    return [line for line in metrics.render().decode().splitlines() if line.startswith(name)]


async def test_everything_is_passed_on() -> None:
    turnstile, metrics = Turnstile(), Metrics()
    limiter = Telemetry(metrics=metrics).observe_limiter(turnstile, "archive")
    async with limiter.slot("key", operation="items", cost=7, lane="job", deadline=5) as slot:
        slot.note_sent()
        slot.report_answer(429, {"a": "b"}, retry_after=2, new_connection=True)
    assert turnstile.asked == [
        ("key", {"operation": "items", "cost": 7, "lane": "job", "deadline": 5})
    ]
    assert turnstile.answers == [
        (0, {}),
        (429, {"headers": {"a": "b"}, "retry_after": 2, "new_connection": True}),
    ]
    assert turnstile.left == [None]
    assert read(metrics, "archive_mcp_requests_total") == [
        'archive_mcp_requests_total{api="archive",status="429"} 1.0'
    ]
    assert read(metrics, "archive_mcp_rate_credits{") == [
        'archive_mcp_rate_credits{workspace="key"} 1234.0'
    ]


async def test_a_refused_turn_is_no_request() -> None:
    metrics, refusal = Metrics(), Failure(Code.RATE_LIMITED, "No turn.")
    limiter = Telemetry(metrics=metrics).observe_limiter(Turnstile(refusal), "archive")
    with pytest.raises(Failure) as caught:
        async with limiter.slot("key"):
            raise AssertionError("no turn was had")
    assert caught.value is refusal
    assert read(metrics, "archive_mcp_requests_total") == []


async def test_a_send_without_an_answer_counts_as_such() -> None:
    turnstile, metrics = Turnstile(), Metrics()
    limiter = Telemetry(metrics=metrics).observe_limiter(turnstile, "archive")
    with pytest.raises(ZeroDivisionError):
        async with limiter.slot("key"):
            raise ZeroDivisionError
    with anyio.CancelScope() as send:
        async with limiter.slot("key"):
            send.cancel()
            await anyio.sleep(5)
    assert [type(error).__name__ for error in turnstile.left] == [
        "ZeroDivisionError",
        "CancelledError",
    ]
    assert read(metrics, "archive_mcp_requests_total") == [
        'archive_mcp_requests_total{api="archive",status="0"} 2.0'
    ]


def test_jobs_that_are_gone_are_no_row() -> None:
    metrics = Metrics()
    metrics.set_jobs({"running": 2, "paused": 1})
    metrics.set_jobs({"running": 1})
    assert read(metrics, "archive_mcp_jobs{") == ['archive_mcp_jobs{state="running"} 1.0']
