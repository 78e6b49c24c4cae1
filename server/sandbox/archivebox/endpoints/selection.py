"""How commands select snapshots: by patterns, and on the newest release by every field."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from server.sandbox.archivebox.answers import ProcessExit, ServerError, make_field_error
from server.sandbox.archivebox.call import Call, contains, equals
from server.sandbox.archivebox.endpoints.snapshots import parse_status
from server.sandbox.archivebox.lookup import matches_search, parse_id
from server.sandbox.archivebox.world.records import Snapshot

Check = Callable[[Snapshot], bool]

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
_PATTERN_CHECKS: dict[str, Callable[[Call, Snapshot, str], bool]] = {
    "exact": lambda call, snapshot, pattern: snapshot.url == pattern,
    "substring": lambda call, snapshot, pattern: contains(snapshot.url, pattern),
    "regex": lambda call, snapshot, pattern: bool(re.search(pattern, snapshot.url, re.IGNORECASE)),
    "domain": lambda call, snapshot, pattern: _begins_with_domain(snapshot.url, pattern),
    "tag": lambda call, snapshot, pattern: pattern in call.world.list_tag_names(snapshot),
    "timestamp": lambda call, snapshot, pattern: snapshot.timestamp == pattern,
}


def select_snapshots(call: Call) -> list[Snapshot]:
    """Return the snapshots that a command is about.

    Raises:
        ProcessExit: the kind of pattern is unknown.
        Detail, ServerError: other mistakes, as the server answers them.
    """
    if not call.dialect.filters_commands:
        return _select_by_pattern(call)
    body = call.body
    checks = list(_list_checks(call))
    snapshots = [
        snapshot
        for snapshot in call.world.snapshots.values()
        if all(check(snapshot) for check in checks)
    ]
    _sort(snapshots, body.sort or "-created_at")
    # A limit of nothing is no limit.
    has_limit = body.limit is not None and body.limit > 0
    return snapshots[: body.limit] if has_limit else snapshots


def match_patterns(call: Call, patterns: list[str], kind: str) -> list[Snapshot]:
    """Return the snapshots that any of the patterns fits; all without patterns."""
    snapshots = list(call.world.snapshots.values())
    # Without patterns their kind is not looked at, so that an unknown one does no harm.
    if not patterns:
        return snapshots
    check = _make_pattern_check(call, patterns, kind)
    return [snapshot for snapshot in snapshots if check(snapshot)]


def match_patterns_and_dates(call: Call, kind: str) -> list[Snapshot]:
    """Return the snapshots that the patterns and the two dates of a command before 0.9.73 fit."""
    body = call.body
    # Timestamps are compared as text, in which `~` comes after every digit.
    after = "" if body.after is None else str(body.after)
    before = "~" if body.before is None else str(body.before)
    snapshots = match_patterns(call, body.filter_patterns or [], kind)
    return [snapshot for snapshot in snapshots if after <= snapshot.timestamp < before]


def _select_by_pattern(call: Call) -> list[Snapshot]:
    snapshots = match_patterns_and_dates(call, call.body.filter_type)
    status = getattr(call.body, "status", None)
    if status in ("archived", "unarchived"):
        # Here a status says whether a snapshot was fetched, and not what the runner does with it.
        is_archived = status == "archived"
        snapshots = [row for row in snapshots if bool(row.downloaded_at) == is_archived]
    _sort(snapshots, getattr(call.body, "sort", "") or "created_at")
    return snapshots


def _list_checks(call: Call) -> Iterator[Check]:
    """Yield what a snapshot has to fit, the cheapest first."""
    body = call.body
    status = parse_status(call, body.status)
    yield lambda snapshot: equals(snapshot.status, status)
    yield lambda snapshot: contains(snapshot.url, body.url__icontains)
    if body.url__istartswith is not None:
        prefix = body.url__istartswith.lower()
        yield lambda snapshot: snapshot.url.lower().startswith(prefix)
    if body.crawl_id is not None:
        crawl_id = parse_id(body.crawl_id)
        if crawl_id is None:
            raise ServerError("ValidationError", f"['“{body.crawl_id}” is not a valid UUID.']")
        yield lambda snapshot: snapshot.crawl.id == crawl_id
    if body.after is not None:
        after = datetime.fromtimestamp(body.after, UTC)
        yield lambda snapshot: snapshot.bookmarked_at > after
    if body.before is not None:
        before = datetime.fromtimestamp(body.before, UTC)
        yield lambda snapshot: snapshot.bookmarked_at < before
    if body.tag:
        tag = body.tag.lower()
        yield lambda snapshot: tag in _list_lower_tags(call, snapshot)
    yield from _list_text_checks(call)


def _list_text_checks(call: Call) -> Iterator[Check]:
    body = call.body
    patterns = body.filter_patterns or []
    # With `search` the patterns are the words of a query instead, and their kind is ignored.
    text = " ".join(patterns).strip() if body.search else ""
    if text:
        yield lambda snapshot: matches_search(
            call.world, snapshot, text, body.search, with_ids=False
        )
    elif patterns:
        yield _make_pattern_check(call, patterns, body.filter_type or "substring")


def _make_pattern_check(call: Call, patterns: list[str], kind: str) -> Check:
    """Return the check whether any of the patterns fits."""
    if kind == "regex":
        _compile(patterns)
    if kind not in _PATTERN_CHECKS:
        raise ProcessExit
    check = _PATTERN_CHECKS[kind]
    return lambda snapshot: any(check(call, snapshot, pattern) for pattern in patterns)


def _compile(patterns: list[str]) -> None:
    for pattern in patterns:
        try:
            re.compile(pattern)
        except re.error:
            # SQLite calls Python for regular expressions, and reports only that this failed.
            raise ServerError(
                "OperationalError", "user-defined function raised exception"
            ) from None


def _begins_with_domain(url: str, pattern: str) -> bool:
    prefixes = tuple(f"{scheme}://{pattern.lower()}" for scheme in _SCHEMES)
    return url.lower().startswith(prefixes)


def _list_lower_tags(call: Call, snapshot: Snapshot) -> list[str]:
    return [name.lower() for name in call.world.list_tag_names(snapshot)]


def _sort(snapshots: list[Snapshot], sort: str) -> None:
    """Sort by a field of the database, backwards with a minus before it."""
    name = sort.removeprefix("-")
    if name not in _FIELDS:
        raise make_field_error(name, ", ".join(_FIELDS))

    def make_key(snapshot: Snapshot) -> tuple[str, Any]:
        return str(getattr(snapshot, name) or ""), snapshot.id

    snapshots.sort(key=make_key, reverse=sort.startswith("-"))
