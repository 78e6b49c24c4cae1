"""The queue of callers that wait for a key inside this process."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator

import anyio

from server.errors import Code, Failure
from server.limiter.interface import Lane
from server.limiter.jitter import Rules
from server.limiter.schedule import Answer, Ticket
from server.limiter.state import State


class Waiter:
    """A caller in the queue."""

    def __init__(self, cost: float, lane: Lane, deadline: float | None) -> None:
        self.cost = cost
        self.lane: Lane = lane
        self.deadline = deadline
        self.refusal: Failure | None = None
        self.called = anyio.Event()

    def deadline_after(self, offset: float) -> float:
        """Return the deadline by a clock that is `offset` seconds ahead; infinite without one."""
        return math.inf if self.deadline is None else self.deadline + offset


class WaitQueue:
    """The queue of a key in this process, with the one reservation that the process may hold.

    ticket: the reservation, used by whoever is the head when it comes due.
    view: the shared state as this process last saw it.
    pending: answers that the shared state does not know yet.

    Times are of the shared state's clock, `offset` seconds ahead of the one that deadlines are of.
    """

    def __init__(self, rules: Rules, offset: Callable[[], float] = lambda: 0.0) -> None:
        self.ticket: Ticket | None = None
        self.view: State | None = None
        self.pending: list[Answer] = []
        self._rules = rules
        self._offset = offset
        self._lanes: dict[Lane, deque[Waiter]] = {"interactive": deque(), "job": deque()}
        self._turns: deque[float] = deque(maxlen=3)
        self._last_turn: float | None = None

    def __iter__(self) -> Iterator[Waiter]:
        # A person waits for these, while a job loses nothing by coming later.
        yield from self._lanes["interactive"]
        yield from self._lanes["job"]

    @property
    def head(self) -> Waiter | None:
        """Return the caller whose turn is next in this process."""
        return next(iter(self), None)

    def join(self, waiter: Waiter, now: float) -> None:
        """Join the queue, and refuse at once the callers whose wait this makes hopeless."""
        self._lanes[waiter.lane].append(waiter)
        self.refuse_hopeless(now)

    def leave(self, waiter: Waiter) -> None:
        """Leave the queue, if still in it, and call the new head."""
        if waiter in self._lanes[waiter.lane]:
            self._lanes[waiter.lane].remove(waiter)
        head = self.head
        # Only the head is called: the others would find out that it is not their turn.
        if head:
            head.called.set()
        else:
            # A gap while nobody waited says nothing about the pace.
            self._turns.clear()
            self._last_turn = None

    async def wait_until_head(self, waiter: Waiter) -> None:
        """Return when this caller is the head.

        Raises:
            Failure: If the wait turned out to be hopeless.
        """
        # Checked again after each call: an interactive caller may have become the head meanwhile.
        while waiter.refusal is None and self.head is not waiter:
            waiter.called = anyio.Event()
            await waiter.called.wait()
        if waiter.refusal:
            raise waiter.refusal

    def note_turn(self, waiter: Waiter, now: float) -> None:
        """Remove a caller that got its turn, and note the time since the turn before."""
        # Other processes take turns in between: only the past says how many there are.
        if self._last_turn is not None:
            self._turns.append(now - self._last_turn)
        self._last_turn = now
        self.leave(waiter)
        self.refuse_hopeless(now)

    def refuse_hopeless(self, now: float) -> None:
        """Refuse everyone behind the head whose turn cannot come before the deadline.

        The head is not judged here: the shared schedule tells it exactly.
        """
        # Before the first look at the shared state the slowest gap is the safe guess.
        view = self.view or State(gap=self._rules.slowest)
        if self.ticket:
            first = max(now, view.penalty_until, self.ticket.due)
        else:
            first = max(now, view.penalty_until, view.next_free)
        # The shortest of them: a caller is refused only if even the best pace would be too slow.
        pace = max(view.gap, min(self._turns, default=view.gap))
        place, cost = 0, 0.0
        # A copy: leaving removes callers from the queue while it is walked.
        for waiter in list(self):
            funded = now
            if view.credits:
                funded = view.credits.ready(cost + waiter.cost, waiter.lane, now)
            turn = max(first + place * pace, funded)
            # Refused at once: waiting until the deadline would end the same way, only later.
            deadline = waiter.deadline_after(self._offset())
            if place and turn > deadline:
                is_funded = funded <= deadline
                waiter.refusal = make_refusal(turn - now, for_credits=not is_funded)
                self.leave(waiter)
                waiter.called.set()
                continue
            # Only those who stay take a turn and credits from the ones behind.
            place, cost = place + 1, cost + waiter.cost


def make_refusal(seconds: float, *, for_credits: bool) -> Failure:
    """Return the failure for a caller whose turn is that many seconds away."""
    # Rounded up, so that a caller who waits exactly so long is not refused again.
    wait = max(1, math.ceil(seconds))
    if for_credits:
        return Failure(
            Code.BUDGET_EXHAUSTED,
            "The API's credit budget is used up; "
            f"enough for this call is there again in about {wait} s.",
            f"Wait {wait} seconds, then repeat the call, "
            "or ask for less: fewer records, fewer fields.",
            retryable=True,
            retry_after=wait,
        )
    return Failure(
        Code.RATE_LIMITED,
        f"The API's request rate is used up; the next free turn is about {wait} s away.",
        f"Wait {wait} seconds, then repeat the call.",
        retryable=True,
        retry_after=wait,
    )
