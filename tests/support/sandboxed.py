"""The sandbox as a process of its own on a free loopback port, and the environment of a server that
uses it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from server.sandbox import MAIN, OUTDOOR, TOKEN
from server.sandbox.archivebox import KEY
from tests.support.paths import ROOT

LAUNCHER = (sys.executable, str(ROOT / "archive_mcp.py"))
PACED = (sys.executable, "-m", "tests.support.pace.paced_server")
"""The server with the pacer's window (and delays) of its command line; everything else as the
launcher wires it."""

_ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")
_LEAVE_SECONDS = 30.0


@dataclass(frozen=True)
class SandboxProcess:
    """A running sandbox; `url` is its GraphQL endpoint."""

    url: str

    def stats(self) -> dict[str, Any]:
        """`requests`, `refused` (answered 429) and per key its `arrivals` (monotonic seconds) and
        `refused`."""
        return self._get("GET", "stats")

    def reset(self) -> None:
        """Forget changes and counts."""
        self._get("POST", "reset")

    def warm_up(self) -> None:
        """Let the sandbox do what only the first request costs it, in a workspace that tests leave
        alone."""
        headers = {"authorization": f"Bearer {TOKEN}", "workspace-id": OUTDOOR}
        query = {
            "query": "{ workspace { id name hashtags { name } } items(first: 1) { nodes { id } } }"
        }
        httpx.post(
            self.url, json=query, headers=headers, trust_env=False, timeout=30
        ).raise_for_status()

    def arrivals(self, key: str = MAIN) -> list[float]:
        """Arrivals at a workspace, in monotonic seconds, refused ones included."""
        return list(self.stats()["keys"].get(key, {}).get("arrivals", []))

    def _get(self, method: str, what: str) -> dict[str, Any]:
        found = _ADDRESS.match(self.url)
        assert found is not None
        answer = httpx.request(
            method, f"{found[0]}/__sandbox__/{what}", trust_env=False, timeout=30
        )
        stats: dict[str, Any] = answer.raise_for_status().json()
        return stats


@contextmanager
def sandbox_process(
    *, items: int = 200, plan: str = "growth", window: float = 1.0
) -> Iterator[SandboxProcess]:
    """A sandbox that lives as long as the context.

    Args: items: posts in the main workspace. plan: size of the credit bucket. window: seconds for 5
        requests.
    """
    with _sandbox("--items", str(items), "--plan", plan, "--window", str(window)) as url:
        yield SandboxProcess(url)


@contextmanager
def archivebox_process() -> Iterator[str]:
    """The ArchiveBox sandbox for as long as the context lives; yields its URL, without a path."""
    with _sandbox("--archivebox") as url:
        yield url


def clean(home: Path) -> dict[str, str]:
    """This process's environment without settings of the product, and with a home that holds
    none."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ARCHIVE")}
    return kept | {"HOME": str(home), "USERPROFILE": str(home), "PYTHONPATH": str(ROOT)}


def using(sandbox: SandboxProcess, folder: Path, **more: str) -> dict[str, str]:
    """The environment of a server that uses this sandbox's main workspace; its state and home are
    in `folder`."""
    settings = {
        "ARCHIVE_API_URL": sandbox.url,
        "ARCHIVE_APP_TOKEN": TOKEN,
        "ARCHIVE_WORKSPACE_ID": MAIN,
        "ARCHIVE_MCP_STATE_DIR": str(folder / "state"),
    }
    return clean(folder) | settings | more


def using_archivebox(url: str, folder: Path, **more: str) -> dict[str, str]:
    """The environment of a server that uses this ArchiveBox sandbox alone."""
    settings = {
        "ARCHIVEBOX_URL": url,
        "ARCHIVEBOX_API_KEY": KEY,
        "ARCHIVE_MCP_STATE_DIR": str(folder / "state"),
    }
    return clean(folder) | settings | more


def _sandbox(*options: str) -> AbstractContextManager[str]:
    return serve_sandbox(*LAUNCHER[1:], "sandbox", "--port", "0", *options)


@contextmanager
def serve_sandbox(*arguments: str) -> Iterator[str]:
    """A sandbox for as long as the context lives, started by Python with these arguments; yields
    the address that it prints."""
    with TemporaryDirectory() as folder:
        command = (sys.executable, *arguments)
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env=clean(Path(folder)), cwd=folder
        )
        with process:
            try:
                yield _url(process)
            finally:
                _end(process)


def _url(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    if found := re.search(r"http://\S+", line):
        return found[0]
    raise RuntimeError(f"The sandbox did not start: {line!r}")


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(_LEAVE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
