"""A worker as a process: it gives its jobs back in order, and obeys the policy of the moment."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from server.sandbox import MAIN
from tests.support.sandboxed import sandbox_process
from tests.support.team.crew import Crew, open_crew

ITEMS = 200
# Slow enough that the job is still under way when something happens to its worker.
WINDOW = 0.2
TOOL = "archive_start_collection_job"
HAS_STARTED = "SELECT true FROM job_tallies WHERE state = 'done' AND records >= 5"

pytestmark = pytest.mark.skipif(os.name == "nt", reason="uses POSIX signals")


@contextmanager
def tagging(url: str, folder: Path) -> Iterator[Crew]:
    """A server and a worker in the middle of a job."""
    with (
        sandbox_process(items=ITEMS, plan="boundless", window=WINDOW) as sandbox,
        open_crew(sandbox, url, folder, window=WINDOW, lease=15.0, servers=1, workers=1) as crew,
    ):
        (port,) = crew.servers
        arguments: dict[str, Any] = {"collectionNames": ["Everything"], "autoCreate": True}
        arguments |= {"search": {}, "workspace": MAIN}
        token = crew.call(port, TOOL, **arguments)["error"]["confirm"]

        def start() -> None:
            # It follows the job for a while.
            with suppress(httpx.TransportError):
                crew.call(port, TOOL, **arguments, confirm=token)

        threading.Thread(target=start, daemon=True).start()
        crew.wait_for(HAS_STARTED)
        yield crew


def end(worker: subprocess.Popen[bytes]) -> int:
    worker.send_signal(signal.SIGTERM)
    return worker.wait(30)


def test_a_worker_that_is_asked_to_end_gives_its_job_back_and_another_goes_on_at_once(
    database_url: str, tmp_path: Path
) -> None:
    with tagging(database_url, tmp_path) as crew:
        assert end(crew.workers.pop()) == 0
        assert crew.query("SELECT state, error FROM jobs") == [("paused", None)]
        assert crew.query("SELECT owner FROM job_runs") == [(None,)]
        assert crew.query("SELECT status::text FROM procrastinate_jobs") == [("todo",)]
        # Nothing was being sent any more, and nobody's lease has to run out.
        assert crew.query("SELECT count(*) FROM job_records WHERE state = 'sending'") == [(0,)]

        crew.start_worker()
        assert crew.wait_for("SELECT owner FROM job_runs", patience=60)
        assert crew.wait_for("SELECT state FROM jobs WHERE finished > 0", patience=120) == "done"
        assert crew.sandbox.stats()["changes"].keys() == {
            key for (key,) in crew.query("SELECT key FROM job_records")
        }
        assert set(crew.sandbox.stats()["changes"].values()) == {1}


def test_the_job_of_whoever_is_taken_out_of_the_policy_ends_with_words(
    database_url: str, tmp_path: Path
) -> None:
    with tagging(database_url, tmp_path) as crew:
        crew.write_policy(name="another")
        (worker,) = crew.workers
        worker.send_signal(signal.SIGHUP)
        error = crew.wait_for("SELECT error FROM jobs WHERE state = 'failed'", patience=30)

        assert "not in the policy of this server any more" in error
        assert crew.query("SELECT sealed_identity FROM jobs") == [(None,)]
        before = crew.sandbox.stats()["requests"]
        assert crew.query("SELECT count(*) FROM job_records WHERE state = 'done'") < [(ITEMS,)]
        assert end(crew.workers.pop()) == 0
        assert crew.sandbox.stats()["requests"] == before
