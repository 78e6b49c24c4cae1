"""Something for the doctor to examine: settings, tools, and servers on loopback that answer as a
test says."""

from __future__ import annotations

import importlib
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import anyio
from anyio.abc import SocketAttribute, SocketStream

from server.doctor import investigate
from server.doctor.report import Check, Report
from server.limiter import Pacer
from server.settings import Settings, load
from server.tool.catalog import Catalog
from tests.support.doubles import Clock
from tests.support.paths import SURFACE

TOKEN = "arch_live_unmistakable_9f3a77"
HOME = "7c1f6a52-3d0e-4b8a-9a41-52e0c6d9b117"
AWAY = "b25d0e94-8f63-4c17-8e2b-0d7a41f3c6a8"

Respond = Callable[[bytes], bytes]
Respondent = Callable[[bytes], bytes | Awaitable[bytes | None]]
"""Answers at once or after a while; with None the connection ends instead."""


def tools() -> Catalog:
    """The tools as packaged."""
    return Catalog.read(SURFACE, importlib.import_module)


def given(folder: Path, *, sandbox: bool = False, **variables: str) -> Settings:
    """Settings from environment variables alone; state and home are in `folder`."""
    environment = {"ARCHIVE_MCP_STATE_DIR": str(folder / "state"), **variables}
    settings = load({}, sandbox=sandbox, environment=environment, folder=folder, home=folder)
    # The sandbox has workspaces of its own and ignores the configured one; here it stands for the
    # real Archive.
    return replace(settings, workspace=variables.get("ARCHIVE_WORKSPACE_ID"))


P = TypeVar("P", bound=Pacer)


def paced(kind: type[P], clock: Clock | None = None) -> P:
    """A pacer of that kind for this process alone, on a clock that only its own waits move."""
    # Deadlines are on the machine's clock: the pacer's begins where that one stands.
    clock = clock or Clock(time.monotonic())
    return kind(None, clock=clock, sleep=clock.sleep)


async def examined(settings: Settings, *, live: bool = False, pacer: Pacer | None = None) -> Report:
    """The doctor's report; by itself the pacer's waits take no time."""
    pacer = pacer or paced(Pacer)
    try:
        return await investigate(settings, tools(), pacer, live=live)
    finally:
        pacer.close()


def check(report: Report, name: str) -> Check:
    """The only check of that name."""
    (found,) = (line for line in report.checks if line.name == name)
    return found


def http(body: Any, status: str = "200 OK", headers: Mapping[str, str] | None = None) -> bytes:
    """A whole HTTP response; a body that is no text goes out as JSON."""
    content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    fields = {
        "content-type": "application/json",
        "content-length": str(len(content)),
        **(headers or {}),
    }
    head = "\r\n".join(
        [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in fields.items())]
    )
    return head.encode() + b"\r\n\r\n" + content


def workspaces(*pairs: tuple[str, str]) -> bytes:
    """The answer that lists these workspaces, (id, name) each."""
    nodes = [{"id": id, "name": name} for id, name in pairs]
    return http(
        {
            "data": {
                "workspaces": {
                    "nodes": nodes,
                    "pageInfo": {"endCursor": None, "hasNextPage": False},
                }
            }
        }
    )


def inside(id: str = HOME, headers: Mapping[str, str] | None = None) -> bytes:
    """The answer of a workspace that is asked for its name."""
    return http({"data": {"workspace": {"id": id, "name": "Home"}}}, headers=headers)


def listing_first(listing: bytes, then: bytes) -> Respond:
    """Answers the list of workspaces with one response and everything else with another."""
    return lambda request: listing if b"workspaces(" in request else then


@asynccontextmanager
async def answering(respond: Respondent) -> AsyncIterator[str]:
    """A server on loopback that answers each request as told; yields its URL."""

    async def handle(stream: SocketStream) -> None:
        async with stream:
            while request := await _request(stream):
                found = respond(request)
                answer = found if isinstance(found, bytes) else await found
                if answer is None:
                    return
                await stream.send(answer)

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, handle)
        port = listener.extra(SocketAttribute.local_port)  # noqa: S610  # not Django's
        yield f"http://127.0.0.1:{port}/api/v2"
        tasks.cancel_scope.cancel()


async def _request(stream: SocketStream) -> bytes:
    data = b""
    try:
        while b"\r\n\r\n" not in data:
            data += await stream.receive()
        head, _, body = data.partition(b"\r\n\r\n")
        lengths = [
            line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
        ]
        length = int(lengths[0].split(b":")[1]) if lengths else 0
        while len(body) < length:
            body += await stream.receive()
    except (anyio.EndOfStream, anyio.BrokenResourceError):
        return b""
    return head + b"\r\n\r\n" + body
