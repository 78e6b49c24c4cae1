"""The endpoints of snapshots."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from server.sandbox.answer import Answer
from server.sandbox.archivebox.answers import Detail, ServerError, redirect
from server.sandbox.archivebox.call import (
    Call,
    Filter,
    add_timezone,
    contains,
    make_date_filters,
    paginate,
    select,
)
from server.sandbox.archivebox.lookup import (
    find_crawl,
    find_result,
    find_snapshot,
    find_tag,
    matches_id,
    matches_search,
    strip_dashes,
)
from server.sandbox.archivebox.render import (
    format_id,
    render_result,
    render_snapshot,
    render_tag,
)
from server.sandbox.archivebox.world.images import draw_screenshot
from server.sandbox.archivebox.world.records import (
    ACTIVE,
    OPEN,
    Crawl,
    Snapshot,
    change_status,
    find_first,
    strip_names,
)

_LONGEST_URL = 65_536
_DEEPEST = 4
# By name: which statuses an action changes, and to which one.
_ACTIONS = {
    "pause": (ACTIVE, "paused"),
    "resume": (("paused",), "queued"),
    "unpause": (("paused",), "queued"),
    "cancel": ((*OPEN, "deleting"), "sealed"),
}


def list_snapshots(call: Call) -> Any:
    """Answer `GET /core/snapshots`: oldest first, whatever is asked for."""
    query = call.query
    status = parse_status(call, query.get("status")) if call.dialect.status_filter else None
    creator_id = query.get("created_by_id")
    if creator_id is not None and not creator_id.isdigit():
        raise ServerError("ValueError", f"Field 'id' expected a number but got '{creator_id}'.")
    values = {**query, "status": status}
    snapshots = select(call, call.world.snapshots.values(), _FILTERS, values)
    with_results = query["with_archiveresults"]
    return paginate(
        call,
        snapshots,
        lambda snapshot: render_snapshot(call.world, snapshot, with_results=with_results),
    )


def get_snapshot(call: Call) -> Any:
    """Answer `GET /core/snapshot/{snapshot_id}`."""
    snapshot = find_snapshot(call.world, call.path["snapshot_id"])
    with_results = call.query["with_archiveresults"]
    return render_snapshot(call.world, snapshot, with_results=with_results)


def get_screencast(call: Call) -> Answer:
    """Answer `GET /core/snapshot/{snapshot_id}/screencast.jpg`: what the browser shows while it
    archives the page. This sandbox runs no browser, so that its picture is the screenshot."""
    snapshot = find_snapshot(call.world, call.path["snapshot_id"])
    if snapshot.status not in ACTIVE:
        raise Detail(404, "No screencast frame is available")
    return Answer(200, {"content-type": "image/png"}, draw_screenshot(snapshot.page.bits))


def create_snapshot(call: Call) -> Any:
    """Answer `POST /core/snapshots`: on 0.9.73 a URL that is archived already gives back the
    snapshot there is, even another crawl's."""
    body = call.body
    status = parse_status(call, body.status)
    url = body.url.strip()
    _check_length(call, url)
    if body.depth not in range(_DEEPEST + 1):
        raise Detail(400, f"depth must be between 0 and {_DEEPEST}")
    tags = strip_names(body.tags or [])
    if body.crawl_id:
        crawl = find_crawl(call.world, body.crawl_id)
    else:
        crawl = call.world.add_crawl(url, call.caller, max_depth=body.depth, tags=tags)
    snapshot = _find_existing(call, crawl, url)
    # The crawl that was made for nothing stays, and ends without a snapshot.
    if snapshot is not None and snapshot.crawl is not crawl:
        call.runner.start_crawl(crawl, [])
        return render_snapshot(call.world, snapshot)
    if snapshot is None:
        snapshot = _add_snapshot(call, crawl, url, body.depth, status)
    if body.title is not None:
        snapshot.title = body.title
    snapshot.status = status or snapshot.status
    snapshot.tags |= call.world.ensure_tags(tags or crawl.tags, call.caller)
    return render_snapshot(call.world, snapshot)


def update_snapshot(call: Call) -> Any:
    """Answer `PATCH /core/snapshot/{snapshot_id}`: status, date of the next attempt, tags and, on
    0.9.73, an action."""
    snapshot = find_snapshot(call.world, call.path["snapshot_id"])
    fields = call.list_sent_fields()
    # An action counts alone: other fields of the same request are ignored.
    if action := fields.pop("action", None):
        _act(call, snapshot, action)
        return render_snapshot(call.world, snapshot)
    if call.runner.is_running(snapshot.crawl):
        call.counts.blocked += int(call.dialect.locks_crawls)
    status = _check_status(call, fields)
    if fields.get("tags") is not None:
        # A crawl's own tags come back with every change on 0.9.73, and are gone for good before.
        crawl_tags = snapshot.crawl.tags if call.dialect.merges_tags else []
        names = strip_names(fields["tags"]) + crawl_tags
        snapshot.tags = call.world.ensure_tags(names, call.caller)
    snapshot.modified_at = call.world.now()
    has_date = "retry_at" in fields
    if has_date:
        date = fields["retry_at"]
        snapshot.retry_at = None if date is None else add_timezone(date)
    if status is not None:
        _set_status(call, snapshot, status, has_date=has_date)
    elif has_date and snapshot.status in ACTIVE:
        call.runner.start_snapshot(snapshot)
    return render_snapshot(call.world, snapshot)


def delete_snapshot(call: Call) -> Any:
    """Answer `DELETE /core/snapshot/{snapshot_id}`: at once, or queued on 0.9.73, where it stays
    readable for a while."""
    snapshot = find_snapshot(call.world, call.path["snapshot_id"])
    report = {
        "success": True,
        "snapshot_id": format_id(call.world, snapshot.id),
        "crawl_id": format_id(call.world, snapshot.crawl.id),
    }
    if call.dialect.deletes_later:
        call.runner.remove_later(snapshot)
        return {**report, "deleted_count": 0, "queued_count": 1}
    # This release removes the rows alone; the command removes the folder as well.
    call.world.left_folders.add(snapshot.timestamp)
    return {**report, "deleted_count": call.world.remove_snapshot(snapshot)}


def get_any(call: Call) -> Answer | Any:
    """Answer `GET /core/any/{id}`: a redirect to the object, or before 0.9 the object itself."""
    world = call.world
    text = call.path.get("id") or call.path.get("abid") or ""
    kind, record = _find_any(call, text)
    if world.dialect.old:
        return _render_old_object(call, text, kind, record)
    if record is None:
        raise Detail(404, "Object with given ID not found")
    # Tags are the only objects that count from 1.
    id = str(record.id) if kind == "core/tag" else format_id(world, record.id)
    return redirect(f"/api/v1/{kind}/{id}?{call.request.query}")


def parse_status(call: Call, text: str | None) -> str | None:
    """Return a snapshot's status as callers send it; None if they send none.

    Raises:
        Detail: with status 400 for an unknown one.
    """
    statuses = call.dialect.statuses
    if not call.dialect.loose_statuses:
        if text not in (None, *statuses):
            raise Detail(400, f"Invalid status: {text}")
        return text
    status = (text or "").strip().lower()
    if status not in ("", *statuses):
        expected = f"Expected one of: {', '.join(statuses)}"
        raise Detail(400, f"Invalid snapshot status: {text}. {expected}")
    return status or None


def parse_action(name: str) -> tuple[tuple[str, ...], str]:
    """Return which statuses an action changes, and to which one.

    Raises:
        Detail: with status 400 for an unknown action.
    """
    if name not in _ACTIONS:
        raise Detail(400, f"Invalid action: {name}")
    return _ACTIONS[name]


def _find_any(call: Call, text: str) -> tuple[str, Any]:
    """Return what the text means and the address of its kind, in the order in which the server
    looks; ("", None) if it means nothing."""
    world = call.world
    with suppress(ServerError):
        return "core/snapshot", find_snapshot(world, text)
    with suppress(ServerError):
        return "core/archiveresult", find_result(world, text)
    if (tag := find_tag(world, text)) is not None:
        return "core/tag", tag
    with suppress(ServerError):
        return "crawls/crawl", find_crawl(world, text)
    return "", None


def _render_old_object(call: Call, text: str, kind: str, record: Any) -> Any:
    # A key would show its secret.
    if text.startswith("apt_"):
        raise Detail(403, "APIToken objects are not accessible via REST API")
    match kind:
        case "core/snapshot":
            return render_snapshot(call.world, record)
        case "core/archiveresult":
            return render_result(call.world, record)
        case "core/tag":
            return render_tag(call.world, record)
    raise Detail(404, "Object with given ABID not found")


def _check_status(call: Call, fields: dict[str, Any]) -> str | None:
    """Return the status that a change sets; None if it sets none."""
    if "status" not in fields:
        return None
    status = fields["status"]
    # Null is a status here, and an unknown one, unlike in a filter.
    if not call.dialect.loose_statuses and status not in call.dialect.statuses:
        raise Detail(400, f"Invalid status: {status}")
    status = parse_status(call, status)
    if status is None:
        # Checked too late: the empty status reaches the database, which refuses it.
        raise ServerError("IntegrityError", "NOT NULL constraint failed: core_snapshot.status")
    return status


def _set_status(call: Call, snapshot: Snapshot, status: str, *, has_date: bool) -> None:
    if status == "deleting":
        call.runner.remove_later(snapshot)
        return
    snapshot.status = status
    if status == "sealed" and not has_date:
        snapshot.retry_at = None
    # Queued without a date is queued for ever: the runner looks at dates only, and at what is still
    # to be done.
    call.runner.start_snapshot(snapshot)


def _act(call: Call, snapshot: Snapshot, action: str) -> None:
    statuses, status = parse_action(action)
    # An action that does not fit the status changes nothing, and is no error.
    if snapshot.status not in statuses:
        return
    change_status(snapshot, status, call.world.now())
    if status == "queued":
        call.runner.start_snapshot(snapshot)


def _find_existing(call: Call, crawl: Crawl, url: str) -> Snapshot | None:
    """Return the snapshot that a new one of the URL would repeat."""
    snapshots = call.world.list_by_url(url)
    snapshot = find_first(snapshots, lambda row: row.crawl is crawl)
    if snapshot is not None or not (call.dialect.adds_later and crawl.only_new):
        return snapshot
    others = filter(lambda row: row.status != "deleting", snapshots)
    return max(others, key=lambda row: row.created_at, default=None)


def _check_length(call: Call, url: str) -> None:
    if not url:
        raise Detail(400, "URL is required")
    if call.dialect.checks_urls and len(url) > _LONGEST_URL:
        limit = f"Maximum length is {_LONGEST_URL} characters."
        raise Detail(400, f"URL is too long ({len(url)} characters). {limit}")


def _add_snapshot(call: Call, crawl: Crawl, url: str, depth: int, status: str | None) -> Snapshot:
    parts = urlsplit(url)
    is_web = parts.scheme in ("http", "https") and bool(parts.hostname)
    if call.dialect.checks_urls and not is_web:
        # Both are one transaction on the server: without the snapshot there is no crawl.
        call.world.crawls.pop(crawl.id, None)
        raise ServerError(
            "ValidationError",
            "{'url': ['URL must start with http:// or https:// and include a hostname.']}",
        )
    snapshot = call.world.add_snapshot(crawl, url, call.world.now(), depth)
    if status in (None, *ACTIVE):
        call.runner.start_snapshot(snapshot)
    return snapshot


def _matches_search(call: Call, text: str, snapshot: Snapshot) -> bool:
    return matches_search(call.world, snapshot, text.strip(), call.query.get("search_mode"))


_FILTERS: dict[str, Filter] = {
    "status": lambda call, status, snapshot: snapshot.status == status,
    "url": lambda call, url, snapshot: snapshot.url == url,
    "crawl_id": lambda call, id, snapshot: snapshot.crawl.id == strip_dashes(id),
    "title": lambda call, text, snapshot: contains(snapshot.title, text),
    "timestamp": lambda call, text, snapshot: snapshot.timestamp.startswith(text),
    "created_by_id": lambda call, id, snapshot: str(snapshot.crawl.created_by.id) == id,
    "created_by_username": lambda call, text, snapshot: contains(
        snapshot.crawl.created_by.name, text
    ),
    **make_date_filters("created_at"),
    **make_date_filters("modified_at"),
    **make_date_filters("bookmarked_at"),
    "id": lambda call, text, snapshot: matches_id(call.world, snapshot, text),
    "abid": lambda call, text, snapshot: matches_id(call.world, snapshot, text),
    # Unlike a title, a tag is matched by its exact name.
    "tag": lambda call, name, snapshot: name in call.world.list_tag_names(snapshot),
    # Last, since looking into the contents takes longest.
    "search": _matches_search,
}
