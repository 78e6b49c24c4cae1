"""The endpoints of crawls and their files."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qsl, urlencode

from server.sandbox.answer import Answer
from server.sandbox.archivebox.answers import Detail, Raised, redirect
from server.sandbox.archivebox.call import Call, aware
from server.sandbox.archivebox.endpoints.web import may_see
from server.sandbox.archivebox.finding import crawl_of
from server.sandbox.archivebox.render import crawl_record, iso, shown_id
from server.sandbox.archivebox.world.records import FOREVER, Crawl, Snapshot
from server.sandbox.archivebox.world.world import READER

_STATUSES = ("queued", "started", "paused", "sealed")
_FRESH = {
    "cache-control": "no-store, no-cache, max-age=0, must-revalidate",
    "x-content-type-options": "nosniff",
}


def list_crawls(call: Call) -> Any:
    """`GET /crawls/crawls`: all of them, always."""
    return [crawl_record(call.world, crawl) for crawl in call.world.crawls.values()]


def get_crawl(call: Call) -> Answer | Any:
    """`GET /crawls/crawl/{crawl_id}`."""
    crawl = crawl_of(call.world, call.inside["crawl_id"])
    if not call.query["as_rss"]:
        return crawl_record(call.world, crawl)
    if call.dialect.compact_ids:
        kept = {name: value for name, value in parse_qsl(call.request.query) if name != "as_rss"}
        return redirect(f"/api/v1/core/snapshots.rss?{urlencode({**kept, 'crawl_id': crawl.id})}")
    # Before, a text in JSON, with the names of the fields as they are in the database.
    items = "".join(
        f"<item><url>{each.url}</url><title>{each.title}</title><bookmarked_at>{each.bookmarked_at}</bookmarked_at></item>"
        for each in call.world.of_crawl(crawl)
    )
    return f'<rss version="2.0"><channel>{items}</channel></rss>'


def create_crawl(call: Call) -> Any:
    """`POST /crawls/crawls`."""
    body, urls = call.body, [url.strip() for url in call.body.urls if url and url.strip()]
    if call.dialect.compact_ids:
        for url in urls:
            check_url(url)
    if not urls:
        raise Detail(400, "At least one URL is required")
    if body.max_depth not in range(5):
        raise Detail(400, "max_depth must be between 0 and 4")
    limits: dict[str, int] = {}
    for name in () if call.dialect.compact_ids else ("max_urls", "max_size"):
        limits[name] = getattr(body, name)
        if limits[name] < 0:
            raise Detail(400, f"{name} must be >= 0")
    given = body.tags if body.tags is not None else body.tags_str.split(",")
    config = dict(body.config)
    if call.dialect.compact_ids:
        config = {"PARSER": "url_list", **config}
    crawl = call.world.add_crawl(
        "\n".join(urls), call.caller, max_depth=body.max_depth, tags=_names(given), settings=config, label=body.label,
        notes=body.notes, only_new=call.dialect.adds_later and config.get("ONLY_NEW", True) is not False, **limits,
    )  # fmt: skip
    begin(call, crawl, urls)
    return crawl_record(call.world, crawl)


def begin(call: Call, crawl: Crawl, urls: list[str]) -> list[Snapshot]:
    """Start on a crawl: its snapshots appear later, or on older releases at once."""
    if call.dialect.adds_later:
        call.runner.take(crawl, urls)
        return []
    made = []
    for url in dict.fromkeys(urls):
        snapshot = call.world.add_snapshot(crawl, url, call.world.moment())
        call.runner.take_snapshot(snapshot)
        made.append(snapshot)
    return made


def update_crawl(call: Call) -> Any:
    """`PATCH /crawls/crawl/{crawl_id}`: sealing a crawl seals what of it is still open."""
    crawl = crawl_of(call.world, call.inside["crawl_id"])
    given = call.given()
    if action := given.get("action"):
        _act(call, crawl, action)
        return crawl_record(call.world, crawl)
    if given.get("tags") is not None or given.get("tags_str") is not None:
        names = given["tags"] if given.get("tags") is not None else given["tags_str"].split(",")
        _retag(call, crawl, _names(names))
    if "status" in given:
        statuses = _STATUSES if call.dialect.compact_ids else call.dialect.statuses
        if given["status"] not in statuses:
            raise Detail(400, f"Invalid status: {given['status']}")
        crawl.status = given["status"]
        if crawl.status == "sealed":
            _seal(call, crawl)
            return crawl_record(call.world, crawl)
    if "retry_at" in given:
        crawl.retry_at = aware(given["retry_at"]) if given["retry_at"] else None
    crawl.modified_at = call.world.moment()
    return crawl_record(call.world, crawl)


def delete_crawl(call: Call) -> Any:
    """`DELETE /crawls/crawl/{crawl_id}`: with its snapshots, while the caller waits."""
    crawl = crawl_of(call.world, call.inside["crawl_id"])
    call.counts.blocked += int(call.dialect.compact_ids and call.runner.running(crawl))
    snapshots = call.world.of_crawl(crawl)
    rows = 1 + sum(call.world.remove(snapshot) for snapshot in snapshots)
    crawl.status = "sealed"
    call.world.crawls.pop(crawl.id)
    shown = shown_id(call.world, crawl.id)
    return {
        "success": True,
        "crawl_id": shown,
        "deleted_count": rows,
        "deleted_snapshots": len(snapshots),
    }


def crawl_file(call: Call) -> Answer:
    """`GET /crawls/crawl/{crawl_id}/files/...`: of a private crawl only for its owner and for
    staff."""
    try:
        crawl = crawl_of(call.world, call.inside["crawl_id"])
    except Raised as error:
        if error.kind != "DoesNotExist":
            raise
        raise Detail(404, "Crawl not found") from None
    staff = call.user is not None and call.user is not READER
    if (
        not staff
        and not may_see(call.request, crawl.permissions)
        and call.user is not crawl.created_by
    ):
        raise Detail(404, "Crawl not found")
    path = "/".join(
        call.inside[name] for name in ("folder", "subfolder", "filename") if name in call.inside
    )
    found = _files(call, crawl).get(path)
    if found is None:
        raise Detail(404, "Crawl file not found")
    return Answer(200, {"content-type": found[0], **_FRESH}, found[1].encode())


def check_url(url: str) -> None:
    """Refuse what is not a web address.

    Raises:
        Detail: with status 400.
    """
    if not re.match(r"https?://[^/?#\s]", url, re.IGNORECASE) or "\n" in url:
        raise Detail(400, "URL must start with http:// or https:// and include a hostname.")


def _names(given: list[str]) -> list[str]:
    return [name.strip() for name in given if name and name.strip()]


def _act(call: Call, crawl: Crawl, action: str) -> None:
    if action not in ("pause", "resume", "unpause", "cancel"):
        raise Detail(400, f"Invalid action: {action}")
    moment, snapshots = call.world.moment(), call.world.of_crawl(crawl)
    if action == "cancel":
        _seal(call, crawl)
    elif action == "pause" and crawl.status in ("queued", "started"):
        crawl.status, crawl.retry_at, crawl.modified_at = "paused", FOREVER, moment
        for snapshot in snapshots:
            if snapshot.status in ("queued", "started"):
                snapshot.status, snapshot.retry_at, snapshot.modified_at = "paused", FOREVER, moment
    elif action in ("resume", "unpause") and crawl.status == "paused":
        crawl.status, crawl.retry_at, crawl.modified_at = "queued", moment, moment
        for snapshot in snapshots:
            if snapshot.status == "paused":
                snapshot.status, snapshot.retry_at, snapshot.modified_at = "queued", moment, moment
        call.runner.resume(crawl)


def _seal(call: Call, crawl: Crawl) -> None:
    moment = call.world.moment()
    crawl.status, crawl.modified_at = "sealed", moment
    crawl.retry_at = moment if call.dialect.compact_ids else None
    for snapshot in call.world.of_crawl(crawl):
        if snapshot.status in ("queued", "started", "paused"):
            snapshot.status, snapshot.retry_at, snapshot.modified_at = "sealed", None, moment


def _retag(call: Call, crawl: Crawl, names: list[str]) -> None:
    """Change a crawl's tags; on 0.9.73 its snapshots follow."""
    before, crawl.tags = set(crawl.tags), list(dict.fromkeys(names))
    added = {call.world.tag(name, call.caller)[0].id for name in crawl.tags if name not in before}
    gone = {call.world.tag(name, call.caller)[0].id for name in before if name not in crawl.tags}
    if call.dialect.merges_tags:
        for snapshot in call.world.of_crawl(crawl):
            snapshot.tags = (snapshot.tags | added) - gone


def _files(call: Call, crawl: Crawl) -> dict[str, tuple[str, str]]:
    lines = [
        f"[{iso(each.created_at)}] {each.status} {each.url}" for each in call.world.of_crawl(crawl)
    ]
    log = (
        "\n".join(
            [f"[{iso(crawl.created_at)}] crawl {crawl.id} max_depth={crawl.max_depth}", *lines]
        )
        + "\n"
    )
    return {
        "wget/index.jsonl": (
            "application/x-ndjson",
            json.dumps({"type": "Process", "crawl_id": crawl.id}) + "\n",
        ),
        "urls.txt": ("text/plain; charset=utf-8", f"{crawl.urls}\n"),
        "logs/crawl.log": ("text/plain; charset=utf-8", log),
        "parse_txt_urls/out/urls.jsonl": ("application/x-ndjson", f"{crawl.urls}\n"),
    }
