"""The endpoints of snapshots."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from server.sandbox.answer import Answer
from server.sandbox.archivebox.answers import Detail, Raised, redirect
from server.sandbox.archivebox.call import (
    Call,
    aware,
    contains,
    paged,
    within,
)
from server.sandbox.archivebox.finding import (
    crawl_of,
    matching_id,
    result_of,
    searched,
    snapshot_of,
    tag_of,
)
from server.sandbox.archivebox.render import (
    result_record,
    shown_id,
    snapshot_record,
    tag_record,
)
from server.sandbox.archivebox.world.records import FOREVER, Crawl, Snapshot

_LONGEST_URL = 65_536


def list_snapshots(call: Call) -> Any:
    """`GET /core/snapshots`: oldest first, whatever is asked for."""
    query = call.query
    status = snapshot_status(call, query.get("status")) if call.dialect.status_filter else None
    if query.get("created_by_id") is not None and not str(query["created_by_id"]).isdigit():
        raise Raised(
            "ValueError", f"Field 'id' expected a number but got '{query['created_by_id']}'."
        )
    found = [each for each in call.world.snapshots.values() if _fits(call, each, status)]
    return paged(
        call,
        found,
        lambda each: snapshot_record(call.world, each, with_results=query["with_archiveresults"]),
    )


def get_snapshot(call: Call) -> Any:
    """`GET /core/snapshot/{snapshot_id}`."""
    found = snapshot_of(call.world, call.inside["snapshot_id"])
    return snapshot_record(call.world, found, with_results=call.query["with_archiveresults"])


def create_snapshot(call: Call) -> Any:
    """`POST /core/snapshots`: on 0.9.73 a known URL gives back the snapshot there is, even another
    crawl's."""
    body = call.body
    status = snapshot_status(call, body.status)
    url = body.url.strip()
    if not url:
        raise Detail(400, "URL is required")
    if call.dialect.compact_ids and len(url) > _LONGEST_URL:
        raise Detail(
            400,
            f"URL is too long ({len(url)} characters). Maximum length is {_LONGEST_URL} characters.",
        )
    if body.depth not in range(5):
        raise Detail(400, "depth must be between 0 and 4")
    tags = _tags(body.tags)
    crawl = crawl_of(call.world, body.crawl_id) if body.crawl_id else None
    if crawl is None:
        crawl = call.world.add_crawl(url, call.caller, max_depth=body.depth, tags=tags)
    snapshot = _existing(call, crawl, url)
    if snapshot is not None and snapshot.crawl is not crawl:
        call.runner.take(crawl, [])
        return snapshot_record(call.world, snapshot)
    if snapshot is None:
        snapshot = _new(call, crawl, url, body.depth, status)
    snapshot.title = body.title if body.title is not None else snapshot.title
    snapshot.status = status or snapshot.status
    for name in tags or crawl.tags:
        snapshot.tags.add(call.world.tag(name, call.caller)[0].id)
    return snapshot_record(call.world, snapshot)


def update_snapshot(call: Call) -> Any:
    """`PATCH /core/snapshot/{snapshot_id}`: status, date of the next attempt, tags and, on 0.9.73,
    an action."""
    snapshot = snapshot_of(call.world, call.inside["snapshot_id"])
    given = call.given()
    if action := given.pop("action", None):
        _act(call, snapshot, action)
        return snapshot_record(call.world, snapshot)
    if call.runner.running(snapshot.crawl):
        call.counts.blocked += int(call.dialect.compact_ids)
    status = _checked_status(call, snapshot, given)
    if given.get("tags") is not None:
        # A crawl's own tags come back with every change on 0.9.73, and are gone for good before.
        kept = snapshot.crawl.tags if call.dialect.merges_tags else []
        names = [*_tags(given["tags"]), *kept]
        snapshot.tags = {call.world.tag(name, call.caller)[0].id for name in names}
    snapshot.modified_at = call.world.moment()
    if "retry_at" in given:
        snapshot.retry_at = _due(given["retry_at"])
    if status is not None:
        _set_status(call, snapshot, status, timed="retry_at" in given)
    elif "retry_at" in given and snapshot.status in ("queued", "started"):
        call.runner.take_snapshot(snapshot)
    return snapshot_record(call.world, snapshot)


def delete_snapshot(call: Call) -> Any:
    """`DELETE /core/snapshot/{snapshot_id}`: at once, or queued on 0.9.73, where it stays readable
    for a while."""
    snapshot = snapshot_of(call.world, call.inside["snapshot_id"])
    shown = shown_id(call.world, snapshot.id)
    found = {
        "success": True,
        "snapshot_id": shown,
        "crawl_id": shown_id(call.world, snapshot.crawl.id),
    }
    if call.dialect.deletes_later:
        call.runner.remove(snapshot)
        return {**found, "deleted_count": 0, "queued_count": 1}
    return {**found, "deleted_count": call.world.remove(snapshot)}


def get_any(call: Call) -> Answer | Any:
    """`GET /core/any/{id}`: a redirect to the object, or before 0.9 the object itself."""
    world = call.world
    text = call.inside.get("id") or call.inside.get("abid") or ""
    found: tuple[str, Any] | None = None
    for kind, find in (
        ("core/snapshot", snapshot_of),
        ("core/archiveresult", result_of),
        ("crawls/crawl", crawl_of),
    ):
        if kind == "crawls/crawl" and (tag := tag_of(world, text)) is not None:
            found = ("core/tag", tag)
            break
        try:
            found = (kind, find(world, text))
        except Raised:
            continue
        break
    if world.dialect.old:
        return _any_before(call, text, found)
    if found is None:
        raise Detail(404, "Object with given ID not found")
    id = str(found[1].id) if found[0] == "core/tag" else shown_id(world, found[1].id)
    return redirect(f"/api/v1/{found[0]}/{id}?{call.request.query}")


def _any_before(call: Call, text: str, found: tuple[str, Any] | None) -> Any:
    if text.startswith("apt_"):
        raise Detail(403, "APIToken objects are not accessible via REST API")
    if found is None or found[0] == "crawls/crawl":
        raise Detail(404, "Object with given ABID not found")
    kind, record = found
    if kind == "core/tag":
        return tag_record(call.world, record)
    return (
        snapshot_record(call.world, record)
        if kind == "core/snapshot"
        else result_record(call.world, record)
    )


def _fits(call: Call, snapshot: Snapshot, status: str | None) -> bool:
    query, creator = call.query, snapshot.crawl.created_by
    wanted_id, wanted_tag = query.get("id"), query.get("tag")
    return (
        (status is None or snapshot.status == status)
        and (wanted_id is None or matching_id(call.world, snapshot, wanted_id))
        and (query.get("abid") is None or matching_id(call.world, snapshot, query["abid"]))
        and (query.get("url") is None or snapshot.url == query["url"])
        and (wanted_tag is None or wanted_tag in call.world.names(snapshot))
        and contains(snapshot.title, query.get("title"))
        and (query.get("timestamp") is None or snapshot.timestamp.startswith(query["timestamp"]))
        and (query.get("created_by_id") is None or str(creator.id) == query["created_by_id"])
        and contains(creator.name, query.get("created_by_username"))
        and within(snapshot.created_at, query, "created_at")
        and within(snapshot.modified_at, query, "modified_at")
        and within(snapshot.bookmarked_at, query, "bookmarked_at")
        and _found(call, snapshot)
    )


def _found(call: Call, snapshot: Snapshot) -> bool:
    text = (call.query.get("search") or "").strip()
    return not text or searched(call.world, snapshot, text, call.query.get("search_mode"))


def snapshot_status(call: Call, given: str | None) -> str | None:
    """A snapshot's status as callers give it; None if they give none."""
    known = call.dialect.statuses
    if call.dialect.loose_statuses:
        value = (given or "").strip().lower()
        if value and value not in known:
            raise Detail(
                400, f"Invalid snapshot status: {given}. Expected one of: {', '.join(known)}"
            )
        return value or None
    if given is not None and given not in known:
        raise Detail(400, f"Invalid status: {given}")
    return given


def _checked_status(call: Call, snapshot: Snapshot, given: dict[str, Any]) -> str | None:
    if "status" not in given:
        return None
    if call.dialect.loose_statuses:
        if (status := snapshot_status(call, given["status"])) is None:
            raise Raised("IntegrityError", "NOT NULL constraint failed: core_snapshot.status")
        return status
    if given["status"] not in call.dialect.statuses:
        raise Detail(400, f"Invalid status: {given['status']}")
    return str(given["status"])


def _set_status(call: Call, snapshot: Snapshot, status: str, *, timed: bool) -> None:
    if status == "deleting":
        call.runner.remove(snapshot)
        return
    snapshot.status = status
    if status == "sealed" and not timed:
        snapshot.retry_at = None
    # Queued without a date is queued for ever: the runner looks at dates only, and at what is still
    # to be done.
    call.runner.take_snapshot(snapshot)


def _act(call: Call, snapshot: Snapshot, action: str) -> None:
    moment = call.world.moment()
    if action not in ("pause", "resume", "unpause", "cancel"):
        raise Detail(400, f"Invalid action: {action}")
    if action == "pause" and snapshot.status in ("queued", "started"):
        snapshot.status, snapshot.retry_at, snapshot.modified_at = "paused", FOREVER, moment
    elif action in ("resume", "unpause") and snapshot.status == "paused":
        snapshot.status, snapshot.retry_at, snapshot.modified_at = "queued", moment, moment
        call.runner.take_snapshot(snapshot)
    elif action == "cancel" and snapshot.status != "sealed":
        snapshot.status, snapshot.retry_at, snapshot.modified_at = "sealed", None, moment


def _existing(call: Call, crawl: Crawl, url: str) -> Snapshot | None:
    found = next((each for each in call.world.of_crawl(crawl) if each.url == url), None)
    if found is None and call.dialect.adds_later and crawl.only_new:
        others = [
            each
            for each in call.world.snapshots.values()
            if each.url == url and each.status != "deleting"
        ]
        found = max(others, key=lambda each: each.created_at, default=None)
    return found


def _new(call: Call, crawl: Crawl, url: str, depth: int, status: str | None) -> Snapshot:
    parts = urlsplit(url)
    if call.dialect.compact_ids and (parts.scheme not in ("http", "https") or not parts.hostname):
        call.world.crawls.pop(crawl.id, None)
        raise Raised(
            "ValidationError",
            "{'url': ['URL must start with http:// or https:// and include a hostname.']}",
        )
    snapshot = call.world.add_snapshot(crawl, url, call.world.moment(), depth)
    if status in (None, "queued", "started"):
        call.runner.take_snapshot(snapshot)
    return snapshot


def _tags(given: list[str] | None) -> list[str]:
    return [tag.strip() for tag in given or [] if tag and tag.strip()]


def _due(given: datetime | None) -> datetime | None:
    return aware(given) if given is not None else None
