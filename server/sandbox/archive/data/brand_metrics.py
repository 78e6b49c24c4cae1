"""Metrics of competitors and of the own brand for one month or week.

They are sums over the posts of that time, so that a list of the posts and the metrics tell the same
story. Names, units and what null means: Archive docs, competitor brands.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property

from server.sandbox.archive.data.competitors import Competitor, first_moment, month_of
from server.sandbox.archive.data.items import Item
from server.sandbox.archive.data.workspace import Workspace
from server.sandbox.archive.errors import make_error

# The share of impressions that reach somebody for the first time.
_REACH = 0.7
# Posts of the own brand that are measured; sums are extended to the others, or a large archive
# would keep the caller waiting.
_SAMPLE = 1_000
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True)
class Window:
    """A calendar month or a week that starts on Monday; `end` is not part of it."""

    start: datetime
    end: datetime

    @classmethod
    def around(cls, period: str, day: date) -> Window:
        """Return the MONTH or WEEK that a day belongs to, in UTC."""
        midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
        if period == "MONTH":
            month = month_of(midnight)
            return cls(first_moment(month), first_moment(month + 1))
        monday = midnight - timedelta(days=midnight.weekday())
        return cls(monday, monday + timedelta(weeks=1))


@dataclass(frozen=True)
class Figures:
    """Metrics of one window; earned media value in US dollars. All are None where no post was
    measured."""

    posts_count: int | None = None
    influencers_count: int | None = None
    reach: float | None = None
    impressions: float | None = None
    engagements_total: float | None = None
    earned_media_value: float | None = None


def _metric(name: str) -> property:
    def read(brand: CompetitorBrand) -> float | None:
        # Once for each brand: the API reports one error beside the nulls, not one for each field.
        if brand.unavailable and not brand.has_failed:
            brand.has_failed = True
            raise make_error(
                f"Metrics of {brand.name} are temporarily unavailable",
                "SERVICE_UNAVAILABLE",
            )
        value: float | None = getattr(brand.figures, name)
        return value

    return property(read)


class CompetitorBrand:
    """A brand with its metrics of one window, computed when the first one is read.

    Where they are unavailable, the first one that is read raises, which gives the answer its one
    error for the brand, and all are null.
    """

    def __init__(
        self,
        brand_id: str,
        name: str,
        measure: Callable[[], Figures],
        *,
        own_metrics_status: str | None = None,
        unavailable: bool = False,
    ) -> None:
        self.id = brand_id
        self.name = name
        self.own_metrics_status = own_metrics_status
        self.is_own_brand = own_metrics_status is not None
        self.unavailable = unavailable
        self.has_failed = False
        self._measure = measure

    @cached_property
    def figures(self) -> Figures:
        return Figures() if self.unavailable else self._measure()

    posts_count = _metric("posts_count")
    influencers_count = _metric("influencers_count")
    reach = _metric("reach")
    impressions = _metric("impressions")
    engagements_total = _metric("engagements_total")
    earned_media_value = _metric("earned_media_value")


def measure_competitor(brand: Competitor, window: Window) -> Figures:
    """Return sums over a competitor's posts; none before the months that are kept, and none from
    the future."""
    first, last = month_of(window.start), month_of(window.end - _TICK)
    end = min(window.end, brand.anchor)
    posts: list[Item] = []
    for month in range(max(first, brand.months[-1]), last + 1):
        numbers = brand.posts(month)
        posts += [brand.item(n) for n in numbers if window.start <= brand.time_of(n) < end]
    return _add_up(posts, len(posts))


def measure_own_brand(workspace: Workspace, window: Window) -> Figures:
    """Return sums over the workspace's own posts, those of a large window taken from a sample."""
    numbers = workspace.numbers_between(window.start, window.end - _TICK)
    step = max(1, len(numbers) // _SAMPLE)
    return _add_up([workspace.item(number) for number in numbers[::step]], len(numbers))


def _add_up(posts: Sequence[Item], count: int) -> Figures:
    """Return the sums over some posts, extended to `count` posts."""
    if not posts:
        return Figures()
    share = count / len(posts)
    measurements = [post.current_engagement for post in posts]
    impressions = interactions = cents = 0
    for engagement in filter(None, measurements):
        impressions += engagement.impressions or 0
        interactions += engagement.interactions + (engagement.shares or 0)
        cents += engagement.earned_media_value or 0
    return Figures(
        posts_count=count,
        influencers_count=len({post.social_profile.id for post in posts}),
        # From the exact product: rounding twice would move the last digit.
        reach=round(share * impressions * _REACH, 1),
        impressions=round(share * impressions, 1),
        engagements_total=round(share * interactions, 1),
        earned_media_value=round(share * cents / 100, 2),
    )
