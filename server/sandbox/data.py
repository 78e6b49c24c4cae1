"""The three workspaces and everything in them, computed on demand from (seed, number)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from server.sandbox.changes import Changes
from server.sandbox.data_attributes import ATTRIBUTES, Attribute, option_number
from server.sandbox.data_brands import BRANDS, Brand, Folder, View
from server.sandbox.data_creators import SLOTS, Creator, SocialProfile
from server.sandbox.data_items import Item
from server.sandbox.ids import Ids, Kind, draw, mix

_FIRST_POST = timedelta(minutes=4)
# Days from the newest to the oldest item of a workspace with so many items; large ones reach further back.
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


class Workspace:
    """One brand's archive. Item 0 is the newest; a larger number is never newer."""

    def __init__(
        self, index: int, brand: Brand, ids: Ids, seed: int, items: int, anchor: datetime, clock: Callable[[], float]
    ) -> None:
        self.index = index
        self.brand = brand
        self.items = brand.items if brand.items is not None else items
        self.seed = mix(seed * 31 + index)
        self.anchor = anchor
        self.changes = Changes(clock, anchor)
        self._ids = ids
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
        return self._ids.encode(self.index, kind, number)

    def number_of(self, kind: Kind, text: str) -> int | None:
        """The number behind an id of this workspace and kind, or None."""
        found = self._ids.decode(text)
        return found[2] if found and found[:2] == (self.index, kind) else None

    def kind_of(self, text: str) -> Kind | None:
        """What an id of this workspace stands for, or None."""
        found = self._ids.decode(text)
        return found[1] if found and found[0] == self.index else None

    def taken_at(self, number: int) -> datetime:
        """When item `number` was posted."""
        step = self._age(number + 1) - self._age(number)
        jitter = (draw(self.seed, number, 8) & 0xFFFF) / 0x10000
        moment = self.anchor - _FIRST_POST - timedelta(seconds=self._age(number) + step * jitter)
        return moment.replace(microsecond=0)

    def _age(self, number: int) -> float:
        return float(self._seconds * (number / self.items) ** _DENSITY)

    def item(self, number: int) -> Item:
        """One item, by number."""
        return Item(self, number)

    def item_by_id(self, text: str) -> Item | None:
        """One item, by id."""
        number = self.number_of(Kind.ITEM, text)
        return Item(self, number) if number is not None and number < self.items else None

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
        return [Named(self.id_of(Kind.TAG, n), t, "INSTAGRAM", "HASHTAG") for n, t in enumerate(tags)]

    @cached_property
    def mentions(self) -> list[Named]:
        """Tracked mentions."""
        return [Named(self.id_of(Kind.TAG, 10), self.brand.handle, "INSTAGRAM", "MENTION")]

    @cached_property
    def keywords(self) -> list[Named]:
        """Tracked keywords."""
        return [Named(self.id_of(Kind.KEYWORD, n), word, "TIKTOK") for n, word in enumerate(self.brand.keywords)]

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
        """Campaigns."""
        return [Named(self.id_of(Kind.CAMPAIGN, n), name) for n, name in enumerate(self.brand.campaigns)]

    @property
    def collections(self) -> list[Named]:
        """Collections, the ones made by callers last."""
        names = [f.name for f in self.brand.folders] + self.changes.created
        return [Named(self.id_of(Kind.COLLECTION, n), name) for n, name in enumerate(names)]

    def holds(self, collection: int, item: int) -> bool:
        """Whether a collection contains an item."""
        moved = self.changes.moved.get(collection, {}).get(item)
        if moved is not None:
            return moved
        if collection >= len(self.brand.folders):
            return False
        return self._belongs(self.brand.folders[collection], collection, item)

    def _belongs(self, folder: Folder, collection: int, item: int) -> bool:
        if draw(self.seed, item, 100 + collection) % folder.every:
            return False
        days = (self.anchor - self.taken_at(item)).days
        return folder.newest <= days < folder.oldest

    def views(self, kind: Kind) -> tuple[View, ...]:
        """Saved views of one kind."""
        brand = self.brand
        found = {
            Kind.CONTENT_VIEW: brand.views,
            Kind.CREATOR_VIEW: brand.creator_views,
            Kind.PROFILE_VIEW: brand.profile_views,
        }
        return found[kind]

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

    def __init__(self, *, items: int, seed: int, anchor: datetime, clock: Callable[[], float]) -> None:
        ids = Ids(seed)
        self.workspaces = [Workspace(n, brand, ids, seed, items, anchor, clock) for n, brand in enumerate(BRANDS)]

    def by_id(self, text: str) -> Workspace | None:
        """A workspace by its id."""
        return next((w for w in self.workspaces if w.id == text), None)
