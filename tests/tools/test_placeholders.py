"""Every tool, every optional argument, every value that a client sends for one that was left out:
the call is the one without the argument."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from datetime import UTC
from typing import Any

import pytest

from server.errors import Failure
from server.tool.arguments import parse
from tests.support.paths import SURFACE

Schema = dict[str, Any]
ROWS = json.loads(SURFACE.read_text(encoding="utf-8"))["tools"]
CLASSES: dict[str, Any] = {
    row["tool"]["name"]: getattr(importlib.import_module(row["module"]), row["class_name"])
    for row in ROWS
}
SCHEMAS: dict[str, Schema] = {row["tool"]["name"]: row["tool"]["inputSchema"] for row in ROWS}

# To these fields null says something (no group), or an empty object does (everything).
MEANS = {("groupId", "null"), ("search", "{}")}
SAMPLES = {"integer": 1, "number": 1, "boolean": True, "array": None, "object": None}


def sample(schema: Schema) -> Any:
    """Some value that the schema allows."""
    if "enum" in schema:
        return schema["enum"][0]
    if schema["type"] == "array":
        return [sample(schema["items"])]
    if schema["type"] == "object":
        required = schema.get("required", [])
        return {name: sample(schema["properties"][name]) for name in required}
    if schema["type"] == "string":
        return "a"
    return max(SAMPLES[schema["type"]], schema.get("minimum", 0))


def placeholders(schema: Schema) -> Iterator[Any]:
    """What clients send for an optional argument of this schema."""
    yield from (None, "", " ", {}, [])
    if schema.get("minimum", 0) > 0:
        yield from (0, "0")
    fields = schema.get("properties", {})
    entries = schema.get("items", {}).get("properties", {})
    if entries:
        yield [dict.fromkeys(entries)]
        yield [dict.fromkeys(entries, "")]
    if fields:
        yield dict.fromkeys(fields)
        yield dict.fromkeys(fields, "")
        yield {name: {} for name in fields}


def optionals(schema: Schema) -> Iterator[tuple[tuple[str, ...], Schema]]:
    """The optional fields of a schema at every level, by their path."""
    for name, field in schema.get("properties", {}).items():
        if name not in schema.get("required", []):
            yield (name,), field
        for path, inner in optionals(field):
            yield (name, *path), inner


def outcome(tool: str, arguments: dict[str, Any]) -> Any:
    """What the call stands for, or how it is refused."""
    try:
        request = parse(CLASSES[tool], arguments, {"timezone": UTC, "instants": []})
    except Failure as failure:
        return failure.code, failure.message
    return request.model_dump(by_alias=True, exclude_unset=True)


def put(arguments: dict[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    """The arguments with a value at the path."""
    first, *rest = path
    if not rest:
        return {**arguments, first: value}
    return {**arguments, first: put(arguments.get(first, {}), tuple(rest), value)}


@pytest.mark.parametrize("tool", SCHEMAS)
def test_a_placeholder_is_an_argument_left_out(tool: str) -> None:
    schema = SCHEMAS[tool]
    bare = sample(schema)
    without = outcome(tool, bare)
    wrong = [
        (".".join(path), value)
        for path, field in optionals(schema)
        for value in placeholders(field)
        if (path[-1], json.dumps(value)) not in MEANS
        and outcome(tool, put(bare, path, value)) != without
    ]

    assert wrong == []


@pytest.mark.parametrize("tool", SCHEMAS)
@pytest.mark.parametrize("nothing", [None, ""])
def test_all_optional_arguments_may_be_filled_at_once(tool: str, nothing: Any) -> None:
    schema = SCHEMAS[tool]
    bare = sample(schema)
    fillers = {
        path[0]: nothing for path, _ in optionals(schema) if len(path) == 1 and path[0] != "groupId"
    }

    assert outcome(tool, {**bare, **fillers}) == outcome(tool, bare)


@pytest.mark.parametrize(
    "tool", [name for name, schema in SCHEMAS.items() if "search" in schema["properties"]]
)
def test_an_empty_search_beside_another_source_is_none(tool: str) -> None:
    bare = {**sample(SCHEMAS[tool]), "itemIds": ["1"]}

    assert outcome(tool, {**bare, "search": {}}) == outcome(tool, bare)
