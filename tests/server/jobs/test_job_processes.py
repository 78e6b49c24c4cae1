"""Real processes, killed and suspended at random moments of a job of two milliseconds a record."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from server.jobs import RecordState
from server.jobs.sqlite import JournalFile
from tests.support.paths import ROOT

WORKER = ROOT / "tests" / "support" / "jobs" / "worker.py"
COUNT = 600
KILLS = 6
LEASE = 0.5
PATIENCE = 60.0

pytestmark = pytest.mark.skipif(os.name == "nt", reason="stops processes with POSIX signals")


class Scene:
    """A folder with a journal, and the file that the sends of all processes go to."""

    def __init__(self, folder: Path, *options: str, lease: float = LEASE) -> None:
        self.state = folder / "state"
        self.sent = folder / "sent"
        self.options = options
        self.lease = lease

    @contextmanager
    def worker(self, *options: object) -> Iterator[subprocess.Popen[str]]:
        """A worker, killed at the end if it is still there."""
        command = [
            sys.executable,
            WORKER,
            self.state,
            self.sent,
            COUNT,
            self.lease,
            *self.options,
            *options,
        ]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        process = subprocess.Popen(
            [str(part) for part in command],
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env=environment,
            text=True,
        )
        with process:
            try:
                yield process
            finally:
                process.kill()

    def lines(self) -> list[tuple[int, str]]:
        """(process, key) of all sends so far."""
        text = self.sent.read_text() if self.sent.exists() else ""
        return [
            (int(pid), key) for pid, _, key in (line.partition(" ") for line in text.splitlines())
        ]

    def keys(self) -> Counter[str]:
        return Counter(key for _, key in self.lines())


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.002)


def report(process: subprocess.Popen[str]) -> dict[str, object]:
    out, _ = process.communicate(timeout=PATIENCE)
    answer: dict[str, object] = json.loads(out)
    return answer


def killed_again_and_again(scene: Scene, seed: int) -> dict[str, object]:
    for sends in sorted(random.Random(seed).sample(range(1, COUNT - 20), KILLS)):
        with scene.worker() as process:
            # A default binds the number.
            until(lambda sends=sends: len(scene.lines()) >= sends)  # type: ignore[misc]
            process.kill()
    with scene.worker() as process:
        return report(process)


ALL = {f"k{number}" for number in range(1, COUNT + 1)}


def test_killed_repeatable_work_sends_everything_and_repeats_at_most_one_record_per_kill(
    tmp_path: Path,
) -> None:
    scene = Scene(tmp_path, "--repeatable")
    answer = killed_again_and_again(scene, seed=1)

    assert answer == {"state": "done", "counts": {"done": COUNT}}
    assert set(scene.keys()) == ALL
    assert scene.keys().total() - COUNT <= KILLS


def test_killed_other_work_sends_nothing_twice_and_tells_which_outcomes_are_unknown(
    tmp_path: Path,
) -> None:
    scene = Scene(tmp_path)
    answer = killed_again_and_again(scene, seed=2)

    journal = JournalFile(scene.state)
    (job,) = journal.jobs()
    unknown = {row.key for row in journal.records(job.id, [RecordState.UNKNOWN], limit=COUNT)}
    done = {row.key for row in journal.records(job.id, [RecordState.DONE], limit=COUNT)}
    journal.close()
    assert answer["state"] == "done"
    assert set(scene.keys().values()) == {1}
    assert done | unknown == ALL
    assert done <= set(scene.keys())
    assert len(unknown) <= KILLS


@pytest.mark.parametrize("options", [(), ("--repeatable",)])
def test_an_owner_suspended_past_its_lease_sends_nothing_when_it_comes_back(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    # Long enough for the second not to lose the job in its turn because the machine is busy.
    scene = Scene(tmp_path, *options, lease=3.0)
    with scene.worker("--stop-at", 50) as first:
        os.waitpid(first.pid, os.WUNTRACED)
        assert [pid for pid, _ in scene.lines()] == [first.pid] * 49
        with scene.worker() as second:
            until(lambda: len(scene.lines()) >= 60)
            first.send_signal(signal.SIGCONT)
            answer = report(second)
        assert report(first) == answer

    assert answer == {"state": "done", "counts": {"done": COUNT}}
    assert [pid for pid, _ in scene.lines()] == [first.pid] * 49 + [second.pid] * (COUNT - 49)
    assert set(scene.keys()) == ALL
