"""How commands select snapshots: by patterns, and on the newest release by every field."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import partial
from operator import attrgetter

from server.sandbox.archivebox.answers import ProcessExit, ServerError, make_field_error
from server.sandbox.archivebox.call import Call, Filter, contains, select
from server.sandbox.archivebox.endpoints.snapshots import parse_status
from server.sandbox.archivebox.lookup import matches_search, parse_id
from server.sandbox.archivebox.world.records import Snapshot, find_all

_FIELDS = (
    "bookmarked_at",
    "created_at",
    "downloaded_at",
    "id",
    "modified_at",
    "status",
    "timestamp",
    "title",
    "url",
)
_SCHEMES = ("http", "https", "ftp")


def select_snapshots(call: Call) -> list[Snapshot]:
    """Return the snapshots that a command is about.

    Raises:
        ProcessExit: the kind of pattern is unknown.
        Detail, ServerError: other mistakes, as the server answers them.
    """
    if not call.dialect.filters_commands:
        return _select_by_pattern(call)
    body = call.body
    values = {
        "status": parse_status(call, body.status),
        "url__icontains": body.url__icontains,
        "url__istartswith": body.url__istartswith,
        "tag": body.tag or None,
        "crawl_id": _parse_crawl_id(body.crawl_id),
        "after": _parse_date(body.after),
        "before": _parse_date(body.before),
    }
    snapshots = select(call, call.world.snapshots.values(), _FILTERS, values)
    patterns = body.filter_patterns or []
    # With `search` the patterns are the words of a query instead, and their kind is ignored.
    text = " ".join(patterns).strip() if body.search else ""
    if text:
        snapshots = select(call, snapshots, _SEARCH, {"text": text})
    else:
        snapshots = match_patterns(call, snapshots, patterns, body.filter_type or "substring")
    snapshots = _sort(snapshots, body.sort or "-created_at")
    # A limit of nothing is no limit.
    has_limit = body.limit is not None and body.limit > 0
    return snapshots[: body.limit] if has_limit else snapshots


def match_patterns(
    call: Call, snapshots: Iterable[Snapshot], patterns: list[str], kind: str
) -> list[Snapshot]:
    """Return the snapshots that any of the patterns fits; all without patterns.

    Raises:
        ProcessExit: the kind of pattern is unknown.
        ServerError: a pattern is no regular expression.
    """
    # Without patterns their kind is not looked at, so that an unknown one does no harm.
    if not patterns:
        return list(snapshots)
    if kind not in _PATTERN_CHECKS:
        raise ProcessExit
    try:
        # Checked first, since without any snapshot no pattern would be used.
        list(map(re.compile, patterns if kind == "regex" else ()))
    except re.error:
        # SQLite calls Python for regular expressions, and reports only that this failed.
        raise ServerError("OperationalError", "user-defined function raised exception") from None
    checks = [partial(_PATTERN_CHECKS[kind], call, pattern) for pattern in patterns]
    return find_all(snapshots, lambda snapshot: any(check(snapshot) for check in checks))


def match_patterns_and_dates(call: Call, kind: str) -> list[Snapshot]:
    """Return the snapshots that the patterns and the two dates of a command before 0.9.73 fit."""
    body, snapshots = call.body, call.world.snapshots.values()
    matches = match_patterns(call, snapshots, body.filter_patterns or [], kind)
    return select(call, matches, _TEXT_FILTERS, {"after": body.after, "before": body.before})


def _select_by_pattern(call: Call) -> list[Snapshot]:
    snapshots = match_patterns_and_dates(call, call.body.filter_type)
    status = getattr(call.body, "status", None)
    # Here a status says whether a snapshot was fetched, and not what the runner does with it.
    if status in ("archived", "unarchived"):
        values = {"is_archived": status == "archived"}
        snapshots = select(call, snapshots, _TEXT_FILTERS, values)
    return _sort(snapshots, getattr(call.body, "sort", "") or "created_at")


def _parse_date(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _parse_crawl_id(text: str | None) -> str | None:
    if text is None:
        return None
    if (id := parse_id(text)) is None:
        raise ServerError("ValidationError", f"['“{text}” is not a valid UUID.']")
    return id


def _sort(snapshots: list[Snapshot], sort: str) -> list[Snapshot]:
    """Return the snapshots sorted by a field of the database, backwards with a minus before it."""
    name = sort.removeprefix("-")
    if name not in _FIELDS:
        raise make_field_error(name, ", ".join(_FIELDS))
    get_value = attrgetter(name)
    return sorted(
        snapshots,
        # As text, since a date or a title may be missing; the id decides between equal ones.
        key=lambda snapshot: (str(get_value(snapshot) or ""), snapshot.id),
        reverse=sort.startswith("-"),
    )


def _has_tag(call: Call, name: str, snapshot: Snapshot) -> bool:
    return name.lower() in map(str.lower, call.world.list_tag_names(snapshot))


def _begins_with_domain(call: Call, pattern: str, snapshot: Snapshot) -> bool:
    prefixes = tuple(f"{scheme}://{pattern.lower()}" for scheme in _SCHEMES)
    return snapshot.url.lower().startswith(prefixes)


def _matches_search(call: Call, text: str, snapshot: Snapshot) -> bool:
    return matches_search(call.world, snapshot, text, call.body.search, with_ids=False)


_PATTERN_CHECKS: dict[str, Filter] = {
    "exact": lambda call, pattern, snapshot: snapshot.url == pattern,
    "substring": lambda call, pattern, snapshot: contains(snapshot.url, pattern),
    "regex": lambda call, pattern, snapshot: bool(re.search(pattern, snapshot.url, re.IGNORECASE)),
    "domain": _begins_with_domain,
    "tag": lambda call, pattern, snapshot: pattern in call.world.list_tag_names(snapshot),
    "timestamp": lambda call, pattern, snapshot: snapshot.timestamp == pattern,
}
_FILTERS: dict[str, Filter] = {
    "status": lambda call, status, snapshot: snapshot.status == status,
    "url__icontains": lambda call, text, snapshot: contains(snapshot.url, text),
    "url__istartswith": lambda call, text, snapshot: snapshot.url.lower().startswith(text.lower()),
    "crawl_id": lambda call, id, snapshot: snapshot.crawl.id == id,
    "after": lambda call, date, snapshot: snapshot.bookmarked_at > date,
    "before": lambda call, date, snapshot: snapshot.bookmarked_at < date,
    "tag": _has_tag,
}
_SEARCH: dict[str, Filter] = {"text": _matches_search}
# Before 0.9.73 dates are compared with timestamps, and that as text.
_TEXT_FILTERS: dict[str, Filter] = {
    "after": lambda call, number, snapshot: str(number) <= snapshot.timestamp,
    "before": lambda call, number, snapshot: snapshot.timestamp < str(number),
    "is_archived": lambda call, is_archived, snapshot: bool(snapshot.downloaded_at) == is_archived,
}
