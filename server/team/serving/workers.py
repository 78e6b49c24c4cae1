"""Several processes on one address: they share the listener, and one that dies is replaced."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from types import FrameType
from typing import Any

from server.settings import SettingsError

LISTENER_VARIABLE = "ARCHIVE_MCP_HTTP_LISTENER"
"""Where a worker is told which descriptor to listen on."""
_LOOK_SECONDS = 0.2
# A worker that dies sooner has not come to work at all.
_YOUNG_SECONDS = 5.0
_MOST_YOUNG_DEATHS = 5
# The status that a setting that cannot be used ends with: no other try would be better.
_BAD_SETTING = 2

log = logging.getLogger("archive_mcp.team")


def inherit_listener() -> socket.socket | None:
    """Return the listener that the parent opened; None where this process is nobody's worker."""
    descriptor = os.environ.get(LISTENER_VARIABLE)
    return socket.socket(fileno=int(descriptor)) if descriptor else None


class Workers:
    """Worker processes, from the start of the first to the end of the last.

    Args:
        command: starts this same program.
        count: how many there are at any time.
        seconds: how long they may take to end.
    """

    def __init__(
        self, command: Sequence[str], listener: socket.socket, count: int, seconds: float
    ) -> None:
        self._command = list(command)
        self._listener = listener
        self._count = count
        self._seconds = seconds
        self._running: dict[subprocess.Popen[bytes], float] = {}
        self._young_deaths = 0
        self._status: int | None = None

    def run(self) -> int:
        """Run them until a signal ends them, and return the exit status.

        Raises:
            SettingsError: this system cannot share a listener.
        """
        if sys.platform == "win32":
            raise SettingsError("On Windows a server has one worker: start it without --workers.")
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        signal.signal(signal.SIGHUP, self._pass_on)
        while self._status is None:
            self._replace()
            time.sleep(_LOOK_SECONDS)
        self._end()
        return self._status

    def _replace(self) -> None:
        """Start as many as are missing."""
        for worker in [worker for worker in self._running if worker.poll() is not None]:
            self._note_death(worker, time.monotonic() - self._running.pop(worker))
        while self._status is None and len(self._running) < self._count:
            self._running[self._start()] = time.monotonic()

    def _start(self) -> subprocess.Popen[bytes]:
        descriptor = self._listener.fileno()
        environment = {**os.environ, LISTENER_VARIABLE: str(descriptor)}
        return subprocess.Popen(  # noqa: S603  # this very program
            self._command, env=environment, pass_fds=[descriptor]
        )

    def _note_death(self, worker: subprocess.Popen[bytes], age: float) -> None:
        log.warning("worker %d ended with status %d", worker.pid, worker.returncode)
        self._young_deaths = self._young_deaths + 1 if age < _YOUNG_SECONDS else 0
        if worker.returncode == _BAD_SETTING:
            self._status = _BAD_SETTING
        elif self._young_deaths >= _MOST_YOUNG_DEATHS:
            self._status = 1

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._status = 0
        self._pass_on(signal.SIGTERM, frame)

    def _pass_on(self, number: int, frame: FrameType | None) -> None:
        for worker in self._running:
            worker.send_signal(number)

    def _end(self) -> None:
        """End what runs still, in order where there is time for it."""
        until = time.monotonic() + self._seconds
        for worker in self._running:
            worker.send_signal(signal.SIGTERM)
        for worker in self._running:
            try:
                worker.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                log.warning("worker %d did not end in time", worker.pid)
                worker.kill()
                worker.wait()


def make_command(launcher: Any) -> list[str]:
    """Return what starts this program once more, with the same arguments."""
    return [sys.executable, str(launcher), *sys.argv[1:]]
