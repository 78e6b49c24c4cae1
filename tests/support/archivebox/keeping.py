"""Work on pages over the sandbox in this process, on a clock that jumps to whatever comes next."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

from server.archivebox.auth import Keys
from server.archivebox.backend import ArchiveBoxBackend
from server.archivebox.client import ArchiveBox
from server.audit.auditor import Auditor
from server.errors import Code, Failure
from server.exports import ExportFolder
from server.http.client import Http
from server.jobs import (
    JobState,
    Journal,
    Leases,
    LocalJobs,
    SqliteJournal,
)
from server.limiter import ConcurrencyCap
from server.sandbox.archivebox import (
    KEY,
    Answer,
    ArchiveBoxSandbox,
    Version,
)
from server.settings import Secret
from server.shared_state.spending import UnlimitedSpending
from server.shared_state.tokens import MemoryTokens
from server.tool.arguments import parse
from server.tool.confirmation import Confirmations
from server.tool.context import Caller
from server.tool.elicitation import Asker, Nobody
from tests.support.archivebox.targets import URL
from tests.support.clocks import now
from tests.support.jobs.doubles import FakeTime
from tools.archivebox.jobs.save import StartSave
from tools.archivebox.snapshots.snapshots import ListSnapshots

Json = dict[str, Any]


class Watched(ArchiveBoxSandbox):
    """A sandbox that keeps which requests came, and where a test says so forgets to answer one of a
    kind (`silent`), or dies before it has done it (`dead`)."""

    def __init__(self, version: Version, time: FakeTime) -> None:
        super().__init__(version=version, snapshots=60, clock=time.clock, now=now)
        self.asked: list[str] = []
        self.silent: str | None = None
        self.dead: str | None = None
        self.before: tuple[str, Callable[[], None]] | None = None

    async def handle(self, method: str, target: str, headers: Any, body: bytes, /) -> Answer:
        asked = f"{method} {target.partition('/api/v1')[2]}"
        self.asked.append(asked)
        if self.before is not None and asked.startswith(self.before[0]):
            act, self.before = self.before[1], None
            act()
        if self.dead is not None and asked.startswith(self.dead):
            self.dead = None
            return Answer(502, {}, b"")
        answer = await super().handle(method, target, headers, body)
        if self.silent is not None and asked.startswith(self.silent):
            self.silent = None
            return Answer(502, {}, b"")
        return answer

    def times(self, pattern: str) -> int:
        """How many requests there were like that."""
        return sum(re.match(pattern, each) is not None for each in self.asked)


class Keeper:
    """Somebody who starts work and says yes to what is shown."""

    def __init__(
        self,
        backend: ArchiveBoxBackend,
        sandbox: Watched,
        jobs: LocalJobs,
        journal: Journal,
        time: FakeTime,
    ) -> None:
        self.sandbox, self.running, self.journal, self.time = sandbox, jobs, journal, time
        self.shown: list[Json] = []
        self._backend = backend

    async def call(
        self, request: type[Any] = StartSave, /, *, person: Asker | None = None, **raw: Any
    ) -> Json:
        given = parse(request, raw, {"timezone": UTC, "instants": []})
        caller = Caller(person or Nobody(), self.time.now + 45)
        return (await self._backend.run(given, caller)).structured

    async def refused(self, **raw: Any) -> Failure:
        with pytest.raises(Failure) as caught:
            await self.call(**raw)
        return caught.value

    async def agreed(self, **raw: Any) -> Json:
        """The job's answer, after its preview was shown."""
        preview = await self.refused(**raw)
        assert preview.code is Code.CONFIRMATION_REQUIRED, preview.message
        self.shown.append(preview.details["preview"])
        return await self.call(**raw, confirm=preview.details["confirm"])

    async def ended(self, told: Json) -> Json:
        row = await self.running.wait(told["jobId"], 50_000)
        assert row.state is JobState.DONE, row.error
        assert row.result is not None
        return row.result

    async def pages(self, **filters: Any) -> list[Json]:
        found: list[Json] = []
        following: Json = {}
        while following.get("after", "") is not None:
            page = await self.call(ListSnapshots, limit=1000, **filters, **following)
            found += page["nodes"]
            following = {"after": page["nextCursor"]}
        return found


class Alone:
    """What the calls of a process share."""

    read_only = False
    spending = UnlimitedSpending()
    auditor = Auditor()

    def __init__(self, running: LocalJobs, folder: Path | None) -> None:
        self._running = running
        self._folder = folder

    async def jobs(self) -> LocalJobs:
        return self._running

    def exports(self) -> ExportFolder:
        assert self._folder is not None, "nothing here writes files"
        return ExportFolder(self._folder, now=now)


@asynccontextmanager
async def keeper(version: Version, folder: Path | None = None) -> AsyncIterator[Keeper]:
    async with FakeTime() as time:
        sandbox = Watched(version, time)
        journal = SqliteJournal(None, leases=Leases(clock=time.clock), wall=time.clock)
        async with (
            Http(URL, "ArchiveBox", in_process=sandbox.handle) as http,
            LocalJobs(journal, clock=time.clock, sleep=time.sleep) as jobs,
        ):
            client = ArchiveBox(
                url=URL,
                keys=Keys(Secret(KEY), None),
                http=http,
                limiter=ConcurrencyCap(clock=time.clock),
                user_agent="test",
                clock=time.clock,
            )
            backend = ArchiveBoxBackend(
                client, Confirmations("ask", MemoryTokens(time.clock)), Alone(jobs, folder)
            )
            yield Keeper(backend, sandbox, jobs, journal, time)
