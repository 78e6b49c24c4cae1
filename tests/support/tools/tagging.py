"""Collection jobs over a sandbox in this process, with something to happen before a certain
change."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from tempfile import TemporaryDirectory
from typing import Any

import anyio.lowlevel
import pytest

from server.dispatch import Dispatcher
from server.errors import Failure
from server.jobs import Jobs
from server.sandbox import (
    MAIN,
    PATH,
    TOKEN,
    Answer,
    Sandbox,
)
from server.services import Services
from server.settings import Settings, load
from server.tool.elicitation import Asker
from tests.support.clocks import now
from tests.support.doctored import tools
from tests.support.doubles import Clock, OpenLimiter, Person
from tests.support.places import NO_FILES
from tests.support.tools.fronts import yes

TOOL = "archive_start_collection_job"
Json = dict[str, Any]

_TURNS = 5
"""Turns of the event loop that a change takes, or those at once would be made one after the
other."""


class Eventful(Sandbox):
    """A sandbox in which something happens before the change of that number (from 1) is made."""

    def __init__(self) -> None:
        super().__init__(items=300, rate=100_000, plan="boundless", clock=Clock(), now=now)
        self.before: dict[int, Callable[[], Awaitable[object]]] = {}
        self.arrived = 0
        self.most_at_once = 0
        self.created: list[str] = []
        self.ignored: set[str] = set()
        """Parts of a filter that are not applied, as Archive may do it."""
        self._at_once = 0

    async def handle(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        """Answer a request."""
        if b"ItemToCollections" not in body:
            return await super().handle(method, path, headers, self._drop_ignored(body))
        self.arrived += 1
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            if happens := self.before.pop(self.arrived, None):
                await happens()
            if json.loads(body)["variables"].get("autoCreate"):
                self.created += json.loads(body)["variables"]["collectionNames"]
            for _ in range(_TURNS):
                await anyio.lowlevel.checkpoint()
            return await super().handle(method, path, headers, body)
        finally:
            self._at_once -= 1

    def _drop_ignored(self, body: bytes) -> bytes:
        if not self.ignored:
            return body
        content = json.loads(body)
        parts = (content.get("variables") or {}).get("filter") or {}
        for name in self.ignored & parts.keys():
            del parts[name]
        return json.dumps(content).encode()


@dataclass
class Scene:
    """Calls of the tools, and a look at what is in the sandbox."""

    calls: Dispatcher
    services: Services
    sandbox: Eventful
    people: list[Person] = field(default_factory=list)

    async def call(self, tool: str, asker: Asker | None = None, **arguments: Any) -> Json:
        """What a tool answers."""
        found: Json = (
            await self.calls.call(tool, {"workspace": MAIN, **arguments}, asker or Person())
        ).structured
        return found

    async def start(self, **arguments: Any) -> Json:
        """What the job tool answers, after the user's yes."""
        self.people.append(yes())
        return await self.call(TOOL, self.people[-1], **arguments)

    async def refused(self, asker: Asker | None = None, **arguments: Any) -> Failure:
        """The failure that the job tool ends with."""
        with pytest.raises(Failure) as caught:
            await self.call(TOOL, asker, **arguments)
        return caught.value

    @property
    def question(self) -> str:
        """What the user was asked last."""
        return self.people[-1].questions[-1].message

    async def jobs(self) -> Jobs:
        return await self.services.jobs()

    async def items(self, workspace: str = MAIN, **given: Any) -> list[str]:
        """Ids of all items that a search finds."""
        query = (
            "query Q($filter: ItemFilterInput, $presetId: ID, $after: String) { items(filter: "
            "$filter, presetId: "
            "$presetId, first: 100, after: $after) { nodes { id } pageInfo { endCursor "
            "hasNextPage } } }"
        )
        found: list[str] = []
        info: Json = {"hasNextPage": True}
        while info["hasNextPage"]:
            variables = {**given, **({"after": info["endCursor"]} if "endCursor" in info else {})}
            page = (await self.ask(query, workspace, **variables))["items"]
            found += [each["id"] for each in page["nodes"]]
            info = page["pageInfo"]
        return found

    async def members(self, name: str) -> set[str]:
        """Ids of the items in a collection."""
        return set(await self.items(presetId=(await self.collections())[name]))

    async def collections(self) -> dict[str, str]:
        """Ids of the collections, by name."""
        return {
            each["name"]: each["id"]
            for each in (await self.ask("{ collections { id name } }"))["collections"]
        }

    async def ask(self, query: str, workspace: str = MAIN, **variables: Any) -> Json:
        """Data of a GraphQL request of our own."""
        sent = {
            "authorization": f"Bearer {TOKEN}",
            "content-type": "application/json",
            "workspace-id": workspace,
        }
        body = json.dumps({"query": query, "variables": variables}).encode()
        answer = json.loads((await Sandbox.handle(self.sandbox, "POST", PATH, sent, body)).body)
        assert "errors" not in answer, answer
        data: Json = answer["data"]
        return data


@asynccontextmanager
async def scene() -> AsyncIterator[Scene]:
    """A fresh sandbox and a server for it."""
    sandbox = Eventful()
    with TemporaryDirectory() as exports:
        environment = {"ARCHIVE_MCP_EXPORT_DIR": exports}
        settings = load({}, sandbox=True, environment=environment, folder=NO_FILES, home=NO_FILES)
        async with _serve(settings, sandbox) as scene:
            yield scene


@asynccontextmanager
async def _serve(settings: Settings, sandbox: Eventful) -> AsyncIterator[Scene]:
    async with Services(settings, limiter=OpenLimiter(), sandbox=sandbox) as services:
        surface = tools()
        surface.offer(
            backends={"archive"}, toolsets=settings.toolsets, read_only=settings.read_only
        )
        yield Scene(Dispatcher(surface, services, settings.timezone), services, sandbox)
