"""pydantic-ai: its toolset, with schemas as it makes them strict for models of OpenAI."""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from tests.clients.driving import Driver, Seen


class PydanticAi(Driver):
    """A toolset."""

    toolset: Any

    async def list_tools(self) -> list[str]:
        openai: Any = importlib.import_module("pydantic_ai.profiles.openai")
        tools = await self.toolset.list_tools()
        for tool in tools:
            schema = getattr(tool, "inputSchema", None) or tool.input_schema
            openai.OpenAIJsonSchemaTransformer(schema, strict=True).walk()
        return [tool.name for tool in tools]

    async def call(self, tool: str, arguments: dict[str, Any]) -> Seen:
        retry = importlib.import_module("pydantic_ai.exceptions").ModelRetry
        try:
            result = await self.toolset.direct_call_tool(tool, arguments)
        except retry as error:
            return Seen(str(error), is_error=True)
        parts = result if isinstance(result, list) else [result]
        texts = [part if isinstance(part, str) else _write(part) for part in parts]
        images = sum(hasattr(part, "media_type") for part in parts)
        return Seen("\n".join(texts), images=images)


def _write(part: Any) -> str:
    return json.dumps(part, ensure_ascii=False) if isinstance(part, dict) else ""


@asynccontextmanager
async def connect(command: list[str]) -> AsyncIterator[Driver]:
    """Connect over stdio, by the client of FastMCP that it brings."""
    mcp: Any = importlib.import_module("pydantic_ai.mcp")
    transports: Any = importlib.import_module("fastmcp.client.transports")
    transport = transports.StdioTransport(command[0], command[1:], env=dict(os.environ))
    driver = PydanticAi()
    driver.version = version("pydantic-ai-slim")
    async with mcp.MCPToolset(transport) as driver.toolset:
        yield driver
