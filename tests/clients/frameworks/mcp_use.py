"""mcp-use: a session of its client."""

from __future__ import annotations

import importlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from tests.clients.driving import Driver, Seen, answer_form, find_form, read_result


class McpUse(Driver):
    """A session."""

    session: Any

    async def list_tools(self) -> list[str]:
        return [tool.name for tool in await self.session.list_tools()]

    async def call(self, tool: str, arguments: dict[str, Any]) -> Seen:
        return read_result(await self.session.call_tool(tool, arguments))

    async def answer(self, context: Any, params: Any) -> Any:
        """Answer a question with yes."""
        types: Any = importlib.import_module("mcp.types")
        self.questions.append(params.message)
        return types.ElicitResult(action="accept", content=answer_form(find_form(params)))


@asynccontextmanager
async def connect(command: list[str]) -> AsyncIterator[Driver]:
    """Connect over stdio."""
    mcp_use: Any = importlib.import_module("mcp_use")
    server = {"command": command[0], "args": command[1:], "env": dict(os.environ)}
    driver = McpUse()
    driver.version, driver.can_ask = version("mcp-use"), True
    client = mcp_use.MCPClient(
        {"mcpServers": {"archive": server}}, elicitation_callback=driver.answer
    )
    driver.session = await client.create_session("archive")
    yield driver
