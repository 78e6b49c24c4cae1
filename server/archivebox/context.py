"""Workflows of ArchiveBox: requests that are many endpoints of one server."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Generic, Literal, TypeVar

from pydantic import ConfigDict

from server.archivebox.endpoints import Box
from server.archivebox.openapi import Description
from server.tool.context import Desk
from server.tool.elicitation import Nobody
from server.tool.request import Request
from server.tool.result import Result

if TYPE_CHECKING:
    from server.archivebox.client import ArchiveBox

R = TypeVar("R")

JOB_SECONDS = 300.0
"""How long one request of a job may wait for its turn and its answer: interactive calls go
first."""
_EACH = 0.1
"""Seconds that a server on a usual machine takes for a small request, about."""


@dataclass(frozen=True)
class BoxDesk(Desk):
    """A desk at one ArchiveBox; `api` is what the server can do."""

    client: ArchiveBox
    api: Description

    @property
    def box(self) -> Box:
        """The server, for this call."""
        return Box(self.client, self.api, self.deadline, self.asker, self.confirmations)

    @property
    def background(self) -> Box:
        """The server, for the next request of a job: interactive calls go first, and it has its own
        time."""
        until = self.client.now() + JOB_SECONDS
        return Box(self.client, self.api, until, Nobody(), self.confirmations, "job")

    def now(self) -> float:
        """The client's monotonic clock, in seconds."""
        return self.client.now()

    async def seconds(self, requests: int, credits: float) -> float:
        """A guess: an ArchiveBox has no pace of its own, and no credits."""
        return requests * _EACH


class BoxWorkflow(Request[R], Generic[R]):
    """Base of the tools that are more than one endpoint of ArchiveBox; arguments carry names in
    snake case."""

    model_config = ConfigDict(alias_generator=None)

    backend: ClassVar[str] = "archivebox"
    operation_kind: ClassVar[Literal["operation", "endpoint", "workflow"]] = "workflow"
    verify: ClassVar[str]
    """For one that changes something: how to find out whether it happened, when the answer was
    lost."""

    @abstractmethod
    async def run(self, desk: BoxDesk) -> Result:
        """What the tool answers.

        Raises:
            Failure: whatever kept it from answering.
        """
