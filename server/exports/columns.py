"""Nested records as columns: dotted paths such as `currentEngagement.likes` and their types."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntFlag
from typing import Any

Row = dict[str, Any]
_Tree = dict[str, "_Tree"]

# Parquet's largest integer type; a larger number becomes text.
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
    MOMENT = 128
    """An instant or a day, as text; only a schema says so."""


# Plain integers: combining members of an enum is slow, and this is done for every cell.
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
    """Collects the columns of records, batch by batch.

    Its memory grows with the columns, not with the rows. `declared` paths come first and in their
    order, whether or not a record has them; records that hold objects there (custom attributes) add
    a column for each key. Nothing else is then taken.
    """

    declared: tuple[str, ...] = ()
    types: Mapping[str, Column] = field(default_factory=dict)
    """Columns by their names, as the schema has them: a column of a file is never less than that,
    whatever its rows happen to hold."""
    rows: int = 0
    _kinds: dict[str, int] = field(default_factory=dict)
    _elements: dict[str, int] = field(default_factory=dict)

    def add(self, records: Iterable[Row]) -> None:
        """Collect the columns of more records."""
        kinds = self._kinds
        for record in records:
            self.rows += 1
            for name, value in flatten(record).items():
                kind = _detect_kind(value)
                kinds[name] = kinds.get(name, 0) | kind
                if kind == Kind.LIST:
                    self._elements[name] = self._elements.get(name, 0) | _detect_elements(value)

    def list_columns(self) -> list[Column]:
        """Return the columns so far, those of one object side by side."""
        tree: _Tree = {}
        for path in (*self.declared, *filter(self._is_requested, self._kinds)):
            node = tree
            for step in path.split("."):
                node = node.setdefault(step, {})
        return [
            self._make_column(name)
            for name, has_children in _walk(tree, "")
            # An object that is null in some records is no column of its own beside its fields.
            if self._kinds.get(name, 0) or not has_children
        ]

    def _make_column(self, name: str) -> Column:
        declared = self.types.get(name, Column(name, Kind.NOTHING))
        kinds = declared.kinds | self._kinds.get(name, 0)
        return Column(name, kinds, declared.elements | self._elements.get(name, 0))

    def _is_requested(self, name: str) -> bool:
        prefixes = tuple(f"{path}." for path in self.declared)
        return not prefixes or f"{name}.".startswith(prefixes)


def flatten(record: Row) -> Row:
    """Return the record with a dotted path for each value; lists stay lists."""
    flat: Row = {}
    _flatten_into(flat, record, "")
    return flat


def join_values(values: Any) -> str:
    """Return a list as one text: scalars with "; " between them, anything deeper as JSON."""
    if not {dict, list}.isdisjoint(map(type, values)):
        return encode_json(values)
    # A null becomes an empty text, so that the others keep their places.
    return "; ".join("" if value is None else to_text(value) for value in values)


def to_text(value: Any) -> str:
    """Return a value as text: text as it is, anything else as JSON."""
    return value if isinstance(value, str) else encode_json(value)


def encode_json(value: Any) -> str:
    """Return compact JSON that does not escape other scripts."""
    return _COMPACT.encode(value)


def _flatten_into(flat: Row, record: Row, prefix: str) -> None:
    for key, value in record.items():
        if type(value) is not dict:
            flat[prefix + key] = value
        elif value:
            _flatten_into(flat, value, f"{prefix}{key}.")
        else:
            # An empty object has no field to stand for it, but its column must not be lost.
            flat[prefix + key] = None


def _detect_kind(value: Any) -> int:
    kind = _KINDS[type(value)]
    if kind == Kind.INT and value not in _INT64:
        return int(Kind.BIG)
    return kind


def _detect_elements(values: list[Any]) -> int:
    kinds = 0
    for value in values:
        kind = _detect_kind(value)
        # A list inside a list is written as JSON, as an object is.
        kinds |= int(Kind.NESTED) if kind == Kind.LIST else kind
    return kinds


def _walk(tree: _Tree, prefix: str) -> Iterable[tuple[str, bool]]:
    for step, inner in tree.items():
        yield prefix + step, bool(inner)
        yield from _walk(inner, f"{prefix}{step}.")
