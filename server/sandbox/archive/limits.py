"""What the API meters: requests in a sliding window, and credits in a bucket that refills.

Figures: Archive docs, rate limiting page. Both apply at once and per workspace; the `workspaces`
query without a workspace has a budget per token. One credit stands for a millisecond of the API's
computing.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

# Enough for the longest benchmark; a sandbox that runs for days must not grow without end.
LOGGED = 100_000
# Sums of floats: two stamps exactly one window apart may differ by a little less than the window.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Plan:
    """Credits of a plan: the size of the bucket, and how many come back each second.

    `stated` is the refill that the headers speak of, where it is another one; others who spend from
    the same bucket make such a difference.
    """

    name: str
    burst: int
    refill: float
    stated: float | None = None

    @property
    def window(self) -> int:
        """The seconds in which the bucket fills up, by the headers."""
        return round(self.burst / (self.stated or self.refill))


PLANS = {
    "startup": Plan("startup", 5_000, 50),
    "growth": Plan("growth", 15_000, 250),
    "enterprise": Plan("enterprise", 60_000, 1_000),
    # Growth, where other programs spend nearly all that comes back.
    "shared": Plan("growth", 15_000, 8.25, stated=250),
    # None of Archive's: for loads whose requests come much faster than the real API would take
    # them.
    "boundless": Plan("boundless", 100_000_000, 1_000_000),
}


@dataclass
class Window:
    """At most `rate` admitted arrivals in any `length` seconds; refused ones leave no trace in
    it."""

    rate: int
    length: float
    admitted: deque[float] = field(default_factory=deque)

    def admit(self, now: float) -> float:
        """Admit an arrival and return 0, or return the seconds until one would be admitted."""
        while self.admitted and now - self.admitted[0] >= self.length - _ROUNDING:
            self.admitted.popleft()
        if len(self.admitted) < self.rate:
            self.admitted.append(now)
            return 0.0
        return self.admitted[0] + self.length - now


@dataclass
class Bucket:
    """Credits of one workspace. `stamp` is the clock reading at which `left` was right."""

    plan: Plan
    left: float
    stamp: float

    def spend(self, cost: float, now: float) -> float:
        """Take the credits and return 0, or return the seconds until they would be there."""
        self.refill(now)
        if self.left < cost - _ROUNDING:
            return (cost - self.left) / self.plan.refill
        self.left -= cost
        return 0.0

    def refill(self, now: float) -> None:
        """Add the credits that came back since the bucket was last read."""
        self.left = min(self.plan.burst, self.left + (now - self.stamp) * self.plan.refill)
        self.stamp = now

    def headers(self, now: float, epoch: float) -> dict[str, str]:
        """Return the two headers of every answer.

        now: a reading of the clock in seconds. epoch: the Unix time, because the reset is absolute.
        """
        self.refill(now)
        plan = self.plan
        full = math.ceil(epoch + (plan.burst - self.left) / plan.refill)
        return {
            "ratelimit-policy": f'"{plan.name}";q={plan.burst};w={plan.window}',
            "ratelimit": f'"{plan.name}";r={int(self.left)};t={full}',
        }


@dataclass
class Meter:
    """Everything counted for one key (a workspace id, or `token:<token>`)."""

    window: Window
    bucket: Bucket
    arrivals: deque[float] = field(default_factory=lambda: deque(maxlen=LOGGED))
    refusals: int = 0


class Meters:
    """The meters of all keys, made when a key is first seen."""

    def __init__(self, *, rate: int, window: float, plan: Plan, clock: Callable[[], float]) -> None:
        self._rate = rate
        self._window = window
        self._plan = plan
        self._clock = clock
        self._meters: dict[str, Meter] = {}

    def of(self, key: str) -> Meter:
        if key not in self._meters:
            # A bucket starts full: nobody spent anything before the sandbox started.
            self._meters[key] = Meter(
                window=Window(self._rate, self._window),
                bucket=Bucket(self._plan, self._plan.burst, self._clock()),
            )
        return self._meters[key]

    def items(self) -> list[tuple[str, Meter]]:
        """Return the keys seen so far with their meters."""
        return list(self._meters.items())

    def arrive(self, key: str) -> float:
        """Count a request; return 0 if it is admitted, else the seconds to wait."""
        meter, now = self.of(key), self._clock()
        # Logged before it is admitted: tests read from it how fast a client really came.
        meter.arrivals.append(now)
        return self._count_refusal(meter, meter.window.admit(now))

    def charge(self, key: str, cost: float) -> float:
        """Take credits; return 0 if there were enough, else the seconds to wait."""
        meter = self.of(key)
        return self._count_refusal(meter, meter.bucket.spend(cost, self._clock()))

    def _count_refusal(self, meter: Meter, wait: float) -> float:
        meter.refusals += wait > 0
        return wait

    def headers(self, key: str, epoch: float) -> dict[str, str]:
        """Return the rate limit headers of a key at a Unix time."""
        return self.of(key).bucket.headers(self._clock(), epoch)
