"""The processes of the demonstration: each is this very program."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from server.settings import SettingsError

_START_SECONDS = 60.0
_END_SECONDS = 20.0
# What a program needs from its surroundings; nothing of the user's settings and secrets.
_PASSED_ON = ("PATH", "SYSTEMROOT", "TEMP", "TMP", "LANG", "LC_ALL", "VIRTUAL_ENV")


def find_free_port() -> int:
    """Return a loopback port that nobody listens on now."""
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        port: int = place.getsockname()[1]
        return port


@dataclass
class Processes:
    """Starts this program under names, and ends whatever still runs.

    Args:
        launcher: the script that starts this program.
        folder: home, settings and logs of all of them.
        settings: environment variables of all of them.
    """

    launcher: Path
    folder: Path
    settings: Mapping[str, str]
    _running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            try:
                process.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def start(self, name: str, *arguments: str) -> None:
        """Start this program with arguments."""
        with self._log(name).open("ab") as log:
            self._running[name] = subprocess.Popen(  # noqa: S603  # this very program
                self._command(arguments),
                env=self._environment(),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def run(self, *arguments: str) -> str:
        """Run this program to its end and return what it prints.

        Raises:
            SettingsError: it fails.
        """
        done = subprocess.run(  # noqa: S603  # this very program
            self._command(arguments),
            env=self._environment(),
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SettingsError(f"{arguments[0]} failed: {done.stderr.strip()[-500:]}")
        return done.stdout

    def kill(self, name: str) -> None:
        """End a process at once, as a power cut does."""
        process = self._running.pop(name)
        process.kill()
        process.wait()

    def wait_for(self, name: str, url: str) -> None:
        """Wait until a process answers at an address.

        Raises:
            SettingsError: it ends, or does not answer in a minute.
        """
        # Straight to this computer, whatever proxy is set.
        opener = build_opener(ProxyHandler({}))
        until = time.monotonic() + _START_SECONDS
        while True:
            try:
                opener.open(url, timeout=5).close()
                return
            except (URLError, OSError):
                if self._running[name].poll() is not None or time.monotonic() > until:
                    reason = self._log(name).read_text(errors="replace")[-500:]
                    raise SettingsError(f"{name} does not start: {reason}") from None
            time.sleep(0.05)

    def _command(self, arguments: Sequence[str]) -> list[str]:
        return [sys.executable, str(self.launcher), *arguments]

    def _environment(self) -> dict[str, str]:
        passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        return {**passed_on, "HOME": str(self.folder), **self.settings}

    def _log(self, name: str) -> Path:
        return self.folder / f"{name}.log"
