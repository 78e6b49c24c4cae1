"""LlamaIndex: the function tools of its tool spec."""

from __future__ import annotations

import importlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from tests.clients.driving import Driver, Seen, read_result


class LlamaIndex(Driver):
    """Tools by their names."""

    tools: dict[str, Any]

    async def list_tools(self) -> list[str]:
        return [tool.metadata.to_openai_tool()["function"]["name"] for tool in self.tools.values()]

    async def call(self, tool: str, arguments: dict[str, Any]) -> Seen:
        output = await self.tools[tool].acall(**arguments)
        return read_result(output.raw_output)


@asynccontextmanager
async def connect(command: list[str]) -> AsyncIterator[Driver]:
    """Load the tools; it starts the server anew for each call."""
    mcp: Any = importlib.import_module("llama_index.tools.mcp")
    client = mcp.BasicMCPClient(command[0], args=command[1:], env=dict(os.environ), timeout=60)
    tools = await mcp.McpToolSpec(client).to_tool_list_async()
    driver = LlamaIndex()
    driver.version = version("llama-index-tools-mcp")
    driver.tools = {tool.metadata.name: tool for tool in tools}
    yield driver
