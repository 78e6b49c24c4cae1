"""Lists, searches, work by a query and exports over 25,000 saved pages in a real ArchiveBox, each
in turns with the same requests by curl.

The pages are rows inserted into the server's database: nothing was archived.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlencode

from tests.benchmarks.archivebox_pages import (
    FAILED,
    HOSTS,
    PAGES,
    TAGGED,
    insert_pages,
    page_url,
)
from tests.benchmarks.figures import Figure
from tests.support.archivebox.install import installed_or_skip
from tests.support.archivebox.server import real_archivebox
from tests.support.machine.procfs import resident
from tests.support.sandboxed import LAUNCHER, using_archivebox
from tests.support.stdio import Json, StdioServer

RATIO, ADDED = 1.5, 30.0
"""What a call may take: so many times its bare requests, and milliseconds more."""

_LARGEST = 500
_CALL_SECONDS = 600
_LOOKS, _LOOK_SECONDS = 1_200, 0.1


@dataclass(frozen=True)
class Ask:
    """A bare request to the API: a read with parameters, or a command with a body."""

    path: str
    params: Json = field(default_factory=dict)
    body: Json | None = None


@dataclass(frozen=True)
class Case:
    """A call, and the bare requests to compare it with, sent one after another.

    refused: whether the server's own rules refuse it, which it has to find out first.
    """

    name: str
    tool: str
    arguments: Json
    bare: list[Ask]
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
    curl = Curl(f"{url}/api/v1", key)
    async with StdioServer.spawn(LAUNCHER, env=settings, cwd=folder) as server:
        await server.handshake()
        figures = [await _compare(case, server, curl, quick=quick) for case in CASES]
        before = resident(server.pid)
        await _call(server, _EXPORT_AGAIN)
        after = resident(server.pid)
    return [
        *figures,
        Figure("memory of our process after all of it", after, "MiB"),
        Figure("memory added by one more export", after - before, "MiB", goal=20),
    ]


@dataclass(frozen=True)
class Curl:
    """Curl as the bare client of an API."""

    url: str
    key: str

    async def send(self, asks: list[Ask]) -> None:
        """Send the requests one after another by one process, whose start counts too."""
        text = "next\n".join(map(self._configure, asks))
        process = await asyncio.create_subprocess_exec(
            "curl", "--config", "-", stdin=asyncio.subprocess.PIPE
        )
        await process.communicate(text.encode())
        if process.returncode:
            raise RuntimeError(f"curl ended with {process.returncode} for {asks[0].path}")

    def _configure(self, ask: Ask) -> str:
        query = f"?{urlencode(ask.params)}" if ask.params else ""
        lines = {
            "url": f"{self.url}{ask.path}{query}",
            "header": f"x-archivebox-api-key: {self.key}",
            "output": "/dev/null",
        }
        text = "".join(f"{name} = {json.dumps(value)}\n" for name, value in lines.items())
        if ask.body is not None:
            text += f"json = {json.dumps(json.dumps(ask.body))}\n"
        return f'{text}silent\nfail\nnoproxy = "*"\n'


async def _compare(case: Case, server: StdioServer, curl: Curl, *, quick: bool) -> Figure:
    times = Times()
    # The first run of each side only warms both up, where there are more.
    runs = 1 if quick else case.runs
    for number in range(runs if runs == 1 else runs + 1):
        if number == 1:
            times = Times()
        # The order changes, so that neither side always finds the server warm.
        sides = [_run_ours(case, server, times), _run_bare(case, curl, times)]
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


async def _run_bare(case: Case, curl: Curl, times: Times) -> None:
    started = time.perf_counter()
    await curl.send(case.bare)
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


def _list(path: str, count: int, most: int, **params: Any) -> list[Ask]:
    """Return the reading of `count` records, `most` a request."""
    return [
        Ask(path, {**params, "limit": min(most, count - offset), "offset": offset})
        for offset in range(0, count, most)
    ]


def _search(count: int, **body: Any) -> list[Ask]:
    return [Ask("/cli/search", body={"as_json": True, "limit": count, **body})]


def _urls(**body: Any) -> list[Ask]:
    """Return the request for all URLs that fit, and nothing else of their pages."""
    return [Ask("/cli/search", body={"as_json": False, "as_csv": "", **body})]


_SNAPSHOTS, _RESULTS = "/core/snapshots", "/core/archiveresults"
_TAG, _HOST = {"tag": "rows"}, {"domain": "site7.example"}
_CHECKS = 20
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
        _urls(filter_patterns=["site7.example"], filter_type="domain"),
        refused=True,
    )
    yield Case(
        f"preview: delete {PAGES // HOSTS} of a host",
        "archivebox_start_remove",
        {"query": _HOST, **_DRY},
        _list(_SNAPSHOTS, PAGES // HOSTS, _LARGEST, search=_HOST["domain"], search_mode="meta"),
    )
    yield Case(
        f"preview: delete {PAGES} of all hosts",
        "archivebox_start_remove",
        {"query": {"domain": "example"}, **_DRY},
        _urls(filter_patterns=["example"], filter_type="substring"),
    )
    yield Case(
        f"preview: tag {PAGES // TAGGED} with a tag",
        "archivebox_start_save",
        {"action": "tag", "tags": ["more"], "query": _TAG, **_DRY},
        _list(_SNAPSHOTS, 10, 10, **_TAG),
    )
    yield Case(
        f"preview: retry {PAGES // FAILED} failed",
        "archivebox_start_save",
        {"action": "retry", **_DRY},
        [
            *_list(_RESULTS, PAGES // FAILED, _LARGEST, status="failed"),
            *_copies(number * FAILED for number in range(PAGES // FAILED)),
        ],
    )
    yield Case(
        "preview: cancel what is queued",
        "archivebox_start_save",
        {"action": "cancel", **_DRY},
        [Ask("/crawls/crawls"), *_list(_SNAPSHOTS, _LARGEST, _LARGEST, status="queued")],
    )
    yield Case(
        "check of 20 pages",
        "archivebox_start_save",
        {"action": "check", "urls": list(map(page_url, range(_CHECKS)))},
        _copies(range(_CHECKS)),
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


def _copies(numbers: Iterable[int]) -> list[Ask]:
    """Return the reading of the copies of pages, with their outputs."""
    copies: Json = {"with_archiveresults": "true", "limit": 20}
    return [Ask(_SNAPSHOTS, {"url": page_url(number), **copies}) for number in numbers]


CASES = tuple(_cases())
_EXPORT_AGAIN = replace(CASES[-1], name="one more export")
