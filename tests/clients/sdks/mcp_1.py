"""The official Python SDK 1.x, from its first release on."""

from __future__ import annotations

import importlib
import inspect
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from tests.clients.driving import Driver, Seen, answer_form, find_form, read_result


class Session(Driver):
    """A session of this SDK, also where another client brings it."""

    session: Any

    def __init__(self) -> None:
        super().__init__()
        mcp: Any = importlib.import_module("mcp")
        self.version = version("mcp")
        self.can_ask = "elicitation_callback" in inspect.signature(mcp.ClientSession).parameters
        parameters = inspect.signature(mcp.ClientSession.call_tool).parameters
        self.can_show_progress = "progress_callback" in parameters

    async def list_tools(self) -> list[str]:
        return [tool.name for tool in (await self.session.list_tools()).tools]

    async def call(self, tool: str, arguments: dict[str, Any]) -> Seen:
        options = {"progress_callback": self._note} if self.can_show_progress else {}
        return read_result(await self.session.call_tool(tool, arguments, **options))

    async def answer(self, context: Any, params: Any) -> Any:
        """Answer a question with yes."""
        types: Any = importlib.import_module("mcp.types")
        self.questions.append(params.message)
        return types.ElicitResult(action="accept", content=answer_form(find_form(params)))

    async def _note(self, done: float, total: float | None, message: str | None) -> None:
        self.steps.append(done)


@asynccontextmanager
async def connect(command: list[str]) -> AsyncIterator[Driver]:
    """Connect over stdio."""
    mcp: Any = importlib.import_module("mcp")
    stdio: Any = importlib.import_module("mcp.client.stdio")
    server = mcp.StdioServerParameters(command=command[0], args=command[1:], env=dict(os.environ))
    driver = Session()
    options = {"elicitation_callback": driver.answer} if driver.can_ask else {}
    async with (
        stdio.stdio_client(server) as (read, write),
        mcp.ClientSession(read, write, **options) as driver.session,
    ):
        opening = await driver.session.initialize()
        driver.protocol = str(opening.protocolVersion)
        yield driver
