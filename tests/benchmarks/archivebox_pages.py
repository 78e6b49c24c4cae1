"""25,000 pages for a real ArchiveBox, as rows inserted into its database: nothing was archived."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

PAGES = 25_000
TAGGED = 5
"""One page of so many has the tag."""
HOSTS = 50
FAILED = 500
"""One page of so many was not fetched."""

_START = datetime(2026, 1, 1)

Json = dict[str, Any]


def insert_pages(database: Path, count: int = PAGES) -> None:
    """Insert the pages, each with one output, some of them with a tag."""
    connection = sqlite3.connect(database, timeout=60)
    with connection:
        (user,) = connection.execute("SELECT id FROM auth_user WHERE is_superuser").fetchone()
        stamp = str(_START)
        crawl = uuid4().hex
        _insert(connection, "crawls_crawl", _crawl(crawl, user, stamp))
        named = {"name": "rows", "created_at": stamp, "modified_at": stamp, "created_by_id": user}
        tag = _insert(connection, "core_tag", named)
        for number in range(count):
            page = _page(number, crawl)
            _insert(connection, "core_snapshot", page)
            _insert(connection, "core_archiveresult", _result(number, page))
            if number % TAGGED == 0:
                both = {"snapshot_id": page["id"], "tag_id": tag}
                _insert(connection, "core_snapshot_tags", both)
    connection.close()


def _insert(connection: sqlite3.Connection, table: str, row: Json) -> int | None:
    # Of the columns that only some versions have.
    columns = _columns(connection, table)
    row = {name: value for name, value in row.items() if name in columns}
    names, places = ", ".join(row), ", ".join("?" * len(row))
    text = f"INSERT INTO {table} ({names}) VALUES ({places})"  # noqa: S608  # names of this module
    return connection.execute(text, list(row.values())).lastrowid


@cache
def _columns(connection: sqlite3.Connection, table: str) -> frozenset[str]:
    rows = connection.execute("SELECT name FROM pragma_table_info(?)", (table,))
    return frozenset(name for (name,) in rows)


def _crawl(identity: str, user: int, stamp: str) -> Json:
    texts = dict.fromkeys(("tags_str", "label", "notes"), "")
    counts = dict.fromkeys(
        ("num_uses_succeeded", "num_uses_failed", "max_depth", "max_size", "max_urls"), 0
    )
    about = {"id": identity, "created_at": stamp, "modified_at": stamp, "created_by_id": user}
    return {
        **about,
        **texts,
        **counts,
        "urls": "https://rows.example/",
        "config": "{}",
        "status": "sealed",
    }


def _page(number: int, crawl: str) -> Json:
    moment = _START + timedelta(seconds=number)
    dates = ("bookmarked_at", "created_at", "modified_at", "downloaded_at")
    counts = ("depth", "num_uses_failed", "num_uses_succeeded", "output_size", "current_step")
    return {
        "id": f"{number:08x}{uuid4().hex[8:]}",
        "url": page_url(number),
        "timestamp": f"{moment.timestamp():.6f}",
        "title": f"Page {number}",
        **dict.fromkeys(dates, f"{moment}.000000"),
        **dict.fromkeys(counts, 0),
        "crawl_id": crawl,
        "config": '{"PERMISSIONS": "public"}',
        "notes": "",
        "status": "sealed",
        "fs_version": "0.9.0",
    }


def page_url(number: int) -> str:
    """Return the address of a page."""
    return f"https://site{number % HOSTS}.example/page/{number}"


def _result(number: int, page: Json) -> Json:
    is_failed = number % FAILED == 0
    dates = dict.fromkeys(("start_ts", "end_ts", "created_at", "modified_at"), page["created_at"])
    return {
        "id": uuid4().hex,
        "status": "failed" if is_failed else "succeeded",
        "snapshot_id": page["id"],
        **dates,
        "notes": "",
        "hook_name": "on_Snapshot__06_wget",
        "output_files": "{}",
        "output_mimetypes": "",
        "output_size": 0,
        "output_str": "wget exited 4" if is_failed else f"wget/{number}.html",
        "plugin": "wget",
    }
