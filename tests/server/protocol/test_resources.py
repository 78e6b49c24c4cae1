from __future__ import annotations

import importlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import mcp_types as types
import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError

import prompts
from server.dispatch import Dispatcher
from server.protocol.handlers import build_server
from server.resources.templates import Template
from server.sandbox import Sandbox
from server.services import Services
from server.settings import Settings, load
from server.tool.catalog import Catalog
from tests.server.protocol.conftest import Build
from tests.support.clocks import fixed_sandbox
from tests.support.doubles import OpenLimiter
from tests.support.paths import SURFACE
from tests.support.places import NO_FILES

COLLECTION = "archive://workspace/{workspace}/collections/{collection}"
VIEW = "archive://workspace/{workspace}/views/{kind}/{view}"
SKINCARE = "Northwind Skincare"
ROWS = json.loads(SURFACE.read_text(encoding="utf-8"))["tools"]
OPERATIONS = [row["operation"] for row in ROWS if "archive-mcp/operation" in row["tool"]["_meta"]]


@pytest.fixture
async def client(build: Build, era: str) -> AsyncIterator[Client]:
    """A client of a server over the sandbox."""
    async with Client(build(), mode=era) as connected:
        yield connected


@asynccontextmanager
async def connected(
    era: str, settings: Settings, sandbox: Sandbox | None = None
) -> AsyncIterator[Client]:
    """A client of a server with these settings."""
    surface = Catalog.read(SURFACE, importlib.import_module)
    surface.offer(backends={"archive"}, toolsets=["all"], read_only=False)
    async with Services(settings, limiter=OpenLimiter(), sandbox=sandbox) as services:
        calls = Dispatcher(surface, services, settings.timezone)
        server = build_server(surface, calls, prompts.DOCUMENTS, prompts.instructions())
        async with Client(server, mode=era) as client:
            yield client


async def read(client: Client, uri: str) -> Any:
    result = await client.read_resource(uri)
    [content] = result.contents
    assert isinstance(content, types.TextResourceContents)
    assert (content.uri, content.mime_type) == (uri, "application/json")
    return json.loads(content.text)


async def refused(client: Client, uri: str) -> MCPError:
    with pytest.raises(MCPError) as caught:
        await client.read_resource(uri)
    return caught.value


async def completed(
    client: Client, uri: str, variable: str, typed: str = "", known: dict[str, str] | None = None
) -> types.Completion:
    reference = types.ResourceTemplateReference(type="ref/resource", uri=uri)
    return (await client.complete(reference, {"name": variable, "value": typed}, known)).completion


async def test_the_templates_are_listed_in_the_order_of_the_packaged_file(client: Client) -> None:
    listed = (await client.list_resource_templates()).resource_templates
    packaged = json.loads(SURFACE.read_text(encoding="utf-8"))["templates"]

    assert [entry.uri_template for entry in listed] == [entry["uri"] for entry in packaged]
    assert all(
        entry.mime_type == "application/json" and entry.title and entry.description
        for entry in listed
    )


async def test_archivebox_alone_has_no_templates(build: Build, era: str) -> None:
    async with Client(build("archivebox"), mode=era) as client:
        assert (await client.list_resource_templates()).resource_templates == []
        error = await refused(client, "archive://operation/items")
    assert error.code == types.INVALID_PARAMS


@pytest.mark.parametrize("toolsets", ["discover", "content"])
async def test_templates_do_not_depend_on_the_toolsets(
    build: Build, era: str, toolsets: str
) -> None:
    async with Client(
        build(ARCHIVE_MCP_TOOLSETS=toolsets, ARCHIVE_MCP_READ_ONLY="on"), mode=era
    ) as client:
        found = await read(client, "archive://workspace/Bluebird%20Coffee/custom-attributes/ITEM")
        names = await completed(client, "archive://operation/{name}", "name", "delete")
    assert found["nodes"]
    assert names.values == []


async def test_the_schema_of_an_operation_is_read(client: Client) -> None:
    found = await read(client, "archive://operation/items")

    assert found["tool"] == "archive_search_items"
    assert found["types"]["Engagement"]["fields"]["likes"] == {"type": "integer"}


@pytest.mark.parametrize("entity", ["CREATOR", "ITEM", "item"])
async def test_custom_attributes_are_those_of_the_tool(client: Client, entity: str) -> None:
    arguments = {"workspace": SKINCARE, "entity": entity.upper()}
    found = await read(
        client, f"archive://workspace/Northwind%20Skincare/custom-attributes/{entity}"
    )
    told = await client.call_tool("archive_get_custom_attribute_schemas", arguments)

    assert found == told.structured_content


async def test_a_collection_is_read_by_the_name_that_was_completed(client: Client) -> None:
    names = (await completed(client, COLLECTION, "collection", "q", {"workspace": SKINCARE})).values
    listed = await read(client, "archive://workspace/Northwind%20Skincare/collections")
    by_name = await read(client, f"archive://workspace/Northwind%20Skincare/collections/{names[0]}")
    by_id = await read(
        client, f"archive://workspace/Northwind%20Skincare/collections/{by_name['id']}"
    )

    assert names == sorted(node["name"] for node in listed["nodes"] if node["name"].startswith("Q"))
    assert by_name == by_id
    assert by_name["name"] == names[0]
    assert "itemCount" in by_name


@pytest.mark.parametrize("kind", ["content", "creator", "social-profile"])
async def test_each_kind_of_view_is_listed_completed_and_read(client: Client, kind: str) -> None:
    listed = await read(client, f"archive://workspace/{SKINCARE}/views/{kind}")
    names = (
        await completed(client, VIEW, "view", "", {"workspace": SKINCARE, "kind": kind})
    ).values
    view = await read(client, f"archive://workspace/{SKINCARE}/views/{kind}/{names[0]}")

    assert sorted(names) == sorted(node["name"] for node in listed["nodes"])
    assert view["name"] == names[0]
    assert "filters" in view


async def test_a_new_collection_with_any_name_is_found(client: Client) -> None:
    name = "50% off / Été 👩\u200d💻"
    arguments = {"workspace": SKINCARE, "input": {"name": name}}
    await client.call_tool("archive_create_collection", arguments)
    uri = "archive://workspace/Northwind%20Skincare/collections/"
    found = await read(
        client, f"{uri}50%25%20off%20%2F%20%C3%89t%C3%A9%20%F0%9F%91%A9%E2%80%8D%F0%9F%92%BB"
    )

    assert found["name"] == name


async def test_workspaces_kinds_and_entities_are_completed(client: Client) -> None:
    uri = "archive://workspace/{workspace}/custom-attributes/{entity}"

    assert (await completed(client, uri, "workspace", "SKIN")).values == [SKINCARE]
    assert (await completed(client, uri, "entity", "c")).values == ["CREATOR"]
    assert (await completed(client, VIEW, "kind", "")).values == [
        "content",
        "creator",
        "social-profile",
    ]


async def test_a_completion_counts_what_there_is(client: Client) -> None:
    found = await completed(client, "archive://operation/{name}", "name", "")

    assert found.total == len(found.values) == len(OPERATIONS)
    assert found.has_more is False


async def test_a_completion_that_was_cut_says_so(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.resources.workspace.MOST_VALUES", 10)
    found = await completed(client, "archive://operation/{name}", "name", "")

    assert (len(found.values), found.total, found.has_more) == (10, len(OPERATIONS), True)


async def test_without_a_workspace_that_is_known_nothing_is_completed(client: Client) -> None:
    assert (await completed(client, COLLECTION, "collection", "")).values == []
    assert (
        await completed(client, COLLECTION, "collection", "", {"workspace": "nowhere"})
    ).values == []


async def test_the_configured_workspace_is_completed_without_naming_it(era: str) -> None:
    settings = replace(
        load({}, sandbox=True, environment={}, folder=NO_FILES, home=NO_FILES), workspace=SKINCARE
    )
    async with connected(era, settings, fixed_sandbox(items=10)) as client:
        collections = await completed(client, COLLECTION, "collection", "q")
        views = await completed(client, VIEW, "view", "")
        content = await read(client, f"archive://workspace/{SKINCARE}/views/content")
    assert "Q3 Report" in collections.values
    assert sorted(views.values) == sorted(view["name"] for view in content["nodes"])


async def test_a_prompt_has_nothing_to_complete(client: Client) -> None:
    known = types.PromptReference(type="ref/prompt", name="archive_system_prompt")
    unknown = types.PromptReference(type="ref/prompt", name="nothing")

    assert (await client.complete(known, {"name": "x", "value": ""})).completion.values == []
    with pytest.raises(MCPError) as caught:
        await client.complete(unknown, {"name": "x", "value": ""})
    assert caught.value.code == types.INVALID_PARAMS


@pytest.mark.parametrize(
    ("uri", "variable"), [("archive://nothing/{x}", "x"), (COLLECTION, "view")]
)
async def test_an_unknown_template_cannot_be_completed(
    client: Client, uri: str, variable: str
) -> None:
    with pytest.raises(MCPError) as caught:
        await completed(client, uri, variable)
    assert caught.value.code == types.INVALID_PARAMS


@pytest.mark.parametrize(
    ("uri", "told"),
    [
        ("archive://nothing", "archive://operation/{name}"),
        ("archive://operation/itemz", "Did you mean items?"),
        ("archive://workspace/Northwind/collections", "Northwind Outdoor ("),
        ("archive://workspace/nowhere/collections", "Bluebird Coffee ("),
        (
            "archive://workspace/b25d0e94-8f63-4c17-8e2b-0d7a41f3c6a9/collections",
            "Bluebird Coffee (",
        ),
        (
            "archive://workspace/Northwind%20Skincare/collections/Q3%20Raport",
            "Did you mean 'Q3 Report'?",
        ),
        ("archive://workspace/Northwind%20Skincare/collections/report", "Q2 Report ("),
        ("archive://workspace/Northwind%20Skincare/views/profile", "Did you mean social-profile?"),
        ("archive://workspace/Northwind%/collections", "%20"),
        ("archive://workspace//collections", "archive://workspace/{workspace}/collections"),
    ],
)
async def test_a_wrong_address_is_a_parameter_error_that_says_what_to_do(
    client: Client, uri: str, told: str
) -> None:
    error = await refused(client, uri)

    assert error.code == types.INVALID_PARAMS
    assert told in error.message
    assert error.data["uri"] == uri


async def test_what_belongs_to_a_workspace_is_not_cached_for_others(build: Build) -> None:
    async with Client(build(), mode="2026-07-28") as client:
        live = await client.read_resource(f"archive://workspace/{SKINCARE}/collections")
        fixed = await client.read_resource("archive://operation/items")
        document = await client.read_resource("archive://system-prompt")
    assert (live.ttl_ms, live.cache_scope) == (0, "private")
    assert (
        (fixed.ttl_ms, fixed.cache_scope)
        == (document.ttl_ms, document.cache_scope)
        == (3_600_000, "public")
    )


UNPLUGGED = {"ARCHIVE_APP_TOKEN": "very-secret", "ARCHIVE_API_URL": "http://127.0.0.1:9"}


@pytest.mark.parametrize(
    ("environment", "told"), [({}, "ARCHIVE_APP_TOKEN"), (UNPLUGGED, "Archive")]
)
async def test_without_token_or_network_reading_says_so_and_completing_gives_nothing(
    era: str, environment: dict[str, str], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.http.retry.FIRST_PAUSE", 0.001)
    async with connected(
        era, load({}, environment=environment, folder=NO_FILES, home=NO_FILES)
    ) as client:
        error = await refused(client, "archive://workspace/any/collections")
        names = await completed(client, COLLECTION, "workspace", "n")
        again = await completed(client, COLLECTION, "collection", "n", {"workspace": "any"})
        schema = await read(client, "archive://operation/collection")
    assert error.code == types.INTERNAL_ERROR
    assert told in error.message
    assert "very-secret" not in f"{error.message} {error.data}"
    assert names.values == again.values == []
    assert schema["tool"] == "archive_get_collection"


async def test_a_fault_of_the_server_does_not_leak(
    build: Build, era: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError("very-secret")

    monkeypatch.setattr(Template, "parse", broken)
    async with Client(build(), mode=era) as client:
        error = await refused(client, "archive://operation/items")
    assert error.code == types.INTERNAL_ERROR
    assert "very-secret" not in f"{error.message} {error.data}"
    assert "very-secret" in caplog.text
