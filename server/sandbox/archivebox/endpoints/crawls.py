"""The endpoints of crawls and their files."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qsl, urlencode

from server.sandbox.answer import Answer
from server.sandbox.archivebox.answers import Detail, ServerError, redirect
from server.sandbox.archivebox.call import Call, add_timezone
from server.sandbox.archivebox.endpoints.snapshots import parse_action
from server.sandbox.archivebox.endpoints.web import may_see
from server.sandbox.archivebox.lookup import find_crawl
from server.sandbox.archivebox.render import format_id, format_iso, render_crawl
from server.sandbox.archivebox.world.records import (
    OPEN,
    READER,
    Crawl,
    Snapshot,
    change_status,
    find_all,
    strip_names,
)

_LIMITS = ("max_urls", "max_size")
_DEEPEST = 4
# Files of a crawl that runs grow, so that no copy of them may be used.
_UNCACHED = {
    "cache-control": "no-store, no-cache, max-age=0, must-revalidate",
    "x-content-type-options": "nosniff",
}


def list_crawls(call: Call) -> Any:
    """Answer `GET /crawls/crawls`: all of them, always."""
    return [render_crawl(call.world, crawl) for crawl in call.world.crawls.values()]


def get_crawl(call: Call) -> Answer | Any:
    """Answer `GET /crawls/crawl/{crawl_id}`."""
    crawl = find_crawl(call.world, call.path["crawl_id"])
    if not call.query["as_rss"]:
        return render_crawl(call.world, crawl)
    if call.dialect.redirects_crawl_feed:
        query = dict(parse_qsl(call.request.query))
        query.pop("as_rss", None)
        return redirect(f"/api/v1/core/snapshots.rss?{urlencode({**query, 'crawl_id': crawl.id})}")
    # Before, a text in JSON, with the names of the fields as they are in the database.
    items = ""
    for snapshot in call.world.list_snapshots(crawl):
        date = f"<bookmarked_at>{snapshot.bookmarked_at}</bookmarked_at>"
        items += f"<item><url>{snapshot.url}</url><title>{snapshot.title}</title>{date}</item>"
    return f'<rss version="2.0"><channel>{items}</channel></rss>'


def create_crawl(call: Call) -> Any:
    """Answer `POST /crawls/crawls`."""
    body, urls = call.body, strip_names(call.body.urls)
    if call.dialect.checks_urls:
        for url in urls:
            check_url(url)
    if not urls:
        raise Detail(400, "At least one URL is required")
    if body.max_depth not in range(_DEEPEST + 1):
        raise Detail(400, f"max_depth must be between 0 and {_DEEPEST}")
    limits = _read_limits(call)
    config = dict(body.config)
    if call.dialect.copies_config:
        # What was sent through the API is a list of addresses and no document to look into.
        config = {"PARSER": "url_list", **config}
    # Older releases do not look for snapshots of other crawls at all.
    only_new = call.dialect.adds_later and config.get("ONLY_NEW", True) is not False
    crawl = call.world.add_crawl(
        "\n".join(urls),
        call.caller,
        max_depth=body.max_depth,
        tags=_read_tags(body.tags, body.tags_str),
        settings=config,
        label=body.label,
        notes=body.notes,
        only_new=only_new,
        **limits,
    )
    start_crawl(call, crawl, urls)
    return render_crawl(call.world, crawl)


def start_crawl(call: Call, crawl: Crawl, urls: list[str]) -> list[Snapshot]:
    """Start a crawl and return its snapshots as far as they are there at once, which is so on older
    releases only."""
    if call.dialect.adds_later:
        call.runner.start_crawl(crawl, urls)
        return []
    snapshots: list[Snapshot] = []
    for url in dict.fromkeys(urls):
        snapshot = call.world.add_snapshot(crawl, url, call.world.now())
        call.runner.start_snapshot(snapshot)
        snapshots.append(snapshot)
    return snapshots


def update_crawl(call: Call) -> Any:
    """Answer `PATCH /crawls/crawl/{crawl_id}`: sealing a crawl seals what of it is still open."""
    crawl = find_crawl(call.world, call.path["crawl_id"])
    fields = call.list_sent_fields()
    # An action counts alone: other fields of the same request are ignored.
    if action := fields.get("action"):
        _act(call, crawl, action)
        return render_crawl(call.world, crawl)
    tags, tags_text = fields.get("tags"), fields.get("tags_str")
    if tags is not None or tags_text is not None:
        _retag(call, crawl, _read_tags(tags, tags_text))
    if "status" in fields:
        _set_status(call, crawl, fields["status"])
        if crawl.status == "sealed":
            return render_crawl(call.world, crawl)
    if "retry_at" in fields:
        crawl.retry_at = add_timezone(fields["retry_at"]) if fields["retry_at"] else None
    crawl.modified_at = call.world.now()
    return render_crawl(call.world, crawl)


def delete_crawl(call: Call) -> Any:
    """Answer `DELETE /crawls/crawl/{crawl_id}`: with its snapshots, while the caller waits."""
    crawl = find_crawl(call.world, call.path["crawl_id"])
    call.counts.blocked += int(call.dialect.locks_crawls and call.runner.is_running(crawl))
    snapshots = call.world.list_snapshots(crawl)
    rows = 1 + sum(call.world.remove_snapshot(snapshot) for snapshot in snapshots)
    # The runner may still hold the crawl, and leaves alone what is sealed.
    crawl.status = "sealed"
    call.world.crawls.pop(crawl.id)
    return {
        "success": True,
        "crawl_id": format_id(call.world, crawl.id),
        "deleted_count": rows,
        "deleted_snapshots": len(snapshots),
    }


def get_crawl_file(call: Call) -> Answer:
    """Answer `GET /crawls/crawl/{crawl_id}/files/...`: of a private crawl only for its owner and
    for staff."""
    try:
        crawl = find_crawl(call.world, call.path["crawl_id"])
    except ServerError as error:
        if error.kind != "DoesNotExist":
            raise
        raise Detail(404, "Crawl not found") from None
    if not _may_read_files(call, crawl):
        # Not 403, which would tell that there is such a crawl.
        raise Detail(404, "Crawl not found")
    # A file lies up to two folders deep.
    names = (call.path.get(name, "") for name in ("folder", "subfolder", "filename"))
    path = "/".join(filter(None, names))
    file = _make_files(call, crawl).get(path)
    if file is None:
        raise Detail(404, "Crawl file not found")
    kind, text = file
    return Answer(200, {"content-type": kind, **_UNCACHED}, text.encode())


def check_url(url: str) -> None:
    """Refuse what is not a web address.

    Raises:
        Detail: with status 400.
    """
    if not re.match(r"https?://[^/?#\s]", url, re.IGNORECASE) or "\n" in url:
        raise Detail(400, "URL must start with http:// or https:// and include a hostname.")


def _read_limits(call: Call) -> dict[str, Any]:
    # Where a crawl carries the whole configuration, its limits are part of that.
    if call.dialect.copies_config:
        return {}
    limits: dict[str, Any] = {}
    for name in _LIMITS:
        limits[name] = getattr(call.body, name)
        if limits[name] < 0:
            raise Detail(400, f"{name} must be >= 0")
    return limits


def _read_tags(names: list[str] | None, text: str | None) -> list[str]:
    """Return the tags, which come as a list or else as a text."""
    return strip_names((text or "").split(",") if names is None else names)


def _may_read_files(call: Call, crawl: Crawl) -> bool:
    if may_see(call.request, crawl.permissions):
        return True
    if call.user is None:
        return False
    return call.user is not READER or call.user is crawl.created_by


def _set_status(call: Call, crawl: Crawl, status: str) -> None:
    # A crawl is deleted by its own endpoint, unlike a snapshot.
    if status == "deleting" or status not in call.dialect.statuses:
        raise Detail(400, f"Invalid status: {status}")
    crawl.status = status
    if status == "sealed":
        _seal(call, crawl)


def _act(call: Call, crawl: Crawl, action: str) -> None:
    statuses, status = parse_action(action)
    if status == "sealed":
        _seal(call, crawl)
    # An action that does not fit the crawl's status changes nothing, and is no error.
    elif crawl.status in statuses:
        _change_open(call, crawl, statuses, status)
        if status == "queued":
            call.runner.resume_crawl(crawl)


def _change_open(call: Call, crawl: Crawl, statuses: tuple[str, ...], status: str) -> None:
    """Change the status of a crawl, and of its snapshots that have one of the given statuses."""
    moment = call.world.now()
    change_status(crawl, status, moment)
    for snapshot in call.world.list_snapshots(crawl):
        if snapshot.status in statuses:
            change_status(snapshot, status, moment)


def _seal(call: Call, crawl: Crawl) -> None:
    _change_open(call, crawl, OPEN, "sealed")
    if call.dialect.reruns_sealed:
        crawl.retry_at = crawl.modified_at


def _retag(call: Call, crawl: Crawl, names: list[str]) -> None:
    """Change a crawl's tags; on 0.9.73 its snapshots follow."""
    before, crawl.tags = crawl.tags, list(dict.fromkeys(names))
    added = find_all(crawl.tags, lambda name: name not in before)
    removed = find_all(before, lambda name: name not in crawl.tags)
    added_ids = call.world.ensure_tags(added, call.caller)
    removed_ids = call.world.ensure_tags(removed, call.caller)
    if call.dialect.merges_tags:
        for snapshot in call.world.list_snapshots(crawl):
            snapshot.tags = (snapshot.tags | added_ids) - removed_ids


def _make_files(call: Call, crawl: Crawl) -> dict[str, tuple[str, str]]:
    """Return type and text of the files of a crawl by their path."""
    log = f"[{format_iso(crawl.created_at)}] crawl {crawl.id} max_depth={crawl.max_depth}\n"
    for snapshot in call.world.list_snapshots(crawl):
        log += f"[{format_iso(snapshot.created_at)}] {snapshot.status} {snapshot.url}\n"
    process = json.dumps({"type": "Process", "crawl_id": crawl.id})
    return {
        "wget/index.jsonl": ("application/x-ndjson", f"{process}\n"),
        "urls.txt": ("text/plain; charset=utf-8", f"{crawl.urls}\n"),
        "logs/crawl.log": ("text/plain; charset=utf-8", log),
        "parse_txt_urls/out/urls.jsonl": ("application/x-ndjson", f"{crawl.urls}\n"),
    }
