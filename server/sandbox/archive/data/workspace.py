"""The three workspaces and everything in them, computed on demand from (seed, number)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from server.sandbox.archive.data.archive_base import ArchiveBase
from server.sandbox.archive.data.brands import load_brands
from server.sandbox.archive.data.items import Item
from server.sandbox.archive.data.saved import Collection, Library
from server.sandbox.archive.data.uploads import UploadedItem
from server.sandbox.archive.urls import number_of as number_of_code
from server.sandbox.ids import Ids, Kind

# Mentions are tags too and come after the hashtags in the numbers that ids carry.
_FIRST_MENTION = 10


@dataclass(frozen=True)
class NamedRecord:
    """A record with an id and a few plain attributes, the API's fields in snake case."""

    id: str
    name: str
    provider: str | None = None
    type: str | None = None
    handle: str | None = None
    status: str | None = None
    connected_at: datetime | None = None
    created_at: datetime | None = None


class Workspace(ArchiveBase):
    """One brand's archive, with its items, what tracks them and what people save in it."""

    @property
    def id(self) -> str:
        return self.brand.id

    @property
    def name(self) -> str:
        return self.brand.name

    def item(self, number: int) -> Item:
        """Return the item with this number, below 0 an upload."""
        if number >= 0:
            return Item(self, number)
        return UploadedItem(self, self.changes.uploads[-1 - number])

    def item_by_id(self, text: str) -> Item | None:
        number = self.number_of(Kind.ITEM, text)
        if number is None or number not in self.numbers:
            return None
        return self.item(number)

    def item_by_code(self, provider: str, code: str) -> Item | None:
        """Return the item with this code of its platform, or None; stories have no public post."""
        number = number_of_code(self.seed, code)
        if number is not None and 0 <= number < self.item_count:
            item = self.item(number)
            # The number alone proves nothing: the same one hides in codes of other platforms.
            is_same = (item.provider, item.external_id) == (provider, code)
            if is_same and item.original_url is not None:
                return item
        # Uploads keep the code of their URL, behind which no number hides.
        for upload in self.changes.arrivals:
            if (upload.provider, upload.code) == (provider, code):
                return self.item(upload.number)
        return None

    def numbers_between(self, start: datetime | None, end: datetime | None) -> range:
        """Return the numbers of the items of a window of time, both ends included."""

        def age(number: int) -> float:
            return -self.time_of(number).timestamp()

        numbers = self.numbers
        # Items are numbered by age, so a window of time is one stretch of numbers.
        first = bisect_left(numbers, -end.timestamp(), key=age) if end else 0
        last = bisect_right(numbers, -start.timestamp(), key=age) if start else len(numbers)
        return numbers[first:last]

    @cached_property
    def hashtags(self) -> list[NamedRecord]:
        return [
            self._tag(number, name, "HASHTAG")
            for number, name in enumerate(self.brand.theme.hashtags[:2])
        ]

    @cached_property
    def mentions(self) -> list[NamedRecord]:
        return [self._tag(_FIRST_MENTION, self.brand.handle, "MENTION")]

    def _tag(self, number: int, name: str, kind: str) -> NamedRecord:
        return NamedRecord(
            id=self.id_of(Kind.TAG, number),
            name=name,
            provider="INSTAGRAM",
            type=kind,
        )

    @cached_property
    def keywords(self) -> list[NamedRecord]:
        return [
            NamedRecord(
                id=self.id_of(Kind.KEYWORD, number),
                name=word,
                provider="TIKTOK",
            )
            for number, word in enumerate(self.brand.keywords)
        ]

    @cached_property
    def integrations(self) -> list[NamedRecord]:
        """Connected accounts, broken ones included."""
        return [
            NamedRecord(
                id=self.id_of(Kind.INTEGRATION, number),
                name="",
                handle=spec.handle,
                provider=spec.provider,
                status=spec.status,
                connected_at=self.anchor - timedelta(days=700 - 90 * number),
            )
            for number, spec in enumerate(self.brand.integrations)
        ]

    @cached_property
    def source_ids(self) -> list[str]:
        """Ids of everything that can have found an item."""
        return [
            record.id
            for record in (*self.mentions, *self.hashtags, *self.keywords, *self.integrations)
        ]

    @cached_property
    def campaigns(self) -> list[NamedRecord]:
        """Campaigns, newest first."""
        return [
            NamedRecord(
                id=self.id_of(Kind.CAMPAIGN, number),
                name=name,
                created_at=self.anchor - timedelta(days=40 + 75 * number),
            )
            for number, name in enumerate(self.brand.campaigns)
        ]

    @cached_property
    def library(self) -> Library:
        """Collections, views and groups."""
        return Library(self)

    @property
    def collections(self) -> list[Collection]:
        """Collections, the ones made by callers last."""
        return self.library.collections.oldest_first()


class World:
    """All workspaces of one sandbox.

    items: how many the main workspace has. seed: another seed, other records. anchor: the moment to
    which all dates are relative. clock: seconds that only grow.
    """

    def __init__(
        self, *, items: int, seed: int, anchor: datetime, clock: Callable[[], float]
    ) -> None:
        ids = Ids(seed)
        self.workspaces: list[Workspace] = []
        for index, brand in enumerate(load_brands()):
            count = items if brand.item_count is None else brand.item_count
            workspace = Workspace(
                index=index,
                brand=brand,
                ids=ids,
                seed=seed,
                item_count=count,
                anchor=anchor,
                clock=clock,
            )
            self.workspaces.append(workspace)

    def by_id(self, text: str) -> Workspace | None:
        return next((row for row in self.workspaces if row.id == text), None)
