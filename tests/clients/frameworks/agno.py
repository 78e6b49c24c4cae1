"""Agno: the functions of its MCP toolkit."""

from __future__ import annotations

import importlib
import os
import shlex
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from tests.clients.driving import Driver, Seen


class Agno(Driver):
    """A toolkit."""

    toolkit: Any

    async def list_tools(self) -> list[str]:
        return [function.to_dict()["name"] for function in self.toolkit.functions.values()]

    async def call(self, tool: str, arguments: dict[str, Any]) -> Seen:
        calling: Any = importlib.import_module("agno.tools.function")
        call = calling.FunctionCall(function=self.toolkit.functions[tool], arguments=arguments)
        done = await call.aexecute()
        result = done.result
        text = str(getattr(result, "content", None) or result or done.error)
        images = len(getattr(result, "images", None) or ())
        return Seen(text.removeprefix("Error from MCP tool "), done.status == "failure", images)


@asynccontextmanager
async def connect(command: list[str]) -> AsyncIterator[Driver]:
    """Connect over stdio."""
    mcp: Any = importlib.import_module("agno.tools.mcp")
    driver = Agno()
    driver.version = version("agno")
    async with mcp.MCPTools(
        shlex.join(command), env=dict(os.environ), timeout_seconds=60
    ) as driver.toolkit:
        yield driver
