"""Pages and cursors.

Page size 1 to 100 and the text of the refusals: Archive docs, pagination and error handling. A
cursor names the record it stands behind, so that paging goes on in the right place when records
were added meanwhile; a cursor whose record is no longer in the list is stale and leads to an empty
page.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError

MOST = 100


@dataclass(frozen=True)
class PageInfo:
    """Where a page stands."""

    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@dataclass(frozen=True)
class Edge:
    """A record with its cursor."""

    cursor: str
    node: Any


class Page:
    """One page; records are made once, when nodes or edges are read."""

    def __init__(
        self,
        list_name: str,
        numbers: Sequence[int],
        start: int,
        end: int,
        make: Callable[[int], Any],
        *,
        edge_name: str,
    ) -> None:
        self.total_count = len(numbers)
        self._edge_name = edge_name
        self._start = start
        self._numbers = numbers[start:end]
        self._made: list[Any] | None = None
        self._make = make
        filled = len(self._numbers) > 0
        self.page_info = PageInfo(
            has_next_page=end < len(numbers),
            has_previous_page=start > 0,
            start_cursor=self._cursor(list_name, 0) if filled else None,
            end_cursor=self._cursor(list_name, len(self._numbers) - 1) if filled else None,
        )

    @property
    def nodes(self) -> list[Any]:
        """The records."""
        if self._made is None:
            self._made = [self._make(number) for number in self._numbers]
        return self._made

    @property
    def edges(self) -> list[Edge]:
        """The records with their cursors."""
        return [
            Edge(self._cursor(self._edge_name, place), node)
            for place, node in enumerate(self.nodes)
        ]

    def _cursor(self, name: str, place: int) -> str:
        return write(name, self._start + place + 1, self._numbers[place])


def page(
    list_name: str,
    numbers: Sequence[int],
    make: Callable[[int], Any],
    *,
    first: int | None,
    after: str | None,
    edge_name: str | None = None,
) -> Page:
    """Cut one page out of a list of record numbers; with an `edge_name` the cursors of edges cannot
    be paged from.

    Raises GraphQLError for a size out of bounds and for a cursor that this list never gave out.
    """
    size = check_first(first)
    start = _position(list_name, numbers, after) if after is not None else 0
    return Page(
        list_name,
        numbers,
        start,
        min(start + size, len(numbers)),
        make,
        edge_name=edge_name or list_name,
    )


def check_first(first: int | None) -> int:
    """The page size, if it is one."""
    if first is None or first < 1:
        raise GraphQLError("first must be greater than or equal to 1")
    if first > MOST:
        raise GraphQLError(f"first must be less than or equal to {MOST}")
    return first


def _position(list_name: str, numbers: Sequence[int], cursor: str) -> int:
    place, number = _read(list_name, cursor)
    if 0 < place <= len(numbers) and numbers[place - 1] == number:
        return place
    try:
        return numbers.index(number) + 1
    except ValueError:
        return len(numbers)


def write(list_name: str, place: int, number: int) -> str:
    """The cursor behind a record at a place of a list."""
    return base64.urlsafe_b64encode(f"{list_name}:{place}:{number}".encode()).decode().rstrip("=")


def _read(list_name: str, cursor: str) -> tuple[int, int]:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (binascii.Error, ValueError) as error:
        raise GraphQLError("Invalid cursor") from error
    match = re.fullmatch(rf"{list_name}:(\d{{1,12}}):(-?\d{{1,12}})", text, re.ASCII)
    if match is None:
        raise GraphQLError("Invalid cursor")
    place, number = int(match.group(1)), int(match.group(2))
    if write(list_name, place, number) != cursor:
        # Decoding forgives what was never encoded that way.
        raise GraphQLError("Invalid cursor")
    return place, number
