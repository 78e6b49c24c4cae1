"""Jobs whose owner is gone: the reading ones go on by themselves, the others when somebody asks.

A job is taken up only by a server of the same origin and token. The journal is not even opened
where there is none.
"""

from __future__ import annotations

import logging
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from server.errors import Code, Failure
from server.services import Services
from server.tool.catalog import Entry, Surface

if TYPE_CHECKING:
    from server.jobs import JobRow, Work
    from server.tool.context import Context

FIRST_LOOK_SECONDS = 3.0
"""After the start: the first message is not to wait for it."""
LOOK_SECONDS = 60.0
_REQUEST_SECONDS = 45.0

log = logging.getLogger("archive_mcp")


class Recovery:
    """Finds and takes up interrupted jobs."""

    def __init__(self, surface: Surface, services: Services) -> None:
        self._surface = surface
        self._services = services

    async def watch(self, state: Path) -> None:
        """Look now and then for reading jobs that nobody works on, until cancelled.

        Args:
            state: the state folder, whose journal other processes of this user share.
        """
        pause = FIRST_LOOK_SECONDS
        while True:
            await anyio.sleep(pause)
            pause = LOOK_SECONDS
            from server.jobs.database import FILE  # after the start, which is not to pay for it

            if not (state / FILE).exists():
                continue
            try:
                await self.resume_reads()
            except Failure as failure:
                log.warning("interrupted jobs were left as they are: %s", failure.message)
            except Exception:  # the outermost handler: a fault of one look is not to end the server
                log.exception("interrupted jobs were left as they are")

    async def resume_reads(self) -> list[JobRow]:
        """Go on with every interrupted job of this origin and token that changes nothing; those
        that were taken up."""
        jobs = await self._services.jobs()
        waiting = [
            row
            for row in await jobs.list(limit=200)
            if not row.ended and not row.owned and not row.writes
        ]
        taken: list[JobRow] = []
        for name in sorted({entry.backend for row in waiting if (entry := self._known(row.tool))}):
            scope = (await self._open(name, None)).scope
            for row in await jobs.orphans(scope.origin, scope.account):
                if row.writes or not self._known(row.tool):
                    continue
                try:
                    taken.append(await jobs.resume(row.id, await self.work(row)))
                except Failure as failure:  # its own: the others may go on
                    log.warning("%s was left as it is: %s", row.id, failure.message)
                    continue
                log.info("%s goes on: %s", row.id, row.title)
        return taken

    async def work(self, row: JobRow) -> Work:
        """The work of a journalled job, from its tool and arguments.

        Raises: Failure: a tool that this server does not have or offer, or a job of another origin
            or token.
        """
        from server.tool.arguments import parse

        entry = self._surface.reachable(row.tool)
        context = await self._open(entry.backend, row.workspace)
        if (row.origin, row.account) != (context.scope.origin, context.scope.account):
            raise Failure(
                Code.INVALID_ARGUMENT,
                f"{row.id} belongs to another server address or token.",
                "Use the settings that it was started with.",
            )
        request = parse(self._surface.load(entry), row.arguments, {"timezone": UTC, "instants": []})
        work: Work = request.work(context)
        return work

    def _known(self, tool: str) -> Entry | None:
        try:
            return self._surface.reachable(tool)
        except Failure:
            return None

    async def _open(self, backend: str, workspace: str | None) -> Context:
        from server.tool.context import Caller
        from server.tool.elicitation import Nobody

        caller = Caller(Nobody(), anyio.current_time() + _REQUEST_SECONDS)
        return await (await self._services.backend(backend)).open(workspace, caller)
