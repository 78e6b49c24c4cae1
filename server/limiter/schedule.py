"""The shared schedule of one key: functions of its state, without a clock, a file or waiting.

A turn takes two steps that may lie far apart. RESERVING takes the next free slot of the schedule,
one `gap` behind the one before. CLAIMING happens at the moment of sending and is what counts: it is
refused while the log says that the send would be the sixth within a window, under a penalty, and
long after the slot. So the gaps keep the sends even and in order, and the log keeps them safe
whatever happened between the two steps.

`attempt` does whichever step is due and says when to call again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from server.limiter.budget import Reading, merge
from server.limiter.interface import Lane
from server.limiter.jitter import CALLS, Evidence, Rules
from server.limiter.state import LONGEST_PENALTY, Saver, Send, State

# Ten minutes: a 429 means that somebody else sends too, which does not pass in a moment.
_CAUTION_WINDOWS = 600
# A send without an answer for a minute will get none: its process has ended.
_FORGOTTEN_WINDOWS = 60
# The limit needs the last five; the others may still wait for their answers.
_KEPT_SENDS = 2 * CALLS
_KEPT_FREED = 32
# A machine that is always late would otherwise reserve anew for ever.
_MISSES = 2
_RANK: dict[Lane, int] = {"interactive": 0, "job": 1}


@dataclass(frozen=True)
class Ticket:
    """A reserved slot; times are monotonic seconds.

    Attributes:
        slot: The time that was reserved.
        after: The value of `next_free` after the reservation.
        due: The time at which the owner means to claim it.
        misses: How often in a row the owner came too late.
        epoch: The epoch of the state that it belongs to.
    """

    slot: float
    after: float
    due: float
    misses: int = 0
    epoch: float = 0.0


@dataclass(frozen=True)
class TurnRequest:
    """A request for a turn: the process, the credits and the lane."""

    who: str
    cost: float
    lane: Lane


@dataclass(frozen=True)
class Claim:
    """The permission to send now, `late` seconds after the intended moment (None: no wait)."""

    stamp: float
    late: float | None = None


@dataclass(frozen=True)
class Wait:
    """A wait: ask again at `until`, with the ticket (if any). `for_credits`: the wait is for
    credits."""

    until: float
    ticket: Ticket | None
    for_credits: bool = False


@dataclass(frozen=True)
class Answer:
    """The answer to a send: claimed at `stamp`, it left at `sent` and was answered at `at`.

    Times are monotonic seconds, `cost` is in credits.
    """

    stamp: float
    sent: float
    at: float
    operation: str
    status: int
    reading: Reading
    cost: float = 0.0
    penalty: float = 0.0
    new_connection: bool = False
    late: float | None = None


def attempt(
    state: State, rules: Rules, request: TurnRequest, ticket: Ticket | None, now: float
) -> Claim | Wait:
    """Perform the step that is due: reserve, wait, or claim."""
    state.touched = now
    if request.lane == "job" and state.interactive_until > now:
        # A person waits in some process. The slot goes back, so that they can have it.
        if ticket:
            give_back(state, ticket)
        return Wait(state.interactive_until, None)
    ready = _credits_ready(state, request, now)
    if ready > now:
        # A slot kept while waiting for credits would be lost to the others.
        if ticket:
            give_back(state, ticket)
        _save_up(state, request, ready, now)
        return Wait(ready, None, for_credits=True)
    late = None
    if ticket is None:
        ticket = _reserve(state, now)
    elif ticket.misses < _MISSES and now - ticket.due > state.gap:
        # Taken long after its slot, a turn would fall among those of the callers behind it.
        ticket = _reserve(state, now, misses=ticket.misses + 1)
    elif ticket.slot < state.penalty_until or ticket.epoch != state.epoch:
        ticket = _reserve(state, now)
    else:
        late = now - ticket.due
    # The slot keeps the sends even, the log keeps them within the limit: both must agree.
    due = max(ticket.slot, _log_free(state, rules))
    if due > now:
        if request.lane == "interactive":
            # A gap longer, so that the next of several callers can say so again.
            state.interactive_until = max(state.interactive_until, due + state.gap)
        return Wait(due, replace(ticket, due=due))
    _claim(state, request, now)
    return Claim(now, late)


def give_back(state: State, ticket: Ticket) -> None:
    """Return a reserved slot: the schedule gets shorter if it was the last one, else others may
    take it first."""
    # Its schedule is gone: given back, the slot would stand outside the new one.
    if ticket.epoch != state.epoch:
        return
    state.freed.append((ticket.slot, ticket.after))
    # Several in a row: slots given back in any order free the end of the schedule together.
    while last := next((pair for pair in state.freed if pair[1] == state.next_free), None):
        state.freed.remove(last)
        state.next_free = last[0]
    state.freed = sorted(state.freed)[-_KEPT_FREED:]


def record_answer(state: State, rules: Rules, evidence: Evidence, answer: Answer) -> None:
    """Learn from an answer: credits, jitter, and with 429 a pause for everybody and the widest gap
    for a long while."""
    _close_send(state, answer, _find_latest_arrival(rules, evidence, answer))
    outstanding = _sum_outstanding(state, answer.at - _FORGOTTEN_WINDOWS * rules.window)
    # What the API refused to do takes no credits.
    spent = answer.cost if answer.status < 400 else 0.0
    state.credits = merge(state.credits, answer.reading, outstanding, answer.at, spent)
    _note_lateness(evidence, answer)
    if answer.status == 429:
        # A whole window at least: only then have the sends that caused it left the window.
        pause = min(max(answer.penalty, rules.window), LONGEST_PENALTY)
        # Never shortened: an older answer may arrive after the one that asked for longer.
        state.penalty_until = max(state.penalty_until, answer.at + pause)
        state.cautious_until = answer.at + _CAUTION_WINDOWS * rules.window
    # Only good answers: an error may come from a proxy, whose trip is not that of the API.
    elif 200 <= answer.status < 300:
        # What was late here is not the way's, but for the handshake of a new connection.
        began = answer.stamp if answer.new_connection else answer.sent
        evidence.add_trip(answer.operation, answer.at - began, new_connection=answer.new_connection)
    cautious = answer.at < state.cautious_until
    state.gap = rules.slowest if cautious else evidence.gap(rules, state.gap)


def _find_latest_arrival(rules: Rules, evidence: Evidence, answer: Answer) -> float:
    """Return when the send came at the latest: its answer may be late because it was."""
    usual = evidence.usual_trip(answer.operation)
    if usual is None:
        return answer.sent
    excess = answer.at - answer.sent - usual
    # Capped: what took much longer was the API's own computing.
    return answer.sent + min(max(0.0, excess), rules.slowest)


def _close_send(state: State, answer: Answer, arrival: float) -> None:
    for send in state.sends:
        if send.open and send.stamp == answer.stamp:
            send.open = False
            # The fifth send after it must be a window behind the moment at which it really came.
            send.stamp = max(send.stamp, arrival)
            state.sends.sort(key=lambda send: send.stamp)
            # One only: two processes may have claimed at the same moment.
            return


def _note_lateness(evidence: Evidence, answer: Answer) -> None:
    """Record how long after the intended moment the send left, where that was this machine's."""
    # A new connection leaves late by its handshake, which is recorded as such.
    delay = 0.0 if answer.new_connection else answer.sent - answer.stamp
    if answer.late is not None or delay > 0:
        evidence.add_late((answer.late or 0.0) + delay)


def _sum_outstanding(state: State, since: float) -> float:
    """Return the credits of sends under way: Archive may have written its header before them."""
    under_way = [send for send in state.sends if send.open]
    costs = [send.cost for send in under_way if send.stamp > since]
    return sum(costs)


def _reserve(state: State, now: float, misses: int = 0) -> Ticket:
    earliest = max(now, state.penalty_until)
    # Slots in the past, or under a penalty, are of no use to anybody.
    state.freed = [pair for pair in state.freed if pair[0] >= earliest]
    if state.freed:
        # The earliest first, so that no time that was given back stays unused.
        slot, after = min(state.freed)
        state.freed.remove((slot, after))
        return Ticket(slot, after, slot, misses, state.epoch)
    slot = max(state.next_free, earliest)
    state.next_free = slot + state.gap
    return Ticket(slot, state.next_free, slot, misses, state.epoch)


def _log_free(state: State, rules: Rules) -> float:
    if len(state.sends) < CALLS:
        return 0.0
    return state.sends[-CALLS].stamp + rules.span(state.gap)


def _claim(state: State, request: TurnRequest, now: float) -> None:
    state.sends = [*state.sends, Send(now, request.cost)][-_KEPT_SENDS:]
    if state.credits:
        state.credits = state.credits.spend(request.cost, now)
    # It has what it saved for: the others may have the credits again.
    if state.saver and state.saver.who == request.who:
        state.saver = None


def _credits_ready(state: State, request: TurnRequest, now: float) -> float:
    if state.credits is None:
        return now
    return max(
        state.credits.ready(request.cost, request.lane, now), _savings_end(state, request, now)
    )


def _savings_end(state: State, request: TurnRequest, now: float) -> float:
    """Until when somebody else's saving keeps this caller from the credits; `now` if nobody's
    does."""
    saver = state.saver
    if saver is None or saver.who == request.who or _RANK[request.lane] < _RANK[saver.lane]:
        return now
    return max(now, saver.until)


def _save_up(state: State, request: TurnRequest, ready: float, now: float) -> None:
    """Without this a costly send would never come: cheap ones would take each credit that trickles
    in."""
    if _savings_end(state, request, now) <= now:
        # Only a little beyond the expected time: a saver that died must not keep the others
        # waiting.
        state.saver = Saver(request.who, ready + 2 * state.gap, request.lane)
