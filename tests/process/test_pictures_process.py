"""Pictures by the real program over stdio, in front of a sandbox over loopback: what a client
receives."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.support.paths import SURFACE
from tests.support.sandboxed import LAUNCHER, PACED, SandboxProcess, sandbox_process, using
from tests.support.stdio import Json, StdioServer

WINDOW = 0.05
COMMAND = (*PACED, "--window", str(WINDOW))


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    """A sandbox at a pace that a test can wait for."""
    with sandbox_process(items=300, plan="enterprise", window=WINDOW / 2) as found:
        found.warm_up()
        yield found


@pytest.fixture
async def server(sandbox: SandboxProcess, tmp_path: Path) -> AsyncIterator[StdioServer]:
    """A server in front of it, whose exports go to `exports`."""
    env = using(sandbox, tmp_path, ARCHIVE_MCP_EXPORT_DIR=str(tmp_path / "exports"))
    async with StdioServer.spawn(COMMAND, env=env, cwd=tmp_path) as running:
        await running.handshake()
        yield running


def decoded(block: Json) -> Image.Image:
    image = Image.open(BytesIO(base64.b64decode(block["data"], validate=True)))
    image.load()
    assert Image.MIME[image.format or ""] == block["mimeType"]
    return image


async def blocks(server: StdioServer, tool: str, **arguments: Any) -> tuple[Json, list[Json]]:
    """What the first block says, and the blocks behind it."""
    answer = await server.call_tool(tool, arguments)
    assert not answer["isError"], answer["content"]
    assert "structuredContent" not in answer
    text, *others = answer["content"]
    assert text["type"] == "text"
    return json.loads(text["text"]), others


async def ids(server: StdioServer, count: int) -> list[str]:
    answer = await server.call_tool("archive_search_items", {"limit": count, "fields": ["id"]})
    return [each["id"] for each in answer["structuredContent"]["nodes"]]


async def test_a_contact_sheet_arrives_as_a_text_and_one_image(server: StdioServer) -> None:
    wanted = await ids(server, 24)
    about, found = await blocks(server, "archive_view_media", itemIds=wanted)

    assert [each["type"] for each in found] == ["image"]
    assert max(decoded(found[0]).size) > 1000
    assert len(found[0]["data"]) < 1_000_000
    shown = [each["itemId"] for each in about["pictures"]]
    missing = [each["itemId"] for each in about.get("skipped", [])]
    assert sorted(shown + missing) == sorted(wanted)
    assert len(shown) > 15


async def test_single_images_arrive_as_many(server: StdioServer) -> None:
    about, found = await blocks(
        server, "archive_view_media", itemIds=await ids(server, 6), each=True
    )

    assert [each["type"] for each in found] == ["image"] * len(about["pictures"])
    assert all(decoded(each).width > 100 for each in found)


async def test_a_chart_arrives_as_a_text_an_image_and_the_link_to_its_file(
    server: StdioServer, tmp_path: Path
) -> None:
    about, found = await blocks(
        server, "archive_chart", kind="weekly", search={}, metrics=["likes"], save="q4"
    )

    image = next(each for each in found if each["type"] == "image")
    links = [each for each in found if each["type"] == "resource_link"]
    assert decoded(image).width == 1100
    assert about["file"]["path"] == str(tmp_path / "exports" / "q4.png")
    assert (tmp_path / "exports" / "q4.png").read_bytes() == base64.b64decode(image["data"])
    assert [each["uri"] for each in links] == ["archive://exports/q4.png"]


async def test_the_tools_that_draw_have_no_output_schema(server: StdioServer) -> None:
    tools = {tool["name"]: tool for tool in await server.list_tools()}

    assert "outputSchema" not in tools["archive_view_media"]
    assert "outputSchema" not in tools["archive_chart"]


async def test_the_tools_that_call_others_have_no_output_schema_either() -> None:
    rows = json.loads(SURFACE.read_text(encoding="utf-8"))["tools"]
    callers = [row["tool"] for row in rows if "_call_" in row["tool"]["name"]]

    # A client that has one refuses a picture, which has no structured part.
    assert len(callers) == 2
    assert all("outputSchema" not in tool for tool in callers)


async def test_a_server_that_changes_nothing_shows_pictures_and_writes_no_file(
    sandbox: SandboxProcess, tmp_path: Path
) -> None:
    env = using(sandbox, tmp_path, ARCHIVE_MCP_READ_ONLY="on")
    async with StdioServer.spawn(LAUNCHER, env=env, cwd=tmp_path) as running:
        await running.handshake()
        listed = {tool["name"] for tool in await running.list_tools()}
        _, found = await blocks(running, "archive_view_media", itemIds=await ids(running, 3))

    assert [each["type"] for each in found] == ["image"]
    assert "archive_chart" not in listed
