"""Credits: what the API says in its headers and what is left of them now.

The Archive docs, rate limits page: every answer carries `ratelimit-policy: "growth";q=15000;w=60`
(a bucket of q credits that fills up in w seconds) and `ratelimit: "growth";r=14203;t=1785409320` (r
credits left, full again at t). Older deployments send neither. `t` is not read: level and refill
say the same without the wall clock.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from server.limiter.interface import Lane

RESERVE: Mapping[Lane, float] = {"interactive": 0.02, "job": 0.10}
"""Part of the bucket that a lane leaves untouched: jobs leave more, so that a person is not kept
waiting by one."""

_ROUNDING = 1e-6
_LONGEST_HEADER = 500
_LONGEST_NAME = 40


@dataclass(frozen=True)
class Policy:
    """A credit bucket: `burst` credits at most, `refill` credits per second."""

    plan: str
    burst: float
    refill: float


@dataclass(frozen=True)
class Reading:
    """What one answer said; None for what it did not say."""

    policy: Policy | None = None
    left: float | None = None


@dataclass(frozen=True)
class Credits:
    """A policy and the `level` of its bucket at `stamp` (seconds, monotonic)."""

    policy: Policy
    level: float
    stamp: float

    def level_at(self, now: float) -> float:
        """Credits in the bucket at `now`, if nobody else takes any."""
        return min(self.policy.burst, self.level + self.policy.refill * max(0.0, now - self.stamp))

    def ready(self, cost: float, lane: Lane, now: float) -> float:
        """When `cost` credits can be taken without touching the lane's reserve: `now` or a later
        time.

        More than the bucket holds is asked for only once the bucket is full, else it would wait for
        ever.
        """
        need = min(self.policy.burst, cost + RESERVE[lane] * self.policy.burst)
        missing = need - self.level_at(now)
        return now if missing <= _ROUNDING else now + missing / self.policy.refill

    def spend(self, cost: float, now: float) -> Credits:
        """The bucket after taking `cost` credits at `now`."""
        return Credits(self.policy, max(0.0, self.level_at(now) - cost), now)


def read_budget(headers: Mapping[str, str]) -> Reading:
    """Read both credit headers. Whatever is missing or garbled counts as not said."""
    result = {name.lower(): value for name, value in headers.items()}
    policies = {
        name: Policy(name[:_LONGEST_NAME], numbers["q"], numbers["q"] / numbers["w"])
        for name, numbers in _items(result.get("ratelimit-policy", ""))
        if numbers.get("q", 0) > 0 and numbers.get("w", 0) > 0
    }
    left = {
        name: numbers["r"]
        for name, numbers in _items(result.get("ratelimit", ""))
        if "r" in numbers
    }
    for name, policy in policies.items():
        if name in left:
            return Reading(policy, left[name])
    return Reading(next(iter(policies.values()), None), next(iter(left.values()), None))


def merge(
    existing: Credits | None, reading: Reading, outstanding: float, at: float
) -> Credits | None:
    """What is known after an answer read at `at`.

    Args:
        known: What was known before.
        reading: What the answer said.
        outstanding: Credits of sends that are under way and may not be counted in the answer yet.
        at: When the answer came (seconds, monotonic).
    """
    policy = reading.policy or (existing.policy if existing else None)
    if policy is None:
        return None
    if reading.left is None:
        return replace(existing, policy=policy) if existing else Credits(policy, policy.burst, at)
    return Credits(policy, max(0.0, min(policy.burst, reading.left) - outstanding), at)


def _items(value: str) -> Iterator[tuple[str, dict[str, float]]]:
    for item in value[:_LONGEST_HEADER].split(","):
        name, *parameters = item.split(";")
        numbers: dict[str, float] = {}
        for parameter in parameters:
            label, _, text = parameter.partition("=")
            number = number_from(text)
            if number is not None:
                numbers[label.strip().lower()] = number
        yield "".join(letter for letter in name.strip().strip('"') if letter.isprintable()), numbers


def number_from(text: str) -> float | None:
    """A finite number >= 0, or None."""
    try:
        number = float(text.strip().strip('"'))
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None
