"""A real Redis for the tests, on a port of its own, empty for each test.

The fixtures: `redis_server` is a server that tests may stop and start (it comes back empty, as
after a failover that lost everything), `redis_url` its address.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.machine.ports import reserved_port
from tests.support.team.engines.debian import Unavailable, find_libraries, unpack_packages

PASSWORD = "made-up-password-of-tests"
_START_SECONDS = 30.0
_END_SECONDS = 10.0


@dataclass
class Redis:
    """A server that runs until its context ends, whatever a test does with it meanwhile."""

    program: Path
    libraries: dict[str, str]
    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address, with the password."""
        return f"redis://:{PASSWORD}@127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start an empty server and wait until it answers."""
        env = {"PATH": os.environ.get("PATH", os.defpath), **self.libraries}
        # Nothing is saved: what comes back is empty.
        options = {"port": self.port, "bind": "127.0.0.1", "save": "", "appendonly": "no"}
        command = [part for name, value in options.items() for part in (f"--{name}", str(value))]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [str(self.program), *command, "--requirepass", PASSWORD],
                cwd=self.folder,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._wait_until_ready()

    def stop(self) -> None:
        """End the server."""
        process, self.process = self.process, None
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def restart(self) -> None:
        """End the server and start an empty one on the same port."""
        self.stop()
        self.start()

    def empty(self) -> None:
        """Remove all keys; start the server first, if a test left it stopped."""
        if self.process is None:
            self.start()
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            connection.sendall(f"AUTH {PASSWORD}\r\nFLUSHALL\r\nQUIT\r\n".encode())
            while connection.recv(1024):
                pass

    def _wait_until_ready(self) -> None:
        until = time.monotonic() + _START_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except OSError as error:
                ended = self.process is None or self.process.poll() is not None
                if ended or time.monotonic() > until:
                    log = (self.folder / "log").read_text(errors="replace")[-2000:]
                    raise RuntimeError(f"Redis did not start: {log}") from error
            time.sleep(0.02)


def find_redis() -> tuple[str, dict[str, str]]:
    """Return Redis of the machine, else of Debian's package, and what its environment needs; skip
    the test where it cannot be had."""
    program = shutil.which("redis-server")
    if program is not None:
        return program, {}
    unpacked = unpack_packages("redis-server")
    if isinstance(unpacked, Unavailable):
        pytest.skip(f"no Redis here: {unpacked}")
    # The link itself: by its name the program knows what it is.
    program = str(unpacked / "usr" / "bin" / "redis-server")
    return program, {"LD_LIBRARY_PATH": find_libraries(unpacked)}


@contextmanager
def serve_redis() -> Iterator[Redis]:
    """Run an empty server on a loopback port; skip the test where it cannot be had."""
    program, libraries = find_redis()
    folder = Path(tempfile.mkdtemp(prefix="archive-mcp-redis-"))
    try:
        with reserved_port() as port:
            server = Redis(Path(program), libraries, folder, port)
            server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def _redis() -> Iterator[Redis]:
    with serve_redis() as server:
        yield server


@pytest.fixture
def redis_server(_redis: Redis) -> Redis:
    """The server of this process, running and empty."""
    _redis.empty()
    return _redis


@pytest.fixture
def redis_url(redis_server: Redis) -> str:
    """The address of an empty Redis."""
    return redis_server.url
