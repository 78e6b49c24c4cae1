"""What people save in a workspace: collections, views, and the groups that hold both.

A workspace starts with what its brand lists and keeps every change in memory, so a reset of the
sandbox forgets them. The number of a deleted record is never given out again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from server.sandbox.archive.data.archive_base import ArchiveBase
from server.sandbox.archive.data.brands import GroupSpec, ViewSpec
from server.sandbox.archive.data.membership import Membership
from server.sandbox.archive.scalars import utc
from server.sandbox.ids import Kind, draw

VIEWS = (Kind.CONTENT_VIEW, Kind.CREATOR_VIEW, Kind.PROFILE_VIEW)
ENTITIES = {Kind.CONTENT_VIEW: "ITEM", Kind.CREATOR_VIEW: "CREATOR", Kind.PROFILE_VIEW: "CREATOR"}
"""Whose custom attributes the conditions of a view ask for."""
# Days: the age of the first record of a kind, and how much younger each further one is.
_OLDEST, _STEP = 420, 35

Key = tuple[Kind, int]


@dataclass(frozen=True)
class Record:
    """Something saved; attributes are the API's fields in snake case."""

    library: Library
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
        return self.library.workspace.id_of(self.kind, self.number)

    @property
    def group(self) -> Group | None:
        return self.library.group_of(self)


@dataclass(frozen=True)
class Collection(Record):
    """A static set of items."""

    @property
    def item_count(self) -> int:
        return self.library.membership.count(self.number)


@dataclass(frozen=True)
class SavedView(Record):
    """A saved search, with everything as the caller wrote it."""

    filters: dict[str, Any]
    custom_attribute_conditions: list[dict[str, Any]]
    sort: list[dict[str, str]]
    show_reporting_stats: bool = True


def _members(kind: Kind) -> property:
    def read(group: Group) -> list[Record]:
        return [record for record in group.library.members(group) if record.kind is kind]

    return property(read)


@dataclass(frozen=True)
class Group(Record):
    """A group of collections and views, each list in the order of the group."""

    collections = _members(Kind.COLLECTION)
    content_views = _members(Kind.CONTENT_VIEW)
    creator_views = _members(Kind.CREATOR_VIEW)
    social_profile_views = _members(Kind.PROFILE_VIEW)


R = TypeVar("R", bound=Record)


class Records(Generic[R]):
    """All records of one kind, least recently updated first."""

    def __init__(
        self, library: Library, kind: Kind, make: type[R], specs: Iterable[dict[str, Any]]
    ) -> None:
        self._library = library
        self._workspace = library.workspace
        self._kind = kind
        self._make = make
        records = [self._make_first(number, spec) for number, spec in enumerate(specs)]
        self._next = len(records)
        # A dict keeps the order in which keys come, which stands for the order of updates here.
        records.sort(key=lambda record: record.updated_at)
        self._records = {record.number: record for record in records}

    def _make_first(self, number: int, parts: dict[str, Any]) -> R:
        """Return a record that the workspace starts with, at times drawn from its number."""
        bits = draw(self._workspace.seed, number, 60 + self._kind)
        age = timedelta(days=_OLDEST - number * _STEP % _OLDEST, seconds=bits & 0xFFFF)
        created = self._workspace.anchor - age
        until_update = int(age.total_seconds() * (bits >> 16 & 0xFF) / 0x100)
        return self._make(
            self._library,
            self._kind,
            number,
            created_at=created,
            updated_at=created + timedelta(seconds=until_update),
            **parts,
        )

    def find(self, text: str) -> R | None:
        number = self._workspace.number_of(self._kind, text)
        return None if number is None else self._records.get(number)

    def at(self, number: int) -> R:
        """Return the record with a number that is in use."""
        return self._records[number]

    def oldest_first(self) -> list[R]:
        """Return all records in the order of their creation."""
        return [self._records[number] for number in sorted(self._records)]

    def latest_update_first(self) -> list[R]:
        """Return all records, the one changed last before all others."""
        return list(reversed(self._records.values()))

    def create(self, **parts: Any) -> R:
        """Return a new record with a number of its own."""
        now = self._workspace.changes.now
        record = self._make(
            self._library,
            self._kind,
            self._next,
            created_at=now,
            updated_at=now,
            **parts,
        )
        self._next += 1
        self._records[record.number] = record
        return record

    def update(self, record: R, **parts: Any) -> R:
        """Return the record with these parts replaced."""
        changed = replace(record, updated_at=self._workspace.changes.now, **parts)
        # Taken out first, so that it comes back as the last one.
        del self._records[record.number]
        self._records[record.number] = changed
        return changed

    def delete(self, record: Record) -> None:
        del self._records[record.number]


class Library:
    """Everything saved in one workspace."""

    def __init__(self, workspace: ArchiveBase) -> None:
        brand = workspace.brand
        self.workspace = workspace
        self.membership = Membership(workspace)
        self.collections = Records(
            self,
            Kind.COLLECTION,
            Collection,
            [{"name": spec.name} for spec in brand.collections],
        )
        self.groups = Records(
            self,
            Kind.VIEW_GROUP,
            Group,
            [{"name": spec.name} for spec in brand.groups],
        )
        views = (brand.content_views, brand.creator_views, brand.profile_views)
        self.views = {
            kind: Records(self, kind, SavedView, [self._view_parts(kind, spec) for spec in specs])
            for kind, specs in zip(VIEWS, views, strict=True)
        }
        self._by_kind: dict[Kind, Records[Any]] = {
            Kind.COLLECTION: self.collections,
            Kind.VIEW_GROUP: self.groups,
            **self.views,
        }
        # The group of a record, and by the order of the keys also its place in the group.
        self._group_numbers: dict[Key, int] = {}
        for number, spec in enumerate(brand.groups):
            self._group_numbers |= dict.fromkeys(self._keys_in(spec), number)

    def _view_parts(self, kind: Kind, spec: ViewSpec) -> dict[str, Any]:
        filters = dict(spec.filters)
        if spec.days:
            start = self.workspace.anchor - timedelta(days=spec.days)
            filters["takenAt"] = {"from": utc(start)}
        return {
            "name": spec.name,
            "filters": filters,
            "custom_attribute_conditions": self.workspace.conditions_of(ENTITIES[kind], spec),
            "sort": [dict(level) for level in spec.sort],
        }

    def _keys_in(self, spec: GroupSpec) -> list[Key]:
        names = {
            Kind.COLLECTION: spec.collections,
            Kind.CONTENT_VIEW: spec.content_views,
            Kind.CREATOR_VIEW: spec.creator_views,
            Kind.PROFILE_VIEW: spec.profile_views,
        }
        keys: list[Key] = []
        for kind, members in names.items():
            by_name = {record.name: record.key for record in self._by_kind[kind].oldest_first()}
            keys += [by_name[name] for name in members]
        return keys

    def find(self, text: str) -> Record | None:
        matches: Iterator[Record | None] = (table.find(text) for table in self._by_kind.values())
        return next(filter(None, matches), None)

    def group_of(self, record: Record) -> Group | None:
        number = self._group_numbers.get(record.key)
        return None if number is None else self.groups.at(number)

    def members(self, group: Group) -> list[Record]:
        """Return everything in a group, in its order."""
        return [
            self._by_kind[kind].at(number)
            for (kind, number), group_number in self._group_numbers.items()
            if group_number == group.number
        ]

    def move(self, record: Record, group: Group | None) -> Record:
        """Put a record at the end of a group, or out of any; where it is already, it keeps its
        place."""
        if self.group_of(record) == group:
            return record
        self._group_numbers.pop(record.key, None)
        if group is not None:
            self._group_numbers[record.key] = group.number
        changed: Record = self._by_kind[record.kind].update(record)
        return changed

    def reorder(self, group: Group, first: list[Record]) -> Group:
        """Put these members of a group before the others, which keep their order."""
        keys = [record.key for record in (*first, *self.members(group))]
        # Taken out first: a key that stays in a dict would keep its old place.
        for key in keys:
            self._group_numbers.pop(key, None)
        self._group_numbers.update(dict.fromkeys(keys, group.number))
        return self.groups.update(group)

    def delete(self, record: Record) -> None:
        # What a record holds outlives it: only its own entry goes.
        self._group_numbers.pop(record.key, None)
        if record.kind is Kind.COLLECTION:
            self.workspace.changes.drop_moves(record.number)
        self._by_kind[record.kind].delete(record)
