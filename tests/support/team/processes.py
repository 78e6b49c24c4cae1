"""The server for a team as a process over the sandbox, and requests to it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.support.machine.ports import reserved_port
from tests.support.sandboxed import LAUNCHER, clean

_SECONDS = 60.0


def run(folder: Path, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    variables = {**clean(folder), **environment}
    command = [*LAUNCHER, "serve", "--http", "--sandbox", *arguments]
    return subprocess.Popen(
        command, env=variables, cwd=folder, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    )


@contextmanager
def serve(folder: Path, *arguments: str, **environment: str) -> Iterator[tuple[str, Any]]:
    with reserved_port() as port:
        process = run(folder, "--port", str(port), *arguments, **environment)
        try:
            url = f"http://127.0.0.1:{port}"
            wait_until(lambda: is_up(url, process))
            yield url, process
        finally:
            if process.poll() is None:
                process.kill()
                process.communicate()


def is_up(url: str, process: subprocess.Popen[str]) -> bool:
    assert process.poll() is None, process.communicate()[1]
    try:
        return httpx.get(f"{url}/readyz", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def wait_until(is_so: Any) -> None:
    until = time.monotonic() + _SECONDS
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.05)


def list_tools(url: str, key: str) -> httpx.Response:
    return send(url, key, "tools/list")


def send(
    url: str, key: str, method: str, version: str = "2026-07-28", **params: Any
) -> httpx.Response:
    """Send one message, as a client of that version does."""
    headers = {
        "authorization": f"Bearer {key}",
        "accept": "application/json, text/event-stream",
        "mcp-protocol-version": version,
    }
    if version >= "2026":
        headers["mcp-method"] = method
        if "name" in params:
            headers["mcp-name"] = params["name"]
        params["_meta"] = {
            "io.modelcontextprotocol/protocolVersion": version,
            "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {},
        }
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    return httpx.post(f"{url}/mcp", json=message, headers=headers, trust_env=False, timeout=60)
