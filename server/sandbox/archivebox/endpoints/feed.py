"""The feed of snapshots."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time
from email.utils import format_datetime
from html import escape
from urllib.parse import parse_qsl, urlencode

from server.sandbox.answer import Answer
from server.sandbox.archivebox.answers import Detail
from server.sandbox.archivebox.call import Call, Filter, add_timezone, select
from server.sandbox.archivebox.endpoints.auth import DEFAULT_HOST
from server.sandbox.archivebox.lookup import has_id_end
from server.sandbox.archivebox.render import make_archive_path
from server.sandbox.archivebox.world.records import Snapshot

# The feed names its own address, which must not hand on the key of who asked for it.
_SECRETS = ("api_key", "token", "password")
_SHORTEST_CRAWL_PART = 8
_DEFAULT_LIMIT, _HIGHEST_LIMIT = 50, 500


def get_feed(call: Call) -> Answer:
    """Answer `GET /core/snapshots.rss`: newest first."""
    query = call.query
    values = {
        "end": _parse_end(call, query["before"]),
        "crawl_id": query["crawl_id"].strip() or None,
        "creator": query["created_by"].strip().lower() or None,
    }
    snapshots = select(call, call.world.snapshots.values(), _FILTERS, values)
    # The id decides between snapshots of the same moment.
    snapshots.sort(key=lambda snapshot: (snapshot.bookmarked_at, snapshot.id), reverse=True)
    limit = max(1, min(query["limit"] or _DEFAULT_LIMIT, _HIGHEST_LIMIT))
    origin = f"http://{call.request.headers.get('host', DEFAULT_HOST)}"
    items = "".join(_render_item(call, snapshot, origin) for snapshot in snapshots[:limit])
    body = (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"><channel>'
        f"<title>ArchiveBox Snapshots</title><link>{origin}/public/</link>"
        f'<atom:link href="{escape(_make_own_address(call, origin))}" rel="self"/>'
        "<description>Recently added ArchiveBox snapshots.</description><language>en</language>"
        f"{items}</channel></rss>"
    )
    return Answer(200, {"content-type": "application/rss+xml; charset=utf-8"}, body.encode())


def _make_own_address(call: Call, origin: str) -> str:
    parameters = parse_qsl(call.request.query)
    public = [(name, value) for name, value in parameters if name not in _SECRETS]
    return f"{origin}{call.request.path}?{urlencode(public)}"


def _is_of_crawl(call: Call, text: str, snapshot: Snapshot) -> bool:
    part = re.sub(r"[^0-9a-f]", "", text.lower())
    # A part that is too short finds nothing, rather than everything.
    return len(part) >= _SHORTEST_CRAWL_PART and has_id_end(snapshot.crawl.id, part)


def _is_of_creator(call: Call, text: str, snapshot: Snapshot) -> bool:
    user = snapshot.crawl.created_by
    return text in (user.name, str(user.id))


def _parse_end(call: Call, text: str | None) -> datetime:
    """Return the latest moment that the feed reaches: now, or the end of a day."""
    if not text:
        return call.world.now()
    text = text.strip()
    try:
        if re.fullmatch(r"\d{8}", text):
            text = f"{text[:4]}-{text[4:6]}-{text[6:]}"
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            return datetime.combine(datetime.fromisoformat(text), time.max, UTC)
        return add_timezone(datetime.fromisoformat(text))
    except ValueError:
        raise Detail(400, "before must be an ISO datetime, YYYY-MM-DD, or YYYYMMDD") from None


def _render_item(call: Call, snapshot: Snapshot, origin: str) -> str:
    link = escape(f"{origin}/{make_archive_path(call.world, snapshot)}")
    url = escape(snapshot.url)
    categories = ""
    for name in call.world.list_tag_names(snapshot):
        categories += f"<category>{escape(name)}</category>"
    return (
        f"<item><title>{escape(snapshot.title or snapshot.url)}</title><link>{link}</link>"
        f"<description>Original URL: {url}\nArchived snapshot: {link}</description>"
        f"<author>{escape(snapshot.crawl.created_by.name)}</author>{categories}"
        f'<guid isPermaLink="false">{snapshot.id}</guid>'
        f"<pubDate>{format_datetime(snapshot.bookmarked_at)}</pubDate></item>"
    )


_FILTERS: dict[str, Filter] = {
    "end": lambda call, date, snapshot: snapshot.bookmarked_at <= date,
    "crawl_id": _is_of_crawl,
    "creator": _is_of_creator,
}
