"""AutoGen: the tools of `mcp_server_tools`, as its agents run them."""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from tests.clients.driving import Driver, Seen, read_blocks


class AutoGen(Driver):
    """Tools by their names."""

    tools: dict[str, Any]

    async def list_tools(self) -> list[str]:
        return [tool.schema["name"] for tool in self.tools.values()]

    async def call(self, tool: str, arguments: dict[str, Any]) -> Seen:
        core: Any = importlib.import_module("autogen_core")
        try:
            blocks = await self.tools[tool].run_json(arguments, core.CancellationToken())
        # It raises the error's content, as JSON in an Exception of no kind of its own.
        except Exception as error:  # noqa: BLE001
            return read_blocks(json.loads(str(error)), is_error=True)
        return read_blocks(blocks)


@asynccontextmanager
async def connect(command: list[str]) -> AsyncIterator[Driver]:
    """Load the tools of one session."""
    mcp: Any = importlib.import_module("autogen_ext.tools.mcp")
    server = mcp.StdioServerParams(
        command=command[0], args=command[1:], env=dict(os.environ), read_timeout_seconds=60
    )
    driver = AutoGen()
    driver.version = version("autogen-ext")
    async with mcp.create_mcp_server_session(server) as session:
        await session.initialize()
        tools = await mcp.mcp_server_tools(server, session)
        driver.tools = {tool.name: tool for tool in tools}
        yield driver
