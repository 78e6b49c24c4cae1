from __future__ import annotations

import json
import re
from typing import Any

import pytest
from mcp import Client
from mcp_types import Implementation

from server.protocol.listing import SHORTENED
from server.tool.hosts import (
    ALWAYS_LOAD,
    HOSTS,
    MOST_TOOLS,
    REQUIRES_PERSON,
    SEARCH_HINT,
    find_host,
    hosts_with_few_tools,
)
from tests.server.protocol.conftest import BuildBoth

# What they give as `clientInfo.name`.
SENDS_ALL = ("Cline", "gemini-cli-mcp-client", "github-copilot-developer", "codex-mcp-client")
PROMPT_NAMES = {"archive_system_prompt", "archivebox_system_prompt"}
OTHERS = ("claude-code", "claude-ai", "Visual Studio Code", "mcp-inspector", "")


def info(name: str) -> Implementation:
    return Implementation(name=name, version="1.0")


async def listed(server: Any, name: str, era: str) -> tuple[list[Any], str]:
    """The tools and the instructions that a client of this name gets."""
    # Asked for: with a fixed version the client takes the instructions as known.
    mode = "auto" if era == "2026-07-28" else era
    async with Client(server, mode=mode, client_info=info(name)) as client:
        return (await client.list_tools()).tools, client.instructions or ""


def test_the_table_names_each_host_once() -> None:
    assert len({host.part for host in HOSTS}) == len(HOSTS)
    assert hosts_with_few_tools() == ["Cline", "Gemini CLI", "Copilot CLI", "Codex", "opencode"]
    assert all(find_host(name).sends_all for name in SENDS_ALL)
    assert not any(find_host(name).sends_all for name in OTHERS)


@pytest.mark.parametrize("name", SENDS_ALL)
async def test_a_host_that_sends_all_tools_is_listed_few_and_told_so(
    build_both: BuildBoth, era: str, name: str
) -> None:
    tools, instructions = await listed(build_both(), name, era)

    names = {tool.name for tool in tools}
    assert len(names) < 20
    assert {"archive_search_items", "archivebox_add", "archive_mcp_call_write_tool"} <= names
    assert instructions.endswith(SHORTENED)
    assert len(instructions) <= 2_048


@pytest.mark.parametrize("name", OTHERS)
async def test_any_other_is_listed_all(build_both: BuildBoth, era: str, name: str) -> None:
    tools, instructions = await listed(build_both(), name, era)

    assert 100 < len(tools) <= MOST_TOOLS
    assert SHORTENED not in instructions


@pytest.mark.parametrize("toolsets", ["all", "content"])
async def test_toolsets_that_the_user_chose_are_listed_to_everybody(
    build_both: BuildBoth, era: str, toolsets: str
) -> None:
    server = build_both(ARCHIVE_MCP_TOOLSETS=toolsets)
    mine, instructions = await listed(server, "Cline", era)
    others, _ = await listed(build_both(ARCHIVE_MCP_TOOLSETS=toolsets), "other", era)

    assert mine == others
    assert SHORTENED not in instructions


def name_tools(text: str) -> set[str]:
    return set(re.findall(r"\barchive(?:box|_mcp)?_\w*[a-z]", text)) - PROMPT_NAMES


@pytest.mark.parametrize("flags", [(), ("ARCHIVE_MCP_READ_ONLY",)], ids=["writing", "read-only"])
@pytest.mark.parametrize("toolsets", ["all", "core", "discover", "views", "content,jobs"])
async def test_the_instructions_name_no_tool_that_is_off(
    build_both: BuildBoth, era: str, toolsets: str, flags: tuple[str, ...]
) -> None:
    server = build_both(ARCHIVE_MCP_TOOLSETS=toolsets, **dict.fromkeys(flags, "1"))
    tools, instructions = await listed(server, "other", era)

    names = {tool.name for tool in tools}
    reached = "archive_mcp_call_read_tool" in names
    assert reached or name_tools(instructions) <= names
    assert ("archive_mcp_find_tools" in instructions) is reached
    assert ("--toolsets all" in instructions) is (toolsets in ("views", "content,jobs"))
    assert "\n\n\n" not in instructions
    assert len(instructions) <= 2_048


async def test_what_a_short_listing_leaves_out_is_called_through_another_tool(
    build_both: BuildBoth, era: str
) -> None:
    async with Client(build_both(), mode=era, client_info=info("Cline")) as client:
        direct = await client.call_tool("archive_get_view_groups", {})
        arguments = {"workspace": "Northwind Skincare"}
        call = {"name": "archive_get_view_groups", "arguments": arguments}
        through = await client.call_tool("archive_mcp_call_read_tool", call)

    assert "archive_mcp_call_read_tool" in json.loads(direct.content[0].text)["hint"]  # type: ignore[union-attr]
    assert not through.is_error


@pytest.mark.parametrize(
    ("name", "flags", "closed"),
    [
        ("other", {}, False),
        ("Cline", {}, False),
        ("claude-code", {}, True),
        ("claude-code", {"ARCHIVE_MCP_SCHEMA": "open"}, False),
        ("other", {"ARCHIVE_MCP_SCHEMA": "closed"}, True),
    ],
)
async def test_the_setting_or_else_the_name_decides_whether_schemas_are_closed(
    build_both: BuildBoth, era: str, name: str, flags: dict[str, str], closed: bool
) -> None:
    tools, _ = await listed(build_both(**flags), name, era)

    assert {"additionalProperties" in tool.input_schema for tool in tools} == {closed}


async def test_unknown_arguments_are_refused_by_name_whatever_the_schema_says(
    build_both: BuildBoth, era: str
) -> None:
    async with Client(build_both(), mode=era, client_info=info("other")) as client:
        result = await client.call_tool("archive_search_items", {"limt": 5})

    assert "`limt` is not an argument here" in result.content[0].text  # type: ignore[union-attr]


async def read_meta(server: Any, name: str, era: str) -> dict[str, dict[str, Any]]:
    """The `_meta` of each tool that a client of this name gets."""
    tools, _ = await listed(server, name, era)
    return {tool.name: tool.meta or {} for tool in tools}


@pytest.mark.parametrize("name", ["claude-code", "mcp-inspector"])
async def test_hosts_learn_what_a_person_has_to_allow_each_time(
    build_both: BuildBoth, era: str, name: str
) -> None:
    meta = await read_meta(build_both(), name, era)

    asking = {tool for tool, keys in meta.items() if keys.get(REQUIRES_PERSON)}
    assert {"archive_refetch_engagement_bulk", "archive_delete_collection"} <= asking
    assert {"archivebox_remove", "archivebox_delete_snapshot"} <= asking
    assert {"archive_start_engagement_job", "archivebox_start_remove"} <= asking
    assert not asking & {"archive_start_export", "archive_add_item_to_collections"}
    # The single tool takes an item out unasked, and what the job did can be undone.
    assert not asking & {"archive_remove_item_from_collections", "archive_start_collection_job"}


@pytest.mark.parametrize("name", ["claude-code", "mcp-inspector"])
async def test_where_a_token_confirms_no_person_is_required(
    build_both: BuildBoth, era: str, name: str
) -> None:
    meta = await read_meta(build_both(ARCHIVE_MCP_CONFIRM="token"), name, era)

    assert not any(REQUIRES_PERSON in keys for keys in meta.values())
    assert all(keys[SEARCH_HINT] for keys in meta.values())


async def test_few_tools_are_loaded_from_the_start(build_both: BuildBoth, era: str) -> None:
    meta = await read_meta(build_both(), "claude-code", era)

    always = {tool for tool, keys in meta.items() if keys.get(ALWAYS_LOAD)}
    assert {"archive_search_items", "archivebox_list_snapshots"} <= always
    assert len(always) <= 6
