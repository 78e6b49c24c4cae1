"""Google's Agent Development Kit: the tools of its toolset."""

from __future__ import annotations

import importlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from tests.clients.driving import Driver, Seen, read_result


class Adk(Driver):
    """Tools by their names."""

    tools: dict[str, Any]

    async def list_tools(self) -> list[str]:
        return [tool._get_declaration().name for tool in self.tools.values()]

    async def call(self, tool: str, arguments: dict[str, Any]) -> Seen:
        inner: Any = self.tools[tool]
        result = await inner._run_async_impl(args=arguments, tool_context=None, credential=None)
        return read_result(result)


@asynccontextmanager
async def connect(command: list[str]) -> AsyncIterator[Driver]:
    """Load the tools of a toolset."""
    tools: Any = importlib.import_module("google.adk.tools.mcp_tool")
    mcp: Any = importlib.import_module("mcp")
    server = mcp.StdioServerParameters(command=command[0], args=command[1:], env=dict(os.environ))
    toolset = tools.McpToolset(
        connection_params=tools.StdioConnectionParams(server_params=server, timeout=60)
    )
    driver = Adk()
    driver.version = version("google-adk")
    driver.tools = {tool.name: tool for tool in await toolset.get_tools()}
    yield driver
