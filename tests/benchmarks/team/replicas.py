"""Replicas of a team's server as processes, and machines that call them over HTTP."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from server.team.identity.machine_keys import digest, make_key
from tests.support.machine.ports import reserved_port
from tests.support.sandboxed import LAUNCHER, clean

Json = dict[str, Any]

OPEN_PACE = (sys.executable, "-m", "tests.benchmarks.team.open_pace")
"""The launcher with a pace that nobody waits for."""
STATE_KEYS = "MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dXY="
_START_SECONDS = 60.0
_END_SECONDS = 60.0
_META = "io.modelcontextprotocol/"
_MODERN = "2026-07-28"


@dataclass(frozen=True)
class Replica:
    """A running server: its address and its process."""

    url: str
    process: subprocess.Popen[bytes]

    @property
    def pid(self) -> int:
        """The process id."""
        return self.process.pid


@dataclass(frozen=True)
class Member:
    """A machine of the policy: its name, its key and the only workspace that it may use."""

    name: str
    key: str
    workspace: str


class Refused(Exception):
    """A call failed; the text is the answer."""


class Caller:
    """One member's client: bare JSON-RPC over HTTP, in the modern era."""

    def __init__(self, member: Member, client: httpx.AsyncClient) -> None:
        self.member = member
        self._client = client

    async def call(self, replica: Replica, tool: str, arguments: Json) -> Json:
        """Return the structured result of a tool.

        Raises:
            Refused: It failed, in whatever way.
        """
        result = await self.ask(replica, "tools/call", {"name": tool, "arguments": arguments})
        if result.get("isError"):
            raise Refused(str(result["content"])[:500])
        structured: Json = result["structuredContent"]
        return structured

    async def ask(self, replica: Replica, method: str, params: Json | None = None) -> Json:
        """Return the result of a request.

        Raises:
            Refused: It has none.
        """
        meta = {
            f"{_META}protocolVersion": _MODERN,
            f"{_META}clientInfo": {"name": self.member.name, "version": "1"},
            f"{_META}clientCapabilities": {},
        }
        content = {**(params or {}), "_meta": meta}
        headers = {
            "authorization": f"Bearer {self.member.key}",
            "accept": "application/json, text/event-stream",
            "mcp-protocol-version": _MODERN,
            "mcp-method": method,
        }
        if "name" in content:
            headers["mcp-name"] = str(content["name"])
        message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": content}
        answer = await self._client.post(f"{replica.url}/mcp", json=message, headers=headers)
        if answer.status_code != 200 or "result" not in (found := read_answer(answer)):
            raise Refused(f"{answer.status_code} {answer.text[:500]}")
        result: Json = found["result"]
        return result


def read_answer(answer: httpx.Response) -> Json:
    """Return the message that answers a request, sent alone or as the last event of a stream; an
    empty one where there is none."""
    lines = [answer.text]
    if answer.headers.get("content-type", "").startswith("text/event-stream"):
        events = [line for line in answer.text.splitlines() if line.startswith("data:")]
        lines = [event.removeprefix("data:") for event in events]
    messages: list[Json] = [json.loads(line) for line in lines if line.strip()]
    return messages[-1] if messages else {}


@asynccontextmanager
async def open_callers(members: Sequence[Member]) -> AsyncIterator[list[Caller]]:
    """Yield a client for each member, over one pool of connections."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx.AsyncClient(trust_env=False, timeout=120, limits=limits) as client:
        yield [Caller(member, client) for member in members]


def make_members(count: int, workspaces: Sequence[str]) -> list[Member]:
    """Return machines, the workspaces in turn."""
    return [
        Member(f"member-{number:02}", make_key(), workspaces[number % len(workspaces)])
        for number in range(count)
    ]


def write_policy(file: Path, members: Sequence[Member]) -> None:
    """Write a policy in which every member reads its workspace with the team's token."""
    tables = ['[archive.team]\ntoken = { env = "TEAM_TOKEN" }\n']
    tables += [
        f'[[machine]]\nname = "{member.name}"\nkey_sha256 = "{digest(member.key)}"\n'
        f'archive = "team"\nworkspaces = ["{member.workspace}"]\nread_only = true\n'
        for member in members
    ]
    file.write_text("\n".join(tables), encoding="utf-8")


@contextmanager
def serve_replicas(
    count: int,
    folder: Path,
    env: Mapping[str, str],
    command: Sequence[str] = LAUNCHER,
    apart: Mapping[str, str] | None = None,
) -> Iterator[list[Replica]]:
    """Run replicas for as long as the context lives.

    Args:
        folder: Where each has its home, state and log.
        env: Settings of all replicas: policy, database, API.
        command: What starts the program.
        apart: Further settings of the last replica alone.
    """
    with ExitStack() as stack:
        settings = [env] * (count - 1) + [{**env, **(apart or {})}]
        yield [
            stack.enter_context(_serve(folder / f"replica-{number}", own, command))
            for number, own in enumerate(settings)
        ]


@contextmanager
def _serve(folder: Path, env: Mapping[str, str], command: Sequence[str]) -> Iterator[Replica]:
    folder.mkdir(parents=True)
    own = {"ARCHIVE_MCP_STATE_DIR": str(folder / "state"), "ARCHIVE_MCP_STATE_KEYS": STATE_KEYS}
    with reserved_port() as port, (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "serve", "--http", "--port", str(port)],
            env={**clean(folder), **own, **env},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        replica = Replica(f"http://127.0.0.1:{port}", process)
        try:
            _wait_until_ready(replica, folder / "log")
            yield replica
        finally:
            _end(process)


def _wait_until_ready(replica: Replica, log: Path) -> None:
    until = time.monotonic() + _START_SECONDS
    while True:
        try:
            if httpx.get(f"{replica.url}/readyz", trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            pass
        if replica.process.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"A replica did not start: {log.read_text()[-2000:]}")
        time.sleep(0.1)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
