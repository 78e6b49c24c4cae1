"""Rate credits: the bucket that the API's headers describe, and its level now.

Every answer carries `ratelimit-policy: "growth";q=15000;w=60` (a bucket of q credits that fills up
in w seconds) and `ratelimit: "growth";r=14203;t=1785409320` (r credits left, full again at t); see
the rate limits page of the Archive docs. Older deployments send neither. `t` is not read, because
the level and the refill rate say the same without the wall clock. How much really comes back is
seen from level to level (`refill`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from server.limiter.interface import Lane
from server.limiter.refill import Refill

# Share of the bucket that a lane leaves untouched. Jobs leave more, so that a person does not wait
# for one.
RESERVES: Mapping[Lane, float] = {"interactive": 0.02, "job": 0.10}
# Seconds of refill that a lane leaves untouched at most: where little comes back, a share of the
# bucket takes minutes to fill, and a job would stand still for as long.
RESERVE_SECONDS: Mapping[Lane, float] = {"interactive": 2.0, "job": 10.0}

# A level computed from floats may miss the cost by a hair; waiting for that would send nobody.
_ROUNDING = 1e-6
# Headers come from outside and end up in a file that all processes parse: both stay small.
_LONGEST_HEADER = 500
_LONGEST_NAME = 40
# Archive's buckets hold thousands and fill up in a minute or two. What is far from that is a fault
# of somebody in between, and would keep every process from sending for that long.
_FEWEST, _MOST = 1.0, 1e9
_FASTEST, _SLOWEST = 0.01, 600.0
# The product of a rounded quotient may miss the bound by a hair.
_ALMOST = 1 - 1e-9


@dataclass(frozen=True)
class Policy:
    """A credit bucket that holds at most `burst` credits and gains `refill` credits per second."""

    plan: str
    burst: float
    refill: float

    @property
    def is_plausible(self) -> bool:
        """Whether the bucket is of a size, and fills up in a time, that a plan can have."""
        # Compared without a division: the quotient of odd numbers may overflow.
        return (
            _FEWEST <= self.burst <= _MOST
            and self.refill * _FASTEST * _ALMOST <= self.burst
            and self.burst * _ALMOST <= self.refill * _SLOWEST
        )


@dataclass(frozen=True)
class Reading:
    """The credit headers of one answer; None for a header that was missing or unreadable."""

    policy: Policy | None = None
    left: float | None = None


@dataclass(frozen=True)
class Credits:
    """A policy, the `level` of its bucket, in credits, at `stamp` (monotonic seconds), and what was
    seen of its refill."""

    policy: Policy
    level: float
    stamp: float
    seen: Refill = field(default_factory=Refill)

    @property
    def refill(self) -> float:
        """Return the credits that come back each second, as far as that was seen."""
        return self.seen.rate(self.policy.refill)

    def level_at(self, now: float) -> float:
        """Return the credits in the bucket at `now`, provided that others take no more than so
        far."""
        return min(self.policy.burst, self.level + self.refill * max(0.0, now - self.stamp))

    def reserve(self, lane: Lane) -> float:
        """Return the credits that a lane leaves untouched."""
        return min(RESERVES[lane] * self.policy.burst, RESERVE_SECONDS[lane] * self.refill)

    def ready(self, cost: float, lane: Lane, now: float) -> float:
        """Return the time from which `cost` credits are there beyond the lane's reserve.

        The result is `now` where they are there already.
        """
        # A send that needs more than a full bucket goes once it is full, else it would never go.
        need = min(self.policy.burst, cost + self.reserve(lane))
        missing = need - self.level_at(now)
        return now if missing <= _ROUNDING else now + missing / self.refill

    def spend(self, cost: float, now: float) -> Credits:
        """Return the bucket after `cost` credits were taken at `now`."""
        return replace(self, level=max(0.0, self.level_at(now) - cost), stamp=now)


def read_budget(headers: Mapping[str, str]) -> Reading:
    """Return what both credit headers say; a missing or garbled one counts as None."""
    # Header names have no case; clients and proxies write them as they like.
    fields = {name.lower(): value for name, value in headers.items()}
    policies: dict[str, Policy] = {}
    for name, numbers in _parse_items(fields.get("ratelimit-policy", "")):
        credits, seconds = numbers.get("q", 0), numbers.get("w", 0)
        if _FASTEST <= seconds <= _SLOWEST and _FEWEST <= credits <= _MOST:
            policies[name] = Policy(name[:_LONGEST_NAME], credits, credits / seconds)
    left: dict[str, float] = {}
    for name, numbers in _parse_items(fields.get("ratelimit", "")):
        if "r" in numbers:
            left[name] = numbers["r"]
    # A header may list several policies: the level belongs to the policy of the same name.
    for name, policy in policies.items():
        if name in left:
            return Reading(policy, left[name])
    return Reading(next(iter(policies.values()), None), next(iter(left.values()), None))


def merge(
    existing: Credits | None,
    reading: Reading,
    outstanding: float,
    at: float,
    spent: float = 0.0,
) -> Credits | None:
    """Return the credits after an answer, or None while no policy is known.

    Args:
        existing: The credits before the answer.
        reading: The credit headers of the answer.
        outstanding: Credits of sends under way that the answer may not count yet.
        at: When the answer came (monotonic seconds).
        spent: Credits that the answered request took.
    """
    policy = reading.policy
    if policy is None and existing:
        policy = existing.policy
    if policy is None:
        return None
    # Of another plan nothing was seen yet.
    same = existing is not None and existing.policy == policy
    seen = existing.seen if existing and same else Refill()
    if reading.left is not None:
        left = min(policy.burst, reading.left)
        seen = seen.add(left, at, spent, policy.burst)
        return Credits(policy, max(0.0, left - outstanding), at, seen)
    # A policy without a level says nothing about what was spent: keep the level, or start full.
    if existing:
        return replace(existing, policy=policy, seen=seen.take(spent))
    return Credits(policy, policy.burst, at)


def _parse_items(value: str) -> Iterator[tuple[str, dict[str, float]]]:
    for item in value[:_LONGEST_HEADER].split(","):
        name, *parameters = item.split(";")
        numbers: dict[str, float] = {}
        for parameter in parameters:
            label, _, text = parameter.partition("=")
            number = parse_number(text)
            if number is not None:
                numbers[label.strip().lower()] = number
        yield "".join(filter(str.isprintable, name.strip().strip('"'))), numbers


def parse_number(text: str) -> float | None:
    """Return the text as a finite number of at least 0, or None."""
    try:
        number = float(text.strip().strip('"'))
    except ValueError:
        return None
    return number if 0 <= number < math.inf else None
