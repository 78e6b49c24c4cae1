from __future__ import annotations

from typing import Any

import pytest
from graphql import build_schema, parse, validate

from server.archive import attributes
from server.errors import Code
from tests.support.archive.home import (
    CREATOR,
    GIFTED,
    HOME,
    LABELS,
    LOWER,
    OTHER,
    REVIEW,
    TWIN_A,
    TWIN_B,
    VIP,
    Home,
    select,
)
from tests.support.paths import SCHEMA
from tests.support.tools.calling import parsed
from tools.archive.content.items import SearchItems
from tools.archive.creators import SearchCreators
from tools.archive.views.creators import CreateCreatorView


def creators(
    value: Any,
    *,
    field: str = "labels",
    kind: str = "MULTIPLE_SELECT_V2",
    operator: str = "CONTAINS",
    **more: Any,
) -> SearchCreators:
    condition = {"field": field, "operator": operator, "type": kind, "value": value}
    request = parsed(SearchCreators, fields=["id"], customAttributeConditions=[condition], **more)
    assert isinstance(request, SearchCreators)
    return request


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("VIP", VIP),
        ("vip", VIP),
        (" vip ", VIP),
        ("Gifted", GIFTED),
        ("gifted", LOWER),
        (["VIP", "Gifted"], [VIP, GIFTED]),
        ([GIFTED.upper(), "VIP"], [GIFTED.upper(), VIP]),
        ("Twin one", TWIN_A),
    ],
)
async def test_the_name_of_an_option_is_sent_as_its_id(value: Any, sent: Any) -> None:
    home = Home()

    await home.perform(creators(value))

    assert home.operations == ["customAttributeSchemas", "creators"]
    assert home.archive.calls[0].variables == {"entity": "CREATOR"}
    assert home.archive.calls[0].workspace == HOME
    assert home.asked == sent


@pytest.mark.parametrize("value", [VIP, VIP.upper(), [VIP, GIFTED]])
async def test_ids_of_options_are_sent_as_they_are(value: Any) -> None:
    home = Home()

    await home.perform(creators(value))

    assert home.operations == ["customAttributeSchemas", "creators"]
    assert home.asked == value


async def test_an_id_that_is_no_option_of_the_attribute_is_refused() -> None:
    failure = await Home().refused(creators(REVIEW))

    assert failure.message.startswith(f"`labels` has no option '{REVIEW}'.")


async def test_no_condition_costs_no_request() -> None:
    home = Home()

    await home.perform(parsed(SearchCreators, fields=["id"]))

    assert home.operations == ["creators"]


async def test_a_condition_without_a_value_is_sent_without_one() -> None:
    home = Home()
    condition = {"field": "labels", "operator": "IS_EMPTY", "type": "MULTIPLE_SELECT_V2"}

    await home.perform(parsed(SearchCreators, fields=["id"], customAttributeConditions=[condition]))

    assert home.archive.calls[-1].variables["customAttributeConditions"] == [condition]


async def test_items_have_attributes_of_their_own() -> None:
    home = Home()
    condition = {
        "field": "themes",
        "operator": "CONTAINS",
        "type": "MULTIPLE_SELECT_V2",
        "value": "review",
    }

    await home.perform(parsed(SearchItems, fields=["id"], customAttributeConditions=[condition]))

    assert home.archive.calls[0].variables == {"entity": "ITEM"}
    assert home.asked == REVIEW


async def test_the_conditions_of_a_new_view_may_name_options_too() -> None:
    home = Home()
    condition = {
        "field": "labels",
        "operator": "CONTAINS",
        "type": "MULTIPLE_SELECT_V2",
        "value": ["VIP", GIFTED],
    }

    given = {"name": "V", "filters": {}, "customAttributeConditions": [condition]}
    await home.perform(parsed(CreateCreatorView, input=given))

    assert home.operations == ["customAttributeSchemas", "createCreatorView"]
    sent = home.archive.calls[-1].variables["input"]["customAttributeConditions"]
    assert sent == [{**condition, "value": [VIP, GIFTED]}]


async def test_schemas_are_read_once_for_each_workspace_and_entity() -> None:
    home = Home()

    for workspace in (HOME, OTHER, HOME, OTHER):
        await home.perform(creators("VIP", workspace=workspace))

    read = [
        call.workspace for call in home.archive.calls if call.operation == "customAttributeSchemas"
    ]
    assert read == [HOME, OTHER]


async def test_an_option_that_is_new_is_found_once_the_schemas_are_not_fresh() -> None:
    home = Home()
    await home.perform(creators("VIP"))
    home.schemas["CREATOR"] = [select("labels", "Labels", "MULTIPLE_SELECT_V2", New=TWIN_A)]

    home.archive.clock.now += 30
    assert (await home.refused(creators("New"))).code is Code.INVALID_ARGUMENT
    assert home.operations.count("customAttributeSchemas") == 1

    home.archive.clock.now += 1
    await home.perform(creators("New"))
    assert home.asked == TWIN_A
    assert home.operations.count("customAttributeSchemas") == 2


async def test_an_unknown_name_is_refused_with_those_that_exist() -> None:
    home = Home()

    failure = await home.refused(creators(["VIP", "Giftde"]))

    assert failure.code is Code.INVALID_ARGUMENT
    assert failure.message == "`labels` has no option 'Giftde'. Did you mean `gifted`?"
    assert failure.hint == "Its options: VIP, Gifted, gifted, Twin one, TWIN ONE."
    assert home.operations == ["customAttributeSchemas"]


async def test_a_long_list_of_options_is_cut() -> None:
    home = Home()
    many = {f"Option_{n}": f"0f8fad5b-d9cb-469f-a165-{n:012d}" for n in range(25)}
    home.schemas["CREATOR"] = [select("labels", "Labels", "MULTIPLE_SELECT_V2", **many)]

    failure = await home.refused(creators("zzz"))

    assert "Option 19, 5 more ({customAttributeSchemas} lists them)." in failure.hint
    assert "Option 20" not in failure.hint


async def test_an_attribute_without_options_says_so() -> None:
    home = Home()
    home.schemas["CREATOR"] = [{**LABELS, "options": None}]

    assert (await home.refused(creators("VIP"))).hint == "Its options: none."


async def test_a_name_that_two_options_have_is_ambiguous() -> None:
    failure = await Home().refused(creators("twin ONE"))

    assert failure.code is Code.AMBIGUOUS
    assert failure.message == "2 options of `labels` are called 'twin ONE'."
    assert failure.details["candidates"] == [
        {"id": TWIN_A, "name": "Twin one"},
        {"id": TWIN_B, "name": "TWIN ONE"},
    ]


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("label", "There is no custom attribute 'label' of creators. Did you mean `labels`?"),
        (
            "relationship STATUS",
            "There is no custom attribute 'relationship STATUS' of creators. Did you mean "
            "`collaboration_status",
        ),
        ("zzz", "There is no custom attribute 'zzz' of creators."),
    ],
)
async def test_an_unknown_attribute_is_refused_with_the_one_that_may_be_meant(
    field: str, message: str
) -> None:
    failure = await Home().refused(creators("VIP", field=field))

    assert failure.message.startswith(message)
    assert failure.hint == (
        "Attributes here: full_name (TEXT), emails (TEXT), labels (MULTIPLE_SELECT_V2), "
        "collaboration_status (SINGLE_SELECT_V3)."
    )


async def test_a_text_on_a_key_that_the_workspace_lacks_is_refused_before_the_search() -> None:
    home = Home()
    home.schemas["CREATOR"] = [{"key": "email", "name": "E-mail", "type": "EMAIL", "options": []}]

    failure = await home.refused(creators("@", field="emails", kind="TEXT"))

    assert failure.code is Code.INVALID_ARGUMENT
    assert failure.message == (
        "There is no custom attribute 'emails' of creators. Did you mean `email`?"
    )
    assert failure.hint == "Attributes here: email (EMAIL)."
    assert home.operations == ["customAttributeSchemas"]


async def test_an_attribute_that_is_new_is_found_once_the_schemas_are_not_fresh() -> None:
    home = Home()
    await home.perform(creators("VIP"))
    home.schemas["CREATOR"] = [*CREATOR, select("tier", "Tier", "SINGLE_SELECT_V3", Gold=TWIN_A)]
    home.archive.clock.now += 31

    await home.perform(creators("Gold", field="tier", kind="SINGLE_SELECT_V3", operator="IS"))

    assert home.asked == TWIN_A


@pytest.mark.parametrize(
    ("field", "kind", "right"),
    [
        ("labels", "SINGLE_SELECT_V3", "MULTIPLE_SELECT_V2"),
        ("full_name", "SINGLE_SELECT_V3", "TEXT"),
        ("full_name", "NUMBER", "TEXT"),
        ("emails", "MULTIPLE_SELECT", "TEXT"),
    ],
)
async def test_a_wrong_type_is_refused_with_the_right_one(
    field: str, kind: str, right: str
) -> None:
    failure = await Home().refused(creators(["VIP"], field=field, kind=kind))

    assert failure.message == f"`{field}` is of type {right}, not {kind}."
    assert right in failure.hint


@pytest.mark.parametrize(
    ("field", "kind", "operator", "value", "sent"),
    [
        # The schema lists it as a list, and Archive filters it as a text.
        ("emails", "TEXT_LIST", "IS_NOT_EMPTY", None, "TEXT"),
        ("emails", "EMAIL", "CONTAINS", "@", "TEXT"),
        ("full_name", "URL", "IS", "Zoe", "TEXT"),
        ("labels", "MULTIPLE_SELECT", "CONTAINS", "VIP", "MULTIPLE_SELECT_V2"),
        ("collaboration_status", "SINGLE_SELECT_V2", "IS", "Active", "SINGLE_SELECT_V3"),
    ],
)
async def test_a_type_of_the_same_family_is_sent_as_the_one_that_archive_takes(
    field: str, kind: str, operator: str, value: Any, sent: str
) -> None:
    home = Home()

    await home.perform(creators(value, field=field, kind=kind, operator=operator))

    assert home.operations == ["customAttributeSchemas", "creators"]
    (condition,) = home.archive.calls[-1].variables["customAttributeConditions"]
    assert condition["type"] == sent


async def test_every_select_is_looked_at_once_the_schemas_are_known() -> None:
    home = Home()
    wrong = {"field": "collaboration_status", "operator": "IS", "type": "TEXT", "value": "Active"}
    named = {
        "field": "labels",
        "operator": "CONTAINS",
        "type": "MULTIPLE_SELECT_V2",
        "value": "VIP",
    }

    failure = await home.refused(parsed(SearchCreators, customAttributeConditions=[named, wrong]))

    assert failure.message == "`collaboration_status` is of type SINGLE_SELECT_V3, not TEXT."


@pytest.mark.parametrize(
    ("operator", "field", "kind", "choices"),
    [
        ("EQUAL", "full_name", "TEXT", "IS, IS_NOT, CONTAINS, DOES_NOT_CONTAIN, STARTS_WITH"),
        ("IS", "labels", "MULTIPLE_SELECT_V2", "CONTAINS, CONTAINS_ALL, DOES_NOT_CONTAIN"),
        ("CONTAINS", "collaboration_status", "SINGLE_SELECT_V3", "IS, IS_NOT, IS_EMPTY"),
    ],
)
async def test_an_operator_that_the_type_lacks_is_refused_with_those_it_has(
    operator: str, field: str, kind: str, choices: str
) -> None:
    failure = await Home().refused(creators("VIP", field=field, kind=kind, operator=operator))

    assert failure.message == f"`{field}` is of type {kind}, which has no {operator}."
    assert failure.hint.startswith(f"It takes {choices}")


@pytest.mark.parametrize("kind", ["TEXT", "TEXT_LIST"])
async def test_another_list_of_texts_is_filtered_as_either(kind: str) -> None:
    home = Home()
    home.schemas["CREATOR"] = [{"key": "urls", "name": "U", "type": "TEXT_LIST", "options": []}]

    await home.perform(creators("x", field="urls", kind=kind))

    assert home.operations[-1] == "creators"
    assert home.archive.calls[-1].variables["customAttributeConditions"][0]["type"] == kind


async def test_an_attribute_of_a_type_that_is_new_to_us_takes_every_operator() -> None:
    home = Home()
    home.schemas["CREATOR"] = [{"key": "ages", "name": "A", "type": "NUMBER_LIST", "options": []}]

    await home.perform(creators(3, field="ages", kind="NUMBER_LIST", operator="MORE_THAN"))

    assert home.operations[-1] == "creators"


async def test_a_text_and_a_select_go_together() -> None:
    home = Home()
    named = {
        "field": "labels",
        "operator": "CONTAINS",
        "type": "MULTIPLE_SELECT_V2",
        "value": "VIP",
    }
    mail = {"field": "emails", "operator": "CONTAINS", "type": "TEXT", "value": "@"}

    await home.perform(
        parsed(SearchCreators, fields=["id"], customAttributeConditions=[named, mail])
    )

    assert home.operations[-1] == "creators"


async def test_a_search_by_name_goes_on_with_its_cursor() -> None:
    home = Home()

    first = await home.perform(creators("VIP", limit=1))
    rest = await home.perform(creators("VIP", limit=1, after=first["nextCursor"]))

    assert [first["nodes"], rest["nodes"]] == [[{"id": "1"}], [{"id": "2"}]]
    assert home.operations == ["customAttributeSchemas", "creators", "creators"]


@pytest.mark.parametrize(
    "answer", [None, [{"key": "labels"}], [{**LABELS, "options": [{"id": VIP}]}], ["labels"]]
)
async def test_schemas_that_cannot_be_read_are_told(answer: Any) -> None:
    home = Home()
    home.schemas["CREATOR"] = answer

    assert (await home.refused(creators("VIP"))).code is Code.BAD_RESPONSE


def test_the_document_for_the_schemas_is_one_that_archive_accepts() -> None:
    file = SCHEMA

    assert (
        validate(build_schema(file.read_text(encoding="utf-8")), parse(attributes._SCHEMAS)) == []
    )


async def test_all_creators_for_a_narrow_condition_are_doubted() -> None:
    home = Home()
    home.total = 40

    answer = await home.perform(creators("VIP"))

    (note,) = answer["notes"]
    assert note.startswith("As many (40) came as without labels CONTAINS: either all fit")
    assert "creator view" in note
    assert home.operations == ["customAttributeSchemas", "creators", "creators"]
    assert home.archive.calls[-1].variables == {"first": 1}
