"""Finds records and completions by what people type."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from server.tool.names import find_matches, normalise

Row = dict[str, Any]


def match_records(rows: list[Row], name: str) -> list[Row]:
    """Return the records that a name or id stands for, by the best kind of match that there is."""
    return find_matches(
        name, rows, name=lambda row: str(row["name"]), identity=lambda row: str(row["id"])
    )


def match_completions(values: Iterable[str], typed: str) -> list[str]:
    """Return the values that hold what was typed, those that begin with it first."""
    key = normalise(typed)
    matches = [value for value in values if key in normalise(value)]
    # Sorting is stable, so both parts keep their order.
    return sorted(matches, key=lambda value: not normalise(value).startswith(key))
