"""Small steps from what ArchiveBox answers to what a tool answers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

Json = dict[str, Any]


def leave_out(record: Mapping[str, Any], names: Collection[str]) -> Json:
    """Return a record without the fields of these names."""
    return {name: value for name, value in record.items() if name not in names}


def drop_empty(record: Mapping[str, Any]) -> Json:
    """Return a record without null, empty texts, lists and objects."""
    return {name: value for name, value in record.items() if value not in (None, "", [], {})}


def add_notes(record: Mapping[str, Any], notes: Sequence[str]) -> Json:
    """Return a record with its notes, where there are any."""
    return {**record, **drop_empty({"notes": [*notes]})}


def list_first(items: Sequence[str], most: int, *, count: int | None = None) -> str:
    """Return the first of some texts with commas, and dots where there are more.

    Args:
        count: how many there are, where not all are at hand.
    """
    total = len(items) if count is None else count
    return ", ".join([*items[:most], *["..."][: max(0, total - most)]])


def plain_id(identity: Any) -> str:
    """Return an id in one form: 0.9.73 writes ids without dashes, older versions with them."""
    return str(identity).replace("-", "").lower()
