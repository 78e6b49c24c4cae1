"""The client of FastMCP."""

from __future__ import annotations

import importlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from tests.clients.driving import Driver, Seen, answer_form, find_form, read_result


class FastMcp(Driver):
    """A client of FastMCP."""

    client: Any

    async def list_tools(self) -> list[str]:
        return [tool.name for tool in await self.client.list_tools()]

    async def call(self, tool: str, arguments: dict[str, Any]) -> Seen:
        return read_result(await self.client.call_tool_mcp(tool, arguments))

    async def answer(self, message: str, response_type: Any, params: Any, context: Any) -> Any:
        """Answer a question with yes."""
        self.questions.append(message)
        return answer_form(find_form(params))

    async def note(self, done: float, total: float | None, message: str | None) -> None:
        """Note how far a call is."""
        self.steps.append(done)


@asynccontextmanager
async def connect(command: list[str]) -> AsyncIterator[Driver]:
    """Connect over stdio."""
    fastmcp: Any = importlib.import_module("fastmcp")
    transports: Any = importlib.import_module("fastmcp.client.transports")
    transport = transports.StdioTransport(command[0], command[1:], env=dict(os.environ))
    driver = FastMcp()
    driver.version, driver.can_ask, driver.can_show_progress = version("fastmcp"), True, True
    driver.client = fastmcp.Client(
        transport, elicitation_handler=driver.answer, progress_handler=driver.note
    )
    async with driver.client:
        yield driver
