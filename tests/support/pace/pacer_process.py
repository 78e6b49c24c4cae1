"""Processes that take turns of one pace, and what their turns say about it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

from tests.support.paths import ROOT

WORKER = ROOT / "tests" / "support" / "pace" / "pacer_worker.py"
WINDOW = 0.3
GAP = 0.075


class Process:
    """A worker, the claims it has made (by the clock of the store), and the moments when the caller
    had them (monotonic seconds)."""

    def __init__(self, place: Path | str, turns: int, *options: object) -> None:
        self._popen = subprocess.Popen(
            [sys.executable, str(WORKER), str(place), str(WINDOW), str(turns), *map(str, options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        self.claims: list[float] = []
        self.moments: list[float] = []

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
            claim, moment = line.split()
            self.claims.append(float(claim))
            self.moments.append(float(moment))
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
def processes(place: Path | str, turns: int, *options: Sequence[object]) -> Iterator[list[Process]]:
    """Processes that begin together, however long each of them takes to start."""
    started = [Process(place, turns, *each) for each in options]
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


def all_moments(started: Sequence[Process]) -> list[float]:
    return sorted(moment for process in started for moment in process.moments)


def shortest_span(claims: Sequence[float]) -> float:
    return min(later - earlier for earlier, later in zip(claims, claims[5:], strict=False))


def longest_pause(claims: Sequence[float]) -> float:
    return max(later - earlier for earlier, later in pairwise(claims))


def jain(shares: Sequence[float]) -> float:
    return sum(shares) ** 2 / (len(shares) * sum(share * share for share in shares))
