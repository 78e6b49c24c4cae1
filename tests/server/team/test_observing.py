"""What administrators see of a running server: figures, audit, request ids, log lines."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
import httpx
import pytest
from mcp import Client

from server.audit.event import Event
from server.audit.lines import read_lines
from server.jobs import NewJob, Phase
from server.observing import Telemetry
from server.observing.metrics import Metrics
from server.sandbox import MAIN
from server.settings import SettingsError
from server.team.identity import Refusal
from server.team.jobs.journal import PostgresJournal
from server.team.observing import Observing, RefusalAudit
from server.team.settings import load_team
from server.team.store.database import Database
from tests.support.machine.ports import reserved_port
from tests.support.paths import ROOT

_START_SECONDS = 60.0


@dataclass(frozen=True)
class Running:
    """A server over the sandbox, and where it tells what it did."""

    port: int
    metrics_port: int
    folder: Path

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def figures(self) -> str:
        return httpx.get(f"http://127.0.0.1:{self.metrics_port}/metrics", trust_env=False).text

    def post_nonsense(self) -> httpx.Response:
        return httpx.post(f"{self.address}/mcp", content=b"nonsense", trust_env=False)

    def events(self) -> list[Event]:
        return list(read_lines(self.folder / "audit.jsonl"))


@contextmanager
def serving(folder: Path) -> Iterator[Running]:
    with reserved_port() as port, reserved_port() as metrics_port:
        running = Running(port, metrics_port, folder)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "ARCHIVE_MCP_METRICS": f"127.0.0.1:{metrics_port}",
        "ARCHIVE_MCP_AUDIT_LOG": str(folder / "audit.jsonl"),
        "ARCHIVE_MCP_LOG_FORMAT": "json",
    }
    command = [sys.executable, str(ROOT / "archive_mcp.py"), "serve", "--http", "--sandbox"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--port", str(port)], env=environment, stdout=log, stderr=log
        )
    try:
        until = time.monotonic() + _START_SECONDS
        while True:
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < until, (folder / "log").read_text()
            try:
                httpx.get(f"{running.address}/healthz", trust_env=False).raise_for_status()
                break
            except httpx.HTTPError:
                time.sleep(0.1)
        yield running
    finally:
        process.terminate()
        process.wait(30)


@pytest.mark.slow
async def test_a_running_server_tells_what_it_did(tmp_path: Path) -> None:
    with serving(tmp_path) as running:
        async with Client(f"{running.address}/mcp") as client:
            created = await client.call_tool(
                "archive_create_collection", {"workspace": MAIN, "input": {"name": "Secret name"}}
            )
            assert not created.is_error
            await client.call_tool("archive_get_collection", {"workspace": MAIN, "id": "none"})
        answer = await anyio.to_thread.run_sync(running.post_nonsense)
        figures = await anyio.to_thread.run_sync(running.figures)
    assert len(answer.headers["x-request-id"]) == 16
    assert 'archive_mcp_calls_total{outcome="ok",tool="archive_create_collection"} 1.0' in figures
    assert 'outcome="NOT_FOUND",tool="archive_get_collection"' in figures
    assert 'archive_mcp_requests_total{api="archive",status="200"}' in figures
    begin, end = running.events()
    assert (begin.outcome, end.outcome, end.tool) == ("begins", "done", "archive_create_collection")
    # The same request, whose id is in the answer's header too.
    assert begin.request
    assert begin.request == end.request
    assert "Secret name" not in (tmp_path / "audit.jsonl").read_text() + figures
    for line in (tmp_path / "log").read_text().splitlines():
        if line.startswith("{"):
            assert json.loads(line)["level"]


class Memory:
    """Keeps records."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    async def record(self, event: Event) -> None:
        self.events.append(event)


async def test_failed_sign_ins_are_recorded_so_many_a_minute() -> None:
    memory, now = Memory(), [0.0]
    audit = RefusalAudit(memory, clock=lambda: now[0])
    for _ in range(100):
        await audit(Refusal("invalid", "No.", subject="ann"))
    assert len(memory.events) == 60
    now[0] = 61.0
    await audit(Refusal("missing", "No."))
    event = memory.events[-1]
    assert (event.kind, event.principal, event.code) == ("sign-in", "unknown", "missing")
    assert memory.events[0].principal == "ann"


async def test_jobs_are_counted_as_long_as_they_are_watched(database_url: str) -> None:
    metrics = Metrics()
    observing = Observing(telemetry=Telemetry(metrics=metrics))
    async with Database(database_url) as database:
        job = NewJob("tool", "Title", "origin", "account", None, {}, total=None)
        journal = PostgresJournal(database, "somebody", sealed_identity="x")
        lease = await journal.create(
            job, "me", writes=False, repeatable=True, phase=Phase.GATHERING
        )
        await journal.start(lease)
        async with observing.count_jobs(database):
            with anyio.fail_after(60):
                # Figures have no event to wait for.
                while b'{state="running"} 1.0' not in metrics.render():  # noqa: ASYNC110
                    await anyio.sleep(0.02)
        async with Observing().count_jobs(database):
            pass


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:9465", ("127.0.0.1", 9465)),
        ("9465", ("127.0.0.1", 9465)),
        ("[::1]:9465", ("::1", 9465)),
        ("0.0.0.0:1", ("0.0.0.0", 1)),  # noqa: S104  # an administrator may want it
    ],
)
def test_the_address_of_the_figures(text: str, address: tuple[str, int]) -> None:
    assert load_team({"ARCHIVE_MCP_METRICS": text}).metrics == address


@pytest.mark.parametrize("text", ["localhost", "x:0", "x:99999", ":"])
def test_no_address_is_said_so(text: str) -> None:
    with pytest.raises(SettingsError, match="ARCHIVE_MCP_METRICS must be a host and a port"):
        load_team({"ARCHIVE_MCP_METRICS": text})
