"""A read-only server neither lists nor makes any change of Archive, in whatever way it is asked for
one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from mcp import Client

from server.settings import load
from tests.support.places import NO_FILES
from tests.support.tools.fronts import (
    WORKSPACE,
    Front,
    error_of,
    front,
)
from tests.support.tools.watched import Json, differences, resolved
from tests.support.tools.write_cases import Case
from tests.support.tools.write_cases_views import CASES

each_write = pytest.mark.parametrize("case", CASES.values(), ids=CASES)
CALLER = "archive_mcp_call_write_tool"
TOOLSETS = ["all", "core", "discover", "views,collections,content"]


@asynccontextmanager
async def untouched(toolsets: str) -> AsyncIterator[Front]:
    """A read-only server whose sandbox must be as it was, without a request having reached it."""
    async with front(ARCHIVE_MCP_READ_ONLY="on", ARCHIVE_MCP_TOOLSETS=toolsets) as desk:
        before = await desk.sandbox.saved()
        requests = desk.sandbox.requests
        yield desk
        assert desk.sandbox.requests == requests
        assert differences(before, await desk.sandbox.saved()) == {}


def is_refused(error: Json, tool: str) -> None:
    assert error["code"] == "READ_ONLY"
    assert error["message"].startswith(f"{tool} changes data")
    assert "ARCHIVE_MCP_READ_ONLY" in error["hint"]


@pytest.mark.parametrize("toolsets", TOOLSETS)
async def test_the_listing_of_a_read_only_server_holds_reads_only(toolsets: str) -> None:
    async with untouched(toolsets) as desk:
        listed = desk.surface.list_tools()

    assert listed
    assert all(each["annotations"]["readOnlyHint"] for each in listed)
    assert not {each["name"] for each in listed} & CASES.keys()


@pytest.mark.parametrize("toolsets", TOOLSETS)
async def test_a_change_that_is_called_all_the_same_is_refused(toolsets: str) -> None:
    async with front() as desk:
        saved = await desk.sandbox.saved()
    async with untouched(toolsets) as desk, Client(desk.server, mode="legacy") as client:
        for tool, case in CASES.items():
            given = {"workspace": WORKSPACE, **resolved(case.given, saved)}
            is_refused(error_of(await client.call_tool(tool, given)), tool)
            is_refused(error_of(await client.call_tool(tool, {**given, "confirm": "yes"})), tool)


async def test_the_tools_that_reach_others_reach_no_change() -> None:
    async with untouched("discover") as desk, Client(desk.server, mode="legacy") as client:
        for tool in CASES:
            call = {"name": tool, "arguments": {"workspace": WORKSPACE}}
            is_refused(error_of(await client.call_tool("archive_mcp_call_read_tool", call)), tool)
            is_refused(
                error_of(await client.call_tool("archive_mcp_describe_tool", {"name": tool})), tool
            )
            is_refused(
                error_of(await client.call_tool("archive_mcp_call_write_tool", call)), CALLER
            )
            found = await client.call_tool("archive_mcp_find_tools", {"query": tool, "limit": 30})
            assert found.structured_content
            assert found.structured_content["tools"]
            assert tool not in {each["name"] for each in found.structured_content["tools"]}
        everything = await client.call_tool("archive_mcp_find_tools", {})

    assert everything.structured_content
    assert not CASES.keys() & set().union(*everything.structured_content["toolsets"].values())


@each_write
async def test_discovery_does_show_it_where_changes_are_allowed(case: Case) -> None:
    async with front(ARCHIVE_MCP_TOOLSETS="discover") as desk:
        found = await desk.call("archive_mcp_find_tools", {"query": case.tool})
        described = await desk.call("archive_mcp_describe_tool", {"name": case.tool})
        refusal = await desk.refused("archive_mcp_call_read_tool", {"name": case.tool})

    assert found["tools"][0]["name"] == case.tool
    assert found["tools"][0]["changesData"] is True
    assert (described["changesData"], described["callWith"]) == (
        True,
        "archive_mcp_call_write_tool",
    )
    assert refusal.code == "INVALID_ARGUMENT"
    assert refusal.hint == "Call it through archive_mcp_call_write_tool."


@pytest.mark.parametrize("value", ["1", "true", "YES", "on"])
def test_read_only_is_a_setting(value: str) -> None:
    def read_only(flag: str) -> bool:
        flags = {"ARCHIVE_MCP_READ_ONLY": flag}
        return load(flags, sandbox=True, environment={}, folder=NO_FILES, home=NO_FILES).read_only

    assert read_only(value)
    assert not read_only("off")
