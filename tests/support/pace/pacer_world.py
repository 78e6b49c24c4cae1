"""Several pacers in virtual time: seconds pass only when everybody sleeps."""

from __future__ import annotations

import heapq
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import anyio
import anyio.lowlevel

from server.limiter import Lane, Limiter, Pacer, state_key
from server.limiter.store import SqliteStore

KEY = state_key("https://archive.test", "workspace")
PLAN = {"ratelimit-policy": '"startup";q=5000;w=100', "ratelimit": '"startup";r=100;t=1785409320'}
PausedUntil = list[tuple[float, int, anyio.Event]]


class VirtualTime:
    """A clock that jumps to the earliest sleeper once nobody has anything else to do."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._sleepers: PausedUntil = []
        self._order = 0

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self._order += 1
        entry = (self.now + seconds, self._order, anyio.Event())
        heapq.heappush(self._sleepers, entry)
        try:
            await entry[2].wait()
        finally:
            with suppress(ValueError):
                self._sleepers.remove(entry)
                heapq.heapify(self._sleepers)

    async def run(self) -> None:
        while True:
            for _ in range(20):
                await anyio.lowlevel.checkpoint()
            if self._sleepers:
                moment, _, event = heapq.heappop(self._sleepers)
                self.now = max(self.now, moment)
                event.set()


class World:
    """Several processes, each one a pacer, and the record of who sent when."""

    def __init__(self, folder: Path) -> None:
        self.time = VirtualTime()
        self.folder = folder
        self.sent: list[tuple[str, float]] = []
        self._pacers: list[Pacer] = []

    def pacer(self, *, boot: str = "boot") -> Pacer:
        pacer = Pacer(self.folder, clock=self.time.clock, sleep=self.time.sleep, boot=boot)
        self._pacers.append(pacer)
        return pacer

    async def send(
        self,
        pacer: Limiter,
        name: str,
        *,
        cost: float = 5,
        lane: Lane = "interactive",
        wait: float | None = None,
        status: int = 0,
        headers: dict[str, str] | None = None,
        retry_after: float | None = None,
    ) -> None:
        deadline = None if wait is None else self.time.now + wait
        async with pacer.slot(
            KEY, operation="items", cost=cost, lane=lane, deadline=deadline
        ) as slot:
            self.sent.append((name, round(self.time.now - 1000, 6)))
            if status:
                await self.time.sleep(0.05)
                slot.report_answer(status, headers or {}, retry_after=retry_after)

    def order(self) -> str:
        return "".join(name for name, _ in self.sent)

    def close(self) -> None:
        for pacer in self._pacers:
            pacer.close()


def sqlite_store(pacer: Pacer) -> SqliteStore:
    """Return the file behind a pacer that was made for a folder."""
    store = pacer._store
    assert isinstance(store, SqliteStore)
    return store


@asynccontextmanager
async def running(time: VirtualTime) -> AsyncIterator[None]:
    async with anyio.create_task_group() as group:
        group.start_soon(time.run)
        yield
        group.cancel_scope.cancel()


async def together(*calls: Callable[[], Coroutine[object, object, None]]) -> None:
    async with anyio.create_task_group() as group:
        for call in calls:
            group.start_soon(call)
