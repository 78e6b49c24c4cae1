"""OpenAI's Agents SDK: its function tools, with strict schemas as its agents may ask for."""

from __future__ import annotations

import importlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from tests.clients.driving import Driver, Seen, read_result


class OpenAiAgents(Driver):
    """A server of this SDK."""

    server: Any

    async def list_tools(self) -> list[str]:
        mcp: Any = importlib.import_module("agents.mcp")
        names: list[str] = []
        for strict in (False, True):
            tools = await mcp.MCPUtil.get_function_tools(
                self.server, convert_schemas_to_strict=strict, run_context=None, agent=None
            )
            names = [tool.name for tool in tools]
        return names

    async def call(self, tool: str, arguments: dict[str, Any]) -> Seen:
        return read_result(await self.server.call_tool(tool, arguments))


@asynccontextmanager
async def connect(command: list[str]) -> AsyncIterator[Driver]:
    """Connect over stdio."""
    mcp: Any = importlib.import_module("agents.mcp")
    params = {"command": command[0], "args": command[1:], "env": dict(os.environ)}
    driver = OpenAiAgents()
    driver.version = version("openai-agents")
    async with mcp.MCPServerStdio(params=params, client_session_timeout_seconds=60) as server:
        driver.server = server
        yield driver
