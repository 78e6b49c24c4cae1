"""The server's own tools: requests about this server, not about an API."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Literal, Protocol, TypeVar

from server.tool.catalog import OWN, Catalog, Entry
from server.tool.confirmation import Confirmations
from server.tool.context import Caller, Context, Process, Scope
from server.tool.request import Request
from server.tool.result import Result

R = TypeVar("R")

# No API and no account: what these tools do is about this server itself.
_SCOPE = Scope("archive-mcp", "")


# A protocol, because `server.dispatch` imports this module.
class Dispatch(Protocol):
    """Calls a tool of this server."""

    async def __call__(
        self,
        entry: Entry,
        arguments: Mapping[str, Any],
        caller: Caller,
        *,
        only_reads: bool = False,
    ) -> Result:
        """Return the tool's result; of a call that does more than read, only where it may."""


@dataclass(frozen=True)
class ServerContext(Context):
    """This server: all other tools, and the way to call them."""

    catalog: Catalog
    dispatch: Dispatch

    def now(self) -> float:
        """Return monotonic seconds."""
        return time.monotonic()

    async def estimate_seconds(self, requests: int, credits: float) -> float:
        """Return zero: nothing is sent."""
        return 0.0


class ServerTool(Request[R, ServerContext], Generic[R]):
    """Base of the tools that this server answers by itself."""

    backend: ClassVar[str] = OWN
    operation_kind: ClassVar[Literal["operation", "endpoint", "workflow"]] = "workflow"
    # Hosts take from this hint that nothing outside this process is reached.
    open_world: ClassVar[bool] = False


@dataclass(frozen=True)
class ServerBackend:
    """The backend of those tools."""

    catalog: Catalog
    dispatch: Dispatch
    process: Process
    confirmations: Confirmations

    async def run(self, request: ServerTool[Any], caller: Caller) -> Result:
        """Return what the tool answers.

        Raises:
            Failure: whatever kept it from answering.
        """
        return await request.perform(await self.open(None, caller))

    async def open(self, workspace: str | None, caller: Caller) -> ServerContext:
        """Return the context of this server, which has no workspaces."""
        return ServerContext(
            _SCOPE, self.process, self.confirmations, caller, self.catalog, self.dispatch
        )
