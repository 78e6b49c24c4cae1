"""An export whose worker dies, and which a worker on another machine goes on with."""

from __future__ import annotations

import json
import os
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from server.exports.spooled import LOST_ROWS
from server.sandbox import MAIN, Sandbox
from server.sandbox.serve import open_server
from tests.support.sandboxed import SandboxProcess
from tests.support.team.crew import Crew, open_crew

ITEMS = 1500
WINDOW = 0.25
PATIENCE = 120.0

pytestmark = pytest.mark.skipif(os.name == "nt", reason="kills processes with POSIX signals")


def start_export(crew: Crew) -> None:
    """Start it; the call itself follows the job for a while."""
    (port,) = crew.servers
    arguments: dict[str, Any] = {"workspace": MAIN, "name": "q4", "search": {}, "format": "jsonl"}

    def start() -> None:
        with suppress(httpx.TransportError):
            crew.call(port, "archive_start_export", **arguments)

    threading.Thread(target=start, daemon=True).start()


def wait_for_spool(folder: Path) -> None:
    """Return once some pages are in a spool of a machine."""
    until = time.monotonic() + PATIENCE
    while not any(file.stat().st_size > 200_000 for file in folder.rglob("*.part")):
        assert time.monotonic() < until
        time.sleep(0.01)


def run_export(database: str, url: str, folder: Path) -> tuple[dict[str, Any], bytes]:
    """The result of the job, and what its link loads."""
    with open_crew(
        SandboxProcess(url), database, folder, window=WINDOW, lease=1.0, servers=1, workers=0
    ) as crew:
        first = crew.start_worker("-one")
        start_export(crew)
        wait_for_spool(folder / "exports-one")
        crew.kill(first)
        crew.start_worker("-two")
        job = crew.wait_for("SELECT id FROM jobs WHERE state = 'done'", PATIENCE)
        (port,) = crew.servers
        shown = crew.call(port, "archive_mcp_get_job", id=job)
        link = shown["downloads"][0]["url"].partition("/files/")[2]
        loaded = httpx.get(f"http://127.0.0.1:{port}/files/{link}", trust_env=False)
        assert loaded.status_code == 200
        return shown["result"], loaded.content


async def test_a_worker_on_another_machine_gathers_all_rows_again(
    database_url: str, tmp_path: Path
) -> None:
    async with open_server(Sandbox(items=ITEMS, window=WINDOW / 2, plan="enterprise")) as url:
        result, content = await anyio.to_thread.run_sync(run_export, database_url, url, tmp_path)

    ids = [json.loads(line)["id"] for line in content.splitlines()]
    assert len(ids) == len(set(ids)) == ITEMS
    assert result["path"] == "archive://exports/q4.jsonl"
    assert LOST_ROWS in result["notes"]
    assert not list((tmp_path / "exports-two").rglob("*.part"))
