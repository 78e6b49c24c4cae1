"""Several real server processes that call one workspace as fast as they may, and what came of
it."""

from __future__ import annotations

import signal
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import anyio

from tests.support.sandboxed import LAUNCHER, PACED, SandboxProcess, using
from tests.support.stdio import ServerGone, StdioServer

TOOL = "archive_get_workspace"
ALLOWED = 5
"""Requests that Archive admits in a window (Archive docs, rate limiting page)."""


@dataclass(frozen=True)
class Load:
    """What is asked of the servers.

    window: seconds in which the API and the pacer allow 5 requests. at_once: calls that a client
    has under way at a time, as assistants do. warm: whether each process has made one call before,
    so that what only a first call costs (imports, a connection) is left out where the window is too
    short for it. delay_share, delay_most: part of the sends that reach the API late, by up to so
    many seconds. interrupt: whether half-way one process is killed and another suspended until the
    others are done. store: address of a PostgreSQL or a Redis that keeps the pace, instead of a
    file.
    """

    processes: int = 4
    calls: int = 50
    window: float = 1.0
    at_once: int = 5
    warm: bool = False
    delay_share: float = 0.0
    delay_most: float = 0.0
    interrupt: bool = False
    store: str = ""

    @property
    def ideal(self) -> float:
        """Seconds that a perfect schedule needs for all calls."""
        return self.processes * self.calls * self.window / ALLOWED

    def command(self, number: int) -> tuple[str, ...]:
        """How process `number` is started; the product's own launcher wherever that will do."""
        if self.window == 1.0 and not self.delay_share and not self.store:
            return LAUNCHER
        delays = (
            "--delay-share",
            str(self.delay_share),
            "--delay-most",
            str(self.delay_most),
            "--seed",
            str(number),
        )
        return (*PACED, "--window", str(self.window), "--store", self.store, *delays)


@dataclass
class Caller:
    """One process and its calls; moments are monotonic seconds."""

    server: StdioServer
    left: int
    answers: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    lost: bool = False

    async def run(self, at_once: int, heard: Callable[[], None] = lambda: None) -> None:
        """Make all calls, `at_once` at a time; `heard` is called after each answer."""
        async with anyio.create_task_group() as group:
            for _ in range(at_once):
                group.start_soon(self._work, heard)

    async def _work(self, heard: Callable[[], None]) -> None:
        while self.left > 0 and not self.lost:
            self.left -= 1
            try:
                result = await self.server.call_tool(TOOL, seconds=90)
            except ServerGone:
                self.lost = True
                return
            self.answers.append(time.monotonic())
            if result["isError"]:
                self.failures.append(result["content"][0]["text"])
            heard()


@dataclass(frozen=True)
class Outcome:
    """What came of a load. `began`, `interrupted` and `ended` (all but a suspended process) are
    monotonic seconds."""

    load: Load
    began: float
    interrupted: float | None
    ended: float
    callers: Sequence[Caller]
    arrivals: Sequence[float]
    refused: int

    @property
    def seconds(self) -> float:
        """From the first call made to the last one answered, a suspended process left aside."""
        return self.ended - self.began

    @property
    def failures(self) -> list[str]:
        """Errors that callers saw."""
        return [failure for caller in self.callers for failure in caller.failures]

    @property
    def answered(self) -> int:
        """Calls that were answered."""
        return sum(len(caller.answers) for caller in self.callers)

    def most_in_window(self, window: float) -> int:
        """Most arrivals in any window of that many seconds."""
        return most_within(self.arrivals, window)

    def fairness(self) -> float:
        """Jain's index of the calls answered when the first process was done: 1 = all alike, 1/n =
        one had them all."""
        until = min(
            caller.answers[-1] for caller in self.callers if caller.left <= 0 and caller.answers
        )
        counts = [sum(moment <= until for moment in caller.answers) for caller in self.callers]
        return sum(counts) ** 2 / (len(counts) * sum(count**2 for count in counts))

    def starvation(self) -> float:
        """Longest time that any one process waited from one answer to the next, seconds."""
        return max(longest_pause([self.began, *caller.answers]) for caller in self.callers)

    def pause_after_interruption(self) -> float:
        """Longest time that the unharmed processes together got no answer once the others were
        interrupted."""
        assert self.interrupted is not None
        answers = sorted(moment for caller in self.callers[2:] for moment in caller.answers)
        return longest_pause(
            [self.interrupted, *(each for each in answers if each > self.interrupted)]
        )

    def slowdown_after_interruption(self) -> float:
        """Time of the unharmed processes for the rest of their calls, as a ratio to a perfect
        schedule for those."""
        assert self.interrupted is not None
        rest = sum(
            moment > self.interrupted for caller in self.callers[2:] for moment in caller.answers
        )
        return (self.ended - self.interrupted) / (rest * self.load.window / ALLOWED)


async def put(load: Load, sandbox: SandboxProcess, folder: Path) -> Outcome:
    """Put a load on the sandbox, through servers that share a state folder below `folder`."""
    sandbox.warm_up()
    async with AsyncExitStack() as stack:
        servers = [
            await stack.enter_async_context(
                StdioServer.spawn(load.command(number), env=using(sandbox, folder), cwd=folder)
            )
            for number in range(load.processes)
        ]
        for server in servers:
            await server.handshake()
            if load.warm:
                await server.call_tool(TOOL)
        callers = [Caller(server, load.calls) for server in servers]
        began = time.monotonic()
        interrupted = await (
            _interrupted(load, callers) if load.interrupt else _uninterrupted(load, callers)
        )
        ended = max(caller.answers[-1] for caller in callers[2 if load.interrupt else 0 :])
    return Outcome(
        load, began, interrupted, ended, callers, sandbox.arrivals(), sandbox.stats()["refused"]
    )


def most_within(moments: Sequence[float], window: float) -> int:
    """Most of the moments (in order) that lie within any half-open window of that length."""
    recent: deque[float] = deque()
    most = 0
    for moment in moments:
        recent.append(moment)
        while moment - recent[0] >= window:
            recent.popleft()
        most = max(most, len(recent))
    return most


def longest_pause(moments: Sequence[float]) -> float:
    """Longest time between neighbours, 0 for a single moment."""
    return max((later - earlier for earlier, later in pairwise(moments)), default=0.0)


async def _uninterrupted(load: Load, callers: Sequence[Caller]) -> None:
    async with anyio.create_task_group() as group:
        for caller in callers:
            group.start_soon(caller.run, load.at_once)


async def _interrupted(load: Load, callers: Sequence[Caller]) -> float:
    """Half-way kill the first process, and suspend the second until the others are done; then let
    it finish."""
    killed, suspended, *others = callers
    half_way = anyio.Event()

    def heard() -> None:
        if 2 * sum(len(caller.answers) for caller in callers) >= load.processes * load.calls:
            half_way.set()

    async with anyio.create_task_group() as victims:
        victims.start_soon(killed.run, load.at_once, heard)
        victims.start_soon(suspended.run, load.at_once, heard)
        async with anyio.create_task_group() as group:
            for caller in others:
                group.start_soon(caller.run, load.at_once, heard)
            await half_way.wait()
            moment = time.monotonic()
            killed.server.signal(signal.SIGKILL)
            suspended.server.signal(signal.SIGSTOP)
        suspended.server.signal(signal.SIGCONT)
    return moment
