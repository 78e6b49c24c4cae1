"""A clock, and a kind of work, for the tests of jobs."""

from __future__ import annotations

import heapq
from collections.abc import Awaitable, Callable, Iterable, Sequence
from types import TracebackType
from typing import Any, Self

import anyio
import anyio.lowlevel
import anyio.to_thread
from anyio.abc import TaskGroup

from server.errors import Code, Failure
from server.jobs import (
    Handle,
    JobRow,
    Journal,
    LocalJobs,
    NewJob,
    NewRecord,
    Phase,
    RecordRow,
)
from server.jobs.lease import Lease
from server.jobs.sqlite import JournalFile

LONG = 10_000.0
"""Seconds of the fake clock that any job ends in."""
JOB = NewJob("a_tool", "A title", "https://api.test", "account", "workspace", {"argument": 1})


def some(count: int) -> list[NewRecord]:
    """Records with the keys k1, k2 and so on."""
    return [NewRecord(f"k{number}") for number in range(1, count + 1)]


_TURNS = 30
"""Turns of the event loop that anything which does not wait for the clock needs at most."""


class Clock:
    """Both clocks of a journal."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


async def begun(
    journal: Journal, count: int = 3, *, repeatable: bool = True, phase: Phase = Phase.SENDING
) -> Lease:
    """A new job of that many records, owned by "first"."""
    lease = await journal.create(JOB, "first", writes=True, repeatable=repeatable, phase=phase)
    await journal.add(lease, some(count))
    await journal.start(lease)
    return lease


async def states(journal: Journal, lease: Lease) -> list[str]:
    """How the records of a job stand, in order."""
    return [str(row.state) for row in await journal.records(lease.job)]


async def tidied(journal: Journal) -> Journal:
    """The journal after old jobs were deleted: a file does that when it is opened."""
    tidy = getattr(journal, "tidy", None)
    if tidy is not None:
        await tidy()
    return journal


def begun_in_file(journal: JournalFile, count: int = 3) -> Lease:
    """The same in the file itself."""
    lease = journal.create(JOB, "first", writes=True, repeatable=True, phase=Phase.SENDING)
    journal.add(lease, some(count))
    journal.start(lease)
    return lease


class FakeTime:
    """A monotonic clock that moves only when nobody has anything to do but wait for it."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._sleepers: list[tuple[float, int, anyio.Event]] = []
        self._count = 0
        self._group: TaskGroup | None = None

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await anyio.lowlevel.checkpoint()
            return
        event = anyio.Event()
        self._count += 1
        heapq.heappush(self._sleepers, (self.now + seconds, self._count, event))
        await event.wait()

    async def __aenter__(self) -> Self:
        self._group = anyio.create_task_group()
        await self._group.__aenter__()
        self._group.start_soon(self._drive)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        assert self._group
        self._group.cancel_scope.cancel()
        return await self._group.__aexit__(kind, error, trace)

    async def _drive(self) -> None:
        while True:
            for _ in range(_TURNS):
                await anyio.lowlevel.checkpoint()
            # What a thread works on takes no time of this clock, however slow the machine is.
            in_threads = anyio.to_thread.current_default_thread_limiter().borrowed_tokens
            if in_threads or not self._sleepers:
                await anyio.sleep(0.001)
                continue
            due, _, event = heapq.heappop(self._sleepers)
            self.now = max(self.now, due)
            event.set()


Behaviour = Callable[[RecordRow], Awaitable[None]]


class Toy:
    """A kind of work that sends keys nowhere.

    Args:
        pages: what gathering finds, page by page.
        answers: what the sends of a key raise, in order, after it was admitted; later ones succeed.
        before: awaited in each send before admission, as a turn of a limiter is.
        during: awaited in each send, between admission and the answer.
        early: the answers come before admission.
    """

    writes = True

    def __init__(
        self,
        pages: Iterable[Sequence[NewRecord]] = (),
        answers: dict[str, list[BaseException]] | None = None,
        *,
        before: Behaviour | None = None,
        during: Behaviour | None = None,
        early: bool = False,
        repeatable: bool = True,
        batch: int = 1,
        width: int = 1,
    ) -> None:
        self.pages = [*pages]
        self.answers = answers or {}
        self.before = before
        self.during = during
        self.early = early
        self.repeatable = repeatable
        self.batch = batch
        self.width = width
        self.sent: list[str] = []
        self.sends: list[list[str]] = []
        self.gathers: list[BaseException] = []
        self.finishes: list[BaseException] = []
        self.most = 0
        self.under_way = 0

    async def gather(self, job: Handle) -> None:
        for number in range(job.cursor or 0, len(self.pages)):
            if self.gathers:
                raise self.gathers.pop(0)
            await job.add(self.pages[number], number + 1, pages=number + 1)

    async def send(self, job: Handle, records: list[RecordRow]) -> None:
        if self.early:
            self._answer(records)
        for record in records if self.before else ():
            assert self.before
            await self.before(record)
        await job.admit(records)
        keys = [record.key for record in records]
        self.sent += keys
        self.sends.append(keys)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            for record in records if self.during else ():
                assert self.during
                await self.during(record)
        finally:
            self.under_way -= 1
        self._answer(records)
        for record in records:
            job.mark_done(record, {"was": record.key})

    async def finish(self, job: Handle) -> dict[str, Any]:
        if self.finishes:
            raise self.finishes.pop(0)
        return {"sent": len(self.sent)}

    def _answer(self, records: Sequence[RecordRow]) -> None:
        for record in records:
            waiting = self.answers.get(record.key)
            if waiting:
                raise waiting.pop(0)


class Slow(Toy):
    """Each send takes half a second."""

    def __init__(
        self, time: FakeTime, seconds: float = 0.5, *, repeatable: bool = True, width: int = 1
    ) -> None:
        async def during(_: RecordRow) -> None:
            await time.sleep(seconds)

        super().__init__(during=during, repeatable=repeatable, width=width)


def failures(code: str, times: int, message: str = "no", **details: Any) -> list[BaseException]:
    """That many failures of one kind."""
    return [Failure(Code(code), message, "a hint", **details) for _ in range(times)]


async def ended(jobs: LocalJobs, work: Toy, records: list[NewRecord] | None = None) -> JobRow:
    """A job of that work, when it has ended or paused."""
    started = await jobs.start(JOB, work, records)
    return await jobs.wait(started.id, LONG)
