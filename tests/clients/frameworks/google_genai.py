"""google-genai: a session of the SDK, as automatic function calling converts and calls it."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from tests.clients.driving import Driver
from tests.clients.sdks import mcp_1


@asynccontextmanager
async def connect(command: list[str]) -> AsyncIterator[Driver]:
    """Connect by the official SDK, which it is handed."""
    async with mcp_1.connect(command) as session:
        assert isinstance(session, mcp_1.Session)
        driver = GoogleGenAi()
        driver.__dict__ |= session.__dict__
        # The session's own answers land in its list, which is the same.
        driver.version = version("google-genai")
        yield driver


class GoogleGenAi(mcp_1.Session):
    """A session whose tools are converted."""

    async def list_tools(self) -> list[str]:
        utils: Any = importlib.import_module("google.genai._mcp_utils")
        tools = (await self.session.list_tools()).tools
        return [utils.mcp_to_gemini_tool(tool).function_declarations[0].name for tool in tools]
