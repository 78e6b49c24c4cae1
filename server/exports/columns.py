"""Nested records as columns: dotted paths such as `currentEngagement.likes`, in a stable order,
with what they hold."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntFlag
from typing import Any

Row = dict[str, Any]
_Tree = dict[str, "_Tree"]

_INT64 = range(-(2**63), 2**63)
_COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


class Kind(IntFlag):
    """What the values of a column are; a column can hold several."""

    NOTHING = 0
    BOOL = 1
    INT = 2
    FLOAT = 4
    TEXT = 8
    BIG = 16
    NESTED = 32
    LIST = 64


_KINDS: dict[type, int] = {
    type(None): int(Kind.NOTHING),
    bool: int(Kind.BOOL),
    int: int(Kind.INT),
    float: int(Kind.FLOAT),
    str: int(Kind.TEXT),
    dict: int(Kind.NESTED),
    list: int(Kind.LIST),
}


@dataclass(frozen=True)
class Column:
    """A column: its dotted path, the kinds of its own values, and of the elements of its lists."""

    name: str
    kinds: Kind
    elements: Kind = Kind.NOTHING


@dataclass
class Survey:
    """Finds the columns of records, batch by batch; its memory grows with the columns, not with the
    rows.

    `declared` paths come first and in their order, whether or not a record has them; records found
    to hold objects there (custom attributes) bring a column for each key. Nothing else is then
    taken.
    """

    declared: tuple[str, ...] = ()
    rows: int = 0
    _kinds: dict[str, int] = field(default_factory=dict)
    _elements: dict[str, int] = field(default_factory=dict)

    def add(self, records: Iterable[Row]) -> None:
        """Look at more records."""
        kinds = self._kinds
        for record in records:
            self.rows += 1
            for name, value in flatten(record).items():
                kind = _KINDS[type(value)]
                if kind == Kind.INT and value not in _INT64:
                    kind = int(Kind.BIG)
                elif kind == Kind.LIST:
                    self._elements[name] = self._elements.get(name, 0) | _elements(value)
                kinds[name] = kinds.get(name, 0) | kind

    def columns(self) -> list[Column]:
        """The columns found so far, those of one object side by side."""
        tree: _Tree = {}
        for path in (*self.declared, *filter(self._wanted, self._kinds)):
            here = tree
            for step in path.split("."):
                here = here.setdefault(step, {})
        return [
            Column(name, Kind(self._kinds.get(name, 0)), Kind(self._elements.get(name, 0)))
            for name, has_children in _walk(tree, "")
            # An object that is null in some records is no column of its own beside its fields.
            if self._kinds.get(name, 0) or not has_children
        ]

    def _wanted(self, name: str) -> bool:
        return not self.declared or any(
            name == each or name.startswith(f"{each}.") for each in self.declared
        )


def flatten(record: Row) -> Row:
    """The record with a dotted path for each value; lists stay lists."""
    flat: Row = {}
    _flatten(record, "", flat)
    return flat


def joined(value: Any) -> str:
    """A list as one text: scalars with "; " between them, anything deeper as JSON."""
    if any(isinstance(each, dict | list) for each in value):
        return as_json(value)
    return "; ".join("" if each is None else plain(each) for each in value)


def plain(value: Any) -> str:
    """A value as text: text as it is, anything else as JSON writes it."""
    return value if isinstance(value, str) else as_json(value)


def as_json(value: Any) -> str:
    """Compact JSON that keeps every script readable."""
    return _COMPACT.encode(value)


def _flatten(record: Row, prefix: str, flat: Row) -> None:
    for key, value in record.items():
        if type(value) is not dict:
            flat[prefix + key] = value
        elif value:
            _flatten(value, f"{prefix}{key}.", flat)
        else:
            flat[prefix + key] = None


def _elements(values: list[Any]) -> int:
    found = 0
    for value in values:
        kind = _KINDS[type(value)]
        if kind == Kind.INT and value not in _INT64:
            kind = int(Kind.BIG)
        found |= int(Kind.NESTED) if kind == Kind.LIST else kind
    return found


def _walk(tree: _Tree, prefix: str) -> Iterable[tuple[str, bool]]:
    for step, inner in tree.items():
        yield prefix + step, bool(inner)
        yield from _walk(inner, f"{prefix}{step}.")
