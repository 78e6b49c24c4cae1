"""An import of a team, whose sends must not be repeated, while workers and the database go."""

from __future__ import annotations

import os
import random
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from server.sandbox import MAIN
from server.sandbox.serve import open_server
from tests.support.sandbox.uploads import Counting
from tests.support.sandboxed import SandboxProcess
from tests.support.team.crew import Crew, open_crew
from tests.support.team.engines.postgres import Postgres

COUNT = 60
KILLS = 4
LINKS = [f"https://www.instagram.com/p/Crew{number}a/" for number in range(COUNT)]
TOOL = "archive_start_import"
WINDOW = 0.1
PATIENCE = 120.0

pytestmark = pytest.mark.skipif(os.name == "nt", reason="kills processes with POSIX signals")


def start_import(crew: Crew) -> None:
    (port,) = crew.servers
    arguments: dict[str, Any] = {"urls": LINKS, "waitMinutes": 1, "workspace": MAIN}
    token = crew.call(port, TOOL, **arguments)["error"]["confirm"]

    def start() -> None:
        # It follows the job for a while.
        with suppress(httpx.TransportError):
            crew.call(port, TOOL, **arguments, confirm=token)

    threading.Thread(target=start, daemon=True).start()


def wait_for_uploads(sandbox: Counting, count: int) -> None:
    until = time.monotonic() + PATIENCE
    while sandbox.uploads.total() < count:
        assert time.monotonic() < until, sandbox.uploads
        time.sleep(0.005)


def run_import(postgres: Postgres, database: str, url: str, folder: Path, sandbox: Counting) -> str:
    chance = random.Random(7)
    moments = sorted(chance.sample(range(4, COUNT - 5), KILLS + 1))
    with open_crew(
        SandboxProcess(url), database, folder, window=WINDOW, lease=1.0, servers=1, workers=2
    ) as crew:
        start_import(crew)
        for number, moment in enumerate(moments):
            wait_for_uploads(sandbox, moment)
            if number == KILLS // 2:
                postgres.restart()
            else:
                crew.kill_worker(chance)
        # Then only the arrival is awaited of what was uploaded.
        return str(crew.wait_for("SELECT phase FROM jobs WHERE phase = 'finishing'", PATIENCE))


async def test_no_link_is_uploaded_twice_whoever_dies(
    own_postgres: Postgres, own_database_url: str, tmp_path: Path
) -> None:
    sandbox = Counting()
    async with open_server(sandbox) as url:
        phase = await anyio.to_thread.run_sync(
            run_import, own_postgres, own_database_url, url, tmp_path, sandbox
        )

    assert phase == "finishing"
    assert max(sandbox.uploads.values()) == 1
    # What was being sent when its worker died is reported as unknown, and not sent again.
    assert sandbox.uploads.total() >= COUNT - 4 * KILLS
