"""Competitors and the posts about them, computed from (seed, brand, month).

A competitor is an archive of its own: the same machinery that makes the items of a workspace, with
another seed and other names. Posts of a month become visible on day 9 of the next one: Archive
docs, competitor brand items.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property

from server.sandbox.archive.data.brands import Insights
from server.sandbox.archive.data.creators import SocialProfile
from server.sandbox.archive.data.items import Item
from server.sandbox.archive.data.workspace import Workspace
from server.sandbox.ids import Kind, draw, mix

PUBLISHED_ON = 9
# Months that are kept, counted back from the latest visible one.
MONTHS = 18
# Room for the posts of one month inside a post's number, and for the posts of one brand inside an
# id's.
_EACH = 1024
_ROOM = 1 << 40
_CREATORS = 120
_LEAST, _SPREAD = 18, 40


class CompetitorItem(Item):
    """A post about a competitor."""

    @cached_property
    def social_profile(self) -> SocialProfile:
        """The account that posted; its owner is not in the CRM."""
        return replace(super().social_profile, creator=None)


class Competitor(Workspace):
    """A tracked brand as an archive of its own; its ids are ids of the workspace that tracks it."""

    def __init__(self, home: Workspace, insights: Insights, place: int) -> None:
        name = insights.competitors[place]
        handle = re.sub(r"\W+", "", name.lower())
        theme = replace(
            home.brand.theme,
            products=tuple(f"{name} {product}" for product in insights.products),
            hashtags=(handle, *home.brand.theme.hashtags[1:]),
        )
        brand = replace(home.brand, name=name, handle=handle, theme=theme, creators=_CREATORS)
        seed = mix(home.seed + 7919 * (place + 1))
        super().__init__(
            home.index, brand, home.ids, seed, home.items, home.anchor, home.changes.clock
        )
        self.place = place

    def id_of(self, kind: Kind, number: int) -> str:
        """An id that is never taken for one of the workspace's own records."""
        own = Kind.COMPETITOR_ITEM if kind is Kind.ITEM else kind
        return super().id_of(own, (self.place + 1) * _ROOM + number)

    @property
    def brand_id(self) -> str:
        """The competitor's id."""
        return super().id_of(Kind.COMPETITOR, self.place)

    def item(self, number: int) -> CompetitorItem:
        """One post, by number."""
        return CompetitorItem(self, number)

    def posts(self, month: int) -> range:
        """Numbers of all posts of a month (years times 12 plus months), newest first, visible or
        not."""
        count = _LEAST + draw(self.seed, month, 51) % _SPREAD
        return range(month * _EACH + count - 1, month * _EACH - 1, -1)

    @property
    def months(self) -> range:
        """The months whose posts are visible, newest first."""
        newest = newest_month(self.anchor)
        return range(newest, newest - MONTHS, -1)

    def taken_at(self, number: int) -> datetime:
        """When a post was published; a larger number is never older."""
        month, place = divmod(number, _EACH)
        start = first_moment(month)
        step = (first_moment(month + 1) - start) / len(self.posts(month))
        jitter = (draw(self.seed, number, 8) & 0xFFFF) / 0x10000
        return (start + step * (place + jitter)).replace(microsecond=0)


def competitors(home: Workspace) -> list[Competitor]:
    """The brands that a workspace tracks; none where its plan is without Competitor Insights."""
    insights = home.brand.insights
    return (
        [Competitor(home, insights, place) for place in range(len(insights.competitors))]
        if insights
        else []
    )


def item_by_id(home: Workspace, text: str) -> CompetitorItem | None:
    """A competitor's post, if it is visible."""
    found = home.number_of(Kind.COMPETITOR_ITEM, text)
    if found is None:
        return None
    place, number = divmod(found, _ROOM)
    brand = competitors(home)[place - 1]
    return brand.item(number) if number // _EACH in brand.months else None


def post_of_record(home: Workspace, number: int, each: int) -> CompetitorItem | None:
    """A competitor's post by the number of a record of which every post has `each`, if it is
    visible."""
    place, rest = divmod(number, _ROOM)
    brands = competitors(home)
    if not 1 <= place <= len(brands):
        return None
    post = rest // each
    return brands[place - 1].item(post) if post // _EACH in brands[place - 1].months else None


def first_moment(month: int) -> datetime:
    """The start of a month."""
    return datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC)


def month_of(moment: datetime) -> int:
    """Years times 12 plus months."""
    return moment.year * 12 + moment.month - 1


def newest_month(now: datetime) -> int:
    """The latest month whose posts are visible."""
    return month_of(now) - (1 if now.day >= PUBLISHED_ON else 2)
