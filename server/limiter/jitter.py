"""How far apart sends must be, learned from how unevenly they arrive.

Sends `g` apart whose delays differ by at most J can never put six into one window if and only if 5g
>= window + J. J cannot be seen directly; three things bound it:

    late    how long after the intended moment this machine really sent
    handshakes  how much longer a send on a new connection took than the fastest of its operation
    trips   round-trip times, which vary by the network and by the API's own computing

The network is the same for all operations, so the operation that varies least says most, and its
faster half holds little computing.

Network delays have a long slow tail: with exponential or log-normal delays and sends at the
resulting pace, three times the spread of the faster half keeps the share of windows with six
arrivals at about 0.1 % or below, twice does not.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

# Sends allowed per window (Archive docs, rate limits page: 5 requests a second for each workspace).
CALLS = 5

# Four a second: it is safe with a jitter of up to a fifth of a window, without any evidence.
_SLOWEST = 0.25
# Left in any case, and takes up the small lateness of single turns (see `span`).
_MARGIN = 0.04
# From the experiments named above: twice the spread lets too many sixth arrivals through.
_TAIL = 3.0
# Fewer may all come from one lucky moment of the network.
_ENOUGH_ANSWERS = 20
_ENOUGH_TRIPS = 8
# One pause of the machine must not slow every send down until it is forgotten.
_OUTLIER_IN = 8
# Narrowing is slow on purpose: a wrong step costs a 429, a late one only milliseconds.
_STEP = 0.1
# Small numbers: the whole evidence is parsed and written with each answer.
_KEPT_TRIPS = 64
_KEPT_LATE = 32
_KEPT_HANDSHAKES = 16
_LONGEST_OPERATION = 40


@dataclass(frozen=True)
class Rules:
    """The limit, `CALLS` per `window` seconds, and what follows from it."""

    window: float = 1.0

    @property
    def slowest(self) -> float:
        """The gap (seconds) without evidence, and after a 429. It tolerates a jitter of a fifth of
        a window."""
        return _SLOWEST * self.window

    @property
    def margin(self) -> float:
        """Seconds in five gaps that no evidence can take away."""
        return _MARGIN * self.window

    def gap_for(self, jitter: float) -> float:
        """The gap (seconds) that a jitter (seconds) needs."""
        # Capped: one odd estimate must not slow the sends beyond the safe pace.
        return min(self.slowest, (self.window + max(0.0, jitter) + self.margin) / CALLS)

    def slack(self, gap: float) -> float:
        """Seconds that a send may be delayed at this gap without a sixth in the window."""
        return CALLS * gap - self.window

    def span(self, gap: float) -> float:
        """Seconds that must lie between a send and the fifth after it.

        Less than five gaps by the margin: otherwise each small lateness of one turn would be handed
        on to the fifth turn after it, for ever.
        """
        return CALLS * gap - self.margin


@dataclass
class Evidence:
    """The most recent observations, in seconds, of all processes."""

    answers: int = 0
    late: list[float] = field(default_factory=list)
    handshakes: list[float] = field(default_factory=list)
    trips: list[tuple[str, float]] = field(default_factory=list)

    def add_late(self, seconds: float) -> None:
        """Record that a turn was taken that many seconds after the intended moment."""
        self.late = [*self.late, _round(seconds)][-_KEPT_LATE:]

    def add_trip(self, operation: str, seconds: float, *, new_connection: bool) -> None:
        """Record that a good answer came that many seconds after its send."""
        name = operation[:_LONGEST_OPERATION]
        self.answers += 1
        # A new connection adds its handshake, which would look like jitter of the ordinary trips.
        if not new_connection:
            self.trips = [*self.trips, (name, _round(seconds))][-_KEPT_TRIPS:]
            return
        fastest = min((trip for other, trip in self.trips if other == name), default=None)
        # Without a trip to compare with, a handshake cannot be told from the API's own computing.
        if fastest is not None:
            self.handshakes = [*self.handshakes, _round(max(0.0, seconds - fastest))][
                -_KEPT_HANDSHAKES:
            ]

    def usual_trip(self, operation: str) -> float | None:
        """Return the seconds that few trips of an operation exceed; None without evidence."""
        trips = [trip for other, trip in self.trips if other == operation[:_LONGEST_OPERATION]]
        return robust_maximum(trips) if len(trips) >= _ENOUGH_TRIPS else None

    def jitter(self) -> float | None:
        """Return the seconds between the least and the most delayed send; None without evidence."""
        if self.answers < _ENOUGH_ANSWERS:
            return None
        spreads = [_spread(trips) for trips in self._by_operation() if len(trips) >= _ENOUGH_TRIPS]
        if not spreads:
            return None
        # Lateness here and delays on the way add up; the two views of the way do not.
        return robust_maximum(self.late) + max(
            _TAIL * min(spreads), robust_maximum(self.handshakes)
        )

    def gap(self, rules: Rules, current: float) -> float:
        """Return the next gap in seconds: it widens at once and narrows step by step."""
        jitter = self.jitter()
        if jitter is None:
            return rules.slowest
        target = rules.gap_for(jitter)
        # Wider at once: worse jitter than believed is a 429 about to happen.
        return target if target >= current else current - _STEP * (current - target)

    def encode(self) -> str:
        """Return the evidence as text for `decode`."""
        return json.dumps(
            [self.answers, self.late, self.handshakes, self.trips], separators=(",", ":")
        )

    @staticmethod
    def decode(text: str) -> Evidence:
        """Return the evidence that a text holds; an unreadable text counts as none."""
        try:
            answers, late, handshakes, trips = json.loads(text)
            return Evidence(
                int(answers),
                [float(seconds) for seconds in late],
                [float(seconds) for seconds in handshakes],
                [(str(operation), float(seconds)) for operation, seconds in trips],
            )
        # Evidence is only a saving: without it the pace is the slowest, and safe.
        except (ValueError, TypeError):
            return Evidence()

    def _by_operation(self) -> list[list[float]]:
        grouped: dict[str, list[float]] = {}
        for operation, seconds in self.trips:
            grouped.setdefault(operation, []).append(seconds)
        return list(grouped.values())


def robust_maximum(samples: Iterable[float]) -> float:
    """Return the largest sample once one in eight is left out; 0 without samples."""
    ordered = sorted(samples)
    return ordered[len(ordered) - 1 - len(ordered) // _OUTLIER_IN] if ordered else 0.0


def _spread(trips: Sequence[float]) -> float:
    ordered = sorted(trips)
    # Up to the median: the slower half is mostly the API's own computing.
    return ordered[len(ordered) // 2] - ordered[0]


def _round(seconds: float) -> float:
    return round(seconds, 6)
