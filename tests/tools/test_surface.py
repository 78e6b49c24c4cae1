from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterator
from itertools import chain
from typing import Any

import pytest

from server.archive.operations import Mutation
from server.tool.catalog import Catalog
from server.tool.job import StartChange
from server.tool.request import Request
from tests.support.paths import ARCHIVE_API, ROOT
from tools.surface import (
    FILE,
    render,
    requests,
    rows,
)

Schema = dict[str, Any]

# Objects of Archive whose fields nobody documents.
UNTOLD: tuple[Schema, ...] = (
    {"type": "object"},
    {"type": "object", "description": "Send {}; Archive never applies them."},
)

# tool: operation, toolset, and what it does: read, add and create (nothing that exists changes),
# change, remove, spend
CONTRACT = {
    "archive_get_workspaces": ("workspaces", "workspace", "read"),
    "archive_get_workspace": ("workspace", "workspace", "read"),
    "archive_get_custom_attribute_schemas": ("customAttributeSchemas", "workspace", "read"),
    "archive_get_filter_presets": ("filterPresets", "workspace", "read"),
    "archive_search_items": ("items", "content", "read"),
    "archive_get_media_contents": ("mediaContents", "content", "read"),
    "archive_get_transcriptions": ("transcriptions", "content", "read"),
    "archive_get_item_ids_by_url": ("itemIdsByUrl", "content", "read"),
    "archive_get_engagement_history": ("engagementHistory", "content", "read"),
    "archive_search_creators": ("creators", "creators", "read"),
    "archive_get_creator": ("creator", "creators", "read"),
    "archive_get_social_profile": ("socialProfile", "creators", "read"),
    "archive_get_operations": ("operations", "operations", "read"),
    "archive_get_operation": ("operation", "operations", "read"),
    "archive_add_item_to_collections": ("addItemToCollections", "collections", "add"),
    "archive_remove_item_from_collections": ("removeItemFromCollections", "collections", "remove"),
    "archive_refetch_engagement_bulk": ("refetchEngagementBulk", "content", "spend"),
    "archive_get_social_profiles": ("socialProfiles", "creators", "read"),
    "archive_get_content_views": ("contentViews", "views", "read"),
    "archive_get_content_view": ("contentView", "views", "read"),
    "archive_get_social_profile_views": ("socialProfileViews", "views", "read"),
    "archive_get_social_profile_view": ("socialProfileView", "views", "read"),
    "archive_get_creator_views": ("creatorViews", "views", "read"),
    "archive_get_creator_view": ("creatorView", "views", "read"),
    "archive_get_view_groups": ("viewGroups", "views", "read"),
    "archive_get_view_group": ("viewGroup", "views", "read"),
    "archive_get_collections": ("collections", "collections", "read"),
    "archive_get_collection": ("collection", "collections", "read"),
    "archive_get_campaigns": ("campaigns", "campaigns", "read"),
    "archive_get_competitor_brands": ("competitorBrands", "competitors", "read"),
    "archive_get_competitor_brand": ("competitorBrand", "competitors", "read"),
    "archive_get_competitor_brand_items": ("competitorBrandItems", "competitors", "read"),
    "archive_create_collection": ("createCollection", "collections", "create"),
    "archive_update_collection": ("updateCollection", "collections", "change"),
    "archive_delete_collection": ("deleteCollection", "collections", "remove"),
    "archive_create_content_view": ("createContentView", "views", "create"),
    "archive_update_content_view": ("updateContentView", "views", "change"),
    "archive_delete_content_view": ("deleteContentView", "views", "remove"),
    "archive_create_social_profile_view": ("createSocialProfileView", "views", "create"),
    "archive_update_social_profile_view": ("updateSocialProfileView", "views", "change"),
    "archive_delete_social_profile_view": ("deleteSocialProfileView", "views", "remove"),
    "archive_create_creator_view": ("createCreatorView", "views", "create"),
    "archive_update_creator_view": ("updateCreatorView", "views", "change"),
    "archive_delete_creator_view": ("deleteCreatorView", "views", "remove"),
    "archive_create_view_group": ("createViewGroup", "views", "create"),
    "archive_update_view_group": ("updateViewGroup", "views", "change"),
    "archive_delete_view_group": ("deleteViewGroup", "views", "remove"),
    "archive_move_content_view_to_group": ("moveContentViewToGroup", "views", "change"),
    "archive_move_social_profile_view_to_group": (
        "moveSocialProfileViewToGroup",
        "views",
        "change",
    ),
    "archive_move_creator_view_to_group": ("moveCreatorViewToGroup", "views", "change"),
    "archive_move_collection_to_group": ("moveCollectionToGroup", "views", "change"),
    "archive_reorder_views_in_group": ("reorderViewsInGroup", "views", "change"),
    "archive_upload_item_from_url": ("uploadItemFromUrl", "content", "create"),
}
HINTS = {
    "read": {"readOnlyHint": True, "destructiveHint": False, "idempotentHint": True},
    "add": {"readOnlyHint": False, "destructiveHint": False, "idempotentHint": True},
    "create": {"readOnlyHint": False, "destructiveHint": False, "idempotentHint": False},
    "change": {"readOnlyHint": False, "destructiveHint": True, "idempotentHint": True},
    "remove": {"readOnlyHint": False, "destructiveHint": True, "idempotentHint": True},
    "spend": {"readOnlyHint": False, "destructiveHint": True, "idempotentHint": False},
}
API = json.loads(ARCHIVE_API.read_text(encoding="utf-8"))
OPERATIONS = [*API["queries"], *API["mutations"]]
OPERATION_META = "archive-mcp/operation"
ROWS = rows()
TOOLS: dict[str, Schema] = {row["tool"]["name"]: row["tool"] for row in ROWS}
OPERATION_TOOLS = [row["tool"]["name"] for row in ROWS if OPERATION_META in row["tool"]["_meta"]]
ARCHIVE = [row["tool"]["name"] for row in ROWS if row["backend"] == "archive"]
CLASSES: dict[str, type[Request[Any, Any]]] = {each.tool_name(): each for each in requests()}
FILLER = re.compile(
    r"\b(this tool|allows? you|please|simply "
    r"put|easily|powerful|leverage|utili[sz]e|CRITICAL|MANDATORY|IMPORTANT|MUST|"
    r"ALWAYS|NEVER|WARNING|NOTE)\b|!"
)
ELSEWHERE = {"arguments", "search", "creators"}
"""The objects whose properties another tool's schema tells: its description names that tool."""
PROSE_OR_PICTURES = {
    # What they answer is another tool's.
    "archive_mcp_call_read_tool",
    "archive_mcp_call_write_tool",
    "archivebox_read_snapshot",
    "archivebox_get_screencast",
    "archive_view_media",
    "archive_chart",
}
SHORTEST = {"archive": 40, "archivebox": 20, "archive_mcp": 40}
"""Characters of a description: ArchiveBox's 45 tools share little room, and most of them need few
words."""
OPERATION = re.compile(r"\{(\w+|[A-Z]+ /(?:[^{}\s]|\{\w+\})*)\}")
TOOLSETS = {
    "archive": [
        "workspace",
        "content",
        "creators",
        "views",
        "collections",
        "campaigns",
        "competitors",
        "operations",
        "insights",
        "jobs",
    ],
    "archivebox": [
        "snapshots",
        "results",
        "tags",
        "crawls",
        "jobs",
        "auth",
        "cli",
        "machine",
        "personas",
        "workers",
    ],
    "archive_mcp": ["jobs", "discover"],
}
each_tool = pytest.mark.parametrize("name", TOOLS)
each_archive_tool = pytest.mark.parametrize("name", ARCHIVE)


def own_meta(row: Schema) -> dict[str, Any]:
    """Return what `_meta` says under this server's own prefix."""
    meta = row["tool"]["_meta"]
    return {key: value for key, value in meta.items() if key.startswith("archive-mcp/")}


def objects(schema: Schema) -> Iterator[Schema]:
    """A schema and everything below it."""
    yield schema
    for inner in schema.get("properties", {}).values():
        yield from objects(inner)
    if isinstance(schema.get("items"), dict):
        yield from objects(schema["items"])


def test_the_packaged_file_is_what_the_classes_say() -> None:
    assert FILE.read_text(encoding="utf-8") == render(), "run: python -m tools.surface"


def test_every_operation_of_archive_is_a_tool_counted_by_what_the_tools_say_of_themselves() -> None:
    served = [
        tool["_meta"]["archive-mcp/operation"]
        for tool in TOOLS.values()
        if OPERATION_META in tool["_meta"]
    ]

    unknown = set(served) - set(OPERATIONS)
    assert not unknown, f"operations to be added to {ARCHIVE_API.name}: {sorted(unknown)}"
    assert sorted(served) == sorted(OPERATIONS)
    assert len(served) == 53
    assert {each for each in TOOLS if each in CONTRACT} == CONTRACT.keys()


def test_no_two_tools_share_an_operation() -> None:
    operations = [row["operation"] for row in ROWS]

    assert len(operations) == len(set(operations))


@pytest.mark.parametrize("name", CONTRACT)
def test_names_operations_and_toolsets_are_a_contract(name: str) -> None:
    operation, toolset, _ = CONTRACT[name]
    row = next(each for each in ROWS if each["tool"]["name"] == name)

    assert (row["operation"], row["toolset"], row["backend"]) == (operation, toolset, "archive")
    assert own_meta(row) == {"archive-mcp/operation": operation}
    assert row["module"].startswith("tools.archive.")
    assert getattr(__import__(row["module"], fromlist=["x"]), row["class_name"]) is CLASSES[name]


@pytest.mark.parametrize("name", CONTRACT)
def test_the_hints_tell_the_truth(name: str) -> None:
    annotations = TOOLS[name]["annotations"]

    assert annotations == {
        "title": TOOLS[name]["title"],
        **HINTS[CONTRACT[name][2]],
        "openWorldHint": True,
    }


@each_tool
def test_a_name_fits_every_host(name: str) -> None:
    assert len(name) <= 41
    assert re.fullmatch(r"archive(box)?_[a-z0-9_]+|archive_mcp_[a-z0-9_]+", name)


@each_tool
def test_a_title_is_for_people(name: str) -> None:
    title = TOOLS[name]["title"]

    assert 5 <= len(title) <= 45
    assert title[0].isupper()
    assert "_" not in title


def test_no_two_tools_share_a_title_or_description() -> None:
    for key in ("title", "description"):
        assert len({tool[key] for tool in TOOLS.values()}) == len(TOOLS)


@each_tool
def test_a_description_says_enough_and_does_not_shout(name: str) -> None:
    description = TOOLS[name]["description"]

    assert SHORTEST[CLASSES[name].backend] <= len(description) <= 700
    assert description.endswith((".", "instead."))
    assert "  " not in description
    assert not FILLER.search(description), description


@each_tool
def test_the_tools_that_a_description_names_exist(name: str) -> None:
    named = re.findall(r"archive(?:box)?_[a-z_]+", json.dumps(TOOLS[name]))

    assert set(named) <= set(TOOLS)


@each_tool
def test_an_input_schema_is_one_that_no_host_rejects(name: str) -> None:
    tool = TOOLS[name]
    text = json.dumps(tool["inputSchema"])
    arguments = tool["inputSchema"]["properties"]
    named = [arguments[each] for each in ELSEWHERE & arguments.keys()]
    elsewhere = [each for each in named if each["type"] == "object" and "properties" not in each]
    for word in ("$ref", "$defs", "anyOf", "oneOf", "allOf", '"default": null', "const"):
        assert word not in text
    for schema in objects(tool["inputSchema"]):
        # Exactly one: hosts drop a property, or a whole server, over several or none.
        assert isinstance(schema["type"], str)
        assert not {"title", "additionalProperties"} & schema.keys()
        if "` of archive_search_items" in schema.get("description", "") or schema in UNTOLD:
            continue
        if any(schema is each for each in elsewhere):
            assert name.startswith("archive_mcp_") or "archive_search_" in schema["description"]
            continue
        if schema.get("type") == "object":
            assert schema["properties"] or schema is tool["inputSchema"], (
                "an object without properties says nothing"
            )
            assert set(schema.get("required", [])) <= schema["properties"].keys()
        if schema.get("type") == "array":
            assert schema["items"].get("type")
        if "enum" in schema:
            assert schema["type"] == "string"
            assert len(set(schema["enum"])) == len(schema["enum"]) > 0


@each_tool
def test_every_top_level_argument_is_described(name: str) -> None:
    for argument, schema in TOOLS[name]["inputSchema"]["properties"].items():
        assert 2 <= len(schema.get("description", "")) <= 140, argument


@each_tool
def test_an_output_schema_is_an_open_object(name: str) -> None:
    schema = TOOLS[name].get("outputSchema")

    # Hosts that show the structured part alone would hide a page's text and pictures: they have no
    # schema.
    assert (schema is None) == (name in PROSE_OR_PICTURES)
    if schema is None:
        return
    assert schema["type"] == "object"
    for each in objects(schema):
        assert not {"required", "additionalProperties", "$ref", "anyOf"} & each.keys()
        assert isinstance(each.get("type", ""), str)


@each_archive_tool
def test_every_tool_but_the_list_of_workspaces_takes_a_workspace(name: str) -> None:
    assert ("workspace" in TOOLS[name]["inputSchema"]["properties"]) == (
        name != "archive_get_workspaces"
    )


@pytest.mark.parametrize(
    "name", [each for each in OPERATION_TOOLS if CLASSES[each].risk == "reads"]
)
def test_every_read_takes_fields_and_every_list_a_limit(name: str) -> None:
    properties = TOOLS[name]["inputSchema"]["properties"]

    assert "fields" in properties
    assert ("limit" in properties) == ("nodes" in TOOLS[name]["outputSchema"].get("properties", {}))
    assert ("limit" in properties) == ("after" in properties)
    assert not {"first", "page"} & properties.keys()


def arguments_of(operation: str) -> dict[str, str]:
    found = API["queries"].get(operation) or API["mutations"][operation]
    arguments: dict[str, str] = found["args"]
    return arguments


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_argument_and_enum_value_of_the_api_can_be_said(operation: str) -> None:
    (tool,) = (
        each for each in TOOLS.values() if each["_meta"].get("archive-mcp/operation") == operation
    )
    properties = tool["inputSchema"]["properties"]

    for argument, kind in arguments_of(operation).items():
        ours = "limit" if argument == "first" else argument
        covers(properties[ours], kind, f"{operation}.{ours}")
    required = {name for name, kind in arguments_of(operation).items() if kind.endswith("!")}
    assert set(tool["inputSchema"].get("required", [])) == required


def covers(schema: Schema, kind: str, where: str) -> None:
    """The schema offers all of a type of the API: its fields, its enum values, its list."""
    kind = kind.removesuffix("!")
    name = where.rpartition(".")[2]
    if elsewhere := re.fullmatch(r"As in (archive_\w+)\.", schema.get("description", "")):
        # Six tools of views take conditions, which the searches spell out.
        schema = TOOLS[elsewhere[1]]["inputSchema"]["properties"][name]
    if kind.startswith("["):
        assert schema["type"] == "array", where
        covers(schema["items"], kind[1:-1], f"{where}[]")
    elif kind in API["enums"]:
        assert set(schema["enum"]) == set(API["enums"][kind]), where
    elif kind in API["inputs"]:
        assert schema["properties"].keys() == API["inputs"][kind].keys(), where
        for name, inner in API["inputs"][kind].items():
            covers(schema["properties"][name], inner, f"{where}.{name}")
    else:
        expected = {"Int": "integer", "Boolean": "boolean"}.get(kind, "string")
        # JSON is an object or a list where it is one, and text where it may be any value.
        types = {"object", "array", "string"} if kind == "JSON" else {expected}
        assert schema["type"] in types, where


@pytest.mark.parametrize(
    "request_type", [each for each in CLASSES.values() if each.risk != "reads"]
)
def test_every_change_says_itself_what_it_risks_and_how_to_check_it(
    request_type: type[Any],
) -> None:
    selected = ["selected"] if issubclass(request_type, Mutation) else []
    for declared in ("risk", "repeatable", "verify", *selected):
        assert declared in vars(request_type), (
            f"{request_type.__name__} leaves `{declared}` to its base"
        )
    assert request_type.verify.endswith(".")
    asks = request_type.confirmed or issubclass(request_type, StartChange)
    assert asks or request_type.risk not in ("spends",)


@pytest.mark.parametrize("request_type", CLASSES.values())
def test_every_tool_says_itself_what_it_is(request_type: type[Request[Any, Any]]) -> None:
    assert {"operation", "title", "__doc__"} <= vars(request_type).keys()


def test_the_hints_of_a_tool_name_operations_that_exist() -> None:
    operations = {row["operation"] for row in ROWS}
    for each in CLASSES.values():
        text = " ".join(
            str(vars(each).get(name, ""))
            for name in ("verify", "instead", "missing", "refused", "use")
        )
        assert set(OPERATION.findall(text)) <= operations


def test_the_endpoints_that_messages_name_exist() -> None:
    operations = {row["operation"] for row in ROWS}
    root = ROOT
    files = [
        *(root / "tools" / "archivebox").glob("*.py"),
        *(root / "server" / "archivebox").glob("*.py"),
    ]
    named = {
        each
        for file in files
        for each in OPERATION.findall(file.read_text(encoding="utf-8"))
        if "/" in each
    }

    assert named
    assert named <= operations


def tokens(**offered: Any) -> float:
    """What a model sees of the tools that are listed with these settings: a token is about four
    bytes. What `_meta` says is for hosts alone."""
    surface = Catalog.read(FILE, importlib.import_module)
    surface.offer(**{"backends": {"archive"}, "toolsets": ["all"], "read_only": False, **offered})
    seen = ("name", "description", "inputSchema")
    views = [{key: tool[key] for key in seen} for tool in surface.list_tools()]
    return (
        sum(
            len(json.dumps(each, separators=(",", ":"), ensure_ascii=False).encode())
            for each in views
        )
        / 4
    )


def test_what_a_model_reads_of_all_tools_stays_small() -> None:
    everything = tokens(backends={"archive", "archivebox"})
    assert everything <= 23_000, "all descriptions together: shorten some, or raise it on purpose"


def test_the_presets_are_much_smaller() -> None:
    assert tokens(toolsets=["core"], backends={"archive", "archivebox"}) <= 3_800
    assert tokens(toolsets=["discover"], backends={"archive", "archivebox"}) <= 900


@pytest.mark.parametrize("backends", [{"archive"}, {"archivebox"}, {"archive", "archivebox"}])
def test_the_core_is_a_few_tools_that_reach_all_others(backends: set[str]) -> None:
    surface = Catalog.read(FILE, importlib.import_module)
    surface.offer(backends=backends, toolsets=["core"], read_only=False)

    assert len(surface.list_tools()) <= 12
    assert surface.switched_off == 0


@pytest.mark.parametrize("read_only", [True, False])
def test_reads_are_listed_under_their_own_toolsets_in_a_stable_order(read_only: bool) -> None:
    listed = [row for row in ROWS if row["tool"]["annotations"]["readOnlyHint"] or not read_only]
    backends = list(TOOLSETS)
    unlisted = {row["toolset"] for row in listed} - {*chain(*TOOLSETS.values())}
    assert not unlisted, f"new toolsets, to be added to TOOLSETS in this file: {sorted(unlisted)}"
    places = [
        (backends.index(row["backend"]), TOOLSETS[row["backend"]].index(row["toolset"]))
        for row in listed
    ]

    assert places == sorted(places)
