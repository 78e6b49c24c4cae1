"""What people save in a workspace: collections, views, and the groups these lie in.

A workspace starts with what its brand lists and keeps every change in memory, so a reset of the
sandbox forgets them. The number of a deleted record is never given out again. Membership of groups
and its order are one thing: the order of `_grouped`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from server.sandbox.archive.data.brands import Folder, Shelf, View
from server.sandbox.archive.scalars import utc
from server.sandbox.ids import Kind, draw

if TYPE_CHECKING:
    from server.sandbox.archive.data.workspace import Workspace

VIEWS = (Kind.CONTENT_VIEW, Kind.CREATOR_VIEW, Kind.PROFILE_VIEW)
ENTITIES = {Kind.CONTENT_VIEW: "ITEM", Kind.CREATOR_VIEW: "CREATOR", Kind.PROFILE_VIEW: "CREATOR"}
"""Whose custom attributes the conditions of a view ask for."""
# Days: the age of the first record of a kind, and how much younger each further one is.
_OLDEST, _STEP = 420, 35

Key = tuple[Kind, int]


@dataclass(frozen=True)
class Record:
    """Something saved; attributes are the API's fields in snake case."""

    home: Workspace
    kind: Kind
    number: int
    name: str
    created_at: datetime
    updated_at: datetime

    @property
    def key(self) -> Key:
        """What tells it from all others of its workspace."""
        return self.kind, self.number

    @property
    def id(self) -> str:
        """The record's id."""
        return self.home.id_of(self.kind, self.number)

    @property
    def group(self) -> Group | None:
        """The group it lies in."""
        return self.home.saved.group_of(self)


@dataclass(frozen=True)
class Collection(Record):
    """A static set of items."""

    @property
    def item_count(self) -> int:
        """How many items are in it now."""
        return self.home.saved.count(self.number)


@dataclass(frozen=True)
class SavedView(Record):
    """A saved search, with everything as it was given."""

    filters: dict[str, Any]
    custom_attribute_conditions: list[dict[str, Any]]
    sort: list[dict[str, str]]
    show_reporting_stats: bool = True


@dataclass(frozen=True)
class Group(Record):
    """A group of collections and views."""

    @property
    def collections(self) -> list[Record]:
        """Collections in it, in its order."""
        return self._members(Kind.COLLECTION)

    @property
    def content_views(self) -> list[Record]:
        """Content views in it, in its order."""
        return self._members(Kind.CONTENT_VIEW)

    @property
    def creator_views(self) -> list[Record]:
        """Creator views in it, in its order."""
        return self._members(Kind.CREATOR_VIEW)

    @property
    def social_profile_views(self) -> list[Record]:
        """Social profile views in it, in its order."""
        return self._members(Kind.PROFILE_VIEW)

    def _members(self, kind: Kind) -> list[Record]:
        return [record for record in self.home.saved.members(self) if record.kind is kind]


R = TypeVar("R", bound=Record)


class Records(Generic[R]):
    """All records of one kind, least recently updated first."""

    def __init__(
        self, home: Workspace, kind: Kind, make: type[R], parts: Iterable[dict[str, Any]]
    ) -> None:
        self._home = home
        self._kind = kind
        self._make = make
        made = [self._seed(number, given) for number, given in enumerate(parts)]
        self._kept = {
            record.number: record for record in sorted(made, key=lambda record: record.updated_at)
        }
        self._next = len(made)

    def _seed(self, number: int, parts: dict[str, Any]) -> R:
        bits = draw(self._home.seed, number, 60 + self._kind)
        age = timedelta(days=_OLDEST - number * _STEP % _OLDEST, seconds=bits & 0xFFFF)
        created = self._home.anchor - age
        updated = created + timedelta(
            seconds=int(age.total_seconds() * (bits >> 16 & 0xFF) / 0x100)
        )
        return self._make(
            self._home, self._kind, number, created_at=created, updated_at=updated, **parts
        )

    def find(self, text: str) -> R | None:
        """One record, by id."""
        number = self._home.number_of(self._kind, text)
        return None if number is None else self._kept.get(number)

    def at(self, number: int) -> R:
        """One record, by a number that is known to be in use."""
        return self._kept[number]

    def oldest_first(self) -> list[R]:
        """All records in the order in which they were made."""
        return [self._kept[number] for number in sorted(self._kept)]

    def latest_update_first(self) -> list[R]:
        """All records, the one changed last before all others."""
        return list(reversed(self._kept.values()))

    def create(self, **parts: Any) -> R:
        """A new record with a number of its own."""
        now = self._home.changes.now
        made = self._make(
            self._home, self._kind, self._next, created_at=now, updated_at=now, **parts
        )
        self._next += 1
        self._kept[made.number] = made
        return made

    def update(self, record: R, **parts: Any) -> R:
        """The record with these parts replaced."""
        made = replace(record, updated_at=self._home.changes.now, **parts)
        # Taken out first, so that it comes back as the last one.
        del self._kept[record.number]
        self._kept[record.number] = made
        return made

    def delete(self, record: Record) -> None:
        """Forget a record."""
        del self._kept[record.number]


class Saved:
    """Everything saved in one workspace."""

    def __init__(self, home: Workspace) -> None:
        brand = home.brand
        self._home = home
        self.collections = Records(
            home, Kind.COLLECTION, Collection, map(_of_folder, brand.folders)
        )
        seeds = {
            Kind.CONTENT_VIEW: brand.views,
            Kind.CREATOR_VIEW: brand.creator_views,
            Kind.PROFILE_VIEW: brand.profile_views,
        }
        self.views = {
            k: Records(home, k, SavedView, [_of_view(home, k, v) for v in seeds[k]]) for k in VIEWS
        }
        self.groups = Records(
            home, Kind.VIEW_GROUP, Group, [{"name": shelf.name} for shelf in brand.groups]
        )
        self._all: dict[Kind, Records[Any]] = {
            Kind.COLLECTION: self.collections,
            Kind.VIEW_GROUP: self.groups,
            **self.views,
        }
        self._grouped: dict[Key, int] = {
            key: number
            for number, shelf in enumerate(brand.groups)
            for key in self._on_shelf(shelf)
        }
        self._first_counts: dict[int, int] = {}
        self._counts: dict[int, tuple[int, int]] = {}

    def _on_shelf(self, shelf: Shelf) -> list[Key]:
        names = {
            Kind.COLLECTION: shelf.collections,
            Kind.CONTENT_VIEW: shelf.views,
            Kind.CREATOR_VIEW: shelf.creator_views,
            Kind.PROFILE_VIEW: shelf.profile_views,
        }
        numbers = {(kind, r.name): r.key for kind in names for r in self._all[kind].oldest_first()}
        return [numbers[kind, name] for kind, wanted in names.items() for name in wanted]

    def find(self, text: str) -> Record | None:
        """A record of any kind, by id."""
        kind = self._home.kind_of(text)
        records = self._all.get(kind) if kind else None
        return records.find(text) if records else None

    def group_of(self, record: Record) -> Group | None:
        """The group that a record lies in."""
        number = self._grouped.get(record.key)
        return None if number is None else self.groups.at(number)

    def members(self, group: Group) -> list[Record]:
        """Everything in a group, in its order."""
        return [
            self._all[kind].at(n)
            for (kind, n), held in self._grouped.items()
            if held == group.number
        ]

    def move(self, record: Record, group: Group | None) -> Record:
        """Put a record at the end of a group, or out of any; where it is already, it keeps its
        place."""
        if self.group_of(record) == group:
            return record
        self._grouped.pop(record.key, None)
        if group is not None:
            self._grouped[record.key] = group.number
        moved: Record = self._all[record.kind].update(record)
        return moved

    def reorder(self, group: Group, first: list[Record]) -> Group:
        """These members first, then the others as they were."""
        keys = [record.key for record in (*first, *self.members(group))]
        for key in keys:
            self._grouped.pop(key, None)
        self._grouped.update(dict.fromkeys(keys, group.number))
        return self.groups.update(group)

    def delete(self, record: Record) -> None:
        """Forget a record of any kind; nothing that lies in it is lost."""
        self._grouped.pop(record.key, None)
        if record.kind is Kind.COLLECTION:
            self._home.changes.empty(record.number)
        self._all[record.kind].delete(record)

    def count(self, collection: int) -> int:
        """Items in a collection: counted once, then told from what was moved since."""
        revision = self._home.changes.revision
        known = self._counts.get(collection)
        if known is None or known[0] != revision:
            known = self._counts[collection] = revision, self._count(collection)
        return known[1]

    def _count(self, collection: int) -> int:
        home = self._home
        if collection not in self._first_counts:
            self._first_counts[collection] = home.first_count(collection)
        moved = home.changes.moved.get(collection, {})
        changed = sum(
            inside - home.held_at_first(collection, item) for item, inside in moved.items()
        )
        return self._first_counts[collection] + changed


def _of_folder(folder: Folder) -> dict[str, Any]:
    return {"name": folder.name}


def _of_view(home: Workspace, kind: Kind, view: View) -> dict[str, Any]:
    window = (
        {"takenAt": {"from": utc(home.anchor - timedelta(days=view.days))}} if view.days else {}
    )
    return {
        "name": view.name,
        "filters": {**view.filters, **window},
        "custom_attribute_conditions": home.conditions(ENTITIES[kind], view),
        "sort": [dict(level) for level in view.sort],
    }
