"""The official Python SDK 2.x."""

from __future__ import annotations

import importlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.clients.driving import Driver
from tests.clients.sdks.mcp_1 import Session


@asynccontextmanager
async def connect(command: list[str]) -> AsyncIterator[Driver]:
    """Connect over stdio, in the newest era that both know."""
    mcp: Any = importlib.import_module("mcp")
    server = mcp.StdioServerParameters(command=command[0], args=command[1:], env=dict(os.environ))
    driver = Session()
    driver.can_ask = driver.can_show_progress = True
    async with mcp.Client(server, elicitation_callback=driver.answer) as driver.session:
        driver.protocol = str(driver.session.protocol_version)
        yield driver
