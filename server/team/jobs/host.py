"""Works on the jobs that the queue hands to this worker."""

from __future__ import annotations

import logging
import secrets
from types import TracebackType
from typing import Self

import anyio

from server.audit.auditor import Auditor
from server.audit.log import AuditLog
from server.errors import Code, Failure
from server.jobs.failures import may_pass
from server.jobs.model import End, JobRow, JobState, to_dict
from server.recovery import Recovery
from server.team.jobs.journal import PostgresJournal
from server.team.jobs.people import People
from server.team.jobs.queue import Nudges

log = logging.getLogger("archive_mcp.team")

# One wait needs an end. A job may take longer, so it is waited for again.
_WAIT_SECONDS = 3600.0
# What the user can put right, so that the job goes on; after all else it has to be started anew.
_CURABLE = {Code.UNAUTHENTICATED, Code.NOT_CONFIGURED, Code.WORKSPACE_REQUIRED, Code.INTERNAL}


class JobHost:
    """Jobs under way in this worker.

    Args:
        journal: of everybody.
        nudges: tell the other workers of what this one gives back.
        audit_log: has the jobs that nobody may work on any more.
    """

    def __init__(
        self,
        journal: PostgresJournal,
        people: People,
        nudges: Nudges,
        audit_log: AuditLog | None = None,
    ) -> None:
        self.running: set[str] = set()
        self._group = anyio.create_task_group()
        self._journal = journal
        self._people = people
        self._nudges = nudges
        self._audit_log = audit_log
        self._closing = False

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        # It waits for the jobs, which end when their people are closed.
        return await self._group.__aexit__(kind, error, trace)

    async def run(self, job: str) -> None:
        """Work on a job until it has ended or paused. A caller that is cancelled leaves it alone:
        it goes on."""
        if self._closing:
            await self._nudges.defer(job)
            return
        if job in self.running:
            return
        self.running.add(job)
        ended = anyio.Event()
        self._group.start_soon(self._run, job, ended)
        await ended.wait()

    def close(self) -> None:
        """Take no more jobs."""
        self._closing = True

    async def _run(self, job: str, ended: anyio.Event) -> None:
        try:
            await self._work(job)
        except Failure as failure:
            # The journal is away, or another worker was faster: the job is looked for again.
            log.info("%s was left: %s", job, failure.message)
        except Exception:  # the outermost handler: one job's fault must not end the others
            log.exception("incident %s in %s, which was left", secrets.token_hex(4), job)
        finally:
            self.running.discard(job)
            ended.set()

    async def _work(self, job: str) -> None:
        row = await self._journal.job(job)
        # A nudge may come late: somebody else has done it, or does it.
        if row.state is not JobState.PAUSED or row.error is not None:
            return
        try:
            row = await self._resume(row)
        except Failure as failure:
            if may_pass(failure):
                raise
            await self._refuse(job, failure)
            return
        if self._closing and row.state is JobState.PAUSED and row.error is None:
            await self._nudges.defer(job)

    async def _resume(self, row: JobRow) -> JobRow:
        principal, identity = await self._journal.read_owner(row.id)
        async with self._people.open(principal, identity) as person:
            jobs = await person.services.jobs()
            work = await Recovery(person.catalog, person.services).load_work(row)
            row = await jobs.resume(row.id, work)
            while row.owned:
                row = await jobs.wait(row.id, _WAIT_SECONDS)
        return row

    async def _refuse(self, job: str, failure: Failure) -> None:
        """End a job that cannot be worked on, or pause it until the user has put that right."""
        state = JobState.PAUSED if failure.code in _CURABLE else JobState.FAILED
        principal, _ = await self._journal.read_owner(job)
        lease = await self._journal.take(job, "a worker")
        await self._journal.end(lease, End(state, to_dict(failure)))
        log.warning("%s cannot be worked on: %s", job, failure.message)
        row = await self._journal.job(job)
        await Auditor(self._audit_log, principal, principal).note(
            "refused", row.tool, "refused", job=job, code=str(failure.code)
        )
