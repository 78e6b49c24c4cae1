"""The baseline of starting: the unmodified SDK, serving no tools over its own stdio transport."""

from __future__ import annotations

from typing import Any

import anyio
import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server


async def list_tools(
    ctx: ServerRequestContext[Any, Any], params: types.PaginatedRequestParams
) -> types.ListToolsResult:
    """No tools."""
    return types.ListToolsResult(tools=[])


async def main() -> None:
    """Serve until the client leaves."""
    server: Server[Any] = Server("bare", version="1")
    server.add_request_handler("tools/list", types.PaginatedRequestParams, list_tools)
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())


if __name__ == "__main__":
    anyio.run(main)
