"""A request on its way through the sandbox, and what every endpoint has at hand."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from operator import attrgetter
from typing import Any, TypeVar

from server.sandbox.archivebox.answers import ServerError
from server.sandbox.archivebox.dialect import Dialect
from server.sandbox.archivebox.world.records import User, find_all
from server.sandbox.archivebox.world.runner import Runner
from server.sandbox.archivebox.world.world import World

T = TypeVar("T")
# Whether a record, the last argument, fits the value of a parameter.
Filter = Callable[["Call", Any, Any], bool]
LARGEST_PAGE = 500


@dataclass(frozen=True)
class Request:
    """What came in: `path` is decoded, `query` is as sent, the headers' names are in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Counts:
    """What a well-behaved client never causes.

    deaths: the web process ended. removed_all: every snapshot was removed at once. hung: a command
    was started that never answers. blocked: a change that a real server would have held back until
    the running crawl had ended.
    """

    deaths: int = 0
    removed_all: int = 0
    hung: int = 0
    blocked: int = 0


@dataclass
class Call:
    """One request to one endpoint with its parsed arguments.

    user: who calls; None without a key. path, query: the parameters by name. body: None for an
    endpoint without one.
    """

    world: World
    runner: Runner
    counts: Counts
    request: Request
    user: User | None
    path: Mapping[str, Any] = field(default_factory=dict)
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None

    @property
    def dialect(self) -> Dialect:
        """The release that is imitated."""
        return self.world.dialect

    @property
    def caller(self) -> User:
        """Who calls an endpoint that requires a key."""
        if self.user is None:
            raise LookupError("an endpoint without a key asks who calls")
        return self.user

    def list_sent_fields(self) -> dict[str, Any]:
        """Return the fields of the body that were sent, unlike those that are at their default."""
        return {name: getattr(self.body, name) for name in self.body.model_fields_set}


def paginate(call: Call, records: Sequence[T], render: Callable[[T], Any]) -> dict[str, Any]:
    """Return a page of a list, with the server's own arithmetic and its mistakes.

    The limit is clamped in silence, 0 and -1 divide by zero, a negative start is an error of the
    database, and `page` in the answer is wrong as soon as more than one page is skipped.
    """
    limit = min(call.query["limit"], LARGEST_PAGE)
    offset = call.query["offset"] or call.query["page"] * limit
    if limit in (0, -1):
        raise ServerError("ZeroDivisionError", "division by zero")
    if offset < 0 or offset + limit < 0:
        raise ServerError("ValueError", "Negative indexing is not supported.")
    items = [render(record) for record in records[offset : offset + limit]]
    figures = {
        "total_items": len(records),
        "total_pages": math.ceil(len(records) / limit),
        "page": math.ceil(offset / (limit + 1)),
        "limit": limit,
        "offset": offset,
        "num_items": len(items),
    }
    # The order of the fields differs between releases, too.
    if call.dialect.old:
        return {**figures, "items": items}
    return {"items": items, "count": len(records), **figures}


def add_timezone(moment: datetime) -> datetime:
    """Return the moment with a time zone: without one it is UTC."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def select(
    call: Call,
    records: Iterable[T],
    filters: Mapping[str, Filter],
    values: Mapping[str, Any],
) -> list[T]:
    """Return the records that fit every filter that was sent.

    Args:
        filters: the checks by the name of their parameter.
        values: the parameters; one that was not sent is None or absent.
    """
    # What a release does not declare is never sent, so that one table serves all releases.
    for name, check in filters.items():
        value = values.get(name)
        if value is not None:
            records = find_all(records, partial(check, call, value))
    return list(records)


def make_date_filters(parameter: str, attribute: str = "") -> dict[str, Filter]:
    """Return the filters by a date: at that moment, from it on, and before it.

    Args:
        attribute: where the records have the date, if not under the name of the parameter.
    """
    get_date = attrgetter(attribute or parameter)
    return {
        parameter: lambda call, date, record: get_date(record) == add_timezone(date),
        f"{parameter}__gte": lambda call, date, record: get_date(record) >= add_timezone(date),
        f"{parameter}__lt": lambda call, date, record: get_date(record) < add_timezone(date),
    }


def contains(text: str | None, part: str) -> bool:
    """Return whether the part is in the text, whatever the case."""
    return part.lower() in (text or "").lower()


def contains_any(texts: Iterable[str | None], part: str) -> bool:
    """Return whether the part is in one of the texts, whatever the case."""
    return any(contains(text, part) for text in texts)
