"""Jobs whose process is gone: those that only read resume by themselves, the others on request.

Only a server with the same origin and token resumes a job. Where there is no journal yet, none is
created by looking for one.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from server.errors import Failure
from server.services import Services
from server.tool.catalog import Catalog
from server.tool.context import Context

if TYPE_CHECKING:
    from server.jobs import JobRow, Jobs, Work

# Counted from the start: the first message of a client should not have to wait for it.
FIRST_LOOK_SECONDS = 3.0
# The pause after every further look; a job whose process died may wait that long.
LOOK_SECONDS = 60.0
# What a job asks while it is loaded may take as long as a tool call.
_REQUEST_SECONDS = 45.0

log = logging.getLogger("archive_mcp")


class Recovery:
    """Finds and resumes interrupted jobs."""

    def __init__(self, catalog: Catalog, services: Services) -> None:
        self._catalog = catalog
        self._services = services

    async def watch(self, state: Path) -> None:
        """Resume reading jobs that no process works on, once a minute and until cancelled.

        Args:
            state: the state folder, whose journal all processes of this user share.
        """
        pause = FIRST_LOOK_SECONDS
        while True:
            await anyio.sleep(pause)
            pause = LOOK_SECONDS
            # Imported after the start, which should not pay for it.
            from server.jobs.sqlite import FILE

            # Most people never start a job: no database is made for them.
            if not (state / FILE).exists():
                continue
            try:
                await self.resume_reads()
            except Failure as failure:
                log.warning("interrupted jobs were not resumed: %s", failure.message)
            except Exception:  # the outermost handler: one faulty look must not end the server
                log.exception("interrupted jobs were not resumed")

    async def resume_reads(self) -> list[JobRow]:
        """Resume every interrupted job of this origin and token that changes nothing.

        Returns:
            The resumed jobs.
        """
        jobs = await self._services.jobs()
        rows = await jobs.list(limit=200)
        resumed: list[JobRow] = []
        # By backend, because each has an origin and a token of its own. Those without an
        # interrupted job are not even built.
        for backend in sorted({self._backend_of(row) for row in rows} - {""}):
            scope = (await self._open_context(backend, None)).scope
            for row in await jobs.orphans(scope.origin, scope.account):
                if self._backend_of(row) and await self._resume(jobs, row):
                    resumed.append(row)
        return resumed

    async def _resume(self, jobs: Jobs, row: JobRow) -> bool:
        try:
            await jobs.resume(row.id, await self.load_work(row))
        except Failure as failure:
            # What is wrong with this job need not be wrong with the others.
            log.warning("%s was not resumed: %s", row.id, failure.message)
            return False
        log.info("%s was resumed: %s", row.id, row.title)
        return True

    async def load_work(self, row: JobRow) -> Work:
        """Return the work of a journalled job, built from its tool and arguments.

        Raises:
            Failure: This server does not have or offer the tool, or the job belongs to another
                origin or token.
        """
        from server.jobs.ownership import make_foreign
        from server.tool.arguments import parse_in_utc

        entry = self._catalog.find_reachable(row.tool)
        context = await self._open_context(entry.backend, row.workspace)
        # Another token may see other data under the same ids.
        if (row.origin, row.account) != (context.scope.origin, context.scope.account):
            raise make_foreign(row.id)
        request = parse_in_utc(self._catalog.load(entry), row.arguments)
        # Whoever started it may have lost the right since.
        self._catalog.refuse(entry, request.call_risk())
        work: Work = request.work(context)
        return work

    def _backend_of(self, row: JobRow) -> str:
        """Return the backend of a job to resume; nothing where it is not for this server to do."""
        if row.ended or row.owned or row.writes:
            return ""
        try:
            return self._catalog.find_reachable(row.tool).backend
        except Failure:
            return ""

    async def _open_context(self, backend: str, workspace: str | None) -> Context:
        from server.tool.context import Caller
        from server.tool.elicitation import Nobody

        # Nobody can answer a question: the client that started the job is gone.
        deadline = anyio.current_time() + _REQUEST_SECONDS
        permissions = self._catalog.permissions
        caller = Caller(Nobody(), deadline, self._services.principal, permissions)
        return await (await self._services.backend(backend)).open(workspace, caller)
