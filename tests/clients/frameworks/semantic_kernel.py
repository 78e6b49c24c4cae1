"""Semantic Kernel: its MCP plugin, called as its kernel functions do."""

from __future__ import annotations

import importlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from tests.clients.driving import Driver, Seen


class SemanticKernel(Driver):
    """A plugin."""

    plugin: Any

    async def list_tools(self) -> list[str]:
        kernels: Any = importlib.import_module("semantic_kernel")
        kernel = kernels.Kernel()
        functions = kernel.add_plugin(self.plugin, plugin_name="archive").functions
        # Prompts are functions too, and so are the plugin's own doings.
        tools = (await self.plugin.session.list_tools()).tools
        return [name for name in functions if name in {tool.name for tool in tools}]

    async def call(self, tool: str, arguments: dict[str, Any]) -> Seen:
        contents = await self.plugin.call_tool(tool, **arguments)
        texts = [content.text for content in contents if hasattr(content, "text")]
        images = sum(type(content).__name__ == "ImageContent" for content in contents)
        return Seen("\n".join(texts), images=images)


@asynccontextmanager
async def connect(command: list[str]) -> AsyncIterator[Driver]:
    """Connect over stdio."""
    mcp: Any = importlib.import_module("semantic_kernel.connectors.mcp")
    driver = SemanticKernel()
    driver.version = version("semantic-kernel")
    async with mcp.MCPStdioPlugin(
        "archive", command[0], args=command[1:], env=dict(os.environ), request_timeout=60
    ) as driver.plugin:
        yield driver
