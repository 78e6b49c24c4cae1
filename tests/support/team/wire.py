"""The server on a real port, and requests to it byte by byte."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import anyio
import uvicorn

from server.team.serving.front import Front
from server.team.serving.run import make_config, open_listener
from server.team.settings import TeamSettings
from tests.support.team.people import make_front

_PATIENCE = 30.0


@dataclass(frozen=True)
class Wire:
    """A server that listens; `front` is what it holds."""

    front: Front
    team: TeamSettings

    async def send(self, *parts: bytes, pause: float = 0.0) -> bytes:
        """Everything that comes back for these bytes, until the server closes the connection."""
        with anyio.fail_after(_PATIENCE):
            async with await anyio.connect_tcp("127.0.0.1", self.team.port) as stream:
                for part in parts:
                    await stream.send(part)
                    await anyio.sleep(pause)
                received = b""
                try:
                    while True:
                        received += await stream.receive()
                except (anyio.EndOfStream, anyio.BrokenResourceError):
                    return received

    async def status(self, *parts: bytes, pause: float = 0.0) -> int:
        """The status that comes back; 0 where the connection was closed without one."""
        answer = await self.send(*parts, pause=pause)
        return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/") else 0

    def request(
        self,
        body: bytes = b"{}",
        method: str = "POST",
        path: str = "/mcp",
        headers: Mapping[str, str | None] | None = None,
        **more: str | None,
    ) -> bytes:
        """The bytes of a request; a header that is None is left out."""
        usual: dict[str, str | None] = {
            "host": f"127.0.0.1:{self.team.port}",
            "connection": "close",
            "content-type": "application/json",
            "accept": "application/json, text/event-stream",
            "content-length": str(len(body)),
        }
        named = {
            name.replace("_", "-"): value for name, value in {**(headers or {}), **more}.items()
        }
        lines = [
            f"{name}: {value}" for name, value in {**usual, **named}.items() if value is not None
        ]
        return "\r\n".join([f"{method} {path} HTTP/1.1", *lines, "", ""]).encode() + body


def message(method: str = "tools/list", **params: Any) -> bytes:
    """A message of the modern era."""
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "wire", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    content = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": meta}}
    return json.dumps(content).encode()


@asynccontextmanager
async def listen(team: TeamSettings, folder: Path, **options: Any) -> AsyncIterator[Wire]:
    """A server on a free port of this machine."""
    listener = open_listener(replace(team, port=0))
    team = replace(team, port=listener.getsockname()[1])
    front = make_front(team, folder, **options)
    server = uvicorn.Server(make_config(front, team))
    async with anyio.create_task_group() as group:
        group.start_soon(lambda: server.serve(sockets=[listener]))
        with anyio.fail_after(_PATIENCE):
            # uvicorn has no event for it.
            for _ in range(100_000):
                if server.started:
                    break
                await anyio.sleep(0.01)
        yield Wire(front, team)
        server.should_exit = True
