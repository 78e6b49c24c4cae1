from __future__ import annotations

from typing import Any

import pytest

from tests.support.tools.calling import parsed, refused, sent
from tests.support.tools.through_sandbox import desk
from tools.archive.collections import (
    AddItemToCollections,
    CreateCollection,
    RemoveItemFromCollections,
)
from tools.archive.creators import GetCreator, GetSocialProfile, SearchCreators
from tools.archive.operations import GetOperation
from tools.archive.views.groups import CreateViewGroup
from tools.archive.workspace import GetCustomAttributeSchemas


@pytest.mark.parametrize(
    ("raw", "variables"),
    [
        ({"id": "5"}, {"id": "5"}),
        (
            {"accountName": "mia", "provider": "TIKTOK"},
            {"accountName": "mia", "provider": "TIKTOK"},
        ),
        (
            {"accountName": "@mia", "provider": "TIKTOK"},
            {"accountName": "mia", "provider": "TIKTOK"},
        ),
        ({"id": "5", "fallback": True}, {"id": "5", "fallback": True}),
        ({"id": "5", "accountName": None, "provider": None}, {"id": "5"}),
    ],
)
def test_a_profile_is_found_by_id_or_by_handle_and_platform(
    raw: dict[str, Any], variables: dict[str, Any]
) -> None:
    assert sent(GetSocialProfile, **raw) == variables


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({}, "Give either `id`, or `accountName` with `provider`."),
        ({"fallback": True}, "Give either `id`"),
        ({"id": "5", "accountName": "mia"}, "Give either `id`"),
        ({"id": "5", "provider": "TIKTOK"}, "Give either `id`"),
        ({"accountName": "mia"}, "`accountName` and `provider` go together."),
        ({"provider": "TIKTOK"}, "`accountName` and `provider` go together."),
        ({"accountName": "", "provider": "TIKTOK"}, "go together"),
        ({"accountName": "mia", "provider": "tiktok"}, "Did you mean `TIKTOK`?"),
    ],
)
def test_a_profile_that_is_not_named_clearly_is_refused(raw: dict[str, Any], words: str) -> None:
    assert words in refused(GetSocialProfile, **raw).message


@pytest.mark.parametrize(
    "beside",
    [
        {"filter": {"locations": [{"country": "Germany"}]}},
        {"customAttributeConditions": [{"field": "a", "operator": "IS_EMPTY", "type": "TEXT"}]},
    ],
)
def test_conditions_beside_a_creator_view_are_refused_because_archive_would_ignore_them(
    beside: dict[str, Any],
) -> None:
    assert "beside `presetId`" in refused(SearchCreators, presetId="7", **beside).message


def test_a_creator_view_says_what_archive_does_not_apply() -> None:
    with_view, without = parsed(SearchCreators, presetId="7"), parsed(SearchCreators)

    assert isinstance(with_view, SearchCreators)
    assert isinstance(without, SearchCreators)
    assert "not its stored filters" in with_view.notes()[0]
    assert without.notes() == []


@pytest.mark.parametrize("request_type", [GetCreator, GetOperation])
@pytest.mark.parametrize(
    ("raw", "words"), [({}, "`id` is required"), ({"id": ""}, "must not be empty")]
)
def test_one_record_needs_its_id(request_type: Any, raw: dict[str, Any], words: str) -> None:
    assert words in refused(request_type, **raw).message


def test_attributes_are_of_creators_or_of_items() -> None:
    assert sent(GetCustomAttributeSchemas, entity="ITEM") == {"entity": "ITEM"}
    assert (
        "must be one of CREATOR, ITEM" in refused(GetCustomAttributeSchemas, entity="POST").message
    )
    assert "`entity` is required" in refused(GetCustomAttributeSchemas).message


@pytest.mark.parametrize("request_type", [AddItemToCollections, RemoveItemFromCollections])
@pytest.mark.parametrize(
    ("raw", "variables"),
    [
        ({"collectionNames": "Best"}, {"collectionNames": ["Best"]}),
        ({"collectionIds": ["7", 8]}, {"collectionIds": ["7", "8"]}),
        ({"collectionNames": '["A, B", "C"]'}, {"collectionNames": ["A, B", "C"]}),
    ],
)
def test_collections_are_named_or_numbered(
    request_type: Any, raw: dict[str, Any], variables: dict[str, Any]
) -> None:
    assert sent(request_type, itemId=1, **raw) == {"itemId": "1", **variables}


@pytest.mark.parametrize("request_type", [AddItemToCollections, RemoveItemFromCollections])
@pytest.mark.parametrize(
    "raw", [{}, {"collectionNames": []}, {"collectionIds": [], "collectionNames": []}]
)
def test_a_change_of_no_collection_is_refused(request_type: Any, raw: dict[str, Any]) -> None:
    failure = refused(request_type, itemId="1", **raw)

    assert "`collectionNames` or `collectionIds`" in failure.message
    assert "{filterPresets}" in failure.hint


@pytest.mark.parametrize(
    "raw", [{"collectionNames": [""]}, {"collectionIds": [""]}, {"collectionNames": None}]
)
def test_an_empty_name_of_a_collection_is_refused(raw: dict[str, Any]) -> None:
    refused(AddItemToCollections, itemId="1", **raw)


def test_collections_are_created_by_name_only() -> None:
    assert (
        sent(AddItemToCollections, itemId="1", collectionNames="New", autoCreate="true")[
            "autoCreate"
        ]
        is True
    )
    assert (
        "`autoCreate` needs a name"
        in refused(AddItemToCollections, itemId="1", collectionIds="7", autoCreate=True).message
    )
    assert (
        "`autoCreate` is not an argument"
        in refused(
            RemoveItemFromCollections, itemId="1", collectionNames="A", autoCreate=True
        ).message
    )


@pytest.mark.parametrize("ids", [["1", "2"], []])
def test_one_item_is_moved_at_a_time(ids: list[str]) -> None:
    assert (
        "`itemId` must be a string"
        in refused(AddItemToCollections, itemId=ids, collectionNames="A").message
    )


OWN_KEYS = [
    {"field": "full_name", "operator": "CONTAINS", "type": "TEXT", "value": "a"},
    {"field": "emails", "operator": "CONTAINS", "type": "TEXT", "value": "@"},
]


@pytest.mark.parametrize("condition", OWN_KEYS)
async def test_the_keys_that_our_texts_name_are_archives_own(condition: dict[str, Any]) -> None:
    """Other keys in texts would be taken from there, and find nothing elsewhere."""
    about = SearchCreators.__doc__ or ""
    assert f"`{condition['field']}`" in about
    async with desk() as shop:
        found = await shop.call(SearchCreators, customAttributeConditions=[condition], limit=1)

    assert found["totalCount"] > 0


@pytest.mark.parametrize("name", ["null", "None", " undefined ", "N/A", '"null"', "['None']", "{}"])
def test_what_programs_write_for_nothing_is_no_name_of_a_collection(name: str) -> None:
    failure = refused(
        AddItemToCollections, itemId="1", collectionNames=["Team", name], autoCreate=True
    )

    assert "no name" in failure.message
    assert "no name" in refused(CreateCollection, input={"name": name}).message
    assert "no name" in refused(CreateViewGroup, input={"name": name}).message
