"""Real processes on one file, with a window of three tenths of a second.

The claims recorded by the processes are judged: what lies between a claim and the arrival of its
send is covered by the gap's allowance for jitter, not by this test.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from tests.support.paths import ROOT

WORKER = ROOT / "tests" / "support" / "pace" / "pacer_worker.py"
WINDOW = 0.3
GAP = 0.075

PATIENCE = 10.0
"""Seconds that no process waits for another, however busy the machine is; one that is held up waits
for ever."""

pytestmark = pytest.mark.skipif(os.name == "nt", reason="stops processes with POSIX signals")


class Process:
    """A worker and the claims it has made."""

    def __init__(self, folder: Path, turns: int, *options: object) -> None:
        self._popen = subprocess.Popen(
            [sys.executable, str(WORKER), str(folder), str(WINDOW), str(turns), *map(str, options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        self.claims: list[float] = []

    def wait_until_ready(self) -> None:
        assert self._popen.stdout
        assert self._popen.stdout.readline() == b"ready\n"

    def go(self) -> None:
        assert self._popen.stdin
        self._popen.stdin.write(b"go\n")
        self._popen.stdin.flush()

    def read(self, turns: int) -> Process:
        """Read that many more turns, or all there are."""
        assert self._popen.stdout
        for _ in range(turns):
            line = self._popen.stdout.readline()
            if not line:
                break
            self.claims.append(float(line.split()[0]))
        return self

    def signal(self, number: int) -> None:
        self._popen.send_signal(number)

    def wait_until_stopped(self) -> None:
        os.waitpid(self._popen.pid, os.WUNTRACED)

    def end(self) -> None:
        self._popen.kill()
        self._popen.wait()
        assert self._popen.stdin
        self._popen.stdin.close()
        assert self._popen.stdout
        self._popen.stdout.close()


@contextmanager
def processes(folder: Path, turns: int, *options: Sequence[object]) -> Iterator[list[Process]]:
    """Processes that begin together, however long each of them takes to start."""
    started = [Process(folder, turns, *each) for each in options]
    try:
        for process in started:
            process.wait_until_ready()
        for process in started:
            process.go()
        yield started
    finally:
        for process in started:
            process.end()


def all_claims(started: Sequence[Process]) -> list[float]:
    return sorted(claim for process in started for claim in process.claims)


def shortest_span(claims: Sequence[float]) -> float:
    return min(later - earlier for earlier, later in zip(claims, claims[5:], strict=False))


def longest_pause(claims: Sequence[float]) -> float:
    return max(later - earlier for earlier, later in pairwise(claims))


def jain(shares: Sequence[float]) -> float:
    return sum(shares) ** 2 / (len(shares) * sum(share * share for share in shares))


def test_four_saturating_processes_stay_below_the_limit_share_evenly_and_waste_little(
    tmp_path: Path,
) -> None:
    with processes(tmp_path, 25, (), (), (), ()) as started:
        for process in started:
            process.read(25)
    claims = all_claims(started)
    assert len(claims) == 100
    assert shortest_span(claims) >= WINDOW
    first_done = min(process.claims[-1] for process in started)
    assert (
        jain([sum(claim <= first_done for claim in process.claims) for process in started]) >= 0.95
    )
    assert claims[-1] - claims[0] < 2 * 99 * GAP


def test_killed_and_stopped_processes_do_not_hold_up_the_others_and_a_resumed_one_does_no_harm(
    tmp_path: Path,
) -> None:
    with processes(tmp_path, 40, (), (), (), ()) as started:
        killed, stopped, *others = started
        killed.read(8)
        stopped.read(1)
        killed.signal(signal.SIGKILL)
        stopped.signal(signal.SIGSTOP)
        for process in others:
            process.read(40)
        assert all(len(process.claims) == 40 for process in others)
        stopped.signal(signal.SIGCONT)
        stopped.read(39)
        killed.read(40)
    assert len(stopped.claims) == 40
    assert shortest_span(all_claims(started)) >= WINDOW
    assert max(longest_pause(process.claims) for process in others) < PATIENCE


def test_a_process_stopped_inside_a_transaction_is_left_behind_and_its_turn_is_not_valid_later(
    tmp_path: Path,
) -> None:
    with processes(tmp_path, 30, (), (), ("--freeze", 10)) as started:
        first, second, frozen = started
        frozen.read(9).wait_until_stopped()
        stopped_at = time.monotonic()
        first.read(30)
        second.read(30)
        frozen.signal(signal.SIGCONT)
        frozen.read(21)
    assert [len(process.claims) for process in started] == [30, 30, 30]
    assert shortest_span(all_claims(started)) >= WINDOW
    assert frozen.claims[9] > max(first.claims[-1], second.claims[-1])
    assert longest_pause(first.claims) < PATIENCE
    assert first.claims[-1] > stopped_at


def test_a_429_in_one_process_pauses_the_other(tmp_path: Path) -> None:
    with processes(tmp_path, 10, ("--penalty", 5, 1.5), ()) as started:
        for process in started:
            process.read(10)
    _, other = started
    # The other may have claimed its next turn just before the answer was there.
    assert longest_pause(all_claims(started)) >= 1.5 - 2 * GAP
    assert longest_pause(other.claims) >= 1.5 - 2 * GAP
