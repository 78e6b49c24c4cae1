"""One Archive request from its arguments to its result: workspace, confirmation, sending, shaping."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..confirmations import Confirmations
from ..dialogue import Asker
from ..errors import Code, Failure
from ..results import Result, whole
from .client import Archive, Call
from .failures import user_errors
from .reading import Lists
from .records import convert, select, units
from .requests import ArchiveRequest, Confirmed, InWorkspace, Mutation, Read, ReadMany
from .workspaces import Workspace, Workspaces, choices

_WORKSPACES = (
    "query Workspaces($first: Int, $after: String) { workspaces(first: $first, after: $after) "
    "{ nodes { id name } pageInfo { endCursor hasNextPage } } }"
)


class ArchiveBackend:
    """Performs typed Archive requests."""

    def __init__(self, archive: Archive, default_workspace: str | None, confirmations: Confirmations) -> None:
        self.archive = archive
        self.workspaces = Workspaces(self._all_workspaces, default_workspace, archive.now)
        self._confirmations = confirmations
        self._lists = Lists(archive)

    async def perform(self, request: ArchiveRequest[Any], asker: Asker, deadline: float) -> Result:
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
            raise

    async def _read_everywhere(self, request: ArchiveRequest[Any], deadline: float) -> Result:
        try:
            return await self._read(request, None, deadline)
        except Failure as failure:
            failure.details.pop("unknown_workspace", None)
            raise

    async def _read(self, request: ArchiveRequest[Any], workspace: str | None, deadline: float) -> Result:
        if isinstance(request, ReadMany):
            return await self._lists.read(request, workspace, deadline)
        if not isinstance(request, Read):
            raise TypeError(f"{type(request).__name__} is neither a query nor a mutation")
        selection = select(request.record(), request.fields)
        call = Call(
            request.operation, request.document(selection), request.variables(), workspace, request.cost, deadline
        )
        answer = await self.archive.execute(call)
        if answer.data is None:
            raise Failure(Code.NOT_FOUND, request.missing, request.instead)
        record = convert(answer.data, request.record(), selection)
        if found := units(selection, request.record()):
            record["units"] = found
        return whole(record)

    async def _change(self, request: Mutation[Any], workspace: str, asker: Asker, deadline: float) -> Result:
        if isinstance(request, Confirmed):
            preview = await request.preview(self.archive, workspace, deadline)
            where = await self.workspaces.name_of(workspace, deadline)
            preview = replace(preview, message=f"{where}: {preview.message}")
            what = [request.tool_name(), request.variables(), workspace]
            await self._confirmations.require(preview, call=what, token=request.confirm, asker=asker)
        selection = select(request.record(), [*request.selected.split(), "userErrors.field", "userErrors.message"])
        call = Call(
            request.operation,
            request.document(selection),
            request.variables(),
            workspace,
            request.cost,
            deadline,
            repeatable=request.repeatable,
            verify=request.verify,
        )
        answer = await self.archive.execute(call)
        self._lists.forget()
        if answer.data is None:
            raise Failure(
                Code.OUTCOME_UNKNOWN,
                f"Archive answered {request.operation} with nothing. The change may or may not have been made.",
                f"Do not repeat it blindly: {request.verify}",
            )
        payload: dict[str, Any] = convert(answer.data, request.record(), selection)
        if errors := payload.pop("userErrors", None):
            raise user_errors(request.operation, errors, request.refused)
        return whole(request.told(payload))

    async def _all_workspaces(self, deadline: float) -> list[Workspace]:
        found: list[Workspace] = []
        after: str | None = None
        while True:
            variables = {"first": 100, **({"after": after} if after else {})}
            answer = await self.archive.execute(Call("workspaces", _WORKSPACES, variables, None, 5, deadline))
            try:
                page, info = answer.data["nodes"], answer.data["pageInfo"]
                found += [Workspace(str(node["id"]).lower(), str(node["name"])) for node in page]
                after = info["endCursor"] if info["hasNextPage"] else None
            except (KeyError, TypeError):
                raise Failure(
                    Code.BAD_RESPONSE, "Archive sent a list of workspaces that cannot be read.", "Try again later."
                ) from None
            if after is None:
                return found
