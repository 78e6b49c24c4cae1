"""Lists, searches, work by a query and exports over 25,000 saved pages in a real ArchiveBox, each
in turns with the bare requests that it needs.

The pages are rows inserted into the server's database: nothing was archived.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import httpx

from tests.benchmarks.figures import Figure
from tests.support.archivebox.install import installed_or_skip
from tests.support.archivebox.server import real_archivebox
from tests.support.machine.procfs import resident
from tests.support.sandboxed import LAUNCHER, using_archivebox
from tests.support.stdio import Json, StdioServer

PAGES = 25_000
TAGGED = 5
"""One page of so many has the tag."""
HOSTS = 50
FAILED = 500
"""One page of so many was not fetched."""
RATIO, ADDED = 1.5, 30.0
"""What a call may take: so many times its bare requests, and milliseconds more."""

_LARGEST = 500
_CALL_SECONDS = 600
_LOOKS, _LOOK_SECONDS = 1_200, 0.1
_START = datetime(2026, 1, 1)

Bare = Callable[[httpx.AsyncClient], Awaitable[None]]


@dataclass(frozen=True)
class Case:
    """A call, and the bare requests to compare it with.

    refused: whether the server's own rules refuse it, which it has to find out first.
    """

    name: str
    tool: str
    arguments: Json
    bare: Bare
    refused: bool = False
    runs: int = 5


@dataclass
class Times:
    """Milliseconds of the runs of a case."""

    ours: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)


async def measure(quick: bool) -> list[Figure]:
    """Every case, and the memory that they took."""
    with (
        TemporaryDirectory() as name,
        real_archivebox(installed_or_skip("0.9.73"), {}) as box,
    ):
        insert_pages(box.folder / "data" / "index.sqlite3")
        return await measure_at(box.url, box.key, Path(name), quick=quick)


async def measure_at(url: str, key: str, folder: Path, *, quick: bool) -> list[Figure]:
    """Every case at a server that has the pages."""
    settings = using_archivebox(url, folder, ARCHIVEBOX_API_KEY=key)
    headers = {"x-archivebox-api-key": key}
    async with (
        httpx.AsyncClient(
            base_url=f"{url}/api/v1", headers=headers, trust_env=False, timeout=_CALL_SECONDS
        ) as client,
        StdioServer.spawn(LAUNCHER, env=settings, cwd=folder) as server,
    ):
        await server.handshake()
        figures = [await _compare(case, server, client, quick=quick) for case in CASES]
        before = resident(server.pid)
        await _call(server, _EXPORT_AGAIN)
        grown = resident(server.pid) - before
    return [*figures, Figure("memory added by one more export", grown, "MiB", goal=20)]


def insert_pages(database: Path) -> None:
    """Insert the pages, each with one output, some of them with a tag."""
    connection = sqlite3.connect(database, timeout=60)
    with connection:
        (user,) = connection.execute("SELECT id FROM auth_user WHERE is_superuser").fetchone()
        stamp = str(_START)
        crawl = uuid4().hex
        _insert(connection, "crawls_crawl", _crawl(crawl, user, stamp))
        named = {"name": "rows", "created_at": stamp, "modified_at": stamp, "created_by_id": user}
        tag = _insert(connection, "core_tag", named)
        for number in range(PAGES):
            page = _page(number, crawl)
            _insert(connection, "core_snapshot", page)
            _insert(connection, "core_archiveresult", _result(number, page))
            if number % TAGGED == 0:
                both = {"snapshot_id": page["id"], "tag_id": tag}
                _insert(connection, "core_snapshot_tags", both)
    connection.close()


def _insert(connection: sqlite3.Connection, table: str, row: Json) -> int | None:
    names, places = ", ".join(row), ", ".join("?" * len(row))
    text = f"INSERT INTO {table} ({names}) VALUES ({places})"  # noqa: S608  # names of this module
    return connection.execute(text, list(row.values())).lastrowid


def _crawl(identity: str, user: int, stamp: str) -> Json:
    texts = dict.fromkeys(("tags_str", "label", "notes"), "")
    counts = dict.fromkeys(("num_uses_succeeded", "num_uses_failed", "max_depth"), 0)
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
    counts = ("depth", "num_uses_failed", "num_uses_succeeded", "output_size")
    return {
        "id": f"{number:08x}{uuid4().hex[8:]}",
        "url": f"https://site{number % HOSTS}.example/page/{number}",
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


async def _compare(
    case: Case, server: StdioServer, client: httpx.AsyncClient, *, quick: bool
) -> Figure:
    times = Times()
    # The first run of each side only warms both up, where there are more.
    runs = 1 if quick else case.runs
    for number in range(runs if runs == 1 else runs + 1):
        if number == 1:
            times = Times()
        # The order changes, so that neither side always finds the server warm.
        sides = [_run_ours(case, server, times), _run_bare(case, client, times)]
        for side in sides[:: 1 if number % 2 else -1]:
            await side
    baseline = median(times.bare)
    return Figure(
        case.name,
        median(times.ours),
        "ms",
        baseline,
        min(times.ours),
        min(times.bare),
        goal=RATIO * baseline + ADDED,
        runs=len(times.ours),
    )


async def _run_ours(case: Case, server: StdioServer, times: Times) -> None:
    started = time.perf_counter()
    await _call(server, case)
    times.ours.append(1000 * (time.perf_counter() - started))


async def _run_bare(case: Case, client: httpx.AsyncClient, times: Times) -> None:
    started = time.perf_counter()
    await case.bare(client)
    times.bare.append(1000 * (time.perf_counter() - started))


async def _call(server: StdioServer, case: Case) -> None:
    params = {"name": case.tool, "arguments": case.arguments}
    timed = await server.timed("tools/call", params, seconds=_CALL_SECONDS)
    if timed.result["isError"] != case.refused:
        text = timed.result["content"][0]["text"][:300]
        raise RuntimeError(f"{case.tool} did not answer as it should: {text}")
    answer = timed.result.get("structuredContent") or {}
    # A job that takes longer than a call answers with its id.
    for _ in range(_LOOKS):
        if answer.get("state") != "running":
            return
        await asyncio.sleep(_LOOK_SECONDS)
        look = {"name": "archive_mcp_get_job", "arguments": {"id": answer["jobId"]}}
        timed = await server.timed("tools/call", look, seconds=_CALL_SECONDS)
        answer = timed.result["structuredContent"]
    raise RuntimeError(f"{case.tool} did not end: {answer}")


def _list(path: str, count: int, most: int, **params: Any) -> Bare:
    """Return the reading of `count` records, `most` a request."""

    async def send(client: httpx.AsyncClient) -> None:
        for offset in range(0, count, most):
            page = {**params, "limit": min(most, count - offset), "offset": offset}
            (await client.get(path, params=page)).raise_for_status().json()

    return send


def _search(count: int, **body: Any) -> Bare:
    async def send(client: httpx.AsyncClient) -> None:
        answer = await client.post("/cli/search", json={"as_json": True, "limit": count, **body})
        answer.raise_for_status().json()

    return send


def _each(paths: list[tuple[str, Json]]) -> Bare:
    async def send(client: httpx.AsyncClient) -> None:
        for path, params in paths:
            (await client.get(path, params=params)).raise_for_status().json()

    return send


_SNAPSHOTS, _RESULTS = "/core/snapshots", "/core/archiveresults"
_TAG, _HOST = {"tag": "rows"}, {"domain": "site7.example"}
_CHECKED = [f"https://site{number % HOSTS}.example/page/{number}" for number in range(20)]
_DRY = {"dry_run": True}


def _cases() -> Iterator[Case]:
    for count in (3, 20, 100):
        arguments = {"limit": count}
        bare = _list(_SNAPSHOTS, count, count)
        yield Case(f"list of {count}", "archivebox_list_snapshots", arguments, bare)
    yield Case(
        "list of 20 with the tag",
        "archivebox_list_snapshots",
        {"limit": 20, **_TAG},
        _list(_SNAPSHOTS, 20, 20, **_TAG),
    )
    yield Case(
        "list of 50 failed outputs",
        "archivebox_list_archiveresults",
        {"limit": 50, "status": "failed"},
        _list(_RESULTS, 50, 50, status="failed"),
    )
    for count in (3, 20, 100):
        arguments = {"limit": count}
        yield Case(f"search, limit {count}", "archivebox_search", arguments, _search(count))
    pattern = {"filter_patterns": ["/page/1234"], "filter_type": "substring"}
    yield Case(
        "search of a substring",
        "archivebox_search",
        {"limit": 20, **pattern},
        _search(20, **pattern),
    )
    yield Case(
        "removal of too many, refused",
        "archivebox_remove",
        {"filter_patterns": ["site7.example"], "filter_type": "domain"},
        _search(201, filter_patterns=["site7.example"], filter_type="substring"),
        refused=True,
    )
    yield Case(
        f"preview: delete {PAGES // HOSTS} of a host",
        "archivebox_start_remove",
        {"query": _HOST, **_DRY},
        _list(_SNAPSHOTS, PAGES // HOSTS, _LARGEST, search=_HOST["domain"], search_mode="meta"),
    )
    yield Case(
        f"preview: tag {PAGES // TAGGED} with a tag",
        "archivebox_start_save",
        {"action": "tag", "tags": ["more"], "query": _TAG, **_DRY},
        _list(_SNAPSHOTS, PAGES // TAGGED, _LARGEST, **_TAG),
        runs=2,
    )
    yield Case(
        f"preview: retry {PAGES // FAILED} failed",
        "archivebox_start_save",
        {"action": "retry", **_DRY},
        _retried,
    )
    yield Case(
        "preview: cancel what is queued",
        "archivebox_start_save",
        {"action": "cancel", **_DRY},
        _each([(_SNAPSHOTS, {"status": "queued", "limit": _LARGEST}), ("/crawls/crawls", {})]),
    )
    yield Case(
        "check of 20 pages",
        "archivebox_start_save",
        {"action": "check", "urls": _CHECKED},
        _each([(_SNAPSHOTS, {"url": url, "with_archiveresults": True}) for url in _CHECKED]),
    )
    yield Case(
        f"export of {PAGES // TAGGED} with the tag",
        "archivebox_start_export",
        {"query": _TAG, "format": "jsonl"},
        _list(_SNAPSHOTS, PAGES // TAGGED, _LARGEST, **_TAG),
        runs=2,
    )
    yield Case(
        f"export of all {PAGES}",
        "archivebox_start_export",
        {"format": "csv"},
        _list(_SNAPSHOTS, PAGES, _LARGEST),
        runs=1,
    )


async def _retried(client: httpx.AsyncClient) -> None:
    """Read the failed outputs, and the copies of their pages."""
    params: Json = {"status": "failed", "limit": _LARGEST}
    results = (await client.get(_RESULTS, params=params)).raise_for_status().json()["items"]
    copies = {"with_archiveresults": True}
    await _each([(_SNAPSHOTS, {"url": row["snapshot_url"], **copies}) for row in results])(client)


CASES = tuple(_cases())
_EXPORT_AGAIN = replace(CASES[-1], name="one more export")
