"""Strands Agents: its MCP client, called as its agents do."""

from __future__ import annotations

import asyncio
import importlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from tests.clients.driving import Driver, Seen, answer_form, find_form


class Strands(Driver):
    """A client."""

    client: Any

    async def list_tools(self) -> list[str]:
        names: list[str] = []
        page = None
        while True:
            tools = await asyncio.to_thread(self.client.list_tools_sync, page)
            names += [tool.tool_spec["name"] for tool in tools]
            page = tools.pagination_token
            if page is None:
                return names

    async def call(self, tool: str, arguments: dict[str, Any]) -> Seen:
        result = await self.client.call_tool_async(
            "1", tool, arguments, progress_callback=self._note
        )
        blocks = result["content"]
        texts = [block["text"] for block in blocks if "text" in block]
        images = sum("image" in block for block in blocks)
        return Seen("\n".join(texts), result["status"] == "error", images)

    async def answer(self, context: Any, params: Any) -> Any:
        """Answer a question with yes."""
        types: Any = importlib.import_module("mcp.types")
        self.questions.append(params.message)
        return types.ElicitResult(action="accept", content=answer_form(find_form(params)))

    async def _note(self, done: float, total: float | None, message: str | None) -> None:
        self.steps.append(done)


@asynccontextmanager
async def connect(command: list[str]) -> AsyncIterator[Driver]:
    """Connect over stdio."""
    mcp: Any = importlib.import_module("mcp")
    stdio: Any = importlib.import_module("mcp.client.stdio")
    strands: Any = importlib.import_module("strands.tools.mcp")
    server = mcp.StdioServerParameters(command=command[0], args=command[1:], env=dict(os.environ))
    driver = Strands()
    driver.version, driver.can_ask, driver.can_show_progress = version("strands-agents"), True, True
    driver.client = strands.MCPClient(
        lambda: stdio.stdio_client(server), elicitation_callback=driver.answer
    )
    with driver.client:
        yield driver
