"""The whole path of a call - surface, arguments, questions, HTTP client - in front of a watched
sandbox."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from mcp.server.lowlevel import Server

import prompts
from server.dispatch import Dispatcher
from server.errors import Failure
from server.protocol.handlers import build_server
from server.sandbox import TOKEN
from server.services import Services
from server.settings import Settings, load
from server.tool.catalog import Catalog
from server.tool.elicitation import Asker, Reply
from tests.support.clocks import now
from tests.support.doctored import answering, tools
from tests.support.doubles import Clock, OpenLimiter, Person
from tests.support.paths import SURFACE
from tests.support.places import NO_FILES
from tests.support.tools.watched import (
    Cut,
    Json,
    Saved,
    Watched,
    resolved,
)

WORKSPACE = "Northwind Skincare"
ROWS: list[Json] = json.loads((SURFACE).read_text(encoding="utf-8"))["tools"]
"""The packaged tools."""
TOOLS = {row["tool"]["name"] for row in ROWS}
WRITES = {
    row["tool"]["name"]: row["operation"]
    for row in ROWS
    if "archive-mcp/operation" in row["tool"]["_meta"]
    and not row["tool"]["annotations"]["readOnlyHint"]
}
"""Tool -> operation, of those that change Archive."""


@dataclass(frozen=True)
class Front:
    """Calls tools by name, and knows the sandbox behind them; labels in arguments become ids."""

    surface: Catalog
    calls: Dispatcher
    sandbox: Watched
    clock: Clock

    @property
    def server(self) -> Server[Any]:
        """The protocol's server over the same calls."""
        return build_server(self.surface, self.calls, prompts.DOCUMENTS, prompts.instructions())

    async def call(self, tool: str, given: Json, *known: Saved, asker: Asker | None = None) -> Json:
        """What the tool answers; a question that no `asker` was given for fails the test."""
        arguments = resolved(given, *(known or [await self.sandbox.saved()]))
        where = {} if tool.startswith("archive_mcp_") else {"workspace": WORKSPACE}
        result = await self.calls.call(tool, {**where, **arguments}, asker or Person())
        found: Json = result.structured
        return found

    async def refused(
        self, tool: str, given: Json, *known: Saved, asker: Asker | None = None
    ) -> Failure:
        """The failure that the call ends with."""
        with pytest.raises(Failure) as caught:
            await self.call(tool, given, *known, asker=asker)
        return caught.value


@asynccontextmanager
async def front(**flags: str) -> AsyncIterator[Front]:
    """A server over a sandbox in this process; `flags` are settings."""
    clock = Clock()
    sandbox = Watched(clock=clock, now=now)
    settings = load(flags, sandbox=True, environment={}, folder=NO_FILES, home=NO_FILES)
    async with Services(settings, limiter=OpenLimiter(), sandbox=sandbox) as services:
        yield _front(settings, services, sandbox, clock)


@asynccontextmanager
async def front_over_http() -> AsyncIterator[Front]:
    """A server whose requests reach the sandbox over loopback HTTP; there a cut ends the
    connection."""
    clock = Clock()
    sandbox = Watched(clock=clock, now=now)

    async def respond(request: bytes) -> bytes | None:
        head, _, body = request.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        try:
            answer = await sandbox.handle(first.split()[0], first.split()[1], headers, body)
        except Cut:
            return None
        length = {"content-length": str(len(answer.body))}
        fields = [f"{name}: {value}" for name, value in {**answer.headers, **length}.items()]
        return "\r\n".join([f"HTTP/1.1 {answer.status} X", *fields, "", ""]).encode() + answer.body

    async with answering(respond) as url:
        settings = load(
            {"ARCHIVE_API_URL": url, "ARCHIVE_APP_TOKEN": TOKEN},
            environment={},
            folder=NO_FILES,
            home=NO_FILES,
        )
        async with Services(settings, limiter=OpenLimiter()) as services:
            yield _front(settings, services, sandbox, clock)


def _front(settings: Settings, services: Services, sandbox: Watched, clock: Clock) -> Front:
    surface = tools()
    surface.offer(backends={"archive"}, toolsets=settings.toolsets, read_only=settings.read_only)
    return Front(surface, Dispatcher(surface, services, settings.timezone), sandbox, clock)


def yes() -> Person:
    """Somebody who agrees, once."""
    return Person([Reply("accept", {"confirm": True})])


def holds(shown: Any, expected: Any) -> bool:
    """Whether what is shown has everything that is expected; lists are of equal length."""
    if isinstance(expected, dict):
        return isinstance(shown, dict) and all(
            key in shown and holds(shown[key], each) for key, each in expected.items()
        )
    if isinstance(expected, list):
        return len(shown) == len(expected) and all(map(holds, shown, expected))
    return bool(shown == expected)


def pretty(value: Any) -> str:
    """JSON for the message of a failed test."""
    return json.dumps(value, indent=1, ensure_ascii=False)


def points_somewhere(failure: Failure) -> None:
    """The hint can be followed: it names tools by their names, and only such as exist."""
    assert not re.search(r"[{}]", failure.hint), failure.hint
    assert set(re.findall(r"archive(?:box)?_[a-z_]+", failure.hint)) <= TOOLS


def error_of(result: Any) -> Json:
    """The error of a failed call, as a host shows it to its model."""
    assert result.is_error, result
    error: Json = json.loads(result.content[0].text)
    return error
