"""The shared state of one key as plain data, and the text that it is stored as."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from server.limiter.budget import Credits, Policy
from server.limiter.interface import Lane
from server.limiter.jitter import Rules
from server.limiter.refill import Refill

# A figure from outside must not stop all sends for days.
LONGEST_PENALTY = 3600.0


@dataclass
class Send:
    """A claimed turn: its time (monotonic seconds), its credits, and whether its answer is due."""

    stamp: float
    cost: float
    open: bool = True


@dataclass(frozen=True)
class Saver:
    """Who waits for credits first: others of that lane or a lower one leave them alone until
    `until`."""

    who: str
    until: float
    lane: Lane


@dataclass
class State:
    """All that processes share about a key, beside the evidence. Times in seconds, monotonic.

    `epoch` is when the history was last lost: reservations from before are void, for the log cannot
    protect them. Until `interactive_until` an interactive caller of some process waits for a turn,
    and jobs take none.
    """

    gap: float
    next_free: float = 0.0
    penalty_until: float = 0.0
    cautious_until: float = 0.0
    touched: float = 0.0
    epoch: float = 0.0
    freed: list[tuple[float, float]] = field(default_factory=list)
    sends: list[Send] = field(default_factory=list)
    credits: Credits | None = None
    saver: Saver | None = None
    interactive_until: float = 0.0

    def encode(self) -> str:
        """Return the state as text for `decode`."""
        credits, saver = self.credits, self.saver
        times = [
            self.gap,
            self.next_free,
            self.penalty_until,
            self.cautious_until,
            self.touched,
            self.epoch,
        ]
        # Only while it matters: earlier versions, which may share the file, do not know it.
        if self.interactive_until > self.touched:
            times.append(self.interactive_until)
        return json.dumps(
            [
                times,
                self.freed,
                [[send.stamp, send.cost, int(send.open)] for send in self.sends],
                credits and _credit_fields(credits),
                saver and [saver.who, saver.until, saver.lane],
            ],
            separators=(",", ":"),
            # NaN would compare false with everything, and so lift every limit.
            allow_nan=False,
        )


def make_initial_state(rules: Rules) -> State:
    """Return the state of a key that was never used."""
    return State(gap=rules.slowest)


def make_cautious_state(rules: Rules, now: float) -> State:
    """Return the state of a key whose history was lost."""
    # The first send waits until whatever was sent before has left the window.
    return State(
        gap=rules.slowest, next_free=now + rules.span(rules.slowest), touched=now, epoch=now
    )


def decode(text: str, rules: Rules, now: float) -> State:
    """Return the state that a text holds.

    A text that is not ours or makes no sense means that the history was lost. A state last touched
    later than now is of an earlier run of the monotonic clock, which starts anew with the machine.
    """
    try:
        state = _decode(text)
    except (ValueError, TypeError, LookupError):
        return make_cautious_state(rules, now)
    # A window's tolerance: processes read the clock a moment apart.
    if state.touched > now + rules.window:
        return make_initial_state(rules)
    sensible = (
        0 < state.gap <= rules.slowest
        and max(state.next_free, state.penalty_until, state.interactive_until)
        < now + 2 * LONGEST_PENALTY
    )
    if not sensible:
        return make_cautious_state(rules, now)
    # Nobody saves for so long: it was computed from credits that no plan has.
    if state.saver and state.saver.until > now + LONGEST_PENALTY:
        state.saver = None
    return state


def _credit_fields(credits: Credits) -> list[Any]:
    policy, seen = credits.policy, credits.seen.encode()
    return [policy.plan, policy.burst, policy.refill, credits.level, credits.stamp, seen]


def _decode(text: str) -> State:
    times, freed, sends, credits, saver = json.loads(text)
    gap, next_free, penalty_until, cautious_until, touched, epoch, *more = map(float, times)
    return State(
        gap=gap,
        next_free=next_free,
        penalty_until=penalty_until,
        cautious_until=cautious_until,
        touched=touched,
        epoch=epoch,
        interactive_until=more[0] if more else 0.0,
        freed=[(float(slot), float(after)) for slot, after in freed],
        sends=[Send(float(stamp), float(cost), bool(is_open)) for stamp, cost, is_open in sends],
        credits=_decode_credits(*credits) if credits else None,
        saver=Saver(str(saver[0]), float(saver[1]), "job" if saver[2] == "job" else "interactive")
        if saver
        else None,
    )


def _decode_credits(
    plan: str,
    burst: float,
    refill: float,
    level: float,
    stamp: float,
    # States of earlier versions end before this.
    seen: Iterable[float] = (),
) -> Credits | None:
    policy = Policy(str(plan), float(burst), float(refill))
    # Of an earlier version, which believed any header: kept, it would stop every process for good.
    if not policy.is_plausible or not 0 <= level <= policy.burst:
        return None
    return Credits(policy, float(level), float(stamp), Refill.decode(seen))
