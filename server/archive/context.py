"""What a tool of Archive works with: one workspace of one account."""

from __future__ import annotations

from dataclasses import dataclass, replace

from server.archive.api import Api
from server.archive.attributes import Attributes
from server.archive.client import Archive
from server.archive.pagination import Lists
from server.archive.workspaces import Workspaces
from server.insights.money import Money
from server.tool.confirmation import Preview
from server.tool.context import Context

INTERVAL = 0.21
"""Seconds between the sends of one workspace, about: five a second with the pacer's margin."""


@dataclass(frozen=True)
class ArchiveContext(Context):
    """A workspace of Archive, or only the account where the scope names none."""

    archive: Archive
    workspaces: Workspaces
    attributes: Attributes
    lists: Lists
    money: Money

    @property
    def workspace(self) -> str:
        """The id of the workspace.

        Raises:
            TypeError: a tool that is not about a workspace asks for one.
        """
        if self.scope.workspace is None:
            raise TypeError("this call is not about a workspace")
        return self.scope.workspace

    @property
    def api(self) -> Api:
        """The workspace, for this call."""
        return Api(self.archive, self.scope.workspace, deadline=self.deadline)

    @property
    def background(self) -> Api:
        """The workspace, for a job: interactive calls go first, and each request has its own
        time."""
        return Api(self.archive, self.scope.workspace, "job")

    def now(self) -> float:
        """Return the client's monotonic clock, in seconds."""
        return self.archive.now()

    async def estimate_seconds(self, requests: int, credits: float) -> float:
        """Return the longer of two times: that of the requests at five a second, or that of the
        credits at the rate they come back."""
        # Known from the answers so far; before the first one only the request rate can be told.
        budget = await self.archive.budget(self.workspace)
        if budget is None:
            return requests * INTERVAL
        # Wider at first and after a 429, the pace tightens to this within a minute.
        return replace(budget, gap=min(budget.gap, INTERVAL)).seconds(requests, credits)

    async def present(self, preview: Preview) -> Preview:
        """Return the preview with the name of the workspace before it."""
        # A token may see many workspaces: who confirms a change must see in which one it happens.
        name = await self.workspaces.name_of(self.workspace, self.deadline)
        return replace(preview, message=f"{name}: {preview.message}")
