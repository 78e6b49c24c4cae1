"""One pace for all processes of a user on a machine.

Each process queues its own callers per key; the head of the queue goes through the shared schedule
(`schedule.attempt`) in short transactions and sleeps in between. So processes take turns, nobody
holds a lock while waiting, and a process that dies or is suspended leaves at most one unused slot
behind.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import anyio

from server.limiter.budget import number_from, read_budget
from server.limiter.interface import Lane, Slot, Snapshot
from server.limiter.jitter import CALLS, Evidence, Rules
from server.limiter.line import Line, Waiter, refusal
from server.limiter.schedule import (
    Answer,
    Ask,
    Granted,
    State,
    Wait,
    attempt,
    decode,
    fresh,
    give_back,
    settle,
    wary,
)
from server.limiter.store import Busy, Record, Store

T = TypeVar("T")

# Seconds: a server that ends or a caller that was cancelled must not wait for the file.
_PATIENCE = 0.1
# On a machine that is always late, another claim would be late too, and nothing be sent at all.
_STALE_CLAIMS = 2


class Turn:
    """The slot that `Pacer` hands out. `stamp` is when it was claimed (seconds, monotonic)."""

    def __init__(self, acquired: Granted, operation: str, clock: Callable[[], float]) -> None:
        self.stamp = acquired.stamp
        self.answer: Answer | None = None
        self._late = acquired.late
        self._operation = operation
        self._clock = clock

    def report_answer(
        self,
        status: int,
        headers: Mapping[str, str],
        *,
        retry_after: float | None = None,
        new_connection: bool = False,
    ) -> None:
        """Keep the answer until the slot ends. See `Slot.report_answer`."""
        self.answer = Answer(
            stamp=self.stamp,
            # Taken now: the slot may end later, after the caller has read the answer.
            at=self._clock(),
            operation=self._operation,
            status=status,
            reading=read_budget(headers),
            # The larger one: the message may ask for longer than the header, or the other way
            # round.
            penalty=max(_retry_after(headers), retry_after or 0.0),
            new_connection=new_connection,
            late=self._late,
        )


class _Shared:
    """The shared data of a key inside one transaction; the evidence is parsed on first use."""

    def __init__(self, record: Record | None, rules: Rules, now: float) -> None:
        self.state = decode(record[0], rules, now) if record else fresh(rules)
        self._evidence_text = record[1] if record else ""

    @cached_property
    def evidence(self) -> Evidence:
        return Evidence.decode(self._evidence_text)

    def record(self) -> Record:
        # Most transactions never look at the evidence, so its text is written back unparsed.
        unpacked = "evidence" in self.__dict__
        return self.state.encode(), self.evidence.encode() if unpacked else self._evidence_text


class Pacer:
    """A `Limiter` of five sends per window for each key, shared through a file.

    Args:
        folder: Where the shared file lives; None keeps the limit for this process only.
        window: Length of the API's window in seconds.
        clock: Monotonic clock in seconds that all processes of the machine share.
        sleep: Coroutine function that waits a number of seconds of that clock.
        boot: Identifies this run of the clock; by default the machine's boot identity.
    """

    def __init__(
        self,
        folder: Path | None,
        *,
        window: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = anyio.sleep,
        boot: str | None = None,
    ) -> None:
        self._rules = Rules(window)
        self._clock = clock
        self._sleep = sleep
        self._store = Store(folder, blank=self._blank, sleep=sleep, boot=boot)
        self._lines: dict[str, Line] = {}
        # The process id alone may be given to another process later.
        self._who = f"{os.getpid()}-{os.urandom(6).hex()}"

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
        """See `Limiter.slot`. The deadline is in seconds of the pacer's clock."""
        line = self._lines.setdefault(key, Line(self._rules))
        turn = Turn(
            await self._turn(key, line, Waiter(cost, lane, deadline)), operation, self._clock
        )
        try:
            yield turn
        finally:
            # Without an answer nothing is learned; the send stays in the log, which is what counts.
            if turn.answer:
                line.pending.append(turn.answer)
                await self._quietly(key, _nothing)

    async def snapshot(self, key: str) -> Snapshot:
        """Return the pace and the credits of a key now."""
        # Goes through a change, so that answers still pending are part of what is shown.
        shared = await self._change(key, lambda shared: shared)
        state, now = shared.state, self._clock()
        credits = state.credits
        return Snapshot(
            gap=state.gap,
            penalty=max(0.0, state.penalty_until - now),
            jitter=shared.evidence.jitter(),
            plan=credits.policy.plan if credits else None,
            burst=credits.policy.burst if credits else None,
            refill=credits.policy.refill if credits else None,
            credits=credits.level_at(now) if credits else None,
        )

    def close(self) -> None:
        """Close the shared file. A later slot opens it again."""
        self._store.close()

    async def _turn(self, key: str, line: Line, waiter: Waiter) -> Granted:
        line.join(waiter, self._clock())
        try:
            return await self._grant(key, line, waiter)
        finally:
            line.leave(waiter)
            # Nobody here is left to use the reservation: given back, another process can have it.
            if line.ticket and not line.head:
                ticket, line.ticket = line.ticket, None
                await self._quietly(key, lambda shared: give_back(shared.state, ticket))

    async def _grant(self, key: str, line: Line, waiter: Waiter) -> Granted:
        stale = 0
        while True:
            await line.until_head(waiter)
            outcome = await self._attempt(key, line, waiter)
            if isinstance(outcome, Wait):
                # Credits may come back sooner than they refill: another answer, another plan.
                patience = CALLS * self._rules.window if outcome.broke else math.inf
                await self._until(min(outcome.until, self._clock() + patience))
            # The claim stays in the log unused: that costs a turn, sending late could cost a 429.
            elif stale < _STALE_CLAIMS and self._is_stale(outcome, line):
                stale += 1
            else:
                line.took_turn(waiter, outcome.stamp)
                return outcome

    async def _attempt(self, key: str, line: Line, waiter: Waiter) -> Granted | Wait:
        ask = Ask(self._who, waiter.cost, waiter.lane)

        def step(shared: _Shared) -> tuple[Granted | Wait, State]:
            now = self._clock()
            # An interactive caller came while this one waited for the file: the ticket is that
            # one's now.
            if line.head is not waiter:
                return Wait(now, line.ticket), shared.state
            outcome = attempt(shared.state, self._rules, ask, line.ticket, now)
            until = outcome.until if isinstance(outcome, Wait) else now
            # Inside the transaction: by raising, the reservation that is of no use is not written.
            if waiter.deadline is not None and until > waiter.deadline:
                raise refusal(until - now, broke=isinstance(outcome, Wait) and outcome.broke)
            return outcome, shared.state

        outcome, line.view = await self._change(key, step)
        if isinstance(outcome, Granted):
            line.ticket = None
            return outcome
        # Stays with the queue, not with the caller: whoever is the head when it is due uses it.
        line.ticket = outcome.ticket
        line.weed(self._clock())
        return outcome

    def _is_stale(self, acquired: Granted, line: Line) -> bool:
        """Whether the process was suspended after its claim for longer than the limit tolerates."""
        gap = line.view.gap if line.view else self._rules.slowest
        return self._clock() - acquired.stamp > self._rules.slack(gap)

    async def _until(self, moment: float) -> None:
        # Sleeps may end early, and a claim before its time is only put off again.
        while (left := moment - self._clock()) > 0:
            await self._sleep(left)

    async def _quietly(self, key: str, change: Callable[[_Shared], None]) -> None:
        """Change the shared state even when cancelled, but not for long: ending in time matters
        more."""
        with anyio.CancelScope(shield=True):
            try:
                await self._change(key, change, patience=_PATIENCE)
            except Busy:
                return

    async def _change(
        self, key: str, change: Callable[[_Shared], T], *, patience: float | None = None
    ) -> T:
        """Apply a change, after the answers that the shared state lacks."""
        line = self._lines.setdefault(key, Line(self._rules))

        def apply(record: Record | None) -> tuple[tuple[T, int], Record]:
            shared = _Shared(record, self._rules, self._clock())
            pending = list(line.pending)
            for answer in pending:
                settle(shared.state, self._rules, shared.evidence, answer)
            return (change(shared), len(pending)), shared.record()

        # Answers go only once they are committed; more may have come during the transaction.
        result, report = await self._store.transact(key, apply, patience=patience)
        del line.pending[:report]
        return result

    def _blank(self) -> Record:
        return wary(self._rules, self._clock()).encode(), Evidence().encode()


def _nothing(_: _Shared) -> None:
    """Change nothing: the transaction only applies the pending answers."""


def _retry_after(headers: Mapping[str, str]) -> float:
    for name, value in headers.items():
        if name.lower() == "retry-after":
            return number_from(value) or 0.0
    return 0.0
