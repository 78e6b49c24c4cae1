from __future__ import annotations

from typing import Any

import pytest
from graphql import (
    FieldNode,
    GraphQLSchema,
    InlineFragmentNode,
    SelectionSetNode,
    build_schema,
    parse,
    validate,
)

from server.archive import workspaces
from server.archive.operations import (
    ArchiveRequest,
    Mutation,
    ReadPages,
    graphql_arguments,
)
from server.archive.records import Record, fields_of
from server.archive.selection import MAX_PATH, REQUIRED, select
from tests.support.paths import SCHEMA
from tools.surface import requests

DEPTH = 10
CLASSES = [each for each in requests() if issubclass(each, ArchiveRequest)]
each_class = pytest.mark.parametrize("request_type", CLASSES, ids=lambda each: each.__name__)


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema(SCHEMA.read_text(encoding="utf-8"))


def depth(selections: SelectionSetNode | None) -> int:
    """How many fields deep it goes, leaves included."""
    if selections is None:
        return 0
    found = 0
    for node in selections.selections:
        assert isinstance(node, FieldNode | InlineFragmentNode)
        found = max(found, depth(node.selection_set) + isinstance(node, FieldNode))
    return found


def check(schema: GraphQLSchema, document: str) -> int:
    """The depth of a document that the schema accepts."""
    parsed = parse(document)
    assert validate(schema, parsed) == [], document
    (operation,) = parsed.definitions
    return depth(operation.selection_set)  # type: ignore[attr-defined]


def paths(record: type[Record], steps: int) -> list[str]:
    """Every field path of a record that is at most `steps` long, each type once on the way to each
    object."""
    found: list[str] = []
    seen: set[type[Record]] = set()
    edge: list[tuple[str, type[Record]]] = [("", record)]
    while edge:
        prefix, current = edge.pop(0)
        if current in seen or prefix.count(".") >= steps:
            continue
        seen.add(current)
        for name, field in fields_of(current).items():
            found.append(prefix + name)
            if field.record is not None:
                edge.append((f"{prefix}{name}.", field.record))
    return found


def deepest(record: type[Record], steps: int) -> list[str]:
    """Object paths that go as deep as a path may, along every cycle of the types."""
    found: list[str] = []

    def walk(prefix: list[str], current: type[Record]) -> None:
        for name, field in fields_of(current).items():
            if field.record is None or len(prefix) == steps:
                continue
            found.append(".".join([*prefix, name]))
            walk([*prefix, name], field.record)

    walk([], record)
    return found


@each_class
def test_the_default_document_is_one_that_archive_accepts(
    schema: GraphQLSchema, request_type: type[ArchiveRequest[Any]]
) -> None:
    chosen = request_type.selected.split() if issubclass(request_type, Mutation) else None
    document = request_type.document(select(request_type.record(), chosen))

    assert check(schema, document) <= DEPTH
    assert document.startswith(f"{request_type.keyword} {request_type.__name__}")


@each_class
def test_every_field_can_be_asked_for(
    schema: GraphQLSchema, request_type: type[ArchiveRequest[Any]]
) -> None:
    every = paths(request_type.record(), MAX_PATH)

    for path in every:
        assert (
            check(schema, request_type.document(select(request_type.record(), [path]))) <= DEPTH
        ), path
    assert check(schema, request_type.document(select(request_type.record(), every))) <= DEPTH


@each_class
def test_no_path_however_deep_goes_beyond_what_archive_allows(
    schema: GraphQLSchema, request_type: type[ArchiveRequest[Any]]
) -> None:
    for path in deepest(request_type.record(), MAX_PATH):
        assert (
            check(schema, request_type.document(select(request_type.record(), [path]))) <= DEPTH
        ), path


@each_class
def test_every_field_of_the_schema_is_known(
    schema: GraphQLSchema, request_type: type[ArchiveRequest[Any]]
) -> None:
    """A record lists what its object type has, each field with the right way to read it."""
    root = schema.query_type if request_type.keyword == "query" else schema.mutation_type
    assert root is not None
    api: Any = schema.type_map[str(root.fields[request_type.operation].type).strip("[]!")]
    if issubclass(request_type, ReadPages):
        api = schema.type_map[str(api.fields["nodes"].type).strip("[]!")]
    variants = {each.__name__: each for each in request_type.record().variants}
    for kind in api.types if variants else [api]:
        record = variants.get(kind.name, request_type.record())
        known = fields_of(record)
        assert known.keys() == kind.fields.keys()
        for name, field in kind.fields.items():
            assert known[name].big == ("BigInt" in str(field.type)), name
            assert known[name].record is None or known[name].many == ("[" in str(field.type)), name
            assert str(field.type).endswith("!") or name not in REQUIRED, name


@each_class
def test_every_argument_of_the_operation_is_declared_with_its_type(
    schema: GraphQLSchema, request_type: type[ArchiveRequest[Any]]
) -> None:
    root = schema.query_type if request_type.keyword == "query" else schema.mutation_type
    assert root is not None
    expected = {
        name: str(argument.type)
        for name, argument in root.fields[request_type.operation].args.items()
    }

    assert graphql_arguments(request_type) == expected


def test_the_resolvers_own_document_is_one_that_archive_accepts(schema: GraphQLSchema) -> None:
    assert check(schema, workspaces._DOCUMENT) <= DEPTH
