"""Finds the line of each table and key of a TOML text, for what is said about them."""

from __future__ import annotations

import re
from collections import Counter

_HEADER = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(r"\s*(?:\"([^\"]+)\"|'([^']+)'|([A-Za-z0-9_-]+))\s*=")
_QUOTES = ('"""', "'''")


class Places:
    """The lines of one text.

    A table is called as it is written, with its number where there are several: `archive.main`,
    `person 2`.
    """

    def __init__(self, text: str) -> None:
        self._tables: dict[str, int] = {}
        self._keys: dict[tuple[str, str], int] = {}
        counts: Counter[str] = Counter()
        table, quote = "", ""
        for number, line in enumerate(text.splitlines(), 1):
            # A text over several lines may hold what looks like a table.
            if quote:
                quote = "" if quote in line else quote
                continue
            quote = next((mark for mark in _QUOTES if line.count(mark) == 1), "")
            if match := _HEADER.match(line):
                table = _join(match[2])
                if match[1] == "[[":
                    counts[table] += 1
                    table = f"{table} {counts[table]}"
                self._tables.setdefault(table, number)
            elif match := _KEY.match(line):
                key = match[1] or match[2] or match[3]
                self._keys.setdefault((table, key), number)

    def find(self, table: str, key: str = "") -> int | None:
        """Return the line of a key of a table, else of the table; None where neither is found."""
        places = (self._keys.get((table, key)), self._tables.get(table))
        return places[0] or places[1] or self._tables.get(f"{table} 1")


def _join(name: str) -> str:
    parts = [part.strip().strip("\"'") for part in name.split(".")]
    return ".".join(parts)
