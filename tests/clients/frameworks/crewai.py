"""CrewAI: the tools of its adapter, which fills every optional argument."""

from __future__ import annotations

import asyncio
import importlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from tests.clients.driving import Driver, Seen


class CrewAi(Driver):
    """Tools by their names."""

    tools: dict[str, Any]

    async def list_tools(self) -> list[str]:
        for tool in self.tools.values():
            tool.args_schema.model_json_schema()
        return list(self.tools)

    async def call(self, tool: str, arguments: dict[str, Any]) -> Seen:
        result = await asyncio.to_thread(lambda: self.tools[tool].run(**arguments))
        return Seen(str(result))


@asynccontextmanager
async def connect(command: list[str]) -> AsyncIterator[Driver]:
    """Load the tools."""
    mcp: Any = importlib.import_module("mcp")
    crewai: Any = importlib.import_module("crewai_tools")
    server = mcp.StdioServerParameters(command=command[0], args=command[1:], env=dict(os.environ))
    driver = CrewAi()
    driver.version = version("crewai-tools")
    with crewai.MCPServerAdapter(server, connect_timeout=60) as tools:
        driver.tools = {tool.name: tool for tool in tools}
        yield driver
