"""The commands of the command line as endpoints, since 0.9.

Each can do what nobody wants from a caller far away: remove every snapshot at once, or end the
process that answers.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from server.sandbox.archivebox.answers import (
    Detail,
    Ended,
    Hung,
    Raised,
)
from server.sandbox.archivebox.call import Call, contains
from server.sandbox.archivebox.endpoints.cli_rows import formatted
from server.sandbox.archivebox.endpoints.crawls import begin, check_url
from server.sandbox.archivebox.endpoints.schedules import schedule
from server.sandbox.archivebox.endpoints.snapshots import snapshot_status
from server.sandbox.archivebox.finding import searched, whole
from server.sandbox.archivebox.render import shown_id
from server.sandbox.archivebox.world.records import Persona, Snapshot

GREEN = '<span style="color: rgb(0, 215, 0)"><br>'
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_URL = re.compile(r"https?://[^\s\"'<>]+")
_FILTERS = (
    "filter_patterns",
    "status",
    "url__icontains",
    "url__istartswith",
    "tag",
    "crawl_id",
    "limit",
    "sort",
    "search",
)
_TOO_FAR = 253_402_300_800
_SORTABLE = (
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


def add(call: Call) -> Any:
    """`POST /cli/add`: on 0.9.73 the snapshots appear seconds later; before they are there at
    once."""
    body = call.body
    urls, source = _submitted(call, body.urls)
    if body.depth not in range(5):
        raise Raised("ValueError", "Depth must be 0-4")
    limit = getattr(body, "max_urls", 0)
    if limit < 0:
        raise Raised("ValueError", "max_urls must be >= 0")
    persona = (getattr(body, "persona", "Default") or "Default").strip() or "Default"
    if all(each.name.lower() != persona.lower() for each in call.world.personas.values()):
        made = Persona(
            call.world.new_id(call.world.moment(), 83),
            persona,
            call.world.moment(),
            call.caller,
            {},
        )
        call.world.personas[made.id] = made
    only_new = (
        call.dialect.adds_later
        and not (body.update or body.overwrite)
        and body.only_new is not False
    )
    settings = {"PLUGINS": body.plugins} if body.plugins else {}
    crawl = call.world.add_crawl(
        source, call.caller, max_depth=body.depth, tags=_tags(body.tag), settings=settings, persona=persona,
        only_new=only_new, max_urls=limit,
    )  # fmt: skip
    ids = [shown_id(call.world, each.id) for each in begin(call, crawl, urls)]
    shown = shown_id(call.world, crawl.id)
    result = {
        "crawl_id": shown,
        "num_snapshots": len(ids),
        "snapshot_ids": ids,
        "queued_urls": body.urls,
    }
    return report(
        result, stdout=f"{GREEN}[+] Created Crawl {shown} with max_depth={body.depth}</span>"
    )


def search(call: Call) -> Any:
    """`POST /cli/search`: newest first, and everything if nothing limits it."""
    body = call.body
    found = selected(call, body) if call.dialect.compact_ids else _selected_before(call, body)
    shown, form = formatted(call, found)
    return report(shown, form)


def update(call: Call) -> Any:
    """`POST /cli/update`: what fits is done again; before 0.9.73 the default date is beyond the
    calendar."""
    body = call.body
    if not call.dialect.compact_ids:
        if body.before is not None and body.before > _TOO_FAR:
            raise Raised("ValueError", "year 31690708 is out of range")
        return report(None)
    snapshot_status(call, body.status)
    filtered = any(getattr(body, name) for name in (*_FILTERS, "after", "before", "resume"))
    found = selected(call, body) if filtered else []
    for snapshot in found:
        if snapshot.status != "deleting":
            snapshot.status, snapshot.retry_at = "queued", call.world.moment()
            call.runner.take_snapshot(snapshot)
    ids = [shown_id(call.world, each.id) for each in found]
    return report({"matched_count": len(ids), "snapshot_ids": ids} if filtered else None)


def remove(call: Call) -> Any:
    """`POST /cli/remove`: everything if nothing limits it; the end of the web process if nothing
    fits."""
    body, world = call.body, call.world
    found = selected(call, body) if call.dialect.compact_ids else _selected_before(call, body)
    if not found:
        raise Ended
    call.counts.removed_all += int(len(found) == len(world.snapshots))
    for snapshot in found:
        world.remove(snapshot)
    ids = [shown_id(world, each.id) for each in found]
    stdout = f"{GREEN}[√] Removed {len(ids)} out of {len(ids) + len(world.snapshots)} links</span>"
    if not call.dialect.compact_ids:
        left = len(world.snapshots)
        return report(
            {"removed_count": len(ids), "removed_snapshot_ids": ids, "remaining_snapshots": left},
            stdout=stdout,
        )
    result = {
        "removed_count": len(ids),
        "removed_snapshot_ids": ids,
        "not_removed_count": 0,
        "not_removed_snapshot_ids": [],
        "success": True,
        "error": "",
        "timeout": min(body.timeout, 60.0),
    }
    return report(result, stdout=stdout)


def plan(call: Call) -> Any:
    """`POST /cli/schedule`: crawls that repeat; `foreground` never answers."""
    if call.body.foreground:
        raise Hung
    result, words = schedule(call)
    return report(result, stdout=f"{GREEN}{words}</span>" if words else "")


def report(result: Any, form: str = "json", *, stdout: str = "") -> dict[str, Any]:
    """What a command answers: its colours are HTML by then."""
    return {
        "success": True,
        "errors": [],
        "result": result,
        "result_format": form,
        "stdout": stdout,
        "stderr": "",
    }


def selected(call: Call, body: Any) -> list[Snapshot]:
    """The snapshots that the filters of a command select, newest first.

    Raises: Ended: an unknown kind of filter. Detail, Raised: other mistakes, as the server answers
        them.
    """
    status = snapshot_status(call, body.status)
    patterns = body.filter_patterns or []
    if body.crawl_id is not None and whole(body.crawl_id) is None:
        raise Raised("ValidationError", f"['“{body.crawl_id}” is not a valid UUID.']")
    after = datetime.fromtimestamp(body.after, UTC) if body.after is not None else _EARLIEST
    before = datetime.fromtimestamp(body.before, UTC) if body.before is not None else None
    text = " ".join(patterns).strip() if body.search else ""
    fits = (
        _pattern_filter(call, patterns, body.filter_type or "substring")
        if patterns and not text
        else None
    )
    found = [
        each
        for each in call.world.snapshots.values()
        if (status is None or each.status == status)
        and contains(each.url, body.url__icontains)
        and (
            body.url__istartswith is None
            or each.url.lower().startswith(body.url__istartswith.lower())
        )
        and (not body.tag or body.tag.lower() in (name.lower() for name in call.world.names(each)))
        and (body.crawl_id is None or each.crawl.id == whole(body.crawl_id))
        and each.bookmarked_at > after
        and (before is None or each.bookmarked_at < before)
        and (fits is None or fits(each))
        and (not text or searched(call.world, each, text, body.search, ids=False))
    ]
    found = ordered(found, body.sort or "-created_at")
    return found[: body.limit] if body.limit is not None and body.limit > 0 else found


def ordered(found: list[Snapshot], sort: str) -> list[Snapshot]:
    """Sorted by a field of the database, backwards with a minus before it."""
    name = sort.removeprefix("-")
    if name not in _SORTABLE:
        raise Raised(
            "FieldError",
            f"Cannot resolve keyword '{name}' into field. Choices are: {', '.join(_SORTABLE)}",
        )
    found.sort(
        key=lambda each: (str(getattr(each, name) or ""), each.id), reverse=sort.startswith("-")
    )
    return found


def _pattern_filter(call: Call, patterns: list[str], kind: str) -> Callable[[Snapshot], bool]:
    """Whether any of the patterns fits."""
    if kind == "regex":
        for pattern in patterns:
            try:
                re.compile(pattern)
            except re.error:
                raise Raised("OperationalError", "user-defined function raised exception") from None
    checks: dict[str, Callable[[Snapshot, str], bool]] = {
        "exact": lambda each, pattern: each.url == pattern,
        "substring": lambda each, pattern: contains(each.url, pattern),
        "regex": lambda each, pattern: re.search(pattern, each.url, re.IGNORECASE) is not None,
        "domain": lambda each, pattern: each.url.lower().startswith(
            tuple(f"{scheme}://{pattern.lower()}" for scheme in ("http", "https", "ftp"))
        ),
        "tag": lambda each, pattern: pattern in call.world.names(each),
        "timestamp": lambda each, pattern: each.timestamp == pattern,
    }
    if kind not in checks:
        raise Ended
    return lambda each: any(checks[kind](each, pattern) for pattern in patterns)


def pattern_matches(call: Call, patterns: list[str], kind: str) -> list[Snapshot]:
    """The snapshots that any of the patterns fits; all without patterns."""
    every = list(call.world.snapshots.values())
    if not patterns:
        return every
    fits = _pattern_filter(call, patterns, kind)
    return [each for each in every if fits(each)]


def _selected_before(call: Call, body: Any) -> list[Snapshot]:
    """As 0.9.31 selects: by patterns, by timestamps compared as text, and by whether it was
    fetched."""
    after = str(body.after) if body.after is not None else ""
    before = str(body.before) if body.before is not None else "~"
    found = [
        each
        for each in pattern_matches(call, body.filter_patterns or [], body.filter_type)
        if after <= each.timestamp < before
    ]
    status = getattr(body, "status", None)
    if status in ("archived", "unarchived"):
        found = [
            each for each in found if (each.downloaded_at is not None) == (status == "archived")
        ]
    return ordered(found, getattr(body, "sort", "") or "created_at")


def _submitted(call: Call, given: list[str]) -> tuple[list[str], str]:
    """The URLs to archive and the text that is kept of the submission: bad ones are dropped in
    silence, mostly."""
    if not call.dialect.adds_later:
        return [url.strip() for url in given if url.strip()], "\n".join(given)
    if len(given) == 1:
        # A single one that is no URL is kept as a text in which URLs may be found later.
        return _URL.findall(given[0]), given[0]
    valid = []
    for url in given:
        try:
            check_url(url.strip())
        except Detail:
            continue
        valid.append(url.strip())
    if not valid:
        raise Detail(400, "No valid URLs were submitted")
    return valid, "\n".join(valid)


def _tags(text: str) -> list[str]:
    return list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
