"""Snapshots in the forms that commands print."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from server.sandbox.archivebox.answers import Raised
from server.sandbox.archivebox.call import Call
from server.sandbox.archivebox.render import (
    archive_path,
    directory,
    iso,
    output_size,
    shown_id,
)
from server.sandbox.archivebox.world.records import Snapshot


def formatted(call: Call, found: list[Snapshot]) -> tuple[Any, str]:
    """The snapshots in the form that was asked for, and the form's name."""
    body = call.body
    if body.as_json:
        rows: list[dict[str, Any]] = [row(call, each) for each in found]
        headed = {"schema": "archivebox.index.json", "num_links": len(rows), "links": rows}
        return (headed if body.with_headers and not call.dialect.compact_ids else rows), "json"
    urls = "\n".join(each.url for each in found)
    if body.as_html:
        return urls, "html"
    if not body.as_csv:
        return urls, "txt"
    columns = [name.strip() for name in body.as_csv.split(",") if name.strip()]
    lines = [",".join(columns)] if body.with_headers else []
    for each in found:
        fields = row(call, each)
        if unknown := [name for name in columns if name not in fields]:
            raise Raised("ValueError", f"Invalid CSV field(s): {', '.join(unknown)}")
        lines.append(",".join(f'"{fields[name]}"' for name in columns))
    return "\n".join(lines), "csv"


def row(call: Call, snapshot: Snapshot) -> dict[str, Any]:
    """A snapshot as commands show it: more fields than the other endpoints have, and no results."""
    world, parts = call.world, urlsplit(snapshot.url)
    results = world.results(snapshot)
    size, folder, name = (
        output_size(world, snapshot),
        directory(world, snapshot),
        parts.path.rpartition("/")[2],
    )
    statuses = [result.status for result in results]
    return {
        "TYPE": "core.models.Snapshot",
        "id": shown_id(world, snapshot.id),
        "crawl_id": shown_id(world, snapshot.crawl.id),
        "url": snapshot.url,
        "timestamp": snapshot.timestamp,
        "title": snapshot.title,
        "tags": world.names(snapshot),
        "downloaded_at": iso(snapshot.downloaded_at),
        "bookmarked_at": iso(snapshot.bookmarked_at),
        "created_at": iso(snapshot.created_at),
        "modified_at": iso(snapshot.modified_at),
        "retry_at": iso(snapshot.retry_at),
        "depth": snapshot.depth,
        "status": snapshot.status,
        "fs_version": snapshot.fs_version,
        "domain": parts.netloc,
        "scheme": parts.scheme,
        "base_url": snapshot.url.partition("://")[2],
        "path": parts.path,
        "basename": name,
        "extension": name.rpartition(".")[2] if "." in name else "",
        "is_static": False,
        "is_archived": "succeeded" in statuses,
        "archive_path": archive_path(world, snapshot),
        "archive_url": f"/{archive_path(world, snapshot)}",
        "output_dir": folder,
        "link_dir": folder,
        "archive_size": size,
        "output_size": size,
        "bookmarked_date": f"{snapshot.bookmarked_at:%Y-%m-%d %H:%M}",
        "downloaded_datestr": f"{snapshot.downloaded_at:%Y-%m-%d %H:%M}"
        if snapshot.downloaded_at
        else None,
        "num_outputs": statuses.count("succeeded"),
        "num_failures": statuses.count("failed"),
    }
