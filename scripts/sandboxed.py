"""A session with the sandbox at a fixed moment, so that its answers are the same in every run."""

from __future__ import annotations

import importlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mcp import Client
from mcp.types import ElicitRequestFormParams, ElicitResult

import prompts
from server import wall_clock
from server.dispatch import Dispatcher
from server.limiter import ConcurrencyCap
from server.protocol.handlers import build_server
from server.sandbox import Sandbox
from server.sandbox.archivebox import ArchiveBoxSandbox
from server.services import Services
from server.settings import load
from server.tool.catalog import Catalog

ROOT = Path(__file__).parents[1]
# A Tuesday, so that whole weeks lie before it.
MOMENT = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
# How much faster than in reality posts arrive and pages are saved.
_HASTE = 60.0


def _read_moment() -> datetime:
    return MOMENT


def _read_fast() -> float:
    return _HASTE * time.monotonic()


@dataclass
class Session:
    """Call tools of the sandbox, and answer each question of theirs with yes."""

    client: Client | None = None
    questions: list[str] = field(default_factory=list)

    async def call(self, tool: str, arguments: dict[str, Any]) -> Any:
        """Return a call's result.

        Raises:
            RuntimeError: It was refused.
        """
        if self.client is None:
            raise RuntimeError("the session has not begun")
        result = await self.client.call_tool(tool, arguments)
        if result.is_error:
            raise RuntimeError(f"{tool}: {result.content}")
        return result

    async def agree(self, context: Any, params: Any) -> ElicitResult:
        """Answer a question as a user would who wants it."""
        if not isinstance(params, ElicitRequestFormParams):
            return ElicitResult(action="decline")
        self.questions.append(params.message)
        names = params.requested_schema.get("properties", {})
        return ElicitResult(action="accept", content=dict.fromkeys(names, True))


@asynccontextmanager
async def open_sandbox(folder: Path, *, is_paced: bool = False) -> AsyncIterator[Session]:
    """Yield a session; exports and whatever else is written goes into a folder.

    Args:
        is_paced: whether Archive has a plan with limits, and the server keeps to them.
    """
    usual = wall_clock.utc_now
    wall_clock.utc_now = _read_moment
    plan = "growth" if is_paced else "boundless"
    environment = {
        "ARCHIVE_MCP_STATE_DIR": str(folder / "state"),
        "ARCHIVE_MCP_EXPORT_DIR": str(folder / "exports"),
        "ARCHIVE_MCP_TIMEZONE": "UTC",
    }
    settings = load({}, sandbox=True, environment=environment, folder=folder, home=folder)
    archivebox = ArchiveBoxSandbox(clock=_read_fast, now=_read_moment)
    services = Services(
        settings,
        limiter=None if is_paced else ConcurrencyCap(),
        sandbox=Sandbox(rate=1_000_000, plan=plan, clock=_read_fast, now=_read_moment),
        archivebox=archivebox.handle,
    )
    catalog = Catalog.read(ROOT / "tools" / "surface.json", importlib.import_module)
    catalog.offer(backends={"archive", "archivebox"}, toolsets=["all"], read_only=False)
    session = Session()
    try:
        async with services:
            calls = Dispatcher(catalog, services, settings.timezone)
            server = build_server(catalog, calls, prompts.DOCUMENTS, prompts.instructions())
            async with Client(server, elicitation_callback=session.agree) as session.client:
                yield session
    finally:
        wall_clock.utc_now = usual
