from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

import pytest
from pydantic import Field, ValidationError

from server.archive.operations import (
    Confirmed,
    Connection,
    Id,
    Listing,
    Lookup,
    Mutation,
    NamesOptions,
    Query,
    ReadPages,
    Text,
    graphql_arguments,
)
from server.archive.records import Record
from server.archive.selection import select
from server.tool.request import ApiType, Input, Risk
from server.tool.schema import input_schema


class Thing(Record):
    """A thing."""

    default = "id"

    id: str
    name: str


class ThingFilter(Input):
    from_: int | None = Field(None, alias="from")
    kinds: list[Annotated[Literal["A"], ApiType("Kind")]] | None = None


class FindThings(Connection[Thing]):
    """Finds things."""

    operation = "things"
    title = "Find things"

    filter: ThingFilter | None = None
    ids: list[Id] | None = None
    names: list[Text] = Field(min_length=1)
    kind: Annotated[Literal["A", "B"], ApiType("Kind")] | None = None
    exact: bool = False
    share: float | None = None
    anything: Any = None
    preset_id: Id | None = None


class GetThing(Query[Thing]):
    """Gets a thing."""

    operation = "thing"
    title = "Get a thing"

    id: Id


class AllThings(Listing[Thing]):
    """All things."""

    operation = "allThings"
    title = "All things"


class ListNamed(NamesOptions, Listing[Thing]):
    """All things, their options by name where that is asked for."""

    operation = "allThings"
    title = "All things"


class RenameThing(Mutation[Thing]):
    """Renames a thing."""

    operation = "renameThing"
    title = "Rename a thing"
    risk: ClassVar[Risk] = "changes"
    repeatable = True

    id: Id
    group_id: Id | None = None


def test_each_argument_has_the_type_of_the_apis_schema() -> None:
    assert graphql_arguments(FindThings) == {
        "filter": "ThingFilter",
        "ids": "[ID!]",
        "names": "[String!]!",
        "kind": "Kind",
        "exact": "Boolean",
        "share": "Float",
        "anything": "JSON",
        "presetId": "ID",
        "first": "Int",
        "after": "String",
    }
    assert graphql_arguments(GetThing) == {"id": "ID!"}
    assert graphql_arguments(AllThings) == {}


def test_a_query_declares_and_passes_its_arguments() -> None:
    assert (
        GetThing.document(select(Thing, None))
        == "query GetThing($id: ID!) { thing(id: $id) { id } }"
    )


def test_a_query_without_arguments_has_no_parentheses() -> None:
    assert AllThings.document(select(Thing, ["name"])) == "query AllThings { allThings { name } }"


def test_a_connection_asks_for_the_way_on_and_the_total() -> None:
    document = FindThings.document(select(Thing, None))

    assert document.startswith("query FindThings($filter: ThingFilter, $ids: [ID!], ")
    assert document.endswith("{ nodes { id } pageInfo { endCursor hasNextPage } totalCount } }")
    assert "first: $first, after: $after" in document


def test_a_mutation_is_one() -> None:
    assert RenameThing.document(select(Thing, None)).startswith(
        "mutation RenameThing($id: ID!, $groupId: ID)"
    )
    assert RenameThing.cost == 55


def test_what_the_call_leaves_out_is_left_to_the_apis_defaults() -> None:
    request = FindThings.model_validate({"names": ["a"], "filter": {"from": 1}})

    assert request.variables() == {"names": ["a"], "filter": {"from": 1}}


def test_a_default_that_was_named_is_sent() -> None:
    assert FindThings.model_validate({"names": ["a"], "exact": False}).variables() == {
        "names": ["a"],
        "exact": False,
    }


def test_a_null_that_was_named_is_sent_and_one_left_out_is_not() -> None:
    assert RenameThing.model_validate({"id": "1", "groupId": None}).variables() == {
        "id": "1",
        "groupId": None,
    }
    assert RenameThing.model_validate({"id": "1"}).variables() == {"id": "1"}


def test_our_own_arguments_never_reach_the_api() -> None:
    ours = {"workspace": "w", "fields": ["id"], "limit": 5, "after": "c"}

    assert FindThings.model_validate({"names": ["a"], **ours}).variables() == {"names": ["a"]}
    assert ListNamed.model_validate({"optionNames": True}).variables() == {}
    assert "optionNames" in input_schema(ListNamed)["properties"]
    assert graphql_arguments(ListNamed) == {}


@pytest.mark.parametrize(
    ("kind", "default"), [(Connection, 20), (ReadPages, 20), (Listing, 100), (Lookup, 1000)]
)
def test_a_list_has_a_bounded_limit(kind: Any, default: int) -> None:
    limit = input_schema(kind)["properties"]["limit"]

    assert limit == {
        "type": "integer",
        "default": default,
        "minimum": 1,
        "maximum": 1000,
        "description": "Most records to return.",
    }


@pytest.mark.parametrize("limit", [0, 1001])
def test_a_limit_out_of_bounds_is_refused(limit: int) -> None:
    with pytest.raises(ValidationError):
        AllThings(limit=limit)


def test_reads_are_harmless_and_repeatable() -> None:
    for each in (FindThings, GetThing, AllThings):
        assert (each.risk, each.repeatable, each.confirmed) == ("reads", True, False)


def test_a_list_promises_nodes_and_one_record_an_object() -> None:
    nodes = FindThings.output_schema()["properties"]["nodes"]

    assert (nodes["type"], nodes["items"]) == ("array", {"type": "object"})
    assert "A thing." in nodes["description"]
    for each in (FindThings, GetThing, RenameThing):
        schema = each.output_schema()
        assert schema["type"] == "object"
        assert not {"required", "additionalProperties"} & schema.keys()


def test_a_confirmed_change_takes_a_token_that_stays_here() -> None:
    assert "confirm" in input_schema(Confirmed)["properties"]
    assert Confirmed.confirmed
    assert "confirm" not in graphql_arguments(Confirmed)


def test_a_confirmed_change_must_say_what_it_shows() -> None:
    assert Confirmed.__abstractmethods__ == {"preview"}


def test_a_read_changes_nothing_of_the_order_unless_it_says_so() -> None:
    request = AllThings()

    assert (request.order(), request.notes(), request.extra_paths()) == (None, [], [])


def test_a_payload_is_told_as_it_came_unless_the_tool_knows_more() -> None:
    assert RenameThing(id="1").present_payload({"a": 1}) == {"a": 1}
