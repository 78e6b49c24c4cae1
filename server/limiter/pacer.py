"""One pace for all processes of a user on a machine, or for all replicas of a team's server.

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
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import anyio

from server.limiter.budget import parse_number, read_budget
from server.limiter.interface import Lane, Slot, Snapshot
from server.limiter.jitter import CALLS, Evidence, Rules
from server.limiter.pace_store import Busy, PaceStore, Record
from server.limiter.schedule import (
    Answer,
    Claim,
    TurnRequest,
    Wait,
    attempt,
    give_back,
    record_answer,
)
from server.limiter.state import State, decode, make_cautious_state, make_initial_state
from server.limiter.store import SqliteStore
from server.limiter.wait_queue import Waiter, WaitQueue, make_refusal

T = TypeVar("T")

# Seconds: a server that ends or a caller that was cancelled must not wait for the file.
_PATIENCE = 0.1
# On a machine that is always late, another claim would be late too, and nothing be sent at all.
_STALE_CLAIMS = 2


class Turn:
    """The slot that `Pacer` hands out. `stamp` is when it was claimed (seconds, monotonic)."""

    def __init__(
        self, claim: Claim, operation: str, cost: float, clock: Callable[[], float]
    ) -> None:
        self.stamp = claim.stamp
        self.answer: Answer | None = None
        self._sent = claim.stamp
        self._cost = cost
        self._late = claim.late
        self._operation = operation
        self._clock = clock

    def note_sent(self) -> None:
        """Note that the send leaves now. See `Slot.note_sent`."""
        self._sent = max(self._sent, self._clock())

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
            sent=self._sent,
            # Taken now: the slot may end later, after the caller has read the answer.
            at=self._clock(),
            operation=self._operation,
            status=status,
            reading=read_budget(headers),
            cost=self._cost,
            # The larger one: the message may request for longer than the header, or the other way
            # round.
            penalty=max(_retry_after(headers), retry_after or 0.0),
            new_connection=new_connection,
            late=self._late,
        )


class _SharedData:
    """The shared data of a key inside one transaction; the evidence is parsed on first use."""

    def __init__(self, state: State, evidence_text: str) -> None:
        self.state = state
        self._evidence_text = evidence_text

    @cached_property
    def evidence(self) -> Evidence:
        return Evidence.decode(self._evidence_text)

    def record(self) -> Record:
        # Most transactions never look at the evidence, so its text is written back unparsed.
        unpacked = "evidence" in self.__dict__
        return self.state.encode(), self.evidence.encode() if unpacked else self._evidence_text


class Pacer:
    """A `Limiter` of five sends per window for each key, shared through a store.

    Args:
        folder: Where the shared file lives; None keeps the limit for this process only.
        store: The store to share instead of a file.
        window: Length of the API's window in seconds.
        clock: Monotonic clock in seconds; with a file, one that all processes of the machine share.
        sleep: Coroutine function that waits a number of seconds of that clock.
        boot: Identifies this run of the clock; by default the machine's boot identity.
    """

    def __init__(
        self,
        folder: Path | None,
        *,
        store: PaceStore | None = None,
        window: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = anyio.sleep,
        boot: str | None = None,
    ) -> None:
        self._rules = Rules(window)
        self._clock = clock
        self._sleep = sleep
        self._store: PaceStore = store or SqliteStore(
            folder, blank=self._blank, sleep=sleep, boot=boot
        )
        self._queues: dict[str, WaitQueue] = {}
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
        queue = self._queue(key)
        claim = await self._take_turn(key, queue, Waiter(cost, lane, deadline))
        turn = Turn(claim, operation, cost, self._now)
        try:
            yield turn
        finally:
            # Without an answer nothing is learned; the send stays in the log, which is what counts.
            if turn.answer:
                queue.pending.append(turn.answer)
                await self._change_briefly(key, _change_nothing)

    async def snapshot(self, key: str) -> Snapshot:
        """Return the pace and the credits of a key now."""
        # Goes through a change, so that answers still pending are part of what is shown.
        shared = await self._change(key, lambda shared: shared)
        state, now = shared.state, self._now()
        snapshot = Snapshot(
            gap=state.gap,
            penalty=max(0.0, state.penalty_until - now),
            jitter=shared.evidence.jitter(),
            plan=None,
            burst=None,
            refill=None,
            credits=None,
        )
        credits = state.credits
        if credits is None:
            return snapshot
        return replace(
            snapshot,
            plan=credits.policy.plan,
            burst=credits.policy.burst,
            refill=credits.refill,
            credits=credits.level_at(now),
            stated_refill=credits.policy.refill,
            reserve=credits.reserve("job"),
        )

    def close(self) -> None:
        """Close the shared file. A later slot opens it again."""
        self._store.close()

    def _now(self) -> float:
        """Return the time by the clock that the records are of."""
        return self._clock() + self._store.offset

    def _queue(self, key: str) -> WaitQueue:
        queue = self._queues.get(key)
        if queue is None:
            queue = WaitQueue(self._rules, lambda: self._store.offset)
            self._queues[key] = queue
        return queue

    async def _take_turn(self, key: str, queue: WaitQueue, waiter: Waiter) -> Claim:
        queue.join(waiter, self._now())
        try:
            return await self._wait_for_turn(key, queue, waiter)
        finally:
            queue.leave(waiter)
            # Nobody here is left to use the reservation: given back, another process can have it.
            if queue.ticket and not queue.head:
                ticket, queue.ticket = queue.ticket, None
                await self._change_briefly(key, lambda shared: give_back(shared.state, ticket))

    async def _wait_for_turn(self, key: str, queue: WaitQueue, waiter: Waiter) -> Claim:
        stale = 0
        while True:
            await queue.wait_until_head(waiter)
            outcome = await self._attempt(key, queue, waiter)
            if isinstance(outcome, Wait):
                # Credits may come back sooner than they refill: another answer, another plan.
                patience = CALLS * self._rules.window if outcome.for_credits else math.inf
                seconds = outcome.until - self._store.lead - self._now()
                await self._pass_time(min(seconds, patience))
                continue
            await self._pass_time(outcome.stamp - self._now())
            # The claim stays in the log unused: that costs a turn, sending late could cost a 429.
            if stale < _STALE_CLAIMS and self._is_stale(outcome, queue):
                stale += 1
            else:
                queue.note_turn(waiter, outcome.stamp)
                return outcome

    async def _attempt(self, key: str, queue: WaitQueue, waiter: Waiter) -> Claim | Wait:
        request = TurnRequest(self._who, waiter.cost, waiter.lane)

        def step(shared: _SharedData) -> tuple[Claim | Wait, State]:
            now = self._now() + self._store.lead
            # An interactive caller came while this one waited for the file: the ticket is that
            # one's now.
            if queue.head is not waiter:
                return Wait(now, queue.ticket), shared.state
            pause = self._store.safe_from - self._clock()
            if pause > 0:
                outcome: Claim | Wait = Wait(now + pause, queue.ticket)
            else:
                outcome = attempt(shared.state, self._rules, request, queue.ticket, now)
            until = outcome.until if isinstance(outcome, Wait) else now
            # Inside the transaction: by raising, the reservation that is of no use is not written.
            if until > waiter.deadline_after(self._store.offset):
                raise make_refusal(
                    until - now, for_credits=isinstance(outcome, Wait) and outcome.for_credits
                )
            return outcome, shared.state

        outcome, queue.view = await self._change(key, step)
        if isinstance(outcome, Claim):
            queue.ticket = None
            return outcome
        # Stays with the queue, not with the caller: whoever is the head when it is due uses it.
        queue.ticket = outcome.ticket
        queue.refuse_hopeless(self._now())
        return outcome

    def _is_stale(self, claim: Claim, queue: WaitQueue) -> bool:
        """Whether the process was suspended after its claim for longer than the limit tolerates."""
        gap = queue.view.gap if queue.view else self._rules.slowest
        return self._now() - claim.stamp > self._rules.slack(gap)

    async def _pass_time(self, seconds: float) -> None:
        # By the own clock: that of a store may be set forward or back meanwhile.
        moment = self._clock() + seconds
        # Sleeps may end early, and a claim before its time is only put off again.
        while (left := moment - self._clock()) > 0:
            await self._sleep(left)

    async def _change_briefly(self, key: str, change: Callable[[_SharedData], None]) -> None:
        """Change the shared state even when cancelled, but not for long: ending in time matters
        more."""
        with anyio.CancelScope(shield=True):
            try:
                await self._change(key, change, patience=_PATIENCE)
            except Busy:
                return

    async def _change(
        self, key: str, change: Callable[[_SharedData], T], *, patience: float | None = None
    ) -> T:
        """Apply a change, after the answers that the shared state lacks."""
        queue = self._queue(key)

        def apply(record: Record | None) -> tuple[tuple[T, int], Record]:
            shared = self._unpack(record)
            pending = list(queue.pending)
            for answer in pending:
                record_answer(shared.state, self._rules, shared.evidence, answer)
            return (change(shared), len(pending)), shared.record()

        # Answers go only once they are committed; more may have come during the transaction.
        result, report = await self._store.transact(key, apply, patience=patience)
        del queue.pending[:report]
        return result

    def _unpack(self, record: Record | None) -> _SharedData:
        if record is not None:
            return _SharedData(decode(record[0], self._rules, self._now()), record[1])
        if self._store.keeps_history:
            return _SharedData(make_initial_state(self._rules), "")
        return _SharedData(make_cautious_state(self._rules, self._now()), "")

    def _blank(self) -> Record:
        return make_cautious_state(self._rules, self._clock()).encode(), Evidence().encode()


def _change_nothing(_: _SharedData) -> None:
    """Change nothing: the transaction only applies the pending answers."""


def _retry_after(headers: Mapping[str, str]) -> float:
    for name, value in headers.items():
        if name.lower() == "retry-after":
            return parse_number(value) or 0.0
    return 0.0
