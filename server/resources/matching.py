"""Compares names as people type them: in any case, with accents encoded either way."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Callable, Iterable
from typing import Any

Row = dict[str, Any]


def fold(text: str) -> str:
    """Return the text as names are compared."""
    # An accent may be part of its letter or follow it.
    return unicodedata.normalize("NFC", text).casefold()


def closest_match(word: str, choices: Iterable[str]) -> str:
    """Return the choice that a word is probably a typo of, empty where there is none."""
    by_folded = {fold(choice): choice for choice in choices}
    matches = difflib.get_close_matches(fold(word), by_folded, n=1)
    return by_folded[matches[0]] if matches else ""


def match_records(rows: list[Row], name: str) -> list[Row]:
    """Return the records that a name or id stands for, by the best kind of match that there is."""
    folded = fold(name)
    tests: tuple[Callable[[Row], bool], ...] = (
        lambda row: str(row["id"]) == name,
        lambda row: bool(row["name"] == name),
        lambda row: fold(str(row["name"])) == folded,
        lambda row: folded in fold(str(row["name"])),
    )
    for test in tests:
        matches = list(filter(test, rows))
        if matches:
            return matches
    return []


def match_completions(values: Iterable[str], typed: str) -> list[str]:
    """Return the values that hold what was typed, those that begin with it first."""
    folded = fold(typed)
    matches = [value for value in values if folded in fold(value)]
    # Sorting is stable, so both parts keep their order.
    return sorted(matches, key=lambda value: not fold(value).startswith(folded))
