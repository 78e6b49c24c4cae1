"""What a tool call adds to the API request that it makes, against the same request by a bare HTTP client.

The limiter is in the path but opened up: its pace is what the limiter benchmarks are about.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from server.archive.records import select
from server.archive.requests import ArchiveRequest
from server.sandbox import MAIN, TOKEN
from tests.benchmarks.figures import Figure, compared
from tests.support.procfs import cpu_seconds
from tests.support.sandboxed import PACED, SandboxProcess, sandbox_process, using
from tests.support.stdio import Json, StdioServer
from tools.archive.content import SearchItems
from tools.archive.workspaces import GetWorkspace

_WINDOW = 0.001
_WARM_UP = 10


@dataclass(frozen=True)
class Case:
    """A call, and the request that it makes of the API."""

    name: str
    tool: str
    request: type[ArchiveRequest[Any]]
    arguments: Json
    variables: Json
    goal: float
    records: int = 0

    def body(self) -> Json:
        """The GraphQL request of a bare client."""
        document = self.request.document(select(self.request.record(), self.arguments.get("fields")))
        return {"query": document, "variables": self.variables}


SMALL = Case("small answer", "archive_get_workspace", GetWorkspace, {}, {}, goal=2)
_FIELDS = ["id", "type", "takenAt", "originalUrl", "socialProfile.accountName", "currentEngagement.likes"]
PAGE = Case(
    "full page of 100",
    "archive_search_items",
    SearchItems,
    {"limit": 100, "fields": _FIELDS},
    {"first": 100},
    goal=5,
    records=100,
)


async def measure(quick: bool) -> list[Figure]:
    """Small and large answers, each in turns with the bare client."""
    figures: list[Figure] = []
    with TemporaryDirectory() as name, sandbox_process(plan="enterprise", items=1000, window=_WINDOW) as sandbox:
        folder = Path(name)
        command = (*PACED, "--window", str(_WINDOW))
        async with (
            httpx.AsyncClient(trust_env=False, headers=_headers()) as client,
            StdioServer.spawn(command, env=using(sandbox, folder), cwd=folder) as server,
        ):
            await server.handshake()
            for case, calls in ((SMALL, 40 if quick else 300), (PAGE, 20 if quick else 80)):
                figures += await _measure(case, calls, server, _bare(client, sandbox, case))
    return figures


async def _measure(case: Case, calls: int, server: StdioServer, bare: Callable[[], Awaitable[float]]) -> list[Figure]:
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
        compared(f"{case.name}: time of a call", ours, direct, "ms", goal=case.goal, judged="added"),
        Figure(f"{case.name}: processor time of a call", processor, "ms", runs=calls),
    ]


async def _call(server: StdioServer, case: Case) -> float:
    timed = await server.timed("tools/call", {"name": case.tool, "arguments": case.arguments})
    found = timed.result["structuredContent"]
    if timed.result["isError"] or len(found.get("nodes", ())) != case.records:
        raise RuntimeError(f"{case.tool} did not answer as it should: {timed.result['content'][0]['text'][:300]}")
    return 1000 * timed.seconds


def _bare(client: httpx.AsyncClient, sandbox: SandboxProcess, case: Case) -> Callable[[], Awaitable[float]]:
    body = case.body()

    async def send() -> float:
        started = time.perf_counter()
        answer = await client.post(sandbox.url, json=body)
        took = time.perf_counter() - started
        if "errors" in answer.raise_for_status().json():
            raise RuntimeError(f"{case.tool}: {answer.text[:300]}")
        return 1000 * took

    return send


def _headers() -> dict[str, str]:
    return {"authorization": f"Bearer {TOKEN}", "workspace-id": MAIN}
