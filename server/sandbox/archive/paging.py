"""Pages and cursors.

Page size 1 to 100 and the text of the refusals: Archive docs, pagination and error handling. A
cursor names the record it stands behind, so that paging resumes in the right place when records
were added meanwhile; a cursor whose record is no longer in the list is stale and leads to an empty
page.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from graphql import GraphQLError

from server.sandbox.archive.errors import ensure

MAX_PAGE_SIZE = 100


@dataclass(frozen=True)
class PageInfo:
    """Where a page stands in its list."""

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
        self._make = make
        # An empty page stands nowhere, so it has no cursors.
        ends: list[str | None] = [None, None]
        if len(self._numbers) > 0:
            ends = [self._cursor(list_name, place) for place in (0, len(self._numbers) - 1)]
        self.page_info = PageInfo(
            has_next_page=end < len(numbers),
            has_previous_page=start > 0,
            start_cursor=ends[0],
            end_cursor=ends[1],
        )

    @cached_property
    def nodes(self) -> list[Any]:
        return [self._make(number) for number in self._numbers]

    @property
    def edges(self) -> list[Edge]:
        return [
            Edge(
                cursor=self._cursor(self._edge_name, place),
                node=node,
            )
            for place, node in enumerate(self.nodes)
        ]

    def _cursor(self, name: str, place: int) -> str:
        return encode_cursor(name, self._start + place + 1, self._numbers[place])


def paginate(
    list_name: str,
    numbers: Sequence[int],
    make: Callable[[int], Any],
    *,
    first: int | None,
    after: str | None,
    edge_name: str | None = None,
) -> Page:
    """Return one page of a list of record numbers.

    list_name: what the cursors belong to, so that no list takes those of another. edge_name:
    another name for the cursors of edges, from which no further page can be read then.

    Raises GraphQLError for a size out of bounds and for a cursor that this list never gave out.
    """
    size = check_page_size(first)
    start = 0 if after is None else _find_start(list_name, numbers, after)
    return Page(
        list_name,
        numbers,
        start,
        min(start + size, len(numbers)),
        make,
        edge_name=edge_name or list_name,
    )


def check_page_size(first: int | None) -> int:
    """Return the page size. Raises GraphQLError if it is none."""
    size = first or 0
    ensure(size >= 1, "first must be greater than or equal to 1")
    ensure(size <= MAX_PAGE_SIZE, f"first must be less than or equal to {MAX_PAGE_SIZE}")
    return size


def _find_start(list_name: str, numbers: Sequence[int], cursor: str) -> int:
    place, number = _decode_cursor(list_name, cursor)
    # Usually nothing moved since, which saves the search.
    if 0 < place <= len(numbers) and numbers[place - 1] == number:
        return place
    try:
        return numbers.index(number) + 1
    except ValueError:
        return len(numbers)


def encode_cursor(list_name: str, place: int, number: int) -> str:
    """Return the cursor behind a record at a place of a list."""
    return base64.urlsafe_b64encode(f"{list_name}:{place}:{number}".encode()).decode().rstrip("=")


def _decode_cursor(list_name: str, cursor: str) -> tuple[int, int]:
    try:
        # The padding was cut off when the cursor was written.
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (binascii.Error, ValueError) as error:
        raise GraphQLError("Invalid cursor") from error
    match = re.fullmatch(rf"{list_name}:(\d{{1,12}}):(-?\d{{1,12}})", text, re.ASCII)
    if match is None:
        raise GraphQLError("Invalid cursor")
    place, number = int(match.group(1)), int(match.group(2))
    # Decoding forgives what was never encoded that way.
    ensure(encode_cursor(list_name, place, number) == cursor, "Invalid cursor")
    return place, number
