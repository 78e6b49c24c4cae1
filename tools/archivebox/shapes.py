"""Small steps from what ArchiveBox answers to what a tool answers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from server.tool.result import drop_empty

_MOST_SHOWN = 100

Json = dict[str, Any]


def leave_out(record: Mapping[str, Any], names: Collection[str]) -> Json:
    """Return a record without the fields of these names."""
    return {name: value for name, value in record.items() if name not in names}


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


def show_groups(groups: dict[str, list[Json]], notes: list[str]) -> Json:
    """Return the counts of all groups, and the first pages of each."""
    counts = {name: len(group) for name, group in groups.items()}
    shown = {name: group[:_MOST_SHOWN] for name, group in groups.items()}
    if max(counts.values()) > _MOST_SHOWN:
        notes = [*notes, f"Each list ends at {_MOST_SHOWN}."]
    return {"counts": counts, **drop_empty(shown), "notes": notes}
