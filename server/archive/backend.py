"""The Archive backend: resolves the workspace, builds the context, runs the tool, and translates
failures into the caller's words."""

from __future__ import annotations

from functools import partial
from typing import Any

from server.archive.attributes import Attributes
from server.archive.client import Archive
from server.archive.context import ArchiveContext
from server.archive.operations import ArchiveTool
from server.archive.pagination import Lists
from server.archive.workspaces import Workspaces, choices, list_workspaces
from server.errors import Failure
from server.insights.money import ASSUMED_CENTS, Money
from server.shared_state.choice import Choice
from server.tool.confirmation import Confirmations
from server.tool.context import Caller, Process, Scope
from server.tool.result import Result


class ArchiveBackend:
    """Runs the tools of one Archive account."""

    def __init__(
        self,
        archive: Archive,
        default_workspace: str | None,
        confirmations: Confirmations,
        process: Process,
        money: Money = ASSUMED_CENTS,
        *,
        choice: Choice | None = None,
    ) -> None:
        self.archive = archive
        self._money = money
        self.workspaces = Workspaces(
            partial(list_workspaces, self.archive.execute),
            default_workspace,
            archive.now,
            choice=choice,
        )
        self._confirmations = confirmations
        self._process = process
        self._attributes = Attributes(archive)
        # Shared by all calls: what one has read of lists and attributes spares the next a request.
        self._lists = Lists(archive, money)

    async def run(self, request: ArchiveTool[Any], caller: Caller) -> Result:
        """Return what the tool answers before the caller's deadline.

        Raises:
            Failure: whatever kept it from answering, in the caller's words.
        """
        # Before anything is read: where confirmations are off, reading would be wasted credits.
        if request.confirmed:
            self._confirmations.refuse_if_never()
        workspace = await request.resolve(self.workspaces, caller)
        context = await self.open(workspace, caller)
        try:
            return await request.perform(context)
        except Failure as failure:
            if failure.details.pop("unknown_workspace", False) and workspace is not None:
                # The id may come from the settings, which the assistant cannot correct: the hint
                # tells them apart.
                failure.hint = self.workspaces.remedy(request.workspace_argument)
                failure.details["choices"] = choices(
                    await self.workspaces.list_all(caller.deadline)
                )
            else:
                request.explain(failure)
            raise

    async def open(self, workspace: str | None, caller: Caller) -> ArchiveContext:
        """Return the context of a workspace by its id; None where only the account matters."""
        return ArchiveContext(
            Scope(self.archive.origin, self.archive.account, workspace),
            self._process,
            self._confirmations,
            caller,
            self.archive,
            self.workspaces,
            self._attributes,
            self._lists,
            self._money,
        )
