from __future__ import annotations

import importlib
import json
import re
from dataclasses import asdict
from typing import Any

import pytest

from server.archive.operations import (
    ArchiveRequest,
    Mutation,
    Query,
    ReadMany,
)
from server.archive.records import fields_of
from server.archive.selection import select
from server.resources.schemas import describe_operation
from server.resources.templates import Source, Template
from server.tool.catalog import Catalog
from server.tool.request import Request
from server.tool.result import BUDGET, compact
from tools.archive.templates import TEMPLATES
from tools.surface import FILE, requests

SURFACE = Catalog.read(FILE, importlib.import_module)
CLASSES: dict[str, type[ArchiveRequest[Any]]] = {
    each.operation: each for each in requests() if issubclass(each, ArchiveRequest)
}
LEAVES = {"string", "integer", "number", "boolean", "JSON"}
each_template = pytest.mark.parametrize("template", TEMPLATES, ids=lambda each: each.name)
each_operation = pytest.mark.parametrize("operation", CLASSES)


def sources(template: Template) -> list[Source]:
    rows = [each.rows for each in template.variables.values()]
    return [each for each in (template.reads, *rows) if each is not None]


def schema(operation: str) -> dict[str, Any]:
    found = describe_operation(SURFACE.find_serving(operation), CLASSES[operation])
    assert json.loads(compact(found)) == found
    return found


def bare(kind: str) -> str:
    return kind.strip("[]")


def test_the_packaged_file_holds_the_templates_as_they_are_declared() -> None:
    held = json.loads(FILE.read_text(encoding="utf-8"))["templates"]

    assert held == json.loads(json.dumps([asdict(each) for each in TEMPLATES])), (
        "run: python -m tools.surface"
    )
    assert tuple(Template.from_row(row) for row in held) == TEMPLATES


@each_template
def test_a_template_describes_itself(template: Template) -> None:
    assert re.fullmatch(r"archive_[a-z_]+", template.name)
    assert 5 <= len(template.title) <= 45
    assert 40 <= len(template.description) <= 300
    for name in template.variables:
        assert f"`{name}`" in template.description or "Both variables" in template.description
    for variable in template.variables.values():
        assert all(value in template.description for value in variable.values)


def test_no_two_templates_share_a_name_or_an_address() -> None:
    assert (
        len({each.name for each in TEMPLATES})
        == len({each.uri for each in TEMPLATES})
        == len(TEMPLATES)
    )


@each_template
def test_the_variables_are_those_of_the_address(template: Template) -> None:
    assert re.findall(r"\{(\w+)\}", template.uri) == list(template.variables)


@each_template
def test_an_address_belongs_to_one_template(template: Template) -> None:
    uri = re.sub(r"\{\w+\}", "x", template.uri)

    assert [each.name for each in TEMPLATES if each.parse(uri)] == [template.name]


@each_template
def test_what_a_template_reads_is_there_and_changes_nothing(template: Template) -> None:
    for source in sources(template):
        for operation in source.operations.values():
            request = next(each for each in requests() if each.operation == operation)
            assert request.risk == "reads"
            assert SURFACE.find_serving(operation).backend == template.backend
            known = {info.alias or name: info for name, info in request.model_fields.items()}
            assert set(source.arguments) <= set(known)
            assert {name for name, info in known.items() if info.is_required()} <= set(
                source.arguments
            )


@each_template
def test_the_variable_that_decides_has_an_operation_for_each_value(template: Template) -> None:
    for source in sources(template):
        assert set(source.arguments.values()) <= set(template.variables)
        expected = template.variables[source.by].values if source.by else ("",)
        assert tuple(source.operations) == expected


@each_template
def test_names_come_from_lists_with_ids(template: Template) -> None:
    for variable in template.variables.values():
        assert variable.default in ("", *variable.values)
        for operation in variable.rows.operations.values() if variable.rows else ():
            assert issubclass(CLASSES[operation], ReadMany)
            assert {"id", "name"} <= set(fields_of(CLASSES[operation].record()))
        if variable.as_id:
            assert template.reads is not None
            assert all(
                issubclass(CLASSES[each], Query) for each in template.reads.operations.values()
            )


@each_operation
def test_a_schema_says_how_an_operation_is_called(operation: str) -> None:
    found, request = schema(operation), CLASSES[operation]

    assert (found["operation"], found["tool"]) == (operation, request.tool_name())
    assert found["kind"] in ("query", "mutation", "workflow")
    assert found["description"] == request.description()
    assert set(found["arguments"]["properties"]) == {
        info.alias or name for name, info in request.model_fields.items()
    }
    assert ("risk" in found) == (request.risk != "reads")
    assert len(compact(found)) < BUDGET / 2


@each_operation
def test_each_type_behind_an_operation_is_described_once(operation: str) -> None:
    found = schema(operation)
    types = found["types"]
    named = {
        bare(each["type"]) for about in types.values() for each in about.get("fields", {}).values()
    }
    members = {each for about in types.values() for each in about.get("oneOf", [])}

    assert bare(found["returns"]["type"]) in types
    assert named | members <= set(types) | LEAVES
    assert all(about["description"] for about in types.values())


@pytest.mark.parametrize(
    "operation", [name for name, each in CLASSES.items() if not issubclass(each, Mutation)]
)
def test_a_read_lists_every_field_and_those_that_come_by_default(operation: str) -> None:
    record, types = CLASSES[operation].record(), schema(operation)["types"]

    for each in (record, *record.variants):
        if not each.variants:
            assert set(types[each.__name__]["fields"]) == set(fields_of(each))
            assert select(each, types[each.__name__]["default"]) == select(each, None)


@pytest.mark.parametrize(
    "operation", [name for name, each in CLASSES.items() if issubclass(each, Mutation)]
)
def test_a_write_lists_what_it_answers_and_how_dangerous_it_is(operation: str) -> None:
    request, found = CLASSES[operation], schema(operation)
    assert issubclass(request, Mutation)

    assert found["returns"]["always"] == request.selected.split()
    assert (found["risk"], found["repeatable"]) == (request.risk, request.repeatable)
    assert (found["confirmed"] == "always") == request.confirmed
    for path in request.selected.split():
        kind = request.record().__name__
        for step in path.split("."):
            kind = bare(found["types"][kind]["fields"][step]["type"])


def test_units_and_lists_are_told() -> None:
    types = schema("items")["types"]

    assert types["Engagement"]["fields"]["earnedMediaValue"] == {"type": "integer", "unit": "cents"}
    assert schema("workspace")["types"]["Workspace"]["fields"]["hashtags"] == {"type": "[Tag]"}
    assert schema("mediaContents")["types"]["MediaContent"]["oneOf"] == ["Image", "Video"]


def test_confirmation_is_told_as_it_is() -> None:
    told = {name: schema(name)["confirmed"] for name in ("deleteCollection", "updateCollection")}

    assert told == {"deleteCollection": "always", "updateCollection": "never"}
    assert "confirmed" not in schema("collections")


def test_an_operation_of_another_backend_is_described_without_types() -> None:
    entry = SURFACE.find_serving("GET /core/snapshots")
    request: type[Request[Any, Any]] = SURFACE.load(entry)

    assert set(describe_operation(entry, request)) == {
        "operation",
        "kind",
        "tool",
        "description",
        "arguments",
    }
