from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from tests.support.surface import (
    API,
    CLASSES,
    OPERATION_TOOLS,
    OPERATIONS,
    TOOLS,
    Schema,
    each_archive_tool,
    each_tool,
)

# Objects of Archive whose fields nobody documents.
UNTOLD: tuple[Schema, ...] = (
    {"type": "object"},
    {"type": "object", "description": "Send {}; Archive never applies them."},
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


def objects(schema: Schema) -> Iterator[Schema]:
    """A schema and everything below it."""
    yield schema
    for inner in schema.get("properties", {}).values():
        yield from objects(inner)
    if isinstance(schema.get("items"), dict):
        yield from objects(schema["items"])


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
