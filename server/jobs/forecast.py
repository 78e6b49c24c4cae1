"""How long a job still takes and what it waits for: from what the API allows, and from how fast the
job went so far."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from server.jobs.model import Estimate, JobRow
from server.limiter.interface import Snapshot

# Requests whose credits are so near the reserve that a job waits for more.
_SCARCE_REQUESTS = 2
# How the message of a work begins that does nothing but wait.
_WAITS = "waits for "
# A plan was wrong if the job takes so many times as long, and so many seconds longer.
_WRONG_TIMES, _WRONG_SECONDS = 1.5, 30.0
# Part of the request rate from which on the rate is what holds a job up.
_AT_FULL_PACE = 0.8
# Times as many records as planned that explain a longer job.
_MORE_RECORDS = 1.2
# What stands for the limits of an API that has none.
_UNLIMITED = Snapshot(0.0, 0.0, None, None, None, None, math.inf)
# What stands for the plan of a job that was started without one: nothing is ever late.
_UNPLANNED = Estimate(0, 0.0, math.inf)


@dataclass(frozen=True)
class Standing:
    """How far a job is.

    Attributes:
        finished: Records that need no more work.
        total: Records in all; None while that is not known.
        speed: Records finished per second of late; None before any was.
        active: Seconds of work on the job in all, without the wait at its end.
        message: What the work does now, in a few words.
        retry: Seconds until the next attempt after a failure; 0 where nothing failed.
        trouble: The message of that failure.
    """

    finished: int
    total: int | None
    speed: float | None
    active: float
    message: str = ""
    retry: float = 0.0
    trouble: str = ""

    @property
    def remaining(self) -> int | None:
        """Return the records that are left; None while that is not known."""
        if self.total is None:
            return None
        return max(0, self.total - self.finished)


@dataclass(frozen=True)
class Forecast:
    """What is expected of a job, as it is journalled.

    Attributes:
        active: Seconds that processes worked on the job, in all.
        speed: Records finished per second of late; None before any was.
        left: Seconds that the job still takes; None where nobody can tell.
        waits_for: What holds the job up, in words; empty where nothing does.
        reason: Why the job takes longer than planned, in words; empty where it does not.
    """

    active: float
    speed: float | None = None
    left: float | None = None
    waits_for: str = ""
    reason: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the forecast as JSON-ready values for `read_forecast`."""
        return {
            "active": round(self.active, 1),
            "speed": self.speed,
            "left": self.left,
            "waitsFor": self.waits_for,
            "reason": self.reason,
        }


def read_forecast(counters: dict[str, Any]) -> Forecast | None:
    """Return the forecast in a job's counters; None where there is none yet."""
    values = counters.get("forecast")
    if values is None:
        return None
    return Forecast(
        values["active"], values["speed"], values["left"], values["waitsFor"], values["reason"]
    )


def read_estimate(counters: dict[str, Any]) -> Estimate | None:
    """Return what was planned, from a job's counters; None where nothing was."""
    values = counters.get("estimate")
    if values is None:
        return None
    return Estimate(**values)


def make_forecast(
    standing: Standing, estimate: Estimate | None, limits: Snapshot | None
) -> Forecast:
    """Return what is expected of a job.

    Args:
        standing: Where it stands.
        estimate: What was planned; None for a job that was started without a plan.
        limits: What the API allows now; None for one without limits.
    """
    estimate = estimate or _UNPLANNED
    limits = limits or _UNLIMITED
    left = _estimate_left(standing, estimate, limits)
    return Forecast(
        standing.active,
        standing.speed,
        left,
        _describe_wait(standing, estimate, limits),
        _explain_delay(standing, estimate, limits, left or 0.0),
    )


def is_out_of_credits(estimate: Estimate | None, limits: Snapshot | None) -> bool:
    """Return whether a job has used up the credits in reserve, so that it goes as fast as they come
    back."""
    if limits is None or limits.credits is None:
        return False
    return limits.credits < limits.reserve + _SCARCE_REQUESTS * _price(estimate or _UNPLANNED)


def describe_correction(
    estimate: Estimate | None, forecast: Forecast | None, *, ended: bool
) -> str | None:
    """Return in words how a plan turned out wrong; None where it did not."""
    if estimate is None or forecast is None:
        return None
    if not forecast.reason:
        return None
    planned = describe_seconds(estimate.seconds)
    taken = describe_seconds(forecast.active)
    if ended:
        return f"Planned {planned}, took {taken}: {forecast.reason}."
    expected = describe_seconds(forecast.active + (forecast.left or 0.0))
    return f"Planned {planned}, now about {expected}: {forecast.reason}."


def describe_left(row: JobRow) -> str:
    """Return how long a job still takes, in words; nothing where nobody can tell."""
    forecast = read_forecast(row.counters)
    if forecast is None or not forecast.left:
        return ""
    return f"about {describe_seconds(forecast.left)} left"


def describe_seconds(seconds: float) -> str:
    """Return a duration in words: `40 s`, `3 min`, `2 h 10 min`."""
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 120:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if minutes == 0:
        return f"{hours} h"
    return f"{hours} h {minutes} min"


def _estimate_left(standing: Standing, estimate: Estimate, limits: Snapshot) -> float | None:
    remaining = standing.remaining
    # None where it is not known, and nothing where nothing is left.
    if not remaining:
        return remaining
    by_speed = None
    if standing.speed:
        by_speed = remaining / standing.speed
    share = estimate.share_of(remaining)
    if share is None:
        return by_speed
    by_limits = limits.seconds(share * estimate.requests, share * estimate.credits)
    if by_speed is None:
        return by_limits
    # Out of credits, the speed of late is that of the refill, and prices are only estimates.
    if is_out_of_credits(estimate, limits):
        return by_speed
    # With credits in reserve it goes faster than it will later.
    return max(by_limits, by_speed)


def _describe_wait(standing: Standing, estimate: Estimate, limits: Snapshot) -> str:
    if standing.retry > 0:
        pause = describe_seconds(standing.retry)
        return f"the next attempt in {pause}, after: {standing.trouble}"
    if limits.penalty >= 1:
        return f"the API, which asked to wait {describe_seconds(limits.penalty)}"
    if standing.message.startswith(_WAITS):
        return standing.message.removeprefix(_WAITS)
    if not standing.remaining:
        return ""
    if is_out_of_credits(estimate, limits):
        return (
            f"rate credits: {limits.credits or 0:,.0f} are left, a request takes about "
            f"{round(_price(estimate))}, and {_per_minute(limits.refill)} come back a minute"
        )
    if _is_at_full_pace(standing, estimate, limits):
        return f"its turns: the API takes one request every {limits.gap:.2g} s"
    return ""


def _explain_delay(standing: Standing, estimate: Estimate, limits: Snapshot, left: float) -> str:
    # Where the API has no limits, the plan was a guess that nobody was promised.
    if limits is _UNLIMITED:
        return ""
    late = max(_WRONG_TIMES * estimate.seconds, estimate.seconds + _WRONG_SECONDS)
    if standing.active + left < late:
        return ""
    total, planned = standing.total or 0, estimate.records or 0
    if total > _MORE_RECORDS * planned > 0:
        return f"there are {total:,} records, not {planned:,}"
    if _is_refill_slow(estimate, limits):
        return f"the workspace refills {_describe_refill(limits)}"
    if standing.trouble:
        return f"requests failed and were repeated, at last with: {standing.trouble}"
    return "the API answers more slowly than its limits allow"


def _is_refill_slow(estimate: Estimate, limits: Snapshot) -> bool:
    """Whether all credits of the plan take longer to come back than the plan was to take."""
    if not limits.refill:
        return False
    return estimate.credits / limits.refill > estimate.seconds + _WRONG_SECONDS


def _describe_refill(limits: Snapshot) -> str:
    seen = f"{_per_minute(limits.refill)} rate credits a minute"
    if limits.confirms_plan:
        return seen
    stated = _per_minute(limits.stated_refill)
    return f"{seen}, not the {stated} of its plan; others may use them too"


def _per_minute(refill: float | None) -> str:
    return f"{60 * (refill or 0.0):,.0f}"


def _price(estimate: Estimate) -> float:
    """Return the rate credits of one request, on average."""
    return estimate.credits / max(1, estimate.requests)


def _is_at_full_pace(standing: Standing, estimate: Estimate, limits: Snapshot) -> bool:
    speed = standing.speed or 0.0
    requests = speed * estimate.requests / (estimate.records or math.inf)
    return requests * limits.gap >= _AT_FULL_PACE
