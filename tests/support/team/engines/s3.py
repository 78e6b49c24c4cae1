"""An S3-compatible store for the tests: moto, in a process of its own on loopback.

The fixtures: `s3_server` runs for the session, `bucket` is a new one there; `own_s3` a server that
a test may stop.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from server.settings import Secret
from server.team.files.settings import FileSettings
from tests.support.machine.ports import reserved_port

KEY_ID = "made-up-key-id"
SECRET_KEY = "made-up-secret-key-of-tests"
_START_SECONDS = 60.0
_END_SECONDS = 10.0


@dataclass
class S3:
    """A store that runs until its context ends, or until a test stops it."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        """The address."""
        return f"http://127.0.0.1:{self.port}"

    def make_bucket(self, name: str) -> FileSettings:
        """The settings of a new bucket, with a prefix."""
        request = urllib.request.Request(f"{self.url}/{name}", method="PUT")  # noqa: S310
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            assert answer.status == 200
        return FileSettings(
            place=f"s3://{name}/of/the-team",
            endpoint=self.url,
            region="us-east-1",
            key_id=KEY_ID,
            secret=Secret(SECRET_KEY),
        )

    def stop(self) -> None:
        """End the server with all that it holds."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(_END_SECONDS)

    def wait_until_ready(self) -> None:
        """Return once it answers."""
        until = time.monotonic() + _START_SECONDS
        while time.monotonic() < until and self.process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.url}/moto-api/", timeout=2):  # noqa: S310
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        raise RuntimeError("moto did not start")


@contextmanager
def run_s3(folder: Path) -> Iterator[S3]:
    """A store on a port of its own."""
    with reserved_port() as port, (folder / "moto.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
            cwd=folder,
            env={"PATH": os.environ.get("PATH", os.defpath), "HOME": str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        store = S3(port, process)
        try:
            store.wait_until_ready()
            yield store
        finally:
            store.stop()


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    """A store for the tests of this process."""
    with run_s3(tmp_path_factory.mktemp("s3")) as store:
        yield store


@pytest.fixture
def bucket(s3_server: S3, request: pytest.FixtureRequest) -> FileSettings:
    """A new bucket."""
    return s3_server.make_bucket(f"bucket-{abs(hash(request.node.nodeid))}")


@pytest.fixture
def own_s3(tmp_path: Path) -> Iterator[S3]:
    """A store that the test may stop."""
    folder = tmp_path / "s3"
    folder.mkdir()
    with run_s3(folder) as store:
        yield store
