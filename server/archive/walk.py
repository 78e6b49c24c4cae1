"""The one rule of reading pages: each record once, and an end.

Lists move while they are read: a post that arrives pushes others onto the next page, where they
come a second time. And a list whose cursors repeat, or whose pages bring nothing new, has no end.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from server.errors import Code, Failure
from server.text import count_noun

_IDLE_PAGES = 3
"""Pages in a row that may bring nothing new: posts may be deleted or moved while a list is read."""
_SPARE = 1_000
"""Records that a list may have more than twice its count: others may add to it."""

MOVED = (
    "{count} came twice, as the list moved while it was read; each is counted once. "
    "Others may have been missed."
)


IDENTITIES = ("id", "at")
"""Fields that tell a record from others: its id, or the time of a snapshot."""


def identify(record: dict[str, Any]) -> str | None:
    """Return what tells a record from others; None if it was not asked for."""
    key = next((record[name] for name in IDENTITIES if record.get(name)), None)
    return str(key) if key else None


class Walk:
    """The way through one list, from page to page; `repeats` counts the records that came again."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        self.repeats = 0
        self._known = set(known)
        self._cursors: set[str | None] = set()
        self._count = 0
        self._idle = 0

    def take(self, record: dict[str, Any]) -> bool:
        """Return whether the record comes for the first time."""
        key = identify(record)
        if key in self._known:
            self.repeats += 1
            return False
        if key is not None:
            self._known.add(key)
        self._count += 1
        self._idle = 0
        return True

    def step(self, cursor: str | None, total: int | None) -> None:
        """Go on to the page behind `cursor`, in a list of `total` records.

        Raises:
            Failure: `BAD_RESPONSE` where the list has no end.
        """
        if cursor in self._cursors:
            raise describe_endless("it repeats a cursor")
        self._cursors.add(cursor)
        # Of the page before as well, which may have brought some.
        self._idle += 1
        if self._idle > _IDLE_PAGES:
            raise describe_endless(f"{_IDLE_PAGES} pages in a row bring nothing new")
        if total is not None and self._count > 2 * total + _SPARE:
            raise describe_endless(f"it counts {total:,} records and sent {self._count:,}")


def drop_repeats(records: list[Any]) -> tuple[list[Any], int]:
    """Return the records of one page without those that it holds twice, and how many these are."""
    walk = Walk()
    return [record for record in records if walk.take(record)], walk.repeats


def describe_repeats(count: int) -> list[str]:
    """Return the note about records that came again, if any did."""
    return [MOVED.format(count=count_noun(count, "record"))] if count else []


def describe_endless(reason: str) -> Failure:
    """Return the failure of a list that cannot be read to its end."""
    # Not retryable: a job pauses at once, as its next attempt would meet the same pages.
    return Failure(
        Code.BAD_RESPONSE,
        f"Archive sends a list without an end: {reason}.",
        "Try again later, or narrow it down by a filter so that it fits into one page.",
    )
