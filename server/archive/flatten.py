"""Records as rows of a file: one column per selected field, with the unit in its name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from server.archive.records import (
    Field,
    Record,
    Selection,
    fields_of,
)

Row = dict[str, Any]


def list_columns(selection: Selection, record: type[Record]) -> tuple[str, ...]:
    """Return the dotted columns of a selection, in its order."""
    return tuple(path for path, _ in _leaves(selection, record))


def list_units(selection: Selection, record: type[Record]) -> dict[str, str]:
    """Return the unit of each column that has one."""
    return {path: field.unit for path, field in _leaves(selection, record) if field.unit}


def make_row(value: Row, record: type[Record], selection: Selection, *, flat: bool) -> Row:
    """Return a record as a row, its fields in the order of the selection.

    Args:
        flat: a list of records becomes one list for each of their fields, as a table needs it.
    """
    shaped: Row = {}
    for name, inner in selection.items():
        # `get`: a partial answer may lack a field, but every row needs all columns.
        field, item = fields_of(record)[name], value.get(name)
        if field.record is None:
            shaped[_column(name, field)] = item
        elif isinstance(item, list) and flat:
            shaped[name] = _transpose(item, field.record, inner)
        elif isinstance(item, list):
            shaped[name] = [
                _make_nested_row(entry, field.record, inner, flat=flat) for entry in item
            ]
        else:
            shaped[name] = _make_nested_row(item, field.record, inner, flat=flat)
    return shaped


def _make_nested_row(
    value: Row | None, record: type[Record], selection: Selection, *, flat: bool
) -> Row | None:
    # A missing record stays null: a row of empty fields would look like a record without values.
    return make_row(value, record, selection, flat=flat) if value else None


def _leaves(
    selection: Selection, record: type[Record], prefix: str = ""
) -> Iterator[tuple[str, Field]]:
    for name, inner in selection.items():
        field = fields_of(record)[name]
        if field.record is None:
            yield prefix + _column(name, field), field
        else:
            yield from _leaves(inner, field.record, f"{prefix}{name}.")


def _column(name: str, field: Field) -> str:
    # A file leaves this server without the result that names its units, so its columns carry them.
    return name + field.unit.capitalize()


def _transpose(items: list[Any], record: type[Record], selection: Selection) -> Row:
    """Return lists of equal length, one per field; a list inside a list is flattened."""
    records: list[Any] = []
    for item in items:
        records += item if isinstance(item, list) else [item]
    lists: Row = {}
    for name, inner in selection.items():
        field = fields_of(record)[name]
        # One value for each record, null or not: otherwise the lists would no longer match by
        # place.
        values = [(value or {}).get(name) for value in records]
        if field.record is None:
            lists[_column(name, field)] = values
        else:
            lists[name] = _transpose(values, field.record, inner)
    return lists
