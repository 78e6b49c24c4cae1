"""The ArchiveBox backend: detects what the server can do, builds the context, runs the tool, and
translates failures into the caller's words."""

from __future__ import annotations

from typing import Any

from server.archivebox.client import ArchiveBox
from server.archivebox.context import ArchiveBoxContext
from server.archivebox.endpoints import ArchiveBoxTool
from server.archivebox.failures import HINTS
from server.errors import Failure
from server.http.urls import parse_origin
from server.tool.confirmation import Confirmations
from server.tool.context import Caller, Process, Scope
from server.tool.result import Result


class ArchiveBoxBackend:
    """Runs the tools of one ArchiveBox."""

    def __init__(self, client: ArchiveBox, confirmations: Confirmations, process: Process) -> None:
        self.client = client
        self._process = process
        self._confirmations = confirmations

    async def run(self, request: ArchiveBoxTool[Any], caller: Caller) -> Result:
        """Return what the tool answers before the caller's deadline.

        Raises:
            Failure: whatever kept it from answering, in the caller's words.
        """
        if request.confirmed:  # before anything is read: nobody will be asked
            self._confirmations.refuse_if_never()
        context = await self.open(None, caller)
        try:
            return await request.perform(context)
        except Failure as failure:
            # A hint that knows the case is better than one that only knows the code.
            failure.hint = failure.hint or HINTS.get(failure.code, "")
            raise

    async def open(self, workspace: str | None, caller: Caller) -> ArchiveBoxContext:
        """Return the context of the server, which has no workspaces."""
        # A job is resumed only under the same origin and account, so both are part of the scope.
        scope = Scope(parse_origin(self.client.url), self.client.account)
        description = await self.client.describe(caller.deadline)
        return ArchiveBoxContext(
            scope, self._process, self._confirmations, caller, self.client, description
        )
