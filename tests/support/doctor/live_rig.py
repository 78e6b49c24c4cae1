"""A sandbox for the live questions, behind something that may change its answers."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from server.archive.client import Archive
from server.doctor.live import check_assumptions
from server.doctor.probe import Probe
from server.doctor.report import Finding
from server.http.client import Http
from server.limiter import Pacer
from server.sandbox import (
    MAIN,
    TOKEN,
    Answer,
    Sandbox,
)
from tests.support.clocks import now
from tests.support.doubles import Clock

URL = "https://archive.test/api/v2"
Change = Callable[["Request", Answer], Answer]


@dataclass(frozen=True)
class Request:
    """A request that arrived."""

    query: str
    token: str
    workspace: str | None


@dataclass
class Rig:
    """A sandbox whose clock is the pacer's, behind something that may change its answers."""

    change: Change = lambda _, answer: answer
    plan: str = "growth"
    clock: Clock = field(default_factory=Clock)
    requests: list[Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.sandbox = Sandbox(items=300, plan=self.plan, clock=self.clock, now=now)

    async def handle(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        token = headers["authorization"].removeprefix("Bearer ")
        request = Request(json.loads(body)["query"], token, headers.get("workspace-id"))
        self.requests.append(request)
        return self.change(request, await self.sandbox.handle(method, path, headers, body))

    @asynccontextmanager
    async def probe(self, workspace: str | None = MAIN) -> AsyncIterator[Probe]:
        pacer = Pacer(None, clock=self.clock, sleep=self.clock.sleep)
        async with Http(URL, "Archive", in_process=self.handle) as http:
            archive = Archive(
                url=URL, token=TOKEN, http=http, limiter=pacer, user_agent="test", clock=self.clock
            )
            yield Probe(archive, pacer, workspace)
        pacer.close()

    async def findings(self, workspace: str | None = MAIN) -> dict[str, Finding]:
        """What the live questions find, after the plain ones: those leave the limiter knowing the
        credits."""
        async with self.probe(workspace) as probe:
            await probe.ask("query Plain { workspace { id } }", workspace=MAIN)
            self.requests.clear()
            return {finding.assumption: finding for finding in await check_assumptions(probe)}


def with_body(answer: Answer, body: Any, status: int = 200) -> Answer:
    return Answer(status, answer.headers, json.dumps(body).encode())


def change_data(within: str, change: Callable[[dict[str, Any]], None]) -> Rig:
    """A rig whose answers to the queries that hold `within` have their data changed."""

    def alter(request: Request, answer: Answer) -> Answer:
        if within not in request.query:
            return answer
        body = json.loads(answer.body)
        change(body["data"])
        return with_body(answer, body, answer.status)

    return Rig(alter)
