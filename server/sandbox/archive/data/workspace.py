"""The three workspaces and everything in them, computed on demand from (seed, number)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from server.sandbox.archive.data.attributes import ATTRIBUTES, Attribute, option_number
from server.sandbox.archive.data.brands import BRANDS, Brand, View
from server.sandbox.archive.data.changes import Changes
from server.sandbox.archive.data.creators import SLOTS, Creator, SocialProfile
from server.sandbox.archive.data.items import Item
from server.sandbox.archive.data.saved import Collection, Saved, SavedView
from server.sandbox.archive.data.uploads import UploadedItem
from server.sandbox.archive.urls import number_of as number_of_code
from server.sandbox.ids import (
    Ids,
    Kind,
    draw,
    mix,
)

_FIRST_POST = timedelta(minutes=4)
# From posting to the request to import; less than the newest item's age, so that uploads are newer.
_BEFORE_UPLOAD = timedelta(minutes=2)
# Days from the newest to the oldest item of a workspace with so many items; large ones reach
# further back.
_DAYS, _DAYS_ITEMS, _DAYS_MOST = 540, 4_000, 1_950
# Above 1: posts lie closer together towards today.
_DENSITY = 1.4


@dataclass(frozen=True)
class Named:
    """A record with an id and a few plain attributes, named as in the API in snake case."""

    id: str
    name: str
    provider: str | None = None
    type: str | None = None
    handle: str | None = None
    status: str | None = None
    connected_at: datetime | None = None
    created_at: datetime | None = None


class Workspace:
    """One brand's archive. A larger number of an item is never newer; uploads come below 0, the
    others start there."""

    def __init__(
        self,
        index: int,
        brand: Brand,
        ids: Ids,
        seed: int,
        items: int,
        anchor: datetime,
        clock: Callable[[], float],
    ) -> None:
        self.index = index
        self.brand = brand
        self.items = brand.items if brand.items is not None else items
        self.seed = mix(seed * 31 + index)
        self.anchor = anchor
        self.changes = Changes(clock, anchor)
        self.ids = ids
        self._creators: dict[int, Creator] = {}
        days = min(_DAYS_MOST, _DAYS * max(1.0, self.items / _DAYS_ITEMS) ** 0.4)
        self._seconds = days * 86_400

    @property
    def id(self) -> str:
        """The workspace's id."""
        return self.brand.id

    @property
    def name(self) -> str:
        """The brand's name."""
        return self.brand.name

    def id_of(self, kind: Kind, number: int) -> str:
        """The id of a record of this workspace."""
        return self.ids.encode(self.index, kind, number)

    def number_of(self, kind: Kind, text: str) -> int | None:
        """The number behind an id of this workspace and kind, or None."""
        found = self.ids.decode(text)
        return found[2] if found and found[:2] == (self.index, kind) else None

    def kind_of(self, text: str) -> Kind | None:
        """What an id of this workspace stands for, or None."""
        found = self.ids.decode(text)
        return found[1] if found and found[0] == self.index else None

    def taken_at(self, number: int) -> datetime:
        """When item `number` was posted."""
        if number < 0:
            asked = self.changes.moment(self.changes.uploads[-1 - number])
            return (asked - _BEFORE_UPLOAD).replace(microsecond=0)
        step = self._age(number + 1) - self._age(number)
        jitter = (draw(self.seed, number, 8) & 0xFFFF) / 0x10000
        moment = self.anchor - _FIRST_POST - timedelta(seconds=self._age(number) + step * jitter)
        return moment.replace(microsecond=0)

    def _age(self, number: int) -> float:
        return float(self._seconds * (number / self.items) ** _DENSITY)

    def item(self, number: int) -> Item:
        """One item, by number."""
        return (
            Item(self, number)
            if number >= 0
            else UploadedItem(self, self.changes.uploads[-1 - number])
        )

    @property
    def numbers(self) -> range:
        """Numbers of all items, newest first, with the uploads that have arrived."""
        return range(-len(self.changes.arrived), self.items)

    def item_by_id(self, text: str) -> Item | None:
        """One item, by id."""
        number = self.number_of(Kind.ITEM, text)
        return self.item(number) if number is not None and number in self.numbers else None

    def item_by_code(self, provider: str, code: str) -> Item | None:
        """One item with a public post, by the platform's code for it."""
        number = number_of_code(self.seed, code)
        if number is not None and 0 <= number < self.items:
            item = self.item(number)
            if (item.provider, item.external_id) == (
                provider,
                code,
            ) and item.original_url is not None:
                return item
        arrived = (
            made for made in self.changes.arrived if (made.provider, made.code) == (provider, code)
        )
        return next((self.item(made.number) for made in arrived), None)

    def creator(self, number: int) -> Creator:
        """One creator, by number; there are few enough to keep."""
        if number not in self._creators:
            self._creators[number] = Creator(self, number)
        return self._creators[number]

    def profile_by_id(self, text: str) -> SocialProfile | None:
        """One profile, by id."""
        number = self.number_of(Kind.PROFILE, text)
        if number is None or number // SLOTS >= self.brand.creators:
            return None
        profiles = self.creator(number // SLOTS).social_profiles
        return profiles[number % SLOTS] if number % SLOTS < len(profiles) else None

    @cached_property
    def profiles_by_account(self) -> dict[tuple[str, str], SocialProfile]:
        """Profiles by platform and account name."""
        everybody = (self.creator(n) for n in range(self.brand.creators))
        return {(p.provider, p.account_name): p for c in everybody for p in c.social_profiles}

    def option_id(self, entity: str, key: str, name: str) -> str:
        """The id of a select's option."""
        return self.id_of(Kind.OPTION, option_number(entity, key, name))

    def attribute(self, entity: str, key: str) -> Attribute | None:
        """A custom attribute by its key."""
        return next((a for a in ATTRIBUTES[entity] if a.key == key), None)

    @cached_property
    def hashtags(self) -> list[Named]:
        """Tracked hashtags."""
        tags = self.brand.theme.hashtags[:2]
        return [
            Named(self.id_of(Kind.TAG, n), t, "INSTAGRAM", "HASHTAG") for n, t in enumerate(tags)
        ]

    @cached_property
    def mentions(self) -> list[Named]:
        """Tracked mentions."""
        return [Named(self.id_of(Kind.TAG, 10), self.brand.handle, "INSTAGRAM", "MENTION")]

    @cached_property
    def keywords(self) -> list[Named]:
        """Tracked keywords."""
        return [
            Named(self.id_of(Kind.KEYWORD, n), word, "TIKTOK")
            for n, word in enumerate(self.brand.keywords)
        ]

    @cached_property
    def integrations(self) -> list[Named]:
        """Connected accounts, broken ones included."""
        return [
            Named(
                id=self.id_of(Kind.INTEGRATION, n),
                name="",
                handle=handle,
                provider=provider,
                status=status,
                connected_at=self.anchor - timedelta(days=700 - 90 * n),
            )
            for n, (handle, provider, status) in enumerate(self.brand.integrations)
        ]

    @cached_property
    def sources(self) -> list[str]:
        """Ids of everything that can have found an item."""
        return [s.id for s in (*self.mentions, *self.hashtags, *self.keywords, *self.integrations)]

    @cached_property
    def campaigns(self) -> list[Named]:
        """Campaigns, newest first."""
        return [
            Named(
                self.id_of(Kind.CAMPAIGN, n),
                name,
                created_at=self.anchor - timedelta(days=40 + 75 * n),
            )
            for n, name in enumerate(self.brand.campaigns)
        ]

    @cached_property
    def saved(self) -> Saved:
        """Collections, views and groups."""
        return Saved(self)

    @property
    def collections(self) -> list[Collection]:
        """Collections, the ones made by callers last."""
        return self.saved.collections.oldest_first()

    def saved_view(self, kind: Kind, text: str) -> SavedView | None:
        """A view of one kind, by id."""
        return self.saved.views[kind].find(text)

    def holds(self, collection: int, item: int) -> bool:
        """Whether a collection contains an item."""
        moved = self.changes.moved.get(collection, {}).get(item)
        return self.held_at_first(collection, item) if moved is None else moved

    def held_at_first(self, collection: int, item: int) -> bool:
        """Whether a collection contained an item before anybody moved one."""
        if collection >= len(self.brand.folders) or item < 0:
            return False
        folder = self.brand.folders[collection]
        if draw(self.seed, item, 100 + collection) % folder.every:
            return False
        return folder.newest <= self._days_old(item) < folder.oldest

    def first_count(self, collection: int) -> int:
        """How many items a collection contained before anybody moved one."""
        if collection >= len(self.brand.folders):
            return 0
        folder = self.brand.folders[collection]
        everything = range(self.items)
        start, end = (
            bisect_left(everything, days, key=self._days_old)
            for days in (folder.newest, folder.oldest)
        )
        return sum(self.held_at_first(collection, item) for item in everything[start:end])

    def _days_old(self, item: int) -> int:
        return (self.anchor - self.taken_at(item)).days

    def conditions(self, entity: str, view: View) -> list[dict[str, Any]]:
        """A view's conditions, with the names of options turned into their ids."""
        return [{**c, "value": self._option_ids(entity, c)} for c in view.conditions]

    def _option_ids(self, entity: str, condition: dict[str, Any]) -> Any:
        value = condition["value"]
        if "SELECT" not in condition["type"]:
            return value
        return [self.option_id(entity, condition["field"], name) for name in value]


class World:
    """All workspaces of one sandbox."""

    def __init__(
        self, *, items: int, seed: int, anchor: datetime, clock: Callable[[], float]
    ) -> None:
        ids = Ids(seed)
        self.workspaces = [
            Workspace(n, brand, ids, seed, items, anchor, clock) for n, brand in enumerate(BRANDS)
        ]

    def by_id(self, text: str) -> Workspace | None:
        """A workspace by its id."""
        return next((w for w in self.workspaces if w.id == text), None)
