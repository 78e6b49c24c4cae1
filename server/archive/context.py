"""Workflows of Archive: requests that are many operations of one workspace."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, TypeVar

from server.archive.api import Api
from server.archive.operations import InWorkspace
from server.tool.context import Desk
from server.tool.request import Request
from server.tool.result import Result

if TYPE_CHECKING:
    from server.archive.attributes import Attributes
    from server.archive.client import Archive

R = TypeVar("R")

INTERVAL = 0.21
"""Seconds between the sends of one workspace, about: five a second with the pacer's margin."""


@dataclass(frozen=True)
class ArchiveDesk(Desk):
    """A desk at one workspace of Archive."""

    archive: Archive
    attributes: Attributes
    id: str

    @property
    def api(self) -> Api:
        """The workspace, for this call."""
        return Api(self.archive, self.id, deadline=self.deadline)

    @property
    def background(self) -> Api:
        """The workspace, for a job: interactive calls go first, and each request has its own
        time."""
        return Api(self.archive, self.id, "job")

    def now(self) -> float:
        """The client's monotonic clock, in seconds."""
        return self.archive.now()

    async def seconds(self, requests: int, credits: float) -> float:
        """What is slower, the five requests a second or the credits that the plan refills."""
        found = await self.archive.budget(self.id)
        paced = requests * INTERVAL
        if found is None or not found.refill:
            return paced
        return max(paced, (credits - (found.credits or 0.0)) / found.refill)


class Workflow(InWorkspace, Request[R], Generic[R]):
    """Base of the tools that are more than one operation of Archive."""

    backend: ClassVar[str] = "archive"
    operation_kind: ClassVar[Literal["operation", "endpoint", "workflow"]] = "workflow"
    instead: ClassVar[str] = (
        "Look the ids up again: what they named may be gone, or be in another workspace."
    )
    forbidden: ClassVar[str] = ""
    verify: ClassVar[str]
    """For one that changes something: how to find out whether it happened, when the answer was
    lost."""

    @abstractmethod
    async def run(self, desk: ArchiveDesk) -> Result:
        """What the tool answers.

        Raises:
            Failure: whatever kept it from answering.
        """


AnyWorkflow = Workflow[Any]
