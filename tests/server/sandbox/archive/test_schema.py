"""The SDL is compared, type by type, with a machine-readable list of the API's operations and
types."""

from __future__ import annotations

import json
from typing import Any

import pytest
from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLUnionType,
    Undefined,
    build_schema,
)

from server.sandbox.archive.engine import RESOLVERS, sdl
from tests.support.paths import ARCHIVE_API

API: dict[str, Any] = json.loads(ARCHIVE_API.read_text())
SCHEMA = build_schema(sdl())
OWN = {name: kind for name, kind in SCHEMA.type_map.items() if not name.startswith("__")}
SPECIFIED = {"String", "Int", "Float", "Boolean", "ID"}
ROOTS = {"Query", "Mutation"}
SAYS = f"schema.graphql has something else than tests/data/{ARCHIVE_API.name}, under"


def default_of(holder: GraphQLArgument | GraphQLInputField) -> Any:
    # Read from the syntax tree, because an object default is completed with its fields' defaults
    # otherwise.
    node = holder.ast_node
    assert node is not None
    if node.default_value is None:
        return Undefined
    return plain(node.default_value)


def plain(node: Any) -> Any:
    if hasattr(node, "fields"):
        return {part.name.value: plain(part.value) for part in node.fields}
    if hasattr(node, "values"):
        return [plain(part) for part in node.values]
    if node.kind == "null_value":
        return None
    return int(node.value) if node.kind == "int_value" else node.value


def names_of(kind: type) -> set[str]:
    return {name for name, found in OWN.items() if isinstance(found, kind)}


@pytest.mark.parametrize(("section", "root"), [("queries", "Query"), ("mutations", "Mutation")])
def test_every_operation_has_the_documented_arguments_and_result(section: str, root: str) -> None:
    kind = OWN[root]
    assert isinstance(kind, GraphQLObjectType)
    found = {
        name: {
            "args": {a: str(arg.type) for a, arg in field.args.items()},
            "returns": str(field.type),
        }
        for name, field in kind.fields.items()
    }
    assert found == API[section], f"{SAYS} `{section}`"


def test_object_types_have_the_documented_fields() -> None:
    found = {
        name: {field_name: {"type": str(field.type)} for field_name, field in kind.fields.items()}
        for name, kind in OWN.items()
        if isinstance(kind, GraphQLObjectType) and name not in ROOTS
    }
    assert found == API["types"], f"{SAYS} `types`"


def test_input_types_have_the_documented_fields() -> None:
    found = {
        name: {field_name: str(field.type) for field_name, field in kind.fields.items()}
        for name, kind in OWN.items()
        if isinstance(kind, GraphQLInputObjectType)
    }
    assert found == API["inputs"], f"{SAYS} `inputs`"


def test_enums_have_the_documented_values() -> None:
    found = {
        name: sorted(kind.values) for name, kind in OWN.items() if isinstance(kind, GraphQLEnumType)
    }
    documented = {name: sorted(values) for name, values in API["enums"].items()}
    assert found == documented, f"{SAYS} `enums`"


def test_unions_and_scalars_are_the_documented_ones() -> None:
    unions = {
        name: [m.name for m in kind.types]
        for name, kind in OWN.items()
        if isinstance(kind, GraphQLUnionType)
    }
    assert unions == API["unions"], f"{SAYS} `unions`"
    assert names_of(GraphQLScalarType) - SPECIFIED == set(API["scalars"])


def test_defaults_are_the_documented_ones() -> None:
    holders: dict[str, GraphQLArgument | GraphQLInputField] = {}
    for kind in OWN.values():
        if isinstance(kind, GraphQLObjectType) and kind.name in ROOTS:
            holders |= {
                f"{name}.{a}": arg
                for name, field in kind.fields.items()
                for a, arg in field.args.items()
            }
        if isinstance(kind, GraphQLInputObjectType):
            holders |= {f"{kind.name}.{name}": field for name, field in kind.fields.items()}
    found = {name: default_of(holder) for name, holder in holders.items()}
    present = {name: value for name, value in found.items() if value is not Undefined}
    assert present == API["defaults"], f"{SAYS} `defaults`"


def test_every_type_and_operation_is_described() -> None:
    roots = [OWN["Query"], OWN["Mutation"]]
    operations = [
        f for kind in roots if isinstance(kind, GraphQLObjectType) for f in kind.fields.values()
    ]
    described = [*(kind for name, kind in OWN.items() if name not in SPECIFIED), *operations]
    assert [thing for thing in described if not thing.description] == []


def test_every_operation_is_served() -> None:
    assert set(RESOLVERS) == {*API["queries"], *API["mutations"]}
