"""Snapshots in the forms that commands print."""

from __future__ import annotations

from itertools import filterfalse
from typing import Any
from urllib.parse import urlsplit

from server.sandbox.archivebox.answers import ServerError
from server.sandbox.archivebox.call import Call
from server.sandbox.archivebox.render import (
    format_id,
    format_iso,
    make_archive_path,
    make_folder,
    measure_snapshot,
)
from server.sandbox.archivebox.world.records import Snapshot, split_names


def format_listing(call: Call, snapshots: list[Snapshot]) -> tuple[Any, str]:
    """Return the snapshots in the form that was asked for, and the form's name."""
    if call.body.as_json:
        return _format_json(call, snapshots), "json"
    # As on the server, HTML goes before CSV, and holds the bare addresses.
    if call.body.as_html:
        return _format_urls(snapshots), "html"
    if call.body.as_csv:
        return _format_csv(call, snapshots), "csv"
    return _format_urls(snapshots), "txt"


def _format_json(call: Call, snapshots: list[Snapshot]) -> Any:
    rows = [make_row(call, snapshot) for snapshot in snapshots]
    if call.body.with_headers and call.dialect.wraps_listings:
        return {"schema": "archivebox.index.json", "num_links": len(rows), "links": rows}
    return rows


def _format_urls(snapshots: list[Snapshot]) -> str:
    return "\n".join(snapshot.url for snapshot in snapshots)


def _format_csv(call: Call, snapshots: list[Snapshot]) -> str:
    columns = split_names(call.body.as_csv)
    lines = [",".join(columns)] if call.body.with_headers else []
    for snapshot in snapshots:
        row = make_row(call, snapshot)
        # Noticed only at the first row: an empty table may have any columns.
        if unknown := list(filterfalse(row.__contains__, columns)):
            raise ServerError("ValueError", f"Invalid CSV field(s): {', '.join(unknown)}")
        # A quotation mark in a value is not doubled, as CSV would require.
        lines.append(",".join(f'"{row[name]}"' for name in columns))
    return "\n".join(lines)


def make_row(call: Call, snapshot: Snapshot) -> dict[str, Any]:
    """Return a snapshot as commands show it: more fields than the other endpoints have, and no
    results."""
    world, parts = call.world, urlsplit(snapshot.url)
    size, folder = measure_snapshot(world, snapshot), make_folder(world, snapshot)
    path = make_archive_path(world, snapshot)
    file_name = parts.path.rpartition("/")[2]
    statuses = [result.status for result in world.list_results(snapshot)]
    end = snapshot.downloaded_at
    return {
        "TYPE": "core.models.Snapshot",
        "id": format_id(world, snapshot.id),
        "crawl_id": format_id(world, snapshot.crawl.id),
        "url": snapshot.url,
        "timestamp": snapshot.timestamp,
        "title": snapshot.title,
        "tags": world.list_tag_names(snapshot),
        "downloaded_at": format_iso(end),
        "bookmarked_at": format_iso(snapshot.bookmarked_at),
        "created_at": format_iso(snapshot.created_at),
        "modified_at": format_iso(snapshot.modified_at),
        "retry_at": format_iso(snapshot.retry_at),
        "depth": snapshot.depth,
        "status": snapshot.status,
        "fs_version": snapshot.fs_version,
        "domain": parts.netloc,
        "scheme": parts.scheme,
        "base_url": snapshot.url.partition("://")[2],
        "path": parts.path,
        "basename": file_name,
        "extension": file_name.rpartition(".")[2] if "." in file_name else "",
        "is_static": False,
        "is_archived": "succeeded" in statuses,
        "archive_path": path,
        "archive_url": f"/{path}",
        "output_dir": folder,
        "link_dir": folder,
        "archive_size": size,
        "output_size": size,
        "bookmarked_date": f"{snapshot.bookmarked_at:%Y-%m-%d %H:%M}",
        "downloaded_datestr": f"{end:%Y-%m-%d %H:%M}" if end else None,
        "num_outputs": statuses.count("succeeded"),
        "num_failures": statuses.count("failed"),
    }
