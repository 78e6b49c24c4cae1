"""Servers and workers of a team as processes of their own, over one database and one sandbox."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg

from server.sandbox import TOKEN
from tests.support.machine.ports import reserved_port
from tests.support.sandboxed import SandboxProcess, clean

Json = dict[str, Any]

COMMAND = (sys.executable, "-m", "tests.support.team.paced_team")
MACHINE_KEY = "amk_" + "k" * 43
MODERN = "2026-07-28"
_META = "io.modelcontextprotocol/"
_PATIENCE = 60.0
_POLICY = """
[archive.team]
token = {{ env = "TEAM_TOKEN" }}

[[machine]]
name = "{name}"
key_sha256 = "{digest}"
archive = "team"
read_only = false
may_spend = true
may_delete = true
"""


@dataclass
class Crew:
    """The processes of a team. Each may be killed, and is started again by whoever kills it.

    Args:
        window: seconds in which 5 requests are allowed.
        lease: seconds that a worker may be silent.
    """

    sandbox: SandboxProcess
    url: str
    folder: Path
    window: float
    lease: float
    _stack: ExitStack = field(default_factory=ExitStack)
    servers: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """The settings of all processes."""
        return clean(self.folder) | {
            "ARCHIVE_API_URL": self.sandbox.url,
            "TEAM_TOKEN": TOKEN,
            "ARCHIVE_MCP_STATE_DIR": str(self.folder / "state"),
            "ARCHIVE_MCP_EXPORT_DIR": str(self.folder / "exports"),
            "ARCHIVE_MCP_EXPORT_STORE": str(self.folder / "store"),
            "ARCHIVE_MCP_POLICY": str(self.policy),
            "ARCHIVE_MCP_STATE_KEYS": base64.b64encode(bytes(range(32))).decode(),
            "ARCHIVE_MCP_DATABASE_URL": self.url,
        }

    @property
    def policy(self) -> Path:
        """The policy file."""
        return self.folder / "policy.toml"

    def write_policy(self, name: str = "robot") -> None:
        """Write a policy with one machine of that name."""
        digest = hashlib.sha256(MACHINE_KEY.encode()).hexdigest()
        self.policy.write_text(_POLICY.format(name=name, digest=digest), encoding="utf-8")

    def start_server(self, port: int) -> None:
        """Start a server on a port, and wait until it answers."""
        self.servers[port] = self._start("serve", "--port", str(port))
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until:
            try:
                if httpx.get(f"http://127.0.0.1:{port}/readyz", trust_env=False).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.05)
        raise AssertionError("the server does not get ready")

    def start_worker(self, machine: str = "") -> subprocess.Popen[bytes]:
        """Start one more worker, on a machine of its own where that has a name."""
        folder = str(self.folder / f"exports{machine}")
        options = ("--lease", str(self.lease))
        worker = self._start("worker", *options, ARCHIVE_MCP_EXPORT_DIR=folder)
        self.workers.append(worker)
        return worker

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """Kill a process at once."""
        process.kill()
        process.wait()

    def kill_worker(self, chance: random.Random) -> list[str]:
        """Kill the worker that has a job, or another one, and start a new one.

        Returns:
            The records that were being sent then.
        """
        owners = {
            int(str(owner).partition("-")[0])
            for (owner,) in self.query("SELECT owner FROM job_runs WHERE owner LIKE '%-%'")
        }
        busy = [worker for worker in self.workers if worker.pid in owners]
        victim = busy[0] if busy and chance.random() < 0.8 else chance.choice(self.workers)
        self.kill(victim)
        self.workers.remove(victim)
        rows = self.query("SELECT key FROM job_records WHERE state = 'sending'")
        self.start_worker()
        return [str(key) for (key,) in rows]

    def kill_server(self, port: int) -> None:
        """Kill a server and start it again."""
        self.kill(self.servers.pop(port))
        self.start_server(port)

    def call(self, port: int, tool: str, **arguments: Any) -> Json:
        """The result of a tool; its error under `error`."""
        meta = {
            f"{_META}protocolVersion": MODERN,
            f"{_META}clientInfo": {"name": "test", "version": "1"},
            f"{_META}clientCapabilities": {},
        }
        params = {"name": tool, "arguments": arguments, "_meta": meta}
        answer = httpx.post(
            f"http://127.0.0.1:{port}/mcp",
            json={"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params},
            headers={
                "authorization": f"Bearer {MACHINE_KEY}",
                "accept": "application/json, text/event-stream",
                "mcp-protocol-version": MODERN,
                "mcp-method": "tools/call",
                "mcp-name": tool,
            },
            timeout=_PATIENCE,
            trust_env=False,
        )
        # As one message, or as the last of a stream that reported progress before.
        _, _, data = answer.text.rpartition("data: ")
        message: Json = json.loads(data or answer.text)
        result: Json = message["result"]
        if result.get("isError"):
            return {"error": result["_meta"]["archive-mcp/error"]}
        content: Json = result["structuredContent"]
        return content

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """The rows of a query; a database that is away is waited for."""
        until = time.monotonic() + _PATIENCE
        while True:
            try:
                with psycopg.connect(self.url, autocommit=True) as connection:
                    return connection.execute(statement.encode()).fetchall()
            except psycopg.OperationalError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.02)

    def wait_for(self, statement: str, patience: float = 600.0) -> Any:
        """The first value of a query, as soon as there is one that is true."""
        until = time.monotonic() + patience
        while time.monotonic() < until:
            rows = self.query(statement)
            if rows and rows[0][0]:
                return rows[0][0]
            time.sleep(0.03)
        raise AssertionError(f"not to be seen: {statement}")

    def close(self) -> None:
        """End all processes."""
        for process in [*self.servers.values(), *self.workers]:
            self.kill(process)
        self._stack.close()

    def _start(self, role: str, *options: str, **environment: str) -> subprocess.Popen[bytes]:
        log = self._stack.enter_context((self.folder / f"{role}.log").open("ab"))
        return subprocess.Popen(
            [*COMMAND, role, "--window", str(self.window), *options],
            env=self.environment | environment,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )


@contextmanager
def open_crew(
    sandbox: SandboxProcess,
    url: str,
    folder: Path,
    *,
    window: float,
    lease: float,
    servers: int,
    workers: int,
) -> Iterator[Crew]:
    """A team of so many servers and workers."""
    crew = Crew(sandbox, url, folder, window, lease)
    crew.write_policy()
    try:
        with ExitStack() as ports:
            numbers = [ports.enter_context(reserved_port()) for _ in range(servers)]
            for number in numbers:
                crew.start_server(number)
        for _ in range(workers):
            crew.start_worker()
        yield crew
    finally:
        crew.close()
