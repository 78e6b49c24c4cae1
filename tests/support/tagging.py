"""Collection jobs in real server processes, against a sandbox over loopback, and what is left of
them on disk."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from server.jobs import (
    JobRow,
    Leases,
    RecordRow,
    RecordState,
)
from server.jobs.sqlite import JournalFile
from server.jobs.sqlite.database import FILE
from server.sandbox import MAIN, TOKEN
from tests.support.machine.journals import unlocked
from tests.support.sandboxed import PACED, SandboxProcess, using
from tests.support.stdio import (
    Json,
    Refused,
    ServerGone,
    StdioServer,
)

TOOL = "archive_start_collection_job"
COLLECTION = "Everything"
PATIENCE = 120.0
_LOOK = 0.01
_HELD = 0.5
"""Seconds after which a lock is one that a suspended process holds."""
_ATTEMPTS = 50
_ITEMS = (
    "query Q($presetId: ID, $after: String) { items(first: 100, presetId: $presetId, after: "
    "$after) %s }"
)
_PAGE = "{ nodes { id } pageInfo { endCursor hasNextPage } totalCount }"


@dataclass(frozen=True)
class Site:
    """A sandbox and a folder with the state of all its servers.

    window: seconds in which 5 requests are allowed. lease: seconds that a job's owner may be
    silent.
    """

    sandbox: SandboxProcess
    folder: Path
    window: float
    lease: float

    @asynccontextmanager
    async def server(self) -> AsyncIterator[StdioServer]:
        """A server whose user agrees to everything."""
        command = (*PACED, "--window", str(self.window), "--lease", str(self.lease))
        environment = using(self.sandbox, self.folder)
        asking: Json = {"elicitation": {}}
        async with StdioServer.spawn(
            command, env=environment, cwd=self.folder, capabilities=asking, reply=_agreed
        ) as server:
            await server.handshake()
            yield server

    @contextmanager
    def journal(self) -> Iterator[JournalFile]:
        """The journal of those servers."""
        journal = JournalFile(self.folder / "state", leases=Leases(self.lease))
        try:
            yield journal
        finally:
            journal.close()

    def is_writable(self) -> bool:
        """Whether nobody is in the middle of a transaction of the journal."""
        db = sqlite3.connect(self.folder / "state" / FILE, timeout=_HELD, isolation_level=None)
        try:
            db.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        finally:
            db.close()
        return True

    def records(self, *states: RecordState) -> list[RecordRow]:
        """The job's records in these states, or all."""
        with self.journal() as journal:
            (job, *_) = unlocked(journal.jobs)
            return unlocked(lambda: journal.records(job.id, states, limit=1_000_000))

    def ids(
        self, workspace: str = MAIN, preset: str | None = None, most: int = 1_000_000
    ) -> list[str]:
        """Ids of the items of a workspace or of one of its collections, asked for directly."""
        found: list[str] = []
        info: Json = {"hasNextPage": True}
        while info["hasNextPage"] and len(found) < most:
            given = {"presetId": preset, "after": info.get("endCursor")}
            variables = {name: value for name, value in given.items() if value}
            page = self.ask(_ITEMS % _PAGE, workspace, variables)["items"]
            found += [each["id"] for each in page["nodes"]]
            info = page["pageInfo"]
        return found[:most]

    def members(self) -> list[str]:
        """Ids of the items in the collection that the job made, as often as the sandbox lists
        them."""
        rows = self.ask("{ collections { id name } }")["collections"]
        (preset,) = (each["id"] for each in rows if each["name"] == COLLECTION)
        return self.ids(preset=preset)

    def ask(self, query: str, workspace: str = MAIN, variables: Json | None = None) -> Json:
        """Data of a GraphQL request; one that comes too fast is made again."""
        headers = {"authorization": f"Bearer {TOKEN}", "workspace-id": workspace}
        while True:
            body = {"query": query, "variables": variables or {}}
            answer = httpx.post(
                self.sandbox.url, json=body, headers=headers, trust_env=False, timeout=30
            )
            if answer.status_code != 429:
                data: Json = answer.raise_for_status().json()["data"]
                return data
            time.sleep(self.window)

    def changes(self) -> dict[str, int]:
        """How often a change of each item arrived."""
        found: dict[str, int] = self.sandbox.stats()["changes"]
        return found


async def begun(server: StdioServer, **arguments: Any) -> asyncio.Task[Json | None]:
    """A call that starts a job, under way; None once it has lost its server."""
    given = {"collectionNames": [COLLECTION], "autoCreate": True, **arguments}
    return asyncio.create_task(_called(server, given))


async def resumed(site: Site, server: StdioServer) -> asyncio.Task[Json | None]:
    """A call that goes on with the job, under way as `begun`: the job had no owner."""
    job = await reached(site, lambda job: not job.owned)
    return asyncio.create_task(_called(server, {"resume": job.id}))


async def suspended(site: Site, server: StdioServer) -> None:
    """Suspend a server between two transactions of its own: inside one it would keep everybody
    else from the journal."""
    for _ in range(_ATTEMPTS):
        server.signal(signal.SIGSTOP)
        if site.is_writable():
            return
        server.signal(signal.SIGCONT)
        await asyncio.sleep(_LOOK)
    raise AssertionError("the server never left the journal alone")


async def reached(site: Site, condition: Callable[[JobRow], bool]) -> JobRow:
    """The job, as soon as it is as it should be."""
    until = time.monotonic() + PATIENCE
    found: list[JobRow] = []
    # Opened once: opening a journal takes its lock.
    with site.journal() as journal:
        while time.monotonic() < until:
            found = unlocked(journal.jobs)
            if found and condition(found[0]):
                return found[0]
            await asyncio.sleep(_LOOK)
    raise AssertionError(f"the job does not get there: {found}")


async def killed_again_and_again(
    site: Site, moments: Sequence[int], **arguments: Any
) -> tuple[JobRow, Counter[str]]:
    """Work a job off in one server after the other, each killed when so many records are settled.

    Returns:
        The job at its end, and how often each record was being sent when its server was killed.
    """
    under_way: Counter[str] = Counter()
    for number, moment in enumerate(moments):
        async with site.server() as server:
            task = await (resumed(site, server) if number else begun(server, **arguments))
            # A default argument binds the value of this round.
            await reached(site, lambda job, moment=moment: job.finished_records >= moment)  # type: ignore[misc]
            server.signal(signal.SIGKILL)
            await task
        under_way.update(row.key for row in site.records(RecordState.SENDING))
    async with site.server() as server:
        task = await resumed(site, server)
        job = await reached(site, lambda job: job.ended)
        await task
    return job, under_way


async def _called(server: StdioServer, arguments: Json) -> Json | None:
    try:
        return await server.call_tool(TOOL, arguments, seconds=90)
    except (ServerGone, Refused):  # killed, or its input was closed meanwhile
        return None


def _agreed(method: str, params: Json) -> Json:
    return {"elicitation/create": {"action": "accept", "content": {"confirm": True}}}[method]
