from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import anyio
import pytest

from server.errors import Code, Failure
from server.resources import workspace as module
from server.resources.templates import Template
from tests.support.shop import (
    ALL,
    KINDS,
    ONE,
    OPERATION,
    TEMPLATES,
    Shop,
    served,
)


async def read(shop: Shop, uri: str, **offer: Any) -> Any:
    return json.loads((await served(shop, **offer).read(uri)).text)


async def expect_refusal(shop: Shop, uri: str, **offer: Any) -> Failure:
    with pytest.raises(Failure) as caught:
        await served(shop, **offer).read(uri)
    return caught.value


def test_the_templates_of_an_offered_backend_are_listed_whatever_the_toolsets() -> None:
    listed = served(Shop(), toolsets=["discover"], read_only=True).list_templates()

    assert [each["uriTemplate"] for each in listed] == [OPERATION, ALL, ONE, KINDS]
    assert set(listed[0]) == {"uriTemplate", "name", "title", "description", "mimeType"}
    assert served(Shop(), backends=set()).list_templates() == []


@pytest.mark.parametrize(
    ("part", "name"),
    [
        ("Summer", "Summer"),
        ("Spring%20Sale", "Spring Sale"),
        ("Spring Sale", "Spring Sale"),
        ("A%2FB", "A/B"),
        ("50%25%20off", "50% off"),
        ("a+b", "a+b"),
        ("what%3F%23", "what?#"),
        ("Caf%C3%A9", "Café"),
        ("Café", "Café"),
        ("%F0%9F%91%A9%E2%80%8D%F0%9F%92%BB", "👩\u200d💻"),
        ("%E6%98%A5", "春"),
    ],
)
async def test_a_part_of_an_address_is_decoded(part: str, name: str) -> None:
    shop = Shop()
    await read(shop, f"shop://workspace/{part}/things")

    assert shop.asked[0]["workspace"] == name


@pytest.mark.parametrize("part", ["%", "%zz", "50% off", "%ff", "%C3", "%00", "a%0Ab", "%20", " "])
async def test_what_is_not_percent_encoded_utf8_is_refused_before_anything_is_asked(
    part: str,
) -> None:
    shop = Shop()
    failure = await expect_refusal(shop, f"shop://workspace/{part}/things")

    assert failure.code is Code.INVALID_ARGUMENT
    assert "%2F" in failure.hint
    assert shop.asked == []


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "shop://",
        "shop://workspace//things",
        "shop://workspace/a/things/",
        "shop://workspace/a/things/b/c",
        "xshop://workspace/a/things",
        "shop://workspace/a/things\n",
        "shop://operation/",
        "bank://x",
        "{workspace}",
    ],
)
async def test_an_address_of_no_template_is_answered_with_those_there_are(uri: str) -> None:
    failure = await expect_refusal(Shop(), uri)

    assert failure.code is Code.NOT_FOUND
    assert ALL in failure.message
    assert "bank://" not in failure.message.removeprefix(f"There is no resource {uri!r}")


async def test_a_list_is_read_whole_however_it_is_cut() -> None:
    shop = Shop([f"n{number}" for number in range(25)], page=10)
    found = await read(shop, "shop://workspace/w/things")

    assert [each["name"] for each in found["nodes"]] == shop.names
    assert found["nextCursor"] is None
    assert found["notes"] == ["At the end."]
    assert [(each["limit"], each.get("after")) for each in shop.asked] == [
        (1000, None),
        (990, "10"),
        (980, "20"),
    ]


async def test_a_list_ends_at_a_thousand_records_and_says_how_to_go_on() -> None:
    shop = Shop([f"n{number}" for number in range(1200)], page=300)
    found = await read(shop, "shop://workspace/w/things")

    assert (len(found["nodes"]), found["totalCount"], found["nextCursor"]) == (1000, 1200, "1000")
    assert found["notes"] == [
        "These are the first 1000: continue with shop_list_things, `after` set to `nextCursor`."
    ]


async def test_a_record_is_read_by_name_through_its_id() -> None:
    shop = Shop()
    found = await read(shop, "shop://workspace/w/things/winter")

    assert found == {"id": "id-1", "name": "found"}
    assert shop.asked[0]["fields"] == ["id", "name"]
    assert shop.asked[1] == {"is": "thing", "workspace": "w", "id": "id-1"}


async def test_an_id_is_taken_as_it_is_without_looking_it_up() -> None:
    shop = Shop()
    await read(shop, "shop://workspace/w/things/0F4AE1A6-96f3-4a51-8f27-0c6d1f6f8a11")

    assert [each["is"] for each in shop.asked] == ["thing"]
    assert shop.asked[0]["id"] == "0f4ae1a6-96f3-4a51-8f27-0c6d1f6f8a11"


@pytest.mark.parametrize(
    ("part", "number"),
    [
        ("id-3", 3),
        ("Sale", 1),
        ("SALE%20A%2FB", 2),
        ("caf%C3%A9", 3),
        ("cafe%CC%81", 3),
        ("a%2Fb", 2),
    ],
)
async def test_the_best_kind_of_match_counts(part: str, number: int) -> None:
    shop = Shop(["Sale 2", "Sale", "Sale A/B", "Café"])
    found = await read(shop, f"shop://workspace/w/things/{part}")

    assert found["id"] == f"id-{number}"


async def test_a_name_that_fits_several_is_ambiguous_and_their_ids_are_told() -> None:
    failure = await expect_refusal(
        Shop(["Sale", "Sale", "Winter"]), "shop://workspace/w/things/Sale"
    )

    assert failure.code is Code.AMBIGUOUS
    assert "Sale (id-0), Sale (id-1)" in failure.message


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["Winter {things}"], "Did you mean 'Winter {things}'?"),
        (["Abc {things}"], "The choices are: Abc {things}."),
        ([], "The choices are: none."),
    ],
)
async def test_an_unknown_name_is_told_what_there_is_in_its_own_words(
    names: list[str], told: str
) -> None:
    failure = await expect_refusal(Shop(names), "shop://workspace/w/things/winter%20%7Bthinks%7D")

    assert failure.code is Code.NOT_FOUND
    assert failure.message.endswith(told)


async def test_a_name_is_looked_up_by_the_list_of_now() -> None:
    shop = Shop()
    found = served(shop)
    await found.complete(ONE, "thing", "", {"workspace": "w"})
    shop.names = ["Autumn", "Old", "Summer"]

    assert "id-2" in (await found.read("shop://workspace/w/things/Summer")).text


@pytest.mark.parametrize(("kind", "operation"), [("thing", "things"), ("PART", "parts")])
async def test_a_variable_decides_which_operation_is_read(kind: str, operation: str) -> None:
    shop = Shop()
    await read(shop, f"shop://workspace/w/all/{kind}")

    assert [each["is"] for each in shop.asked] == [operation]


async def test_a_value_outside_a_closed_set_gets_a_suggestion() -> None:
    shop = Shop()
    failure = await expect_refusal(shop, "shop://workspace/w/all/parts")

    assert failure.code is Code.INVALID_ARGUMENT
    assert failure.hint == "Did you mean part? It is one of: thing, part."
    assert shop.asked == []


async def test_a_failure_of_the_operation_is_told_with_its_hint_rendered() -> None:
    failure = await expect_refusal(
        Shop(broken=Failure(Code.FORBIDDEN, "No.", "See {things}.")), "shop://workspace/w/things"
    )

    assert (failure.code, failure.message, failure.hint) == (
        Code.FORBIDDEN,
        "No.",
        "See shop_list_things.",
    )


async def test_a_fault_of_the_server_is_masked(caplog: pytest.LogCaptureFixture) -> None:
    failure = await expect_refusal(Shop(broken=KeyError("secret")), "shop://workspace/w/things")

    assert failure.code is Code.INTERNAL
    assert "secret" not in failure.message + failure.hint
    assert "resources/read" in caplog.text


async def test_a_read_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CALL_SECONDS", 0.01)
    failure = await expect_refusal(Shop(before=anyio.sleep_forever), "shop://workspace/w/things")

    assert failure.code is Code.TIMEOUT
    assert failure.retryable


@pytest.mark.parametrize("name", ["thing", "shop_get_thing"])
async def test_a_schema_is_found_by_operation_and_by_tool_without_asking_anybody(name: str) -> None:
    shop = Shop()
    content = await served(shop).read(f"shop://operation/{name}")
    found = json.loads(content.text)

    assert (found["operation"], found["tool"]) == ("thing", "shop_get_thing")
    assert shop.asked == []
    assert content.is_fixed


async def test_what_was_read_from_an_api_is_not_fixed() -> None:
    assert not (await served(Shop()).read("shop://workspace/w/things")).is_fixed


async def test_an_unknown_operation_gets_a_suggestion_or_all_names() -> None:
    near, far = (
        await expect_refusal(Shop(), "shop://operation/partz"),
        await expect_refusal(Shop(), "shop://operation/qqq"),
    )

    assert near.code is far.code is Code.NOT_FOUND
    assert near.hint == "Did you mean parts?"
    assert far.hint == "Operations: things, parts, thing, dropThing."


async def test_a_template_knows_only_the_operations_of_its_backend() -> None:
    backends = {"shop", "bank"}
    failure = await expect_refusal(Shop(), "shop://operation/account", backends=backends)
    names = await served(Shop(), backends=backends).complete(OPERATION, "name", "", {})

    assert failure.code is Code.NOT_FOUND
    assert "account" not in names.values
    assert (await read(Shop(), "bank://account", backends=backends))["tool"] == "bank_get_account"


async def test_a_read_only_server_knows_no_writes() -> None:
    failure = await expect_refusal(Shop(), "shop://operation/dropThing", read_only=True)

    assert failure.code is Code.READ_ONLY
    assert (
        "dropThing"
        not in (await served(Shop(), read_only=True).complete(OPERATION, "name", "", {})).values
    )


def test_a_template_comes_back_from_the_packaged_file_as_it_was() -> None:
    rows: list[Mapping[str, Any]] = [json.loads(json.dumps(asdict(each))) for each in TEMPLATES]

    assert [Template.from_row(row) for row in rows] == TEMPLATES
