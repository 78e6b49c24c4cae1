"""What the process lists and reaches under each choice of toolsets, as a host sees it over its
pipes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from tests.support.paths import SURFACE
from tests.support.sandboxed import LAUNCHER, clean
from tests.support.stdio import Era, StdioServer
from tests.support.surface import OPERATIONS

Json = dict[str, Any]

ROWS: list[Json] = json.loads((SURFACE).read_text(encoding="utf-8"))["tools"]
OF_ARCHIVE = {"ARCHIVE_APP_TOKEN": "never-sent"}
"""Settings with which the tools of Archive are offered and no others; nothing is called with
them."""
OFFERED = ("archive", "archive_mcp")
DISCOVER = ["find_tools", "describe_tool", "call_read_tool", "call_write_tool"]
CONTENT_AND_COLLECTIONS = [
    "archive_search_items",
    "archive_get_media_contents",
    "archive_get_transcriptions",
    "archive_get_item_ids_by_url",
    "archive_get_engagement_history",
    "archive_refetch_engagement_bulk",
    "archive_upload_item_from_url",
    "archive_get_collections",
    "archive_get_collection",
    "archive_create_collection",
    "archive_update_collection",
    "archive_delete_collection",
    "archive_add_item_to_collections",
    "archive_remove_item_from_collections",
]
ERAS: list[Era] = ["handshake", "modern"]
COFFEE = {"workspace": "Bluebird Coffee"}


def started(
    folder: Path, *flags: str, **variables: str
) -> AbstractAsyncContextManager[StdioServer]:
    """The server with a home and a working folder of its own."""
    return StdioServer.spawn([*LAUNCHER, *flags], env={**clean(folder), **variables}, cwd=folder)


async def listed(folder: Path, *flags: str, era: Era = "handshake", **variables: str) -> list[Json]:
    """The tools that a server started like this lists."""
    async with started(folder, *flags, **(OF_ARCHIVE | variables)) as server:
        await server.handshake(era)
        return await server.list_tools()


def names(tools: Sequence[Json]) -> list[str]:
    return [each["name"] for each in tools]


def operations(tools: Sequence[Json]) -> list[str]:
    """The names of those that are one operation of Archive each."""
    return [each["name"] for each in tools if "archive-mcp/operation" in each["_meta"]]


def expected(toolsets: str, *, read_only: bool) -> list[str]:
    """What the packaged file holds for them, in its order."""
    wanted = toolsets.lower().split(",")
    offered = [row for row in ROWS if row["backend"] in OFFERED]
    if wanted == ["all"]:
        chosen = [row for row in offered if row["toolset"] != "discover"]
    elif wanted == ["core"]:
        chosen = [row for row in offered if row.get("core")]
    else:
        chosen = [row for row in offered if row["toolset"] in wanted]
    return [
        row["tool"]["name"]
        for row in chosen
        if row["tool"]["annotations"]["readOnlyHint"] or not read_only
    ]


@pytest.mark.parametrize("read_only", [False, True], ids=["writing", "read-only"])
@pytest.mark.parametrize(
    "toolsets",
    [
        "all",
        "core",
        "discover",
        "content,collections",
        "Content,COLLECTIONS",
        "CORE",
        "views,creators",
    ],
)
async def test_exactly_the_chosen_tools_are_listed_in_the_order_of_the_file(
    tmp_path: Path, toolsets: str, read_only: bool
) -> None:
    tools = await listed(tmp_path, "--toolsets", toolsets, *(["--read-only"] if read_only else []))

    assert names(tools) == expected(toolsets, read_only=read_only)
    assert len(set(names(tools))) == len(tools) > 2
    if read_only:
        assert all(each["annotations"]["readOnlyHint"] for each in tools)


async def test_toolsets_are_what_their_names_say(tmp_path: Path) -> None:
    assert (
        operations(await listed(tmp_path, "--toolsets", "content,collections"))
        == CONTENT_AND_COLLECTIONS
    )
    assert len(operations(await listed(tmp_path))) == len(OPERATIONS)
    assert names(await listed(tmp_path, "--toolsets", "discover")) == [
        f"archive_mcp_{each}" for each in DISCOVER
    ]
    core = operations(await listed(tmp_path, "--toolsets", "core"))
    assert core == [
        "archive_get_workspaces",
        "archive_get_filter_presets",
        "archive_search_items",
    ]
    core_names = set(names(await listed(tmp_path, "--toolsets", "core")))
    assert {f"archive_mcp_{name}" for name in DISCOVER} < core_names


async def test_the_variable_does_what_the_flag_does_and_the_flag_wins(tmp_path: Path) -> None:
    by_variable = await listed(
        tmp_path, ARCHIVE_MCP_TOOLSETS=" Content , collections,", ARCHIVE_MCP_READ_ONLY="1"
    )
    by_both = await listed(tmp_path, "--toolsets", "workspace", ARCHIVE_MCP_TOOLSETS="content")

    assert names(by_variable) == expected("content,collections", read_only=True)
    assert names(by_both) == expected("workspace", read_only=False)


@pytest.mark.parametrize("read_only", [[], ["--read-only"]], ids=["writing", "read-only"])
@pytest.mark.parametrize("toolsets", ["contents", "content,Contents", "core,discovery"])
async def test_an_unknown_toolset_ends_the_start_and_names_the_known_ones(
    tmp_path: Path, toolsets: str, read_only: list[str]
) -> None:
    async with started(tmp_path, "--toolsets", toolsets, *read_only, **OF_ARCHIVE) as server:
        left = await server.wait()

    wrong = toolsets.lower().split(",")[-1]
    assert (left.code, left.killed) == (2, False)
    assert f"unknown toolset {wrong};" in server.stderr
    known = server.stderr.split("known: ")[1].strip().removesuffix(".").split(", ")
    assert set(known) == {"all", "core", *(row["toolset"] for row in ROWS)}
    assert "Traceback" not in server.stderr
    assert server.garbage == []


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("toolsets", ["all", "core", "discover"])
async def test_the_listing_is_the_same_to_the_byte_whatever_the_hash_seed(
    tmp_path: Path, toolsets: str, era: Era
) -> None:
    answers = []
    for seed in ("0", "1", "20261121"):
        async with started(
            tmp_path, "--toolsets", toolsets, **OF_ARCHIVE, PYTHONHASHSEED=seed
        ) as server:
            await server.handshake(era)
            answers += [await server.timed("tools/list", {}), await server.timed("tools/list", {})]

    # Parsed objects keep the order of what was sent; the request's id has one digit in all of them.
    assert len({json.dumps(each.result) for each in answers}) == 1
    assert len({each.size for each in answers}) == 1


def tokens(tools: Sequence[Json]) -> float:
    """What a model sees of the tools: a token is about four bytes."""
    views = [{key: each[key] for key in ("name", "description", "inputSchema")} for each in tools]
    return (
        sum(
            len(json.dumps(each, separators=(",", ":"), ensure_ascii=False).encode())
            for each in views
        )
        / 4
    )


async def test_what_a_model_reads_of_the_listing_stays_small(tmp_path: Path) -> None:
    everything = await listed(tmp_path)
    whole = [each for each in everything if "archive-mcp/operation" in each["_meta"]]

    assert len(whole) == len(OPERATIONS)
    assert tokens(whole) < 12_200
    assert tokens(await listed(tmp_path, "--toolsets", "discover")) < 900


async def answered(server: StdioServer, tool: str, given: Json) -> Json:
    """The structured result of a call that must succeed."""
    result = await server.call_tool(f"archive_mcp_{tool}", given)
    assert not result["isError"], result
    content: Json = result["structuredContent"]
    return content


async def failed(server: StdioServer, tool: str, given: Json) -> Json:
    """The error of a call that must fail."""
    result = await server.call_tool(tool, given)
    assert result["isError"], result
    error: Json = json.loads(result["content"][0]["text"])
    return error


@pytest.mark.parametrize("era", ERAS)
async def test_discovery_leads_from_words_to_a_result(tmp_path: Path, era: Era) -> None:
    async with started(tmp_path, "--sandbox", "--toolsets", "discover") as server:
        await server.handshake(era)
        found = await answered(server, "find_tools", {"query": "search posts and reels"})
        tool = found["tools"][0]["name"]
        described = await answered(server, "describe_tool", {"name": tool})
        sorting = described["inputSchema"]["properties"]["sorting"]["items"]["properties"]
        by_likes = [{"sortKey": sorting["sortKey"]["enum"][2], "sortOrder": "DESC"}]
        arguments = {**COFFEE, "sorting": by_likes, "limit": 3}
        caller = described["callWith"].removeprefix("archive_mcp_")
        result = await answered(server, caller, {"name": tool, "arguments": arguments})

    assert (tool, caller) == ("archive_search_items", "call_read_tool")
    likes = [each["currentEngagement"]["likes"] for each in result["nodes"]]
    assert len(likes) == 3
    assert likes == sorted(likes, reverse=True)


@pytest.mark.parametrize("era", ERAS)
async def test_discovery_leads_to_a_change_that_is_confirmed(tmp_path: Path, era: Era) -> None:
    async with started(tmp_path, "--sandbox", "--toolsets", "discover") as server:
        await server.handshake(era)
        make = {
            "name": "archive_create_view_group",
            "arguments": {**COFFEE, "input": {"name": "Autumn"}},
        }
        group = (await answered(server, "call_write_tool", make))["viewGroup"]["id"]
        delete: Json = {"name": "archive_delete_view_group", "arguments": {**COFFEE, "id": group}}
        preview = await failed(server, "archive_mcp_call_write_tool", delete)
        delete["arguments"]["confirm"] = preview["confirm"]
        deleted = await answered(server, "call_write_tool", delete)
        left = await answered(
            server, "call_read_tool", {"name": "archive_get_view_groups", "arguments": COFFEE}
        )

    assert preview["code"] == "CONFIRMATION_REQUIRED"
    assert 'Delete the view group "Autumn" for good? It is empty.' in preview["message"]
    assert deleted["deletedViewGroupId"] == group
    assert left["nodes"] == []


async def test_what_is_not_listed_says_how_to_reach_it_and_a_wrong_caller_which_is_right(
    tmp_path: Path,
) -> None:
    arguments = {**COFFEE, "input": {"name": "Autumn"}}
    write = {"name": "archive_create_view_group", "arguments": arguments}
    async with started(tmp_path, "--sandbox", "--toolsets", "discover") as server:
        await server.handshake()
        direct = await failed(server, "archive_search_items", COFFEE)
        direct_write = await failed(server, "archive_create_view_group", arguments)
        wrong = await failed(server, "archive_mcp_call_read_tool", write)
        bad = await failed(
            server,
            "archive_mcp_call_read_tool",
            {"name": "archive_search_items", "arguments": {**COFFEE, "limt": 3}},
        )
    async with started(tmp_path, "--sandbox", "--toolsets", "content") as server:
        await server.handshake()
        off = await failed(server, "archive_get_collections", COFFEE)

    assert (direct["code"], direct["hint"]) == (
        "NOT_CONFIGURED",
        "Call it through archive_mcp_call_read_tool.",
    )
    assert direct_write["hint"] == wrong["hint"] == "Call it through archive_mcp_call_write_tool."
    assert wrong["code"] == bad["code"] == "INVALID_ARGUMENT"
    assert "limit" in bad["message"] + bad["hint"]
    assert off["code"] == "NOT_CONFIGURED"
    assert "collections" in off["message"]
    assert "ARCHIVE_MCP_TOOLSETS" in off["hint"]


@pytest.mark.parametrize("toolsets", ["all", "core", "discover", "views,collections"])
async def test_a_read_only_process_makes_no_change(tmp_path: Path, toolsets: str) -> None:
    write = {**COFFEE, "input": {"name": "Autumn"}}
    through = {"name": "archive_create_view_group", "arguments": write}
    async with started(tmp_path, "--sandbox", "--read-only", "--toolsets", toolsets) as server:
        await server.handshake()
        errors = [
            await failed(server, "archive_create_view_group", write),
            await failed(server, "archive_mcp_call_write_tool", through),
        ]
        if toolsets == "discover":
            errors.append(await failed(server, "archive_mcp_call_read_tool", through))

    assert {each["code"] for each in errors} == {"READ_ONLY"}
