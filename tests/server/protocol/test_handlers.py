from __future__ import annotations

import json

import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError

from server import __version__
from tests.server.protocol.conftest import Build
from tests.support.paths import SURFACE


async def test_the_listing_is_the_packaged_surface(build: Build, era: str) -> None:
    async with Client(build(), mode=era) as client:
        listed = (await client.list_tools()).tools
    rows = json.loads(SURFACE.read_text())["tools"]
    packaged = [
        row for row in rows if row["backend"] != "archivebox" and row["toolset"] != "discover"
    ]
    assert [entry.name for entry in listed] == [row["tool"]["name"] for row in packaged]
    assert [entry.input_schema for entry in listed] == [
        row["tool"]["inputSchema"] for row in packaged
    ]
    assert [entry.output_schema for entry in listed] == [
        row["tool"].get("outputSchema") for row in packaged
    ]
    assert all(entry.meta and entry.annotations for entry in listed)


async def test_the_server_introduces_itself_with_its_own_version(build: Build) -> None:
    async with Client(build(), mode="legacy") as client:
        assert client.session.server_info is not None
        assert client.session.server_info.version == __version__
        assert client.session.instructions is not None
        assert len(client.session.instructions.encode()) < 2048


@pytest.mark.parametrize("product", ["archive", "archivebox"])
async def test_a_system_prompt_is_a_prompt_and_a_resource(
    build: Build, era: str, product: str
) -> None:
    async with Client(build(), mode=era) as client:
        prompt = await client.get_prompt(f"{product}_system_prompt")
        resource = await client.read_resource(f"{product}://system-prompt")
        prompts = [prompt.name for prompt in (await client.list_prompts()).prompts]
        resources = [resource.uri for resource in (await client.list_resources()).resources]
    assert prompts[:2] == ["archive_system_prompt", "archivebox_system_prompt"]
    assert resources == ["archive://system-prompt", "archivebox://system-prompt"]
    text = resource.contents[0]
    assert text.mime_type == "text/markdown"
    assert prompt.messages[0].content.text == text.text  # type: ignore[union-attr]


async def test_an_unknown_prompt_or_resource_is_a_parameter_error(build: Build, era: str) -> None:
    async with Client(build(), mode=era) as client:
        with pytest.raises(MCPError) as prompt:
            await client.get_prompt("nothing")
        with pytest.raises(MCPError) as resource:
            await client.read_resource("archive://nothing")
    assert prompt.value.error.code == resource.value.error.code == -32602


async def test_text_and_structured_content_say_the_same(build: Build, era: str) -> None:
    async with Client(build(), mode=era) as client:
        result = await client.call_tool(
            "archive_search_items", {"workspace": "Northwind Skincare", "limit": 30}
        )
    text = result.content[0].text  # type: ignore[union-attr]
    assert json.loads(text) == result.structured_content


async def test_unavailable_metrics_stay_null_on_the_wire(build: Build, era: str) -> None:
    arguments = {"workspace": "Northwind Skincare", "filter": {"itemTypes": ["STORY"]}, "limit": 5}
    async with Client(build(), mode=era) as client:
        result = await client.call_tool("archive_search_items", arguments)
    metrics = [post["currentEngagement"] for post in result.structured_content["nodes"]]
    assert all(
        metric is None or ("likes" in metric and metric["likes"] is None) for metric in metrics
    )
    assert any(metrics)


async def test_read_only_lists_and_calls_no_tool_that_changes_anything(
    build: Build, era: str
) -> None:
    async with Client(build(ARCHIVE_MCP_READ_ONLY="on"), mode=era) as client:
        listed = (await client.list_tools()).tools
        refused = await client.call_tool(
            "archive_add_item_to_collections", {"itemId": "x", "collectionNames": ["y"]}
        )
    assert all(entry.annotations and entry.annotations.read_only_hint for entry in listed)
    assert "READ_ONLY" in refused.content[0].text  # type: ignore[union-attr]


async def test_a_failed_call_leaves_the_server_alive(build: Build, era: str) -> None:
    async with Client(build(), mode=era) as client:
        assert (await client.call_tool("no_such_tool", {})).is_error
        assert (await client.call_tool("archive_search_items", {"limit": "many"})).is_error
        assert not (await client.call_tool("archive_get_workspaces", {})).is_error


async def test_a_picture_is_an_image_and_prose_a_text_of_its_own(build: Build, era: str) -> None:
    async with Client(build("archivebox"), mode=era) as client:
        found = await client.call_tool(
            "archivebox_list_snapshots", {"status": "succeeded", "limit": 1}
        )
        page = found.structured_content["nodes"][0]["id"]
        text = await client.call_tool("archivebox_read_snapshot", {"snapshot_id": page})
        picture = await client.call_tool(
            "archivebox_read_snapshot", {"snapshot_id": page, "image": "favicon"}
        )
    assert [block.type for block in text.content] == ["text", "text"]
    assert [block.type for block in picture.content] == ["text", "image"]
    assert text.structured_content is picture.structured_content is None
