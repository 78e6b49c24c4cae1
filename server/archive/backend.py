"""One Archive request from its arguments to its result: workspace, confirmation, sending,
shaping."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from server.archive.api import Api
from server.archive.attributes import Attributes, name_options
from server.archive.client import Archive, Call
from server.archive.context import AnyWorkflow, ArchiveDesk, Workflow
from server.archive.operations import (
    ArchiveRequest,
    Doubtful,
    InWorkspace,
    Mutation,
    Read,
    ReadMany,
)
from server.archive.pagination import PARTIAL, Lists
from server.archive.selection import select, units
from server.archive.workspaces import Workspace, Workspaces, choices
from server.errors import Code, Failure
from server.tool.confirmation import Confirmations
from server.tool.context import Place, Shared
from server.tool.elicitation import Asker
from server.tool.result import Result, whole

_THOUGHT_SECONDS = 1.0
"""A yes that took longer came from a person, while others may have changed what was shown."""

_WORKSPACES = (
    "query Workspaces($first: Int, $after: String) { workspaces(first: $first, after: $after) "
    "{ nodes { id name } pageInfo { endCursor hasNextPage } } }"
)


class ArchiveBackend:
    """Performs typed Archive requests."""

    def __init__(
        self,
        archive: Archive,
        default_workspace: str | None,
        confirmations: Confirmations,
        shared: Shared | None = None,
    ) -> None:
        self.archive = archive
        self._shared = shared
        self.workspaces = Workspaces(self._all_workspaces, default_workspace, archive.now)
        self._confirmations = confirmations
        self.attributes = Attributes(archive)
        self._lists = Lists(archive)

    async def perform(
        self, request: ArchiveRequest[Any] | AnyWorkflow, asker: Asker, deadline: float
    ) -> Result:
        """Do what the request says before `deadline` (on the client's monotonic clock).

        Raises:
            Failure: whatever kept it from being done, in the caller's words.
        """
        if not isinstance(request, InWorkspace):
            return await self._read_everywhere(request, deadline)
        if request.confirmed:
            self._confirmations.refuse_if_never()
        workspace = await self.workspaces.resolve(request.workspace, asker, deadline)
        try:
            await request.resolve_names(self.attributes, workspace, deadline)
            if isinstance(request, Workflow):
                return await request.run(self.desk(workspace, asker, deadline))
            if isinstance(request, Mutation):
                return await self._change(request, workspace, asker, deadline)
            return await self._read(request, workspace, deadline)
        except Failure as failure:
            if failure.details.pop("unknown_workspace", False):
                failure.hint = self.workspaces.remedy(request.workspace)
                known = await self.workspaces.all(deadline)
                failure.details["choices"] = choices(known)
            elif failure.code is Code.NOT_FOUND:
                failure.hint = failure.hint or request.instead
            elif failure.code is Code.FORBIDDEN:
                failure.hint = request.forbidden or failure.hint
            elif failure.code is Code.REJECTED:
                failure.hint = failure.hint or request.refused
            raise

    def desk(self, workspace: str | None, asker: Asker, deadline: float) -> ArchiveDesk:
        """What a workflow works with in that workspace, by its id; None where only the account
        matters."""
        if self._shared is None:
            raise TypeError("a backend without jobs and files serves no workflow")
        return ArchiveDesk(
            Place(self.archive.origin, self.archive.account, workspace),
            self._shared,
            self._confirmations,
            asker,
            deadline,
            self.archive,
            self.attributes,
            workspace or "",
        )

    async def _read_everywhere(self, request: ArchiveRequest[Any], deadline: float) -> Result:
        try:
            return await self._read(request, None, deadline)
        except Failure as failure:
            failure.details.pop("unknown_workspace", None)
            raise

    async def _read(
        self, request: ArchiveRequest[Any], workspace: str | None, deadline: float
    ) -> Result:
        names = await self.attributes.shown(request, workspace, deadline)
        if isinstance(request, ReadMany):
            return await self._lists.read(request, workspace, deadline, names)
        if not isinstance(request, Read):
            raise TypeError(f"{type(request).__name__} is neither a query nor a mutation")
        selection = select(request.record(), request.fields)
        record, partial = await Api(self.archive, workspace, deadline=deadline).read(
            request, selection
        )
        if record is None:
            raise Failure(Code.NOT_FOUND, request.missing, request.instead)
        if names is not None:
            name_options(record, request.record(), selection, names)
        if found := units(selection, request.record()):
            record["units"] = found
        if partial:
            record |= {"partial": True, "notes": [PARTIAL]}
        return whole(record)

    async def _change(
        self, request: Mutation[Any], workspace: str, asker: Asker, deadline: float
    ) -> Result:
        if isinstance(request, Doubtful):
            await self._agreed(request, workspace, asker, deadline)
        try:
            payload = await Api(self.archive, workspace, deadline=deadline).apply(request)
        finally:
            self._lists.forget()
        return whole(request.told(payload))

    async def _agreed(
        self, request: Doubtful[Any], workspace: str, asker: Asker, deadline: float
    ) -> None:
        preview = await request.preview(self.archive, workspace, deadline)
        if preview is None:
            return
        where = await self.workspaces.name_of(workspace, deadline)
        shown = replace(preview, message=f"{where}: {preview.message}")
        what = [request.tool_name(), request.variables(), workspace]
        asked = self.archive.now()
        await self._confirmations.require(shown, call=what, token=request.confirm, asker=asker)
        if self.archive.now() - asked < _THOUGHT_SECONDS:
            return
        if await request.preview(self.archive, workspace, deadline) != preview:
            raise Failure(
                Code.CONFIRMATION_REQUIRED,
                "Nothing was changed: what the user agreed to has changed meanwhile.",
                "Call again: the user is asked about what there is now.",
            )

    async def _all_workspaces(self, deadline: float) -> list[Workspace]:
        found: list[Workspace] = []
        after: str | None = None
        while True:
            variables = {"first": 100, **({"after": after} if after else {})}
            answer = await self.archive.execute(
                Call("workspaces", _WORKSPACES, variables, None, 5, deadline)
            )
            try:
                page, info = answer.data["nodes"], answer.data["pageInfo"]
                found += [Workspace(str(node["id"]).lower(), str(node["name"])) for node in page]
                after = info["endCursor"] if info["hasNextPage"] else None
            except (KeyError, TypeError):
                raise Failure(
                    Code.BAD_RESPONSE,
                    "Archive sent a list of workspaces that cannot be read.",
                    "Try again later.",
                ) from None
            if after is None:
                return found
