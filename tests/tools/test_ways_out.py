"""What a failed or an empty answer says about the way on."""

from __future__ import annotations

from typing import Any

import pytest

from server.archive.operations import ArchiveRequest
from server.errors import Code
from server.tool.schema import input_schema
from tests.support.tools.calling import parsed
from tests.support.tools.through_sandbox import desk
from tools.archive.collections import AddItemToCollections, RemoveItemFromCollections
from tools.archive.content.items import SearchItems
from tools.archive.creators import SearchCreators
from tools.archive.views.content import CreateContentView, GetContentViews, UpdateContentView
from tools.archive.views.creators import CreateCreatorView, GetCreatorViews, UpdateCreatorView
from tools.archive.views.groups import ReorderViewsInGroup
from tools.archive.views.social_profiles import CreateSocialProfileView, GetSocialProfileViews

UNFIT = [
    {"field": "full_nam", "operator": "IS", "type": "TEXT", "value": "Mia"},
    {"field": "labels", "operator": "IS", "type": "TEXT", "value": "VIP"},
    {"field": "age", "operator": "CONTAINS", "type": "NUMBER", "value": 3},
    {
        "field": "collaboration_status",
        "operator": "IS",
        "type": "SINGLE_SELECT_V3",
        "value": ["Active", "New"],
    },
]
VIEW = {"name": "V", "filters": {}}
VIEWS: list[type[ArchiveRequest[Any]]] = [
    CreateContentView,
    CreateCreatorView,
    CreateSocialProfileView,
]


@pytest.mark.parametrize("condition", UNFIT)
@pytest.mark.parametrize("request_type", [SearchCreators, SearchItems])
async def test_a_condition_that_archive_refuses_leads_to_the_attributes(
    request_type: type[ArchiveRequest[Any]], condition: dict[str, Any]
) -> None:
    async with desk() as shop:
        failure = await shop.refused(request_type, customAttributeConditions=[condition])

    if failure.code is Code.REJECTED:
        assert failure.hint.startswith("{customAttributeSchemas} ")
    else:
        assert failure.hint


@pytest.mark.parametrize("request_type", VIEWS)
async def test_a_view_with_a_condition_on_no_attribute_leads_to_the_attributes(
    request_type: type[ArchiveRequest[Any]],
) -> None:
    async with desk() as shop:
        failure = await shop.refused(
            request_type, input={**VIEW, "customAttributeConditions": UNFIT[:1]}
        )

    # Known before anything is sent.
    assert failure.code is Code.INVALID_ARGUMENT
    assert failure.hint.startswith("Attributes here: ")


async def test_an_attribute_of_another_entity_is_told_apart_from_one_that_does_not_exist() -> None:
    condition = {
        "field": "labels",
        "operator": "CONTAINS",
        "type": "MULTIPLE_SELECT_V2",
        "value": "VIP",
    }
    async with desk() as shop:
        failure = await shop.refused(SearchItems, customAttributeConditions=[condition])

    assert failure.message == "There is no custom attribute 'labels' of items."


@pytest.mark.parametrize("request_type", [AddItemToCollections, RemoveItemFromCollections])
async def test_an_item_that_does_not_exist_leads_to_the_items(
    request_type: type[ArchiveRequest[Any]],
) -> None:
    async with desk() as shop:
        failure = await shop.refused(
            request_type, itemId="elsewhere", collectionNames=["Q3 Report"]
        )

    assert "Item not found" in failure.message
    assert "{items} " in failure.hint


async def test_a_group_that_does_not_exist_leads_to_those_that_do() -> None:
    async with desk() as shop:
        failure = await shop.refused(ReorderViewsInGroup, groupId="elsewhere", viewIds=["1"])

    assert "Group not found" in failure.message
    assert "{viewGroups} " in failure.hint


@pytest.mark.parametrize("part", ["collectionsIds", "campaignsIds"])
async def test_a_search_that_finds_nothing_says_that_unknown_ids_do_that(part: str) -> None:
    async with desk() as shop:
        found = await shop.call(
            SearchItems, filter={part: ["11111111-1111-4111-8111-111111111111"]}
        )

    assert found["nodes"] == []
    assert any("unknown id" in note for note in found["notes"])
    (note,) = parsed(SearchItems, filter={"verified": True}).notes_if_empty()
    assert "unknown id" not in note


@pytest.mark.parametrize("request_type", [GetContentViews, GetCreatorViews, GetSocialProfileViews])
async def test_a_group_without_views_says_that_an_unknown_group_has_none_either(
    request_type: type[ArchiveRequest[Any]],
) -> None:
    async with desk() as shop:
        found = await shop.call(request_type, filter={"groupId": "elsewhere"})
        all_of_them = await shop.call(request_type)

    assert any("unknown groupId" in note for note in found["notes"])
    assert "notes" not in all_of_them


@pytest.mark.parametrize(
    ("request_type", "search"),
    [
        (CreateContentView, "archive_search_items"),
        (UpdateContentView, "archive_search_items"),
        (CreateCreatorView, "archive_search_creators"),
        (UpdateCreatorView, "archive_search_creators"),
        (CreateSocialProfileView, "archive_search_creators"),
    ],
)
def test_the_conditions_of_a_view_are_those_of_the_search_behind_it(
    request_type: type[ArchiveRequest[Any]], search: str
) -> None:
    parts = input_schema(request_type)["properties"]["input"]["properties"]

    assert parts["customAttributeConditions"]["description"] == f"As in {search}."
