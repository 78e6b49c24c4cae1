"""The four tools that stand for all others, over the protocol: same path, same checks, same
questions."""

from __future__ import annotations

import json
from typing import Any

import pytest
from mcp import Client
from mcp_types import ElicitResult

from server.protocol import answers
from tests.server.protocol.conftest import Build
from tests.server.protocol.test_elicitation import (
    WORKSPACE,
    Person,
    accept,
    error_of,
)

DISCOVER = {"ARCHIVE_MCP_TOOLSETS": "discover"}
FOUR = [
    "archive_mcp_find_tools",
    "archive_mcp_describe_tool",
    "archive_mcp_call_read_tool",
    "archive_mcp_call_write_tool",
]


async def read(client: Client, name: str, **arguments: Any) -> Any:
    return await client.call_tool(
        "archive_mcp_call_read_tool", {"name": name, "arguments": arguments}
    )


async def write(client: Client, name: str, **arguments: Any) -> Any:
    return await client.call_tool(
        "archive_mcp_call_write_tool", {"name": name, "arguments": arguments}
    )


async def reels(client: Client) -> list[str]:
    filter_ = {"itemTypes": ["REEL"]}
    result = await read(
        client, "archive_search_items", workspace=WORKSPACE, filter=filter_, fields=["id"], limit=3
    )
    assert not result.is_error, result
    return [post["id"] for post in result.structured_content["nodes"]]


async def test_only_four_tools_are_listed_and_they_lead_to_a_result(build: Build, era: str) -> None:
    async with Client(build(**DISCOVER), mode=era) as client:
        listed = [tool.name for tool in (await client.list_tools()).tools]
        result = await client.call_tool("archive_mcp_find_tools", {"query": "list workspaces"})
        name = result.structured_content["tools"][0]["name"]
        description = (
            await client.call_tool("archive_mcp_describe_tool", {"name": name})
        ).structured_content
        result = await read(client, name, fields=["name"])
    assert listed == FOUR
    assert description["callWith"] == "archive_mcp_call_read_tool"
    assert description["inputSchema"]["properties"]["fields"]["description"]
    assert result.structured_content["nodes"][0] == {"name": WORKSPACE}


async def test_several_tasks_in_one_query_find_the_best_of_each(build: Build, era: str) -> None:
    query = (
        "refresh the engagement of items; delete a collection; look at thumbnails; share of voice"
    )
    async with Client(build(**DISCOVER), mode=era) as client:
        result = await client.call_tool("archive_mcp_find_tools", {"query": query, "limit": 8})
        one = await client.call_tool("archive_mcp_find_tools", {"query": " ; ", "limit": 8})
    names = [tool["name"] for tool in result.structured_content["tools"]]
    assert len(names) == len(set(names)) <= 8
    first = {
        "archive_delete_collection",
        "archive_view_media",
        "archive_compare_brands",
    }
    assert first <= set(names[:4])
    assert {"archive_start_engagement_job", "archive_refetch_engagement_bulk"} & set(names)
    assert "toolsets" in one.structured_content


async def test_what_is_reached_answers_exactly_as_when_it_is_called_directly(
    build: Build, era: str
) -> None:
    arguments = {"workspace": WORKSPACE, "limit": 2, "filter": '{"itemTypes": "REEL"}'}
    async with Client(build(**DISCOVER), mode=era) as client:
        through = await read(client, "archive_search_items", **arguments)
    async with Client(build(), mode=era) as client:
        directly = await client.call_tool("archive_search_items", arguments)
    assert through.content == directly.content
    assert through.structured_content == directly.structured_content


async def test_arguments_that_come_as_json_text_are_understood(build: Build, era: str) -> None:
    arguments = {
        "name": "archive_get_workspace",
        "arguments": json.dumps({"workspace": WORKSPACE, "fields": ["name"]}),
    }
    async with Client(build(**DISCOVER), mode=era) as client:
        result = await client.call_tool("archive_mcp_call_read_tool", arguments)
    assert result.structured_content == {"name": WORKSPACE}


@pytest.mark.parametrize(
    ("name", "arguments", "code", "words"),
    [
        ("archive_search_items", {"limit": -1}, "INVALID_ARGUMENT", "`limit` must be at least 1"),
        ("archive_search_item", {}, "NOT_FOUND", "There is no tool"),
        ("archive_refetch_engagement_bulk", {"itemIds": ["1"]}, "INVALID_ARGUMENT", "changes data"),
        ("archive_mcp_call_read_tool", {}, "INVALID_ARGUMENT", "called directly"),
        ("archivebox_list_tags", {}, "NOT_CONFIGURED", "backend is not configured"),
    ],
)
async def test_a_call_that_cannot_be_passed_on_says_why(
    build: Build, era: str, name: str, arguments: dict[str, Any], code: str, words: str
) -> None:
    async with Client(build(**DISCOVER), mode=era) as client:
        error = error_of(await read(client, name, **arguments))
    assert error["code"] == code
    assert words in error["message"]
    assert "{" not in error["hint"]


async def test_a_tool_that_is_not_listed_is_not_called_by_itself(build: Build, era: str) -> None:
    async with Client(build(**DISCOVER), mode=era) as client:
        error = error_of(await client.call_tool("archive_get_workspaces", {}))
    assert error["code"] == "NOT_CONFIGURED"
    assert error["hint"] == "Call it through archive_mcp_call_read_tool."


async def test_a_reading_tool_is_not_called_as_a_changing_one(build: Build, era: str) -> None:
    async with Client(build(**DISCOVER), mode=era) as client:
        error = error_of(await write(client, "archive_get_workspaces"))
    assert error["hint"] == "Call it through archive_mcp_call_read_tool."


async def test_a_call_that_only_reads_needs_no_tool_for_changes(build: Build, era: str) -> None:
    chart = {"workspace": WORKSPACE, "kind": "platform_mix"}
    async with Client(build(**DISCOVER), mode=era) as client:
        drawn = await read(client, "archive_chart", **chart)
        refused = error_of(await read(client, "archive_chart", **chart, save="mix"))
        description = (await describe(client, name="archive_chart")).structured_content

    assert [block.type for block in drawn.content] == ["text", "image"]
    assert refused["message"] == "This call of archive_chart changes data or writes a file."
    assert refused["hint"] == "Make it through archive_mcp_call_write_tool."
    assert description["callWith"] == (
        "archive_mcp_call_write_tool; calls that only read: archive_mcp_call_read_tool"
    )


async def test_a_refresh_is_followed_under_the_name_that_it_gave(build: Build, era: str) -> None:
    person = Person(accept(confirm=True))
    async with Client(build(), mode=era, elicitation_callback=person) as client:
        items = await client.call_tool(
            "archive_search_items",
            {"workspace": WORKSPACE, "filter": {"itemTypes": ["REEL"]}, "limit": 1},
        )
        ids = [node["id"] for node in items.structured_content["nodes"]]
        started = await client.call_tool(
            "archive_refetch_engagement_bulk", {"workspace": WORKSPACE, "itemIds": ids}
        )
        operation = started.structured_content["operationId"]
        result = await client.call_tool(
            "archive_get_operation", {"workspace": WORKSPACE, "operationId": operation}
        )

    assert result.structured_content["id"] == operation


async def test_a_change_asks_the_same_question(build: Build, era: str) -> None:
    person = Person(accept(confirm=True))
    async with Client(build(**DISCOVER), mode=era, elicitation_callback=person) as client:
        ids = await reels(client)
        result = await write(
            client, "archive_refetch_engagement_bulk", workspace=WORKSPACE, itemIds=ids
        )
    assert result.structured_content["processedCount"] == 3
    assert "9 billing credits" in person.asked[0]


async def test_a_no_is_a_no(build: Build, era: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # As if a person had thought about it.
    monkeypatch.setattr(answers, "UNATTENDED_SECONDS", 0.0)
    person = Person(ElicitResult(action="decline"))
    async with Client(build(**DISCOVER), mode=era, elicitation_callback=person) as client:
        ids = await reels(client)
        error = error_of(
            await write(client, "archive_refetch_engagement_bulk", workspace=WORKSPACE, itemIds=ids)
        )
    assert error["code"] == "DECLINED"


async def test_a_client_that_cannot_ask_confirms_with_the_token_of_the_preview(
    build: Build, era: str
) -> None:
    async with Client(build(**DISCOVER), mode=era) as client:
        arguments = {"workspace": WORKSPACE, "itemIds": await reels(client)}
        preview = error_of(await write(client, "archive_refetch_engagement_bulk", **arguments))
        wrong = error_of(
            await write(client, "archive_refetch_engagement_bulk", **arguments, confirm="x")
        )
        result = await write(
            client, "archive_refetch_engagement_bulk", **arguments, confirm=preview["confirm"]
        )
        again = error_of(
            await write(
                client, "archive_refetch_engagement_bulk", **arguments, confirm=preview["confirm"]
            )
        )
    assert preview["code"] == wrong["code"] == again["code"] == "CONFIRMATION_REQUIRED"
    assert result.structured_content["processedCount"] == 3


async def test_a_read_only_server_neither_lists_nor_finds_nor_describes_nor_calls_a_change(
    build: Build, era: str
) -> None:
    name = "archive_refetch_engagement_bulk"
    async with Client(build(**DISCOVER, ARCHIVE_MCP_READ_ONLY="on"), mode=era) as client:
        listed = [tool.name for tool in (await client.list_tools()).tools]
        result = await client.call_tool(
            "archive_mcp_find_tools", {"query": "refresh engagement", "limit": 30}
        )
        everything = await client.call_tool("archive_mcp_find_tools", {})
        errors = [
            error_of(await client.call_tool("archive_mcp_describe_tool", {"name": name})),
            error_of(await read(client, name, itemIds=["1"])),
            error_of(await write(client, name, itemIds=["1"])),
            error_of(await client.call_tool(name, {"itemIds": ["1"]})),
        ]
    assert listed == FOUR[:3]
    assert name not in json.dumps(result.structured_content)
    assert "archive_add_item_to_collections" not in json.dumps(everything.structured_content)
    assert {error["code"] for error in errors} == {"READ_ONLY"}


async def test_words_that_fit_nothing_still_lead_on(build: Build, era: str) -> None:
    async with Client(build(**DISCOVER), mode=era) as client:
        result = (
            await client.call_tool("archive_mcp_find_tools", {"query": "qqqq"})
        ).structured_content
    assert result["tools"] == []
    assert "archive_search_items" in result["toolsets"]["content"]


async def describe(client: Client, **arguments: Any) -> Any:
    return await client.call_tool("archive_mcp_describe_tool", arguments)


async def test_several_tools_are_described_at_once(build: Build, era: str) -> None:
    names = ["archive_get_collections", "archive_get_top_content", "archive_chart"]
    async with Client(build(**DISCOVER), mode=era) as client:
        result = (await describe(client, names=names)).structured_content

    assert [tool["name"] for tool in result["tools"]] == names
    assert all(tool["callWith"] for tool in result["tools"])
    # What several tools take stands there once.
    assert list(result["shortForms"]) == ["search"]
    form = result["shortForms"]["search"]
    assert "filter: {takenAt: {from: string, to: string}" in form
    # What decides about the answer, and no name says.
    assert "presetId: string (View or collection, id or name)" in form
    assert "captionPhrase: string (Exact words of captions, case aside)" in form
    assert "value: string (For selects option name or id (multiple: CONTAINS))" in form


@pytest.mark.parametrize(
    ("toolsets", "names"),
    [
        ("core", ["archive_chart"]),
        ("discover", ["archive_search_items", "archive_chart"]),
        ("discover", ["archive_chart", "archive_search_items", "archive_chart"]),
    ],
)
async def test_a_form_that_the_model_sees_anyway_is_named_alone(
    build: Build, era: str, toolsets: str, names: list[str]
) -> None:
    async with Client(build(ARCHIVE_MCP_TOOLSETS=toolsets), mode=era) as client:
        result = (await describe(client, names=names)).structured_content
        alone = (await describe(client, name="archive_chart")).structured_content

    assert result["shortForms"] == {"search": "as archive_search_items takes it"}
    assert len(result["tools"]) == len(set(names))
    assert ("filter" in alone["shortForms"]["search"]) == (toolsets == "discover")


async def test_a_long_argument_comes_in_a_short_form_and_in_full_on_request(
    build: Build, era: str
) -> None:
    async with Client(build(**DISCOVER), mode=era) as client:
        name = "archive_search_items"
        short = await describe(client, name=name)
        full = (await describe(client, name=name, argument="filter")).structured_content
        shared = await describe(client, name="archive_start_export", argument="search")

    text = json.dumps(short.structured_content)
    assert len(text) < 4_700
    assert "captionPhrase" in text
    assert "provider: INSTAGRAM|TIKTOK|YOUTUBE|INTERNAL" in text
    assert full["schema"]["properties"]["takenAt"]["properties"]["from"]["type"] == "string"
    fields = shared.structured_content["fields"]["properties"]
    assert "filter" in fields
    assert "limit" not in fields
    assert "countOnly" not in fields


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "either `name` or `names`"),
        ({"name": "archive_chart", "names": ["archive_chart"]}, "either `name` or `names`"),
        ({"names": ["archive_chart"], "argument": "kind"}, "needs the one tool"),
        ({"name": "archive_chart", "argument": "knd"}, "takes no argument 'knd'"),
    ],
)
async def test_a_description_that_cannot_be_given_says_why(
    build: Build, era: str, arguments: dict[str, Any], words: str
) -> None:
    async with Client(build(**DISCOVER), mode=era) as client:
        error = error_of(await describe(client, **arguments))

    assert error["code"] == "INVALID_ARGUMENT"
    assert words in error["message"]


@pytest.mark.parametrize(
    "query", ["notify me when we are mentioned", "tell me as soon as she posts"]
)
async def test_who_wants_to_be_notified_learns_what_there_is(
    build: Build, era: str, query: str
) -> None:
    async with Client(build(**DISCOVER), mode=era) as client:
        result = await client.call_tool("archive_mcp_find_tools", {"query": query})
        other = await client.call_tool("archive_mcp_find_tools", {"query": "our folders"})

    assert "webhooks" in result.structured_content["notes"][0]
    assert "notes" not in other.structured_content
