"""What a tool call adds to the API requests that it makes, against the same requests by a bare HTTP
client.

The limiter is in the path but opened up: its pace is what the limiter benchmarks are about.
"""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from server.archive.operations import ArchiveRequest
from server.archive.selection import select
from server.sandbox import MAIN, TOKEN
from server.sandbox.archivebox import KEY
from tests.benchmarks.figures import Figure, compared
from tests.support.machine.procfs import cpu_seconds
from tests.support.sandboxed import (
    LAUNCHER,
    PACED,
    archivebox_process,
    sandbox_process,
    using,
    using_archivebox,
)
from tests.support.stdio import Json, StdioServer
from tools.archive.content.items import SearchItems
from tools.archive.workspace import GetWorkspace

_WINDOW = 0.001
_WARM_UP = 10
_WARC = re.compile(r"warc/.+\.warc\.gz")

Bare = Callable[[], Awaitable[float]]
"""Sends a case's requests without the product; the milliseconds that they took."""


@dataclass(frozen=True)
class Case:
    """A call, by how many milliseconds it may be slower than its requests, and how many records it
    answers."""

    name: str
    tool: str
    arguments: Json
    goal: float
    records: int = 0


@dataclass(frozen=True)
class Query:
    """The GraphQL request that a call makes."""

    request: type[ArchiveRequest[Any]]
    variables: Json

    def body(self, case: Case) -> Json:
        """The request of a bare client."""
        document = self.request.document(
            select(self.request.record(), case.arguments.get("fields"))
        )
        return {"query": document, "variables": self.variables}


_FIELDS = [
    "id",
    "type",
    "takenAt",
    "originalUrl",
    "socialProfile.accountName",
    "currentEngagement.likes",
]
SMALL = Case("small answer", "archive_get_workspace", {}, goal=2)
PAGE = Case(
    "full page of 100",
    "archive_search_items",
    {"limit": 100, "fields": _FIELDS},
    goal=5,
    records=100,
)
QUERIES = ((SMALL, Query(GetWorkspace, {})), (PAGE, Query(SearchItems, {"first": 100})))


async def measure(quick: bool) -> list[Figure]:
    """Small and large answers of both APIs, each in turns with the bare client."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        return [*await _archive(folder, quick), *await _archivebox(folder, quick)]


async def _archive(folder: Path, quick: bool) -> list[Figure]:
    figures: list[Figure] = []
    headers = {"authorization": f"Bearer {TOKEN}", "workspace-id": MAIN}
    with sandbox_process(plan="enterprise", items=1000, window=_WINDOW) as sandbox:
        command = (*PACED, "--window", str(_WINDOW))
        async with (
            httpx.AsyncClient(trust_env=False, headers=headers) as client,
            StdioServer.spawn(command, env=using(sandbox, folder), cwd=folder) as server,
        ):
            await server.handshake()
            for (case, query), calls in zip(QUERIES, (40, 20) if quick else (300, 80), strict=True):
                figures += await _measure(
                    case, calls, server, _posts(client, sandbox.url, query.body(case))
                )
    return figures


async def _archivebox(folder: Path, quick: bool) -> list[Figure]:
    figures: list[Figure] = []
    with archivebox_process() as url:
        async with (
            httpx.AsyncClient(trust_env=False, headers={"x-archivebox-api-key": KEY}) as client,
            StdioServer.spawn(LAUNCHER, env=using_archivebox(url, folder), cwd=folder) as server,
        ):
            await server.handshake()
            first = f"{url}/api/v1/core/snapshots?limit=3&offset=0"
            id = (await client.get(first)).raise_for_status().json()["items"][0]["id"]
            whole = f"{url}/api/v1/core/snapshot/{id}?with_archiveresults=true"
            page: Json = (await client.get(whole)).raise_for_status().json()
            # Only wget's WARC tells what the site answered: the call reads it for the verdict.
            (warc,) = filter(_WARC.match, _find_output(page, "wget")["output_files"])
            evidence = f"{url}/snapshot/{id}/wget/{warc}?raw=1"
            listing = Case(
                "ArchiveBox, 3 pages", "archivebox_list_snapshots", {"limit": 3}, goal=2, records=3
            )
            getting = Case(
                "ArchiveBox, one page", "archivebox_get_snapshot", {"snapshot_id": id}, goal=2
            )
            for case, urls in ((listing, [first]), (getting, [whole, evidence])):
                figures += await _measure(case, 40 if quick else 300, server, _gets(client, urls))
    return figures


def _find_output(page: Json, plugin: str) -> Json:
    outputs: list[Json] = page["archiveresults"]
    (output,) = (output for output in outputs if output["plugin"] == plugin)
    return output


async def _measure(case: Case, calls: int, server: StdioServer, bare: Bare) -> list[Figure]:
    ours: list[float] = []
    direct: list[float] = []
    for number in range(-_WARM_UP, calls):
        if number == 0:
            ours, direct = [], []
        # The order changes, so that neither side always finds the sandbox warm.
        if number % 2:
            ours.append(await _call(server, case))
            direct.append(await bare())
        else:
            direct.append(await bare())
            ours.append(await _call(server, case))
    before = cpu_seconds(server.pid)
    for _ in range(calls):
        await _call(server, case)
    processor = 1000 * (cpu_seconds(server.pid) - before) / calls
    return [
        compared(
            f"{case.name}: time of a call", ours, direct, "ms", goal=case.goal, judged="added"
        ),
        Figure(f"{case.name}: processor time of a call", processor, "ms", runs=calls),
    ]


async def _call(server: StdioServer, case: Case) -> float:
    timed = await server.timed("tools/call", {"name": case.tool, "arguments": case.arguments})
    found = timed.result["structuredContent"]
    if timed.result["isError"] or len(found.get("nodes", ())) != case.records:
        raise RuntimeError(
            f"{case.tool} did not answer as it should: {timed.result['content'][0]['text'][:300]}"
        )
    return 1000 * timed.seconds


def _posts(client: httpx.AsyncClient, url: str, body: Json) -> Bare:
    async def send() -> float:
        started = time.perf_counter()
        answer = await client.post(url, json=body)
        took = time.perf_counter() - started
        if "errors" in answer.raise_for_status().json():
            raise RuntimeError(f"{url}: {answer.text[:300]}")
        return 1000 * took

    return send


def _gets(client: httpx.AsyncClient, urls: list[str]) -> Bare:
    async def send() -> float:
        started = time.perf_counter()
        answers = [await client.get(url) for url in urls]
        took = time.perf_counter() - started
        for answer in answers:
            answer.raise_for_status()
        return 1000 * took

    return send
