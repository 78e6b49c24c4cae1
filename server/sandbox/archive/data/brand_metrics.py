"""Metrics of competitors and of the own brand for one month or week.

They are sums over the posts of that time, so that a list of the posts and the metrics tell the same
story. Names, units and what null means: Archive docs, competitor brands.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property

from graphql import GraphQLError

from server.sandbox.archive.data.competitors import Competitor, first_moment, month_of
from server.sandbox.archive.data.items import Item
from server.sandbox.archive.data.workspace import Workspace
from server.sandbox.archive.resolvers.search import between

# Of the people shown something, those who see it for the first time.
_REACHED = 0.7
# Posts of the own brand that are looked at; sums are extended to the others.
_LOOKED_AT = 1_000
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True)
class Window:
    """A calendar month or a week that starts on Monday; `end` is not part of it."""

    start: datetime
    end: datetime

    @classmethod
    def around(cls, period: str, day: date) -> Window:
        """The MONTH or WEEK that a day belongs to, in UTC."""
        midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
        if period == "MONTH":
            return cls(first_moment(month_of(midnight)), first_moment(month_of(midnight) + 1))
        monday = midnight - timedelta(days=midnight.weekday())
        return cls(monday, monday + timedelta(weeks=1))


@dataclass(frozen=True)
class Figures:
    """Metrics of one window; earned media value in US dollars. All None: there is nothing to
    tell."""

    posts_count: int | None = None
    influencers_count: int | None = None
    reach: float | None = None
    impressions: float | None = None
    engagements_total: float | None = None
    earned_media_value: float | None = None


def _metric(name: str) -> property:
    def read(brand: CompetitorBrand) -> float | None:
        if brand.unavailable and not brand.told:
            brand.told = True
            raise GraphQLError(
                f"Metrics of {brand.name} are temporarily unavailable",
                extensions={"code": "SERVICE_UNAVAILABLE"},
            )
        value: float | None = getattr(brand.figures, name)
        return value

    return property(read)


class CompetitorBrand:
    """A brand with its metrics of one window; they are computed if somebody asks for one.

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
        self.told = False
        self._measure = measure

    @cached_property
    def figures(self) -> Figures:
        """Its metrics."""
        return Figures() if self.unavailable else self._measure()

    posts_count = _metric("posts_count")
    influencers_count = _metric("influencers_count")
    reach = _metric("reach")
    impressions = _metric("impressions")
    engagements_total = _metric("engagements_total")
    earned_media_value = _metric("earned_media_value")


def of_competitor(brand: Competitor, window: Window) -> Figures:
    """Sums over a competitor's posts; none before the months that are kept, and none from the
    future."""
    first, last = month_of(window.start), month_of(window.end - _TICK)
    months = range(max(first, brand.months[-1]), last + 1)
    numbers = (number for month in months for number in brand.posts(month))
    posts = [
        brand.item(number)
        for number in numbers
        if window.start <= brand.taken_at(number) < min(window.end, brand.anchor)
    ]
    return _sums(posts, len(posts))


def of_own(home: Workspace, window: Window) -> Figures:
    """Sums over the own archive."""
    numbers = between(home, {"from": window.start, "to": window.end - _TICK})
    step = max(1, len(numbers) // _LOOKED_AT)
    return _sums([home.item(number) for number in numbers[::step]], len(numbers))


def _sums(posts: Sequence[Item], count: int) -> Figures:
    if not posts:
        return Figures()
    share = count / len(posts)
    known = [post.current_engagement for post in posts if post.current_engagement is not None]
    shown = share * sum(e.impressions or 0 for e in known)
    engaged = share * sum((e.likes or 0) + (e.comments or 0) + (e.shares or 0) for e in known)
    cents = share * sum(e.earned_media_value or 0 for e in known)
    return Figures(
        posts_count=count,
        influencers_count=len({post.social_profile.id for post in posts}),
        reach=round(shown * _REACHED, 1),
        impressions=round(shown, 1),
        engagements_total=round(engaged, 1),
        earned_media_value=round(cents / 100, 2),
    )
