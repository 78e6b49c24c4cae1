"""Exports through the whole path of a call, over a sandbox in this process whose answers a test can
meddle with."""

from __future__ import annotations

import csv
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

from server.dispatch import Dispatcher
from server.errors import Failure
from server.sandbox import Answer, Sandbox
from server.services import Services
from server.settings import load
from server.tool.elicitation import Nobody
from server.tool.result import Result
from tests.support.clocks import FIXED_TIME
from tests.support.doctored import tools
from tests.support.doubles import OpenLimiter
from tests.support.places import NO_FILES

WORKSPACE = "Northwind Skincare"
ITEMS = 250

Json = dict[str, Any]
Meddle = Callable[[int, Json], Json | Answer]
"""From the number of a page (from 1) and its body to what is answered instead."""


class Meddled(Sandbox):
    """A sandbox that counts the pages of records it gave, and lets a test change them."""

    def __init__(self, items: int = ITEMS) -> None:
        super().__init__(items=items, rate=10_000, plan="boundless", **FIXED_TIME)
        self.requests = 0
        self.pages = 0
        self.meddle: Meddle | None = None
        self.before: Callable[[], Awaitable[None]] | None = None

    async def handle(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        """Answer a request."""
        self.requests += 1
        if self.before is not None:
            await self.before()
        answer = await super().handle(method, path, headers, body)
        asked = json.loads(body)
        if not asked["query"].startswith("query Search") or asked["variables"].get("first") != 100:
            return answer
        self.pages += 1
        if self.meddle is None:
            return answer
        found = self.meddle(self.pages, json.loads(answer.body))
        return (
            found
            if isinstance(found, Answer)
            else Answer(answer.status, answer.headers, json.dumps(found).encode())
        )


@dataclass
class Shop:
    """Calls tools by name in the main workspace; `out` is the export folder."""

    calls: Dispatcher
    services: Services
    sandbox: Meddled
    out: Path
    asker: Nobody = field(default_factory=Nobody)

    async def call(self, tool: str, **arguments: Any) -> Json:
        """What a tool answers."""
        return (await self.result(tool, **arguments)).structured

    async def result(self, tool: str, **arguments: Any) -> Result:
        """The same with what stands beside it."""
        where = {} if tool.startswith("archive_mcp") else {"workspace": WORKSPACE}
        return await self.calls.call(tool, {**where, **arguments}, self.asker)

    async def export(self, **arguments: Any) -> Json:
        """The result of an export that ends at once."""
        told = await self.call("archive_start_export", **arguments)
        assert told["state"] == "done", told
        result: Json = told["result"]
        return result

    async def refused(self, **arguments: Any) -> Failure:
        """The failure that an export meets."""
        with pytest.raises(Failure) as caught:
            await self.call("archive_start_export", **arguments)
        return caught.value

    async def everything(self, tool: str, **arguments: Any) -> list[Json]:
        """All records of a list, by a tool of its own."""
        found: list[Json] = []
        following: Json = {}
        while following.get("after", "") is not None:
            page = await self.call(tool, limit=1000, **arguments, **following)
            found += page["nodes"]
            following = {"after": page["nextCursor"]}
        return found

    def left(self) -> list[str]:
        """The names in the export folder, hidden ones included."""
        return sorted(each.name for each in self.out.iterdir()) if self.out.exists() else []


@asynccontextmanager
async def shop(folder: Path, **how: Any) -> AsyncIterator[Shop]:
    """A server whose exports go to a folder of the test's own."""
    sandbox = Meddled(**how)
    out = folder / "exports"
    settings = load(
        {"ARCHIVE_MCP_EXPORT_DIR": str(out)},
        sandbox=True,
        environment={},
        folder=NO_FILES,
        home=NO_FILES,
    )
    surface = tools()
    surface.offer(backends={"archive"}, toolsets=["all"], read_only=False)
    async with Services(settings, limiter=OpenLimiter(), sandbox=sandbox) as services:
        yield Shop(Dispatcher(surface, services, UTC), services, sandbox, out)


def written(result: Json) -> bytes:
    """The file itself."""
    return Path(result["path"]).read_bytes()


def table(result: Json) -> list[dict[str, str]]:
    """A CSV file as a spreadsheet reads it."""
    with Path(result["path"]).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def lines(result: Json) -> list[Json]:
    """The records of a JSON Lines file."""
    return [
        json.loads(each) for each in Path(result["path"]).read_text(encoding="utf-8").splitlines()
    ]


def nodes(body: Json, operation: str = "items") -> list[Json]:
    """The records of an answer."""
    found: list[Json] = body["data"][operation]["nodes"]
    return found
