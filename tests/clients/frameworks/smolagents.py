"""smolagents, whose tools come from mcpadapt."""

from __future__ import annotations

import asyncio
import importlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from tests.clients.driving import Driver, Seen


class SmolAgents(Driver):
    """Tools by their names."""

    tools: dict[str, Any]

    async def list_tools(self) -> list[str]:
        models: Any = importlib.import_module("smolagents.models")
        tools = self.tools.values()
        return [models.get_tool_json_schema(tool)["function"]["name"] for tool in tools]

    async def call(self, tool: str, arguments: dict[str, Any]) -> Seen:
        result = await asyncio.to_thread(lambda: self.tools[tool](**arguments))
        is_picture = not isinstance(result, str)
        return Seen("" if is_picture else result, images=int(is_picture))


@asynccontextmanager
async def connect(command: list[str]) -> AsyncIterator[Driver]:
    """Load the tools."""
    mcp: Any = importlib.import_module("mcp")
    smolagents: Any = importlib.import_module("smolagents")
    server = mcp.StdioServerParameters(command=command[0], args=command[1:], env=dict(os.environ))
    collection = smolagents.ToolCollection.from_mcp(
        server, trust_remote_code=True, structured_output=False
    )
    driver = SmolAgents()
    driver.version = version("smolagents")
    with collection as tools:
        driver.tools = {tool.name: tool for tool in tools.tools}
        yield driver
