"""An Archive of which only some workspaces exist, for every way to it.

What keeps the others away stands where requests leave: arguments, resources, completions and jobs
all pass here, whatever they were made from.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import anyio

from server.archive.client import Archive, BatchResult, Call
from server.archive.failures import Answer
from server.archive.workspaces import ID, OPERATION, list_workspaces, make_unreadable
from server.errors import Code, Failure
from server.limiter import Snapshot

# How long the ids of named workspaces are trusted: names may be given to others.
_FRESH_SECONDS = 300.0


class RestrictedArchive(Archive):
    """An Archive that refuses what concerns another workspace than those allowed.

    Args:
        allowed: ids, or names in full.
    """

    def __init__(self, *, allowed: Sequence[str], **connection: Any) -> None:
        super().__init__(**connection)
        self._allowed = {entry.strip().casefold() for entry in allowed}
        self._names_only = not all(ID.match(entry) for entry in self._allowed)
        self._ids: frozenset[str] = frozenset(filter(ID.match, self._allowed))
        self._read_at: float | None = None
        self._lock = anyio.Lock()

    async def execute(self, call: Call) -> Answer:
        """Send the operation, as `Archive.execute`.

        Raises:
            Failure: also `FORBIDDEN`, before anything is sent.
        """
        if call.workspace is not None:
            await self._admit(call)
            return await super().execute(call)
        if call.operation != OPERATION:
            raise _refuse()
        ids = await self._find_ids(call.deadline)
        return _filter(await super().execute(call), ids)

    async def execute_batch(self, call: Call, aliases: Sequence[str]) -> BatchResult:
        """Send several reads, as `Archive.execute_batch`.

        Raises:
            Failure: also `FORBIDDEN`, before anything is sent.
        """
        await self._admit(call)
        return await super().execute_batch(call, aliases)

    async def budget(self, workspace: str) -> Snapshot | None:
        """Return what is left of a workspace's rate credits; nothing of one not allowed."""
        return await super().budget(workspace) if workspace.casefold() in self._ids else None

    async def _admit(self, call: Call) -> None:
        ids = await self._find_ids(call.deadline)
        if call.workspace is None or call.workspace.casefold() not in ids:
            raise _refuse()

    async def _find_ids(self, deadline: float) -> frozenset[str]:
        """Return the ids of the allowed workspaces; names are looked up."""
        if not self._names_only:
            return self._ids
        async with self._lock:
            if self._read_at is None or self.now() - self._read_at > _FRESH_SECONDS:
                self._ids = frozenset(await self._look_up(deadline))
                self._read_at = self.now()
        return self._ids

    async def _look_up(self, deadline: float) -> set[str]:
        ids: set[str] = set()
        for workspace in await list_workspaces(super().execute, deadline):
            if not self._allowed.isdisjoint({workspace.id, workspace.name.casefold()}):
                ids.add(workspace.id)
        return ids


def _filter(answer: Answer, ids: frozenset[str]) -> Answer:
    """Return the answer without the workspaces that are not allowed, nor their number."""
    nodes = [node for node in _list_nodes(answer) if str(node.get("id", "")).casefold() in ids]
    data = {**answer.data, "nodes": nodes}
    if "totalCount" in data:
        data["totalCount"] = None
    return answer._replace(data=data)


def _list_nodes(answer: Answer) -> list[dict[str, Any]]:
    nodes = answer.data.get("nodes") if isinstance(answer.data, dict) else None
    if not isinstance(nodes, list) or not all(isinstance(node, dict) for node in nodes):
        raise make_unreadable()
    return nodes


def _refuse() -> Failure:
    return Failure(
        Code.FORBIDDEN,
        "This workspace is not among those that this user may use.",
        "Use one of those that {workspaces} lists.",
        # The backend adds which there are.
        unknown_workspace=True,
    )
