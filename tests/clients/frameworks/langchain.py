"""LangChain's adapter: tools of a session, called as its agents do."""

from __future__ import annotations

import importlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from tests.clients.driving import Driver, Seen, answer_form, find_form, read_blocks


class LangChain(Driver):
    """The tools of the adapter by their names."""

    tools: dict[str, Any]

    async def list_tools(self) -> list[str]:
        calling: Any = importlib.import_module("langchain_core.utils.function_calling")
        return [
            calling.convert_to_openai_tool(tool, strict=True)["function"]["name"]
            for tool in self.tools.values()
        ]

    async def call(self, tool: str, arguments: dict[str, Any]) -> Seen:
        request = {"name": tool, "args": arguments, "id": "1", "type": "tool_call"}
        try:
            message = await self.tools[tool].ainvoke(request)
        except importlib.import_module("langchain_core.tools").ToolException as error:
            return Seen(str(error), is_error=True)
        content = message.content
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        seen = read_blocks(blocks)
        return seen._replace(is_error=message.status == "error")

    async def answer(self, mcp_context: Any, params: Any, context: Any) -> Any:
        """Answer a question with yes."""
        types: Any = importlib.import_module("mcp.types")
        self.questions.append(params.message)
        return types.ElicitResult(action="accept", content=answer_form(find_form(params)))

    async def note(self, done: float, total: float | None, message: str | None, more: Any) -> None:
        """Note how far a call is."""
        self.steps.append(done)


@asynccontextmanager
async def connect(command: list[str]) -> AsyncIterator[Driver]:
    """Load the tools of one session."""
    adapters: Any = importlib.import_module("langchain_mcp_adapters.client")
    callbacks: Any = importlib.import_module("langchain_mcp_adapters.callbacks")
    loading: Any = importlib.import_module("langchain_mcp_adapters.tools")
    driver = LangChain()
    driver.version, driver.can_show_progress = version("langchain-mcp-adapters"), True
    driver.can_ask = True
    asking = callbacks.Callbacks(on_elicitation=driver.answer, on_progress=driver.note)
    server = {"transport": "stdio", "command": command[0], "args": command[1:]}
    client = adapters.MultiServerMCPClient(
        {"archive": {**server, "env": dict(os.environ)}}, callbacks=asking
    )
    async with client.session("archive") as session:
        tools = await loading.load_mcp_tools(session, callbacks=asking)
        driver.tools = {tool.name: tool for tool in tools}
        yield driver
