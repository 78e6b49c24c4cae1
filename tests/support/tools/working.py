"""LocalJobs of tools over the sandbox in this process, on one clock that jumps to whatever comes
next."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from server.archive.backend import ArchiveBackend
from server.archive.client import Archive
from server.archive.operations import ArchiveTool
from server.audit.auditor import Auditor
from server.errors import Code, Failure
from server.exports import ExportFolder
from server.http.client import Http
from server.jobs import (
    JobRow,
    JobState,
    Leases,
    LocalJobs,
    RecordRow,
    SqliteJournal,
)
from server.jobs.model import End
from server.limiter import Limiter, Pacer, Snapshot
from server.sandbox import (
    MAIN,
    TOKEN,
    Answer,
    Sandbox,
)
from server.sandbox.archive.limits import Plan
from server.settings import DEFAULT_API_URL
from server.shared_state.spending import Spending, UnlimitedSpending
from server.shared_state.tokens import MemoryTokens
from server.tool.confirmation import Confirmations
from server.tool.context import Caller
from server.tool.elicitation import Nobody
from tests.support.clocks import now
from tests.support.doubles import OpenLimiter
from tests.support.jobs.doubles import FakeTime
from tests.support.tools.calling import parsed

Json = dict[str, Any]
Meddle = Callable[[str, Json], Answer | None]
"""From the name and the variables of an operation to what is answered instead."""


class Watched(Sandbox):
    """A sandbox that keeps what was asked, and lets a test answer in its place."""

    def __init__(self, time: FakeTime, **options: Any) -> None:
        roomy: Json = {"items": 400, "rate": 10_000, "plan": "enterprise", **options}
        super().__init__(clock=time.clock, now=now, **roomy)
        self.asked: list[tuple[str, Json]] = []
        self.meddle: Meddle | None = None

    async def handle(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        sent = json.loads(body)
        name = sent["query"].split("(")[0].split()[1]
        self.asked.append((name, sent["variables"]))
        if self.meddle and (answer := self.meddle(name, sent["variables"])):
            return answer
        return await super().handle(method, path, headers, body)

    def uploads(self) -> Counter[str]:
        """How often each link was uploaded."""
        return Counter(
            given["input"]["url"] for name, given in self.asked if name == "UploadItemFromUrl"
        )

    def times(self, name: str) -> int:
        """How many requests of that name there were."""
        return sum(each == name for each, _ in self.asked)


@dataclass
class Bench:
    """What all calls of one process share."""

    running: LocalJobs
    folder: Path
    read_only: bool = False
    spending: Spending = field(default_factory=UnlimitedSpending)
    auditor: Auditor = field(default_factory=Auditor)

    async def jobs(self) -> LocalJobs:
        return self.running

    def exports(self) -> ExportFolder:
        return ExportFolder(self.folder)


@dataclass
class Worker:
    """Somebody who starts jobs by the classes of their tools and says yes to what is shown."""

    backend: ArchiveBackend
    sandbox: Watched
    jobs: LocalJobs
    time: FakeTime
    previews: list[Json] = field(default_factory=list)

    async def call(self, request: type[ArchiveTool[Any]], **raw: Any) -> Json:
        """What the tool answers to the raw arguments."""
        given = parsed(request, **raw)
        return (await self.backend.run(given, Caller(Nobody(), self.time.now + 45))).structured

    async def agreed(self, request: type[ArchiveTool[Any]], **raw: Any) -> Json:
        """The same, after the preview was shown."""
        with pytest.raises(Failure) as caught:
            await self.call(request, **raw)
        assert caught.value.code is Code.CONFIRMATION_REQUIRED, caught.value.message
        self.previews.append(caught.value.details["preview"])
        return await self.call(request, **raw, confirm=caught.value.details["confirm"])

    async def ended(self, told: Json) -> Json:
        """The result of the job that a call told of, once it has one."""
        row = await self.jobs.wait(told["jobId"], 50_000)
        assert row.result is not None, (row.state, row.error)
        return row.result

    def end_after(self, name: str, count: int) -> None:
        """Let this process end with so many requests of that name."""

        def meddle(*_: Any) -> None:
            if self.sandbox.asked[-1][0] == name and self.sandbox.times(name) == count:
                for runner in self.jobs._runners.values():
                    runner.stop(End(JobState.PAUSED))

        self.sandbox.meddle = meddle

    async def records(self, told: Json) -> dict[str, RecordRow]:
        """The job's records by their keys."""
        return {row.key: row for row in await self.jobs.records(told["jobId"], limit=10_000)}


@asynccontextmanager
async def two_workers(state: Path) -> AsyncIterator[tuple[Worker, Worker]]:
    """Two processes of one user with one journal, at one sandbox."""
    async with FakeTime() as time:
        sandbox = Watched(time)
        async with (
            Http(DEFAULT_API_URL, "Archive", in_process=sandbox.handle) as http,
            at_work(state, time, sandbox, http) as one,
            at_work(state, time, sandbox, http) as other,
        ):
            yield one, other


@asynccontextmanager
async def worker(state: Path, spending: Spending | None = None) -> AsyncIterator[Worker]:
    """One process with a journal of its own."""
    async with FakeTime() as time:
        sandbox = Watched(time)
        async with (
            Http(DEFAULT_API_URL, "Archive", in_process=sandbox.handle) as http,
            at_work(state, time, sandbox, http, spending=spending) as one,
        ):
            yield one


@asynccontextmanager
async def paced_worker(state: Path, plan: str | Plan, items: int) -> AsyncIterator[Worker]:
    """One process that keeps to the API's real limits: five requests a second, and a plan."""
    async with FakeTime() as time:
        sandbox = Watched(time, items=items, rate=5, plan=plan)
        limiter = Pacer(None, clock=time.clock, sleep=time.sleep)
        async with (
            Http(DEFAULT_API_URL, "Archive", in_process=sandbox.handle) as http,
            at_work(state, time, sandbox, http, limiter) as one,
        ):
            yield one


@asynccontextmanager
async def at_work(
    state: Path,
    time: FakeTime,
    sandbox: Watched,
    http: Http,
    limiter: Limiter | None = None,
    *,
    spending: Spending | None = None,
) -> AsyncIterator[Worker]:
    """A process with the journal in that folder."""
    journal = SqliteJournal(state, leases=Leases(clock=time.clock), wall=time.clock)
    archive = Archive(
        url=DEFAULT_API_URL,
        token=TOKEN,
        http=http,
        limiter=limiter or OpenLimiter(),
        user_agent="test",
        clock=time.clock,
    )

    async def read_limits(row: JobRow) -> Snapshot | None:
        return await archive.budget(row.workspace or "")

    async with LocalJobs(journal, clock=time.clock, sleep=time.sleep, meter=read_limits) as jobs:
        backend = ArchiveBackend(
            archive,
            MAIN,
            Confirmations("ask", MemoryTokens(time.clock)),
            Bench(jobs, state / "exports", spending=spending or UnlimitedSpending()),
        )
        yield Worker(backend, sandbox, jobs, time)
    journal.close()
