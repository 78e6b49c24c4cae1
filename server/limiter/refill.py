"""The refill that is seen: how many credits really come back to this machine each second.

The headers state a refill, but others spend from the same bucket, and a plan may be narrower than
it says. So the levels that the answers report are compared: what a level lacks beyond what was
spent here did not come back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import inf

# Seconds between the two levels that are compared. Sends under way blur a level by their cost, and
# over a shorter stretch that would be most of it.
STRETCH = 5.0
# Seconds that have to be seen before they count for more than what the headers state.
ENOUGH = 10.0
# Seconds that are remembered: who else spends changes from minute to minute.
MEMORY = 60.0
# Part of the stated refill from which on it counts as confirmed: costs are only known about.
CONFIRMED = 0.8
# The least part of the stated refill that is believed. Less would keep everybody from sending, and
# without an answer nothing better could be learnt.
LEAST = 0.01
# Part of the burst from which on a bucket may have been full, and what came back was lost.
_FULL = 0.99


@dataclass(frozen=True)
class Refill:
    """What was seen so far: `gained` credits in `seconds`.

    The present stretch began with `level` credits at `stamp` (monotonic seconds); `spent` were
    taken since. A `level` of None means that none was reported yet.
    """

    gained: float = 0.0
    seconds: float = 0.0
    level: float | None = None
    stamp: float = 0.0
    spent: float = 0.0

    def rate(self, stated: float) -> float:
        """Return the credits that come back each second, at most those that the plan states."""
        if self.seconds < ENOUGH:
            return stated
        rate = self.gained / self.seconds
        if rate >= CONFIRMED * stated:
            return stated
        return max(rate, LEAST * stated)

    def add(self, level: float, at: float, spent: float, burst: float) -> Refill:
        """Return what is known after an answer.

        Args:
            level: The credits that it reports.
            at: When it came (monotonic seconds).
            spent: The credits that its request took.
            burst: The credits that the bucket holds.
        """
        if self.level is None:
            return replace(self, level=level, stamp=at, spent=0.0)
        ongoing = replace(self, spent=self.spent + spent)
        seconds = at - self.stamp
        gained = level - self.level + ongoing.spent
        if level + spent >= _FULL * burst:
            # A full bucket gains nothing, so this is the least that came back, not all of it.
            return ongoing._restart(level, at, gained if gained > self._expect(seconds) else None)
        if seconds < STRETCH:
            return ongoing
        return ongoing._restart(level, at, gained)

    def take(self, spent: float) -> Refill:
        """Return what is known after an answer without a level, whose request took credits."""
        if self.level is None:
            return self
        return replace(self, spent=self.spent + spent)

    def encode(self) -> list[float]:
        """Return the values for `decode`."""
        level = -1.0 if self.level is None else self.level
        return [self.gained, self.seconds, self.stamp, self.spent, level]

    @classmethod
    def decode(cls, values: Iterable[float]) -> Refill:
        """Return what the values hold; nothing is seen yet where they make no sense."""
        try:
            gained, seconds, stamp, spent, level = map(float, values)
        except (TypeError, ValueError):
            return cls()
        # NaN compares false with everything, and infinity outlasts every average.
        if not all(0 <= number < inf for number in (gained, seconds, stamp, spent)):
            return cls()
        # A level below nothing stands for none, which JSON's null would stand for otherwise.
        return cls(gained, seconds, level if level >= 0 else None, stamp, spent)

    def _expect(self, seconds: float) -> float:
        """Return what the rate so far would have brought in that time; nothing without one."""
        if not self.seconds:
            return inf
        return self.gained / self.seconds * seconds

    def _restart(self, level: float, at: float, gained: float | None) -> Refill:
        """Return what is known once a stretch ended; `gained` is None where it tells nothing."""
        begin = Refill(self.gained, self.seconds, level, at)
        seconds = at - self.stamp
        if gained is None or seconds <= 0:
            return begin
        # The older part counts for less, so that the whole is never more than the memory.
        weight = min(seconds, MEMORY)
        share = min(1.0, (MEMORY - weight) / max(self.seconds, STRETCH))
        return replace(
            begin,
            # Others may take more than comes back: that is a refill of nothing, not of less.
            gained=share * self.gained + max(0.0, gained) * weight / seconds,
            seconds=share * self.seconds + weight,
        )
