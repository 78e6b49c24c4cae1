"""Haystack: the tools of its toolset, as its pipelines invoke them."""

from __future__ import annotations

import asyncio
import importlib
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from tests.clients.driving import Driver, Seen, read_result


class Haystack(Driver):
    """Tools by their names."""

    tools: dict[str, Any]

    async def list_tools(self) -> list[str]:
        return [tool.tool_spec["name"] for tool in self.tools.values()]

    async def call(self, tool: str, arguments: dict[str, Any]) -> Seen:
        failing = importlib.import_module("haystack.tools.errors").ToolInvocationError
        try:
            result = await asyncio.to_thread(self.tools[tool].invoke, **arguments)
        except failing as error:
            return Seen(str(error), is_error=True)
        return read_result(json.loads(result) if isinstance(result, str) else result)


@asynccontextmanager
async def connect(command: list[str]) -> AsyncIterator[Driver]:
    """Load the tools of a toolset."""
    mcp: Any = importlib.import_module("haystack_integrations.tools.mcp")
    server = mcp.StdioServerInfo(command=command[0], args=command[1:], env=dict(os.environ))
    toolset = mcp.MCPToolset(
        server, connection_timeout=60, invocation_timeout=60, eager_connect=True
    )
    driver = Haystack()
    driver.version = version("mcp-haystack")
    driver.tools = {tool.name: tool for tool in toolset}
    yield driver
