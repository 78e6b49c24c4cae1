"""The feed of snapshots."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time
from email.utils import format_datetime
from html import escape
from urllib.parse import parse_qsl, urlencode

from server.sandbox.answer import Answer
from server.sandbox.archivebox.answers import Detail
from server.sandbox.archivebox.call import Call, aware
from server.sandbox.archivebox.render import archive_path
from server.sandbox.archivebox.world.records import Snapshot

_SECRETS = ("api_key", "token", "password")


def feed(call: Call) -> Answer:
    """`GET /core/snapshots.rss`: newest first."""
    query, world = call.query, call.world
    before = _before(call, query["before"])
    part = re.sub(r"[^0-9a-f]", "", query["crawl_id"].lower())
    creator = query["created_by"].strip().lower()
    found = [
        each
        for each in world.snapshots.values()
        if each.bookmarked_at <= before
        and (not query["crawl_id"].strip() or (len(part) >= 8 and _id_fits(each.crawl.id, part)))
        and (not creator or creator in (each.crawl.created_by.name, str(each.crawl.created_by.id)))
    ]
    found.sort(key=lambda each: (each.bookmarked_at, each.id), reverse=True)
    shown = found[: max(1, min(query["limit"] or 50, 500))]
    own = [(name, value) for name, value in parse_qsl(call.request.query) if name not in _SECRETS]
    link = f"http://{call.request.headers.get('host', 'archivebox.localhost:5797')}"
    body = (
        '<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"><channel>'
        f"<title>ArchiveBox Snapshots</title><link>{link}/public/</link>"
        f'<atom:link href="{escape(f"{link}{call.request.path}?{urlencode(own)}")}" rel="self"/>'
        "<description>Recently added ArchiveBox snapshots.</description><language>en</language>"
        + "".join(_item(call, each, link) for each in shown)
        + "</channel></rss>"
    )
    return Answer(200, {"content-type": "application/rss+xml; charset=utf-8"}, body.encode())


def _id_fits(id: str, part: str) -> bool:
    return id.startswith(part) or id.endswith(part)


def _before(call: Call, given: str | None) -> datetime:
    if not given:
        return call.world.moment()
    text = given.strip()
    try:
        if re.fullmatch(r"\d{8}", text):
            text = f"{text[:4]}-{text[4:6]}-{text[6:]}"
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            return datetime.combine(datetime.fromisoformat(text), time.max, UTC)
        return aware(datetime.fromisoformat(text))
    except ValueError:
        raise Detail(400, "before must be an ISO datetime, YYYY-MM-DD, or YYYYMMDD") from None


def _item(call: Call, snapshot: Snapshot, link: str) -> str:
    archived = f"{link}/{archive_path(call.world, snapshot)}"
    tags = "".join(f"<category>{escape(name)}</category>" for name in call.world.names(snapshot))
    return (
        f"<item><title>{escape(snapshot.title or snapshot.url)}</title><link>{escape(archived)}</link>"
        f"<description>Original URL: {escape(snapshot.url)}\nArchived snapshot: {escape(archived)}</description>"
        f"<author>{escape(snapshot.crawl.created_by.name)}</author>{tags}"
        f'<guid isPermaLink="false">{snapshot.id}</guid>'
        f"<pubDate>{format_datetime(snapshot.bookmarked_at)}</pubDate></item>"
    )
