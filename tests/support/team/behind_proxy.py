"""Two servers behind a real Caddy, in a network of their own: `python -m ... FOLDER CADDY`.

Run by tests/packages/test_compose.py within a network namespace, where ports 80, 443 and 8765 are
free and nobody else can be reached. What was seen is printed as JSON.
"""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.support.archivebox.install import plain_account

NAME = "team.example.com"
SERVERS = ("127.0.0.1", "127.0.0.2")
STRANGER = "127.0.0.9"
PORT = 8765
CALLS = 20
_PATIENCE = 60.0
_CALL = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "tools/call",
    "params": {"name": "archive_get_workspaces", "arguments": {}},
}


@contextmanager
def running(command: list[str], folder: Path, name: str, **options: Any) -> Iterator[None]:
    """Run a program for the time of the block; its output goes to a file."""
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, **options)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def wait_for(address: str, port: int) -> None:
    """Return once somebody listens there."""
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            socket.create_connection((address, port), 1).close()
            return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


def call(client: httpx.Client, url: str, key: str, **headers: str) -> tuple[int, str]:
    """The status and the text of a call."""
    answer = client.post(
        f"{url}/mcp",
        json=_CALL,
        headers={
            "host": NAME,
            "authorization": f"Bearer {key}",
            "accept": "application/json, text/event-stream",
            "mcp-protocol-version": "2025-11-25",
            **headers,
        },
        extensions={"sni_hostname": NAME},
    )
    return answer.status_code, answer.text


def count_calls(address: str, port: int) -> float:
    """How many calls a server has answered, by its own figures."""
    figures = httpx.get(f"http://{address}:{port}/metrics", trust_env=False).text
    lines = [line for line in figures.splitlines() if line.startswith("archive_mcp_calls_total{")]
    return sum(float(line.rpartition(" ")[2]) for line in lines)


def wait_for_certificate(client: httpx.Client) -> None:
    """Return once the proxy has made its certificate."""
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            client.get("https://127.0.0.1/healthz", extensions={"sni_hostname": NAME})
            return
        except httpx.TransportError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


def main(folder: Path, caddy: str) -> None:
    """Start everything, call, and print what came of it."""
    job = json.loads((folder / "job.json").read_text())
    account = plain_account()
    trust = ssl.create_default_context()
    trust.check_hostname = False
    trust.verify_mode = ssl.CERT_NONE
    with ExitStack() as stack:
        for number, address in enumerate(SERVERS):
            metrics = {"ARCHIVE_MCP_METRICS": f"{address}:9464"}
            command = [*job["server"], "--sandbox", "--host", address]
            environment = {**job["environment"], **metrics}
            stack.enter_context(running(command, folder, f"server{number}", env=environment))
        home = folder / "caddy"
        home.mkdir()
        home.chmod(0o777)
        (folder / "Caddyfile").write_text(job["Caddyfile"])
        environment = {"HOME": str(home), "XDG_DATA_HOME": str(home), "PUBLIC_NAME": NAME}
        place = str(folder / "Caddyfile")
        options = [part.replace("/etc/caddy/Caddyfile", place) for part in job["proxy"][1:]]
        proxy = [caddy, *options]
        identity = {"user": account.user, "group": account.group} if account.user else {}
        stack.enter_context(running(proxy, folder, "caddy", env=environment, **identity))
        for address in SERVERS:
            wait_for(address, PORT)
        wait_for("127.0.0.1", 443)
        client = stack.enter_context(httpx.Client(verify=trust, trust_env=False, timeout=30))
        wait_for_certificate(client)
        seen: dict[str, Any] = {}
        answers = [call(client, "https://127.0.0.1", job["key"]) for _ in range(CALLS)]
        seen["statuses"] = sorted({status for status, _ in answers})
        seen["other answers"] = [text[:500] for _, text in answers if "Northwind" not in text]
        seen["shares"] = [count_calls(address, 9464) for address in SERVERS]
        seen["wrong name"] = call(client, "https://127.0.0.1", job["key"], host="other.test")
        # Somebody who reaches a server by itself, and says that TLS was there.
        transport = httpx.HTTPTransport(local_address=STRANGER)
        with httpx.Client(transport=transport, trust_env=False) as stranger:
            claim = {"x-forwarded-proto": "https", "x-forwarded-for": "127.0.0.1"}
            seen["stranger"] = call(stranger, f"http://127.0.0.1:{PORT}", job["key"], **claim)
        # The proxy's own address, without TLS before it.
        seen["plain"] = call(client, f"http://127.0.0.1:{PORT}", job["key"])
        print(json.dumps(seen))


if __name__ == "__main__":
    os.umask(0o022)
    main(Path(sys.argv[1]), sys.argv[2])
