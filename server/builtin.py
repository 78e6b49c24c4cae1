"""The server's own tools: requests about this server, not about an API."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, TypeVar

from server.tool.catalog import OWN, Surface
from server.tool.elicitation import Asker
from server.tool.request import Request
from server.tool.result import Result

if TYPE_CHECKING:
    from server.dispatch import Calls
    from server.services import Services

R = TypeVar("R")


class OwnRequest(Request[R], Generic[R]):
    """Base of the tools that this server answers by itself."""

    backend: ClassVar[str] = OWN
    operation_kind: ClassVar[Literal["operation", "endpoint", "workflow"]] = "workflow"
    open_world: ClassVar[bool] = False
    verify: ClassVar[str]
    """For one that changes something: how to find out whether it happened, when the answer was
    lost."""

    @abstractmethod
    async def run(self, own: Own, asker: Asker) -> Result:
        """What the tool answers.

        Raises:
            Failure: whatever kept it from answering.
        """


@dataclass(frozen=True)
class Own:
    """The backend of those tools, and what they may look at: all other tools, the way to call them,
    jobs and files."""

    surface: Surface
    calls: Calls
    services: Services

    async def perform(self, request: OwnRequest[Any], asker: Asker, deadline: float) -> Result:
        """Answer; a call of another tool keeps its own deadline, which is the same."""
        return await request.run(self, asker)
