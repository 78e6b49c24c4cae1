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
from server.sandbox.archive.data.items import FRAMES_EACH, Item
from server.sandbox.archive.data.workspace import Workspace
from server.sandbox.ids import Kind, draw, mix

PUBLISHED_ON = 9
# Months that are kept, counted back from the latest visible one.
MONTHS = 18
# Room for the posts of one month inside a post's number, and for the posts of one brand inside an
# id's.
_MONTH_ROOM = 1024
_BRAND_ROOM = 1 << 40
_CREATORS = 120
# Posts of a month: the least, and how far above it a month can go.
_LEAST, _SPREAD = 18, 40
# Prime, so that the seeds of competitors do not meet those of other workspaces.
_SEED_STEP = 7919


class CompetitorItem(Item):
    """A post about a competitor."""

    @cached_property
    def social_profile(self) -> SocialProfile:
        """The account that posted; its owner is not in the CRM."""
        return replace(super().social_profile, creator=None)


class Competitor(Workspace):
    """A tracked brand as an archive of its own; its ids are ids of the workspace that tracks it."""

    def __init__(self, tracker: Workspace, insights: Insights, place: int) -> None:
        name = insights.competitors[place]
        handle = re.sub(r"\W+", "", name.lower())
        theme = replace(
            tracker.brand.theme,
            products=tuple(f"{name} {product}" for product in insights.products),
            hashtags=(handle, *tracker.brand.theme.hashtags[1:]),
        )
        super().__init__(
            index=tracker.index,
            brand=replace(
                tracker.brand,
                name=name,
                handle=handle,
                theme=theme,
                creator_count=_CREATORS,
            ),
            ids=tracker.ids,
            seed=mix(tracker.seed + _SEED_STEP * (place + 1)),
            item_count=tracker.item_count,
            anchor=tracker.anchor,
            clock=tracker.changes.clock,
        )
        self.place = place

    def id_of(self, kind: Kind, number: int) -> str:
        """Return an id that is never taken for one of the workspace's own records."""
        own_kind = Kind.COMPETITOR_ITEM if kind is Kind.ITEM else kind
        return super().id_of(own_kind, (self.place + 1) * _BRAND_ROOM + number)

    @property
    def brand_id(self) -> str:
        return super().id_of(Kind.COMPETITOR, self.place)

    def item(self, number: int) -> CompetitorItem:
        return CompetitorItem(self, number)

    def visible_item(self, number: int) -> CompetitorItem | None:
        """Return the post with this number, or None while its month is not published."""
        return self.item(number) if number // _MONTH_ROOM in self.months else None

    def posts(self, month: int) -> range:
        """Return the numbers of all posts of a month, newest first, visible or not.

        month: years times 12 plus months.
        """
        count = _LEAST + draw(self.seed, month, 51) % _SPREAD
        first = month * _MONTH_ROOM
        return range(first + count - 1, first - 1, -1)

    @property
    def months(self) -> range:
        """The months whose posts are visible, newest first."""
        newest = month_of(self.anchor) - (1 if self.anchor.day >= PUBLISHED_ON else 2)
        return range(newest, newest - MONTHS, -1)

    def time_of(self, number: int) -> datetime:
        """Return when a post was published; a larger number is never older."""
        month, place = divmod(number, _MONTH_ROOM)
        start = first_moment(month)
        step = (first_moment(month + 1) - start) / len(self.posts(month))
        jitter = (draw(self.seed, number, 8) & 0xFFFF) / 0x10000
        return (start + step * (place + jitter)).replace(microsecond=0)


def competitors(workspace: Workspace) -> list[Competitor]:
    """Return the brands that a workspace tracks; none without Competitor Insights in its plan."""
    insights = workspace.brand.insights
    if insights is None:
        return []
    return [Competitor(workspace, insights, place) for place in range(len(insights.competitors))]


def item_by_id(workspace: Workspace, text: str) -> CompetitorItem | None:
    """Return the competitor's post with this id, or None if it is not visible."""
    number = workspace.number_of(Kind.COMPETITOR_ITEM, text)
    if number is None:
        return None
    return _visible_post(workspace, *divmod(number, _BRAND_ROOM))


def item_of_media(workspace: Workspace, number: int) -> CompetitorItem | None:
    """Return the competitor's post that a media content belongs to, or None if it is not
    visible."""
    place, content = divmod(number, _BRAND_ROOM)
    return _visible_post(workspace, place, content // FRAMES_EACH)


def _visible_post(workspace: Workspace, place: int, number: int) -> CompetitorItem | None:
    # Places start at 1 inside ids: below lie the records of the workspace itself.
    brands = competitors(workspace)
    if not 1 <= place <= len(brands):
        return None
    return brands[place - 1].visible_item(number)


def first_moment(month: int) -> datetime:
    return datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC)


def month_of(moment: datetime) -> int:
    """Return the month of a moment, years times 12 plus months."""
    return moment.year * 12 + moment.month - 1
