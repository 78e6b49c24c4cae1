"""chuk-mcp, a Python client that shares no code with the official SDK."""

from __future__ import annotations

import importlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from tests.clients.driving import Driver, Seen, read_result

_SECONDS = 60.0


class Chuk(Driver):
    """Two streams to the server."""

    streams: Any

    async def list_tools(self) -> list[str]:
        messages: Any = importlib.import_module("chuk_mcp.protocol.messages")
        result = await messages.send_tools_list(*self.streams, timeout=_SECONDS)
        tools = result["tools"] if isinstance(result, dict) else result.tools
        return [tool["name"] if isinstance(tool, dict) else tool.name for tool in tools]

    async def call(self, tool: str, arguments: dict[str, Any]) -> Seen:
        messages: Any = importlib.import_module("chuk_mcp.protocol.messages")
        result = await messages.send_tools_call(*self.streams, tool, arguments, timeout=_SECONDS)
        return read_result(result)


@asynccontextmanager
async def connect(command: list[str]) -> AsyncIterator[Driver]:
    """Connect over stdio."""
    chuk: Any = importlib.import_module("chuk_mcp")
    messages: Any = importlib.import_module("chuk_mcp.protocol.messages")
    server = chuk.StdioServerParameters(command=command[0], args=command[1:], env=dict(os.environ))
    driver = Chuk()
    driver.version = version("chuk-mcp")
    async with chuk.stdio_client(server) as driver.streams:
        opening = await messages.send_initialize(*driver.streams, timeout=_SECONDS)
        driver.protocol = str(opening.protocolVersion)
        yield driver
