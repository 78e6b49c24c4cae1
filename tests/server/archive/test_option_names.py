from __future__ import annotations

import pytest

from tests.support.archive.home import (
    ACTIVE,
    GIFTED,
    REVIEW,
    VIP,
    Home,
    Json,
)
from tests.support.tools.calling import parsed
from tests.support.tools.through_sandbox import desk
from tools.archive.content.items import SearchItems
from tools.archive.creators import GetCreator, SearchCreators


def marked(number: int) -> Json:
    held = {
        "labels": [VIP, "unknown", GIFTED],
        "collaboration_status": ACTIVE,
        "full_name": VIP,
        "category": [VIP],
    }
    return {"id": str(number), "customAttributes": held}


NAMED = {
    "labels": ["VIP", "unknown", "Gifted"],
    "collaboration_status": "Active",
    "full_name": VIP,
    "category": [VIP],
}


@pytest.mark.parametrize("asked", [{}, {"optionNames": False}])
async def test_options_are_shown_as_ids_unless_names_are_asked_for(asked: Json) -> None:
    home = Home()
    home.record = marked

    answer = await home.perform(parsed(SearchCreators, fields=["id", "customAttributes"], **asked))

    assert answer["nodes"] == [marked(1), marked(2)]
    assert home.operations == ["creators"]


async def test_options_are_shown_by_name_where_that_is_asked_for() -> None:
    home = Home()
    home.record = marked

    answer = await home.perform(
        parsed(SearchCreators, fields=["id", "customAttributes"], optionNames=True)
    )

    assert [each["customAttributes"] for each in answer["nodes"]] == [NAMED, NAMED]
    assert "optionNames" not in home.archive.calls[-1].variables


async def test_one_creator_is_shown_with_names_too() -> None:
    home = Home()
    home.record = marked

    answer = await home.perform(parsed(GetCreator, id="1", fields=["*"], optionNames=True))

    assert answer["customAttributes"] == NAMED


async def test_an_item_and_the_creator_in_it_are_named_from_their_own_schemas() -> None:
    home = Home()
    home.record = lambda _: {
        "id": "1",
        "customAttributes": {"themes": [REVIEW]},
        "creator": marked(1),
        "socialProfile": {"creator": None},
    }

    fields = [
        "customAttributes",
        "creator.customAttributes",
        "socialProfile.creator.customAttributes",
    ]
    answer = await home.perform(parsed(SearchItems, fields=fields, optionNames=True, limit=1))

    assert answer["nodes"][0]["customAttributes"] == {"themes": ["Review"]}
    assert answer["nodes"][0]["creator"]["customAttributes"] == NAMED
    assert [call.variables for call in home.archive.calls[:2]] == [
        {"entity": "ITEM"},
        {"entity": "CREATOR"},
    ]


async def test_no_schema_is_read_for_records_without_attributes() -> None:
    home = Home()

    await home.perform(parsed(SearchItems, fields=["id"], optionNames=True))

    assert home.operations == ["items"]


async def test_a_cursor_of_an_answer_with_names_goes_on_with_names_only() -> None:
    home = Home()
    home.record = marked
    call: Json = {"fields": ["customAttributes"], "limit": 1}
    first = await home.perform(parsed(SearchCreators, optionNames=True, **call))

    rest = await home.perform(
        parsed(SearchCreators, optionNames=True, after=first["nextCursor"], **call)
    )
    failure = await home.refused(parsed(SearchCreators, after=first["nextCursor"], **call))

    assert rest["nodes"][0]["customAttributes"] == NAMED
    assert "other arguments" in failure.message


async def test_the_sandboxs_creators_are_found_and_shown_by_the_names_of_options() -> None:
    vip = {"field": "labels", "operator": "CONTAINS", "type": "MULTIPLE_SELECT_V2", "value": "vip"}
    call: Json = {
        "customAttributeConditions": [vip],
        "fields": ["id", "customAttributes"],
        "limit": 30,
    }
    async with desk() as at:
        named = await at.call(SearchCreators, optionNames=True, **call)
        plain = await at.call(SearchCreators, **call)
        one = await at.call(GetCreator, id=named["nodes"][0]["id"], optionNames=True)

    assert 0 < named["totalCount"] == plain["totalCount"]
    assert all("VIP" in each["customAttributes"]["labels"] for each in named["nodes"])
    assert all("VIP" not in each["customAttributes"]["labels"] for each in plain["nodes"])
    assert one["customAttributes"] == named["nodes"][0]["customAttributes"]
