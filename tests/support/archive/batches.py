"""Batches of reads in front of a sandbox that notes how many came together and objects as a test
says."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from server.archive.api import Api
from server.archive.batching import BatchReader
from server.archive.client import Archive
from server.archive.failures import Answer as Read
from server.errors import Code, Failure
from server.http.client import Http
from server.limiter import Admit, Limiter
from server.sandbox import (
    MAIN,
    TOKEN,
    Answer,
    Sandbox,
)
from server.settings import DEFAULT_API_URL
from tests.support.clocks import FIXED_TIME
from tests.support.doubles import OpenLimiter
from tools.archive.content.items import SearchItems
from tools.archive.content.lookups import GetEngagementHistory

JSON_TYPE = {"content-type": "application/json"}
COMPLEX = {
    "errors": [{"message": "Query has complexity of 240, which exceeds max complexity of 100"}]
}
_ALIAS = re.compile(r"\ba\d+: ")

Json = dict[str, Any]
Objection = Callable[[int, Json], Answer | Exception | None]
"""From how many reads a request holds (0: a plain one) and its body to what is answered instead, if
anything is."""


class Watched(Sandbox):
    """`sizes` are the reads of each request that arrived, `objection` what is said to it."""

    def __init__(self, **how: Any) -> None:
        super().__init__(
            **{"items": 200, "rate": 10_000, "plan": "enterprise", **FIXED_TIME, **how}
        )
        self.sizes: list[int] = []
        self.objection: Objection = lambda _, __: None

    async def handle(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        """Answer a request, unless there is something to object."""
        asked = json.loads(body)
        size = len(_ALIAS.findall(asked["query"]))
        self.sizes.append(size)
        answer = self.objection(size, asked)
        if isinstance(answer, Exception):
            raise answer
        return answer or await super().handle(method, path, headers, body)


@dataclass
class Bench:
    """A reader of timelines at a sandbox, and ids of items there."""

    sandbox: Watched
    api: Api
    reader: BatchReader
    ids: list[str]

    async def read(self, *ids: str, admit: Admit | None = None) -> dict[str, Read | Failure]:
        """What is answered of each item."""
        requests = [GetEngagementHistory.model_validate({"itemId": each}) for each in ids]
        return {ids[place]: found async for place, found in self.reader.read(requests, admit)}

    async def singly(self, *ids: str) -> dict[str, Any]:
        """The snapshots of each item by a request of its own."""
        found = {}
        for each in ids:
            data, _ = await self.api.read(
                GetEngagementHistory.model_validate({"itemId": each}), first=100
            )
            found[each] = data["nodes"]
        return found


@asynccontextmanager
async def bench(limiter: Limiter | None = None, **how: Any) -> AsyncIterator[Bench]:
    """A reader that has read nothing yet."""
    sandbox = Watched(**how)
    async with Http(DEFAULT_API_URL, "Archive", in_process=sandbox.handle) as http:
        archive = Archive(
            url=DEFAULT_API_URL,
            token=TOKEN,
            http=http,
            limiter=limiter or OpenLimiter(),
            user_agent="test",
            clock=how.get("clock", FIXED_TIME["clock"]),
        )
        api = Api(archive, MAIN, "job")
        page = await api.read_page(SearchItems.model_validate({"fields": ["id"]}))
        sandbox.sizes.clear()
        yield Bench(
            sandbox,
            api,
            BatchReader(api, GetEngagementHistory),
            [each["id"] for each in page.records],
        )


def nodes(found: Mapping[str, Read | Failure]) -> dict[str, Any]:
    """The snapshots of what was answered."""
    return {
        each: answer.data["nodes"] for each, answer in found.items() if isinstance(answer, Read)
    }


def codes(found: Mapping[str, Read | Failure]) -> dict[str, Code]:
    """The failures among what was answered."""
    return {each: answer.code for each, answer in found.items() if isinstance(answer, Failure)}


def said(payload: Any, status: int = 200, **headers: str) -> Answer:
    """An answer of the API."""
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return Answer(status, {**JSON_TYPE, **headers}, body)
