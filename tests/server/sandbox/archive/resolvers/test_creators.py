"""Creators, their attributes, and profiles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from server.sandbox import OUTDOOR
from server.sandbox.archive.data.attributes import ATTRIBUTES
from server.sandbox.ids import Kind
from tests.server.sandbox.archive.conftest import Client, Json

CREATORS = (
    "query($conditions: [CustomAttributeConditionInput!], $filter: CreatorFilterInput, $preset: "
    "ID) {"
    " creators(first: 100, customAttributeConditions: $conditions, filter: $filter, presetId: "
    "$preset) {"
    " totalCount nodes { id customAttributes socialProfiles { id accountName provider creator { "
    "id } } } } }"
)
PROFILE = (
    "query($id: ID, $name: String, $provider: Provider, $fallback: Boolean) { socialProfile(id: "
    "$id,"
    " accountName: $name, provider: $provider, fallback: $fallback) { id accountName fullName "
    "followers following"
    " verified proAccount private avatar originalUrl email phoneNumbers provider creator { id } } }"
)


def condition(field: str, operator: str, kind: str, value: Any = None) -> Json:
    return {"field": field, "operator": operator, "type": kind, "value": value}


async def options(client: Client, key: str, entity: str = "CREATOR") -> dict[str, str]:
    schemas = await client.ask(
        "query($e: CustomAttributeSchemaEntity!) { customAttributeSchemas(entity: $e) { key "
        "options { id name } } }",
        {"e": entity},
    )
    return {
        o["name"]: o["id"] for schema in schemas if schema["key"] == key for o in schema["options"]
    }


async def held(client: Client, *conditions: Json) -> list[Json]:
    """Attributes of the matching creators; at least one, and not all of them."""
    page = await client.ask(CREATORS, {"conditions": list(conditions)})
    assert 0 < page["totalCount"] < 640, conditions
    return [creator["customAttributes"] for creator in page["nodes"]]


async def test_every_creator_is_met_once_when_paging_to_the_end(shared: Client) -> None:
    everybody = await shared.every("creators", "id customAttributes socialProfiles { id }")
    assert len({creator["id"] for creator in everybody}) == len(everybody) == 640
    emails = [bool(creator["customAttributes"]["emails"]) for creator in everybody]
    assert {True, False} == set(emails)


async def test_a_creator_is_found_by_id_and_a_miss_is_an_error(shared: Client) -> None:
    creator = (await shared.ask(CREATORS))["nodes"][3]
    query = "query($id: ID!) { creator(id: $id) { id customAttributes } }"
    assert (await shared.ask(query, {"id": creator["id"]}))["customAttributes"] == creator[
        "customAttributes"
    ]
    outside = shared.sandbox.world.workspaces[0].id_of(Kind.CREATOR, 640)
    for missing in ("unknown", outside, shared.sandbox.world.workspaces[1].creator(0).id):
        assert (await shared.error(query, {"id": missing}))[1] == "NOT_FOUND"


@pytest.mark.parametrize("entity", ["CREATOR", "ITEM"])
async def test_schemas_list_the_options_of_selects_and_nothing_for_other_types(
    shared: Client, entity: str
) -> None:
    schemas = await shared.ask(
        f"{{ customAttributeSchemas(entity: {entity}) {{ key name type aiGenerated options {{ "
        "id name } } }"
    )
    assert [schema["key"] for schema in schemas] == [
        attribute.key for attribute in ATTRIBUTES[entity]
    ]
    for schema in schemas:
        assert (schema["options"] is not None) == ("SELECT" in schema["type"])


async def test_attributes_of_creators_and_items_have_the_keys_of_their_schemas(
    shared: Client,
) -> None:
    creator = (await shared.ask(CREATORS))["nodes"][0]
    assert set(creator["customAttributes"]) == {
        attribute.key for attribute in ATTRIBUTES["CREATOR"]
    }
    item = (await shared.ask("{ items { nodes { customAttributes } } }"))["nodes"][0]
    assert set(item["customAttributes"]) == {attribute.key for attribute in ATTRIBUTES["ITEM"]}


CONDITIONS: list[tuple[Json, Callable[[Json], bool]]] = [
    (condition("full_name", "CONTAINS", "TEXT", "maya"), lambda a: "Maya" in a["full_name"]),
    (
        condition("full_name", "DOES_NOT_CONTAIN", "TEXT", "maya"),
        lambda a: "Maya" not in a["full_name"],
    ),
    (
        condition("full_name", "STARTS_WITH", "TEXT", "Ma"),
        lambda a: a["full_name"].startswith("Ma"),
    ),
    (
        condition("full_name", "ENDS_WITH", "TEXT", "berg"),
        lambda a: a["full_name"].lower().endswith("berg"),
    ),
    (
        condition("location", "IS", "TEXT", "Oslo, Norway"),
        lambda a: a["location"] == "Oslo, Norway",
    ),
    (
        condition("location", "IS_NOT", "TEXT", "Oslo, Norway"),
        lambda a: a["location"] != "Oslo, Norway",
    ),
    (
        condition("location", "CONTAINS", "TEXT", ["Oslo", "Tokyo"]),
        lambda a: a["location"][:4] in {"Oslo", "Toky"},
    ),
    (condition("emails", "CONTAINS", "TEXT", "zoe."), lambda a: a["emails"][0].startswith("zoe.")),
    (condition("emails", "IS_EMPTY", "TEXT"), lambda a: a["emails"] == []),
    (condition("emails", "IS_NOT_EMPTY", "TEXT"), lambda a: a["emails"] != []),
    (
        condition("phone_numbers", "CONTAINS_ALL", "TEXT_LIST", ["+1555", "0"]),
        lambda a: "0" in a["phone_numbers"][0],
    ),
    (condition("notes", "IS_NOT_EMPTY", "TEXT"), lambda a: a["notes"] is not None),
    (condition("website", "CONTAINS", "URL", ".example"), lambda a: ".example" in a["website"]),
    (condition("age", "EQUAL", "NUMBER", 30), lambda a: a["age"] == 30),
    (condition("age", "NOT_EQUAL", "NUMBER", 30), lambda a: a["age"] != 30),
    (condition("age", "LESS_THAN", "NUMBER", 25), lambda a: a["age"] < 25),
    (condition("age", "LESS_THAN_OR_EQUAL", "NUMBER", 25), lambda a: a["age"] <= 25),
    (condition("age", "MORE_THAN", "NUMBER", 40), lambda a: a["age"] > 40),
    (condition("age", "MORE_THAN_OR_EQUAL", "NUMBER", 40), lambda a: a["age"] >= 40),
    (condition("age", "BETWEEN", "NUMBER", {"from": 30, "to": 35}), lambda a: 30 <= a["age"] <= 35),
    (condition("favourite", "IS", "BOOLEAN", True), lambda a: a["favourite"] is True),
    (condition("birthday", "LESS_THAN", "DATE", "1995-01-01"), lambda a: a["birthday"] < "1995"),
    (
        condition("last_contacted_at", "MORE_THAN", "DATETIME", "2026-11-01T00:00:00Z"),
        lambda a: a["last_contacted_at"] > "2026-11-01",
    ),
    (
        condition(
            "last_contacted_at",
            "IS_RELATIVE_TO_TODAY",
            "DATETIME",
            {"relation": "this", "period": "month"},
        ),
        lambda a: a["last_contacted_at"].startswith("2026-11"),
    ),
    (
        condition(
            "last_contacted_at",
            "IS_RELATIVE_TO_TODAY",
            "DATETIME",
            {"relation": "past", "period": "month", "offset": 2},
        ),
        lambda a: a["last_contacted_at"][:7] in {"2026-09", "2026-10"},
    ),
    (
        condition(
            "last_contacted_at",
            "IS_RELATIVE_TO_TODAY",
            "DATETIME",
            {"relation": "past", "period": "week"},
        ),
        lambda a: "2026-11-09" <= a["last_contacted_at"] < "2026-11-16",
    ),
    (
        condition(
            "last_contacted_at",
            "IS_RELATIVE_TO_TODAY",
            "DATETIME",
            {"relation": "past", "period": "day"},
        ),
        lambda a: a["last_contacted_at"].startswith("2026-11-20"),
    ),
]


@pytest.mark.parametrize(
    ("asked", "holds"), CONDITIONS, ids=[f"{c['field']} {c['operator']}" for c, _ in CONDITIONS]
)
async def test_conditions_choose_the_creators_they_describe(
    shared: Client, asked: Json, holds: Callable[[Json], bool]
) -> None:
    assert all(holds(attributes) for attributes in await held(shared, asked))


async def test_selects_are_asked_by_option_id(shared: Client) -> None:
    labels, genders = await options(shared, "labels"), await options(shared, "gender")
    kind = "MULTIPLE_SELECT_V2"
    either = await held(
        shared, condition("labels", "CONTAINS", kind, [labels["VIP"], labels["Gifted"]])
    )
    assert all({labels["VIP"], labels["Gifted"]} & set(a["labels"]) for a in either)
    both = await held(
        shared, condition("labels", "CONTAINS_ALL", kind, [labels["VIP"], labels["Gifted"]])
    )
    assert all({labels["VIP"], labels["Gifted"]} <= set(a["labels"]) for a in both)
    none = await held(shared, condition("labels", "DOES_NOT_CONTAIN", kind, labels["VIP"]))
    assert all(labels["VIP"] not in a["labels"] for a in none)
    same = await held(shared, condition("gender", "IS", "SINGLE_SELECT_V2", genders["Female"]))
    assert {a["gender"] for a in same} == {genders["Female"]}
    other = await held(shared, condition("gender", "IS_NOT", "SINGLE_SELECT_V2", genders["Female"]))
    assert genders["Female"] not in {a["gender"] for a in other}


async def test_all_conditions_must_hold(shared: Client) -> None:
    found = await held(
        shared,
        condition("age", "LESS_THAN", "NUMBER", 30),
        condition("emails", "IS_NOT_EMPTY", "TEXT"),
    )
    assert all(a["age"] < 30 and a["emails"] for a in found)


async def test_items_take_conditions_too(shared: Client) -> None:
    great = (await options(shared, "content_rating", "ITEM"))["Great"]
    query = (
        "query($c: [CustomAttributeConditionInput!]) { items(first: 100, "
        "customAttributeConditions: $c) {"
        " totalCount nodes { customAttributes } } }"
    )
    wanted = [condition("content_rating", "IS", "SINGLE_SELECT_V3", great)]
    page = await shared.ask(query, {"c": wanted})
    assert 0 < page["totalCount"] < 4000
    assert {item["customAttributes"]["content_rating"] for item in page["nodes"]} == {great}


@pytest.mark.parametrize(
    "asked",
    [
        condition("full_name", "IS", "NUMBER", 1),
        condition("emails", "CONTAINS", "TEXT_LIST", "x"),
        condition("labels", "CONTAINS", "MULTIPLE_SELECT_V2", ["VIP"]),
        condition("gender", "IS", "SINGLE_SELECT_V2", "Female"),
        condition("gender", "CONTAINS", "SINGLE_SELECT_V2", "Female"),
        condition("shipping_address", "IS_EMPTY", "SHIPPING_ADDRESS"),
        condition("full_name", "BETWEEN", "TEXT", {"from": "a", "to": "b"}),
        condition("full_name", "CONTAINS", "TEXT", ""),
        condition("full_name", "CONTAINS", "TEXT", ["a", 1]),
        condition("full_name", "CONTAINS", "TEXT"),
        condition("notes", "IS_EMPTY", "TEXT", "x"),
        condition("age", "EQUAL", "NUMBER", "30"),
        condition("age", "BETWEEN", "NUMBER", {"from": 1}),
        condition("age", "IS", "NUMBER", 30),
        condition("favourite", "IS", "BOOLEAN", "true"),
        condition("birthday", "EQUAL", "DATE", "1.2.1990"),
        condition("last_contacted_at", "MORE_THAN", "DATETIME", "2026-11-01T00:00:00+02:00"),
        condition(
            "birthday", "IS_RELATIVE_TO_TODAY", "DATE", {"relation": "last", "period": "month"}
        ),
        condition(
            "birthday",
            "IS_RELATIVE_TO_TODAY",
            "DATE",
            {"relation": "past", "period": "month", "offset": "2"},
        ),
        condition("birthday", "IS_RELATIVE_TO_TODAY", "DATE", "past month"),
    ],
    ids=lambda c: f"{c['field']} {c['operator']} {c['value']}",
)
async def test_a_condition_that_cannot_be_asked_is_refused(shared: Client, asked: Json) -> None:
    await shared.error(CREATORS, {"conditions": [asked]})


async def test_creators_are_narrowed_by_canonical_places(shared: Client) -> None:
    page = await shared.ask(CREATORS, {"filter": {"locations": [{"country": "Germany"}]}})
    assert {c["customAttributes"]["location"] for c in page["nodes"]} == {
        "Berlin, Germany",
        "Hamburg, Germany",
    }


async def test_a_condition_on_a_key_that_does_not_exist_matches_nothing(shared: Client) -> None:
    asked = [condition("no_such_field", "IS", "TEXT", "x")]

    assert (await shared.ask(CREATORS, {"conditions": asked}))["totalCount"] == 0


async def test_a_creator_view_applies_its_conditions_and_silences_the_callers(
    shared: Client,
) -> None:
    vip = (await options(shared, "labels"))["VIP"]
    view = shared.sandbox.world.workspaces[0].id_of(Kind.CREATOR_VIEW, 0)
    broken = [condition("no_such_field", "IS", "TEXT", "x")]
    page = await shared.ask(
        CREATORS, {"preset": view, "conditions": broken, "filter": {"locations": [{"city": "X"}]}}
    )
    assert 0 < page["totalCount"] < 640
    assert all(vip in creator["customAttributes"]["labels"] for creator in page["nodes"])


async def test_a_creator_view_that_only_has_filters_returns_everybody(shared: Client) -> None:
    view = shared.sandbox.world.workspaces[0].id_of(Kind.CREATOR_VIEW, 1)
    assert (await shared.ask(CREATORS, {"preset": view}))["totalCount"] == 640


async def test_other_presets_are_refused_with_the_documented_codes(shared: Client) -> None:
    main, outdoor = shared.sandbox.world.workspaces[:2]
    codes = {
        main.id_of(Kind.CONTENT_VIEW, 0): "WRONG_VIEW_TYPE",
        main.collections[0].id: "WRONG_VIEW_TYPE",
        main.id_of(Kind.PROFILE_VIEW, 0): "WRONG_VIEW_TYPE",
        main.id_of(Kind.CREATOR_VIEW, 9): "NOT_FOUND",
        outdoor.id_of(Kind.CREATOR_VIEW, 0): "NOT_FOUND",
        "unknown": "NOT_FOUND",
    }
    for preset, code in codes.items():
        assert (await shared.error(CREATORS, {"preset": preset}))[1] == code


async def test_a_profile_is_found_by_id_or_by_account_and_platform(shared: Client) -> None:
    known = (await shared.ask(CREATORS))["nodes"][0]["socialProfiles"][0]
    by_id = await shared.ask(PROFILE, {"id": known["id"]})
    by_name = await shared.ask(
        PROFILE, {"name": known["accountName"].upper(), "provider": known["provider"]}
    )
    assert by_id == by_name
    assert by_id["creator"] == known["creator"]


async def test_a_profile_that_is_not_archived_is_null_unless_fallback_is_asked(
    shared: Client,
) -> None:
    asked = {"name": "somebody.new", "provider": "TIKTOK"}
    assert await shared.ask(PROFILE, asked) is None
    fetched = await shared.ask(PROFILE, {**asked, "fallback": True})
    assert (fetched["accountName"], fetched["creator"]) == ("somebody.new", None)
    assert await shared.ask(PROFILE, {**asked, "name": "no such name!", "fallback": True}) is None
    assert await shared.ask(PROFILE, {"id": "unknown"}) is None


async def test_profiles_of_another_workspace_stay_hidden(shared: Client) -> None:
    known = (await shared.ask(CREATORS))["nodes"][0]["socialProfiles"][0]
    assert await shared.ask(PROFILE, {"id": known["id"]}, workspace=OUTDOOR) is None


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"name": "maya"},
        {"provider": "TIKTOK"},
        {"id": "x", "name": "maya"},
        {"id": "x", "name": "maya", "provider": "TIKTOK"},
        {"id": "x", "provider": "TIKTOK"},
    ],
)
async def test_a_profile_needs_one_complete_way_of_naming_it(shared: Client, given: Json) -> None:
    await shared.error(PROFILE, given)
