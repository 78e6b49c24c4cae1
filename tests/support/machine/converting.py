"""Runs one client's own conversion over the whole listing of a server, in that client's
environment: `python converting.py CLIENT COMMAND...` prints the number of tools and what failed.

It imports nothing of this project, which is not installed there, and each client only where it is
used: the clients exclude one another.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import sys
from collections.abc import Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

Report = dict[str, Any]


def try_each(tools: Iterable[Any], convert: Callable[[Any], Any]) -> Report:
    """Convert each tool and report the failures by the tool's name."""
    count, failures = 0, {}
    for tool in tools:
        count += 1
        try:
            convert(tool)
        # Whatever a client raises is what the report is about.
        except Exception as error:  # noqa: BLE001
            failures[tool.name] = f"{type(error).__name__}: {error}"[:300]
    return {"tools": count, "failures": failures}


@asynccontextmanager
async def open_session(command: list[str]) -> Any:
    """Open a session of the official SDK, of the version that the client brings."""
    mcp: Any = importlib.import_module("mcp")
    stdio: Any = importlib.import_module("mcp.client.stdio")
    server = mcp.StdioServerParameters(command=command[0], args=command[1:], env=dict(os.environ))
    async with (
        stdio.stdio_client(server) as (read, write),
        mcp.ClientSession(read, write) as client,
    ):
        await client.initialize()
        yield client


async def use_google_genai(command: list[str]) -> Report:
    """What the Gemini SDK does with tools of a session."""
    utils: Any = importlib.import_module("google.genai._mcp_utils")
    async with open_session(command) as client:
        return try_each((await client.list_tools()).tools, utils.mcp_to_gemini_tool)


async def use_home_assistant(command: list[str]) -> Report:
    """What Home Assistant's MCP integration does with a tool's schema."""
    openapi: Any = importlib.import_module("voluptuous_openapi")
    async with open_session(command) as client:
        tools = (await client.list_tools()).tools
    return try_each(tools, lambda tool: openapi.convert_to_voluptuous(tool.inputSchema))


async def use_autogen(command: list[str]) -> Report:
    """What AutoGen's `mcp_server_tools` makes of the server."""
    mcp: Any = importlib.import_module("autogen_ext.tools.mcp")
    server = mcp.StdioServerParams(command=command[0], args=command[1:], env=dict(os.environ))
    return try_each(await mcp.mcp_server_tools(server), lambda tool: tool.schema)


async def use_openai_agents(command: list[str]) -> Report:
    """What OpenAI's Agents SDK makes of the server, with schemas as they are and made strict."""
    mcp: Any = importlib.import_module("agents.mcp")
    params = {"command": command[0], "args": command[1:], "env": dict(os.environ)}
    report: Report = {"tools": 0, "failures": {}}
    async with mcp.MCPServerStdio(params=params) as server:
        for strict in (False, True):
            tools = await mcp.MCPUtil.get_function_tools(
                server, convert_schemas_to_strict=strict, run_context=None, agent=None
            )
            report["tools"] = len(tools)
            # What cannot be made strict is passed on as it is, without an error.
            lax = [tool.name for tool in tools if strict and not tool.strict_json_schema]
            report["failures"] |= dict.fromkeys(lax, "its schema cannot be made strict")
    return report


async def use_langchain(command: list[str]) -> Report:
    """What LangChain makes of the server for models of OpenAI, in strict mode."""
    adapters: Any = importlib.import_module("langchain_mcp_adapters.client")
    calling: Any = importlib.import_module("langchain_core.utils.function_calling")
    server = {"transport": "stdio", "command": command[0], "args": command[1:]}
    client = adapters.MultiServerMCPClient({"archive": {**server, "env": dict(os.environ)}})
    tools = await client.get_tools()
    return try_each(tools, lambda tool: calling.convert_to_openai_tool(tool, strict=True))


async def use_crewai(command: list[str]) -> Report:
    """What CrewAI's adapter makes of the server."""
    crewai: Any = importlib.import_module("crewai_tools")
    mcp: Any = importlib.import_module("mcp")
    server = mcp.StdioServerParameters(command=command[0], args=command[1:], env=dict(os.environ))
    with crewai.MCPServerAdapter(server) as tools:
        return try_each(tools, lambda tool: tool.args_schema.model_json_schema())


async def use_pydantic_ai(command: list[str]) -> Report:
    """What pydantic-ai makes of the server for models of OpenAI, in strict mode."""
    mcp: Any = importlib.import_module("pydantic_ai.mcp")
    openai: Any = importlib.import_module("pydantic_ai.profiles.openai")
    transports: Any = importlib.import_module("fastmcp.client.transports")
    transport = transports.StdioTransport(command[0], command[1:], env=dict(os.environ))
    async with mcp.MCPToolset(transport) as toolset:
        tools = await toolset.list_tools()

    def convert(tool: Any) -> Any:
        schema = getattr(tool, "inputSchema", None) or tool.input_schema
        return openai.OpenAIJsonSchemaTransformer(schema, strict=True).walk()

    return try_each(tools, convert)


CLIENTS: dict[str, Callable[[list[str]], Awaitable[Report]]] = {
    "google-genai": use_google_genai,
    "home-assistant": use_home_assistant,
    "autogen": use_autogen,
    "openai-agents": use_openai_agents,
    "langchain": use_langchain,
    "crewai": use_crewai,
    "pydantic-ai": use_pydantic_ai,
}


async def report(name: str, command: list[str]) -> Report:
    """Return what the client of that name makes of the server."""
    return await CLIENTS[name](command)


if __name__ == "__main__":
    # The last line: clients print what they like before.
    sys.stdout.write("\n" + json.dumps(asyncio.run(report(sys.argv[1], sys.argv[2:]))) + "\n")
