"""Saved things are changed and deleted in the sandbox, as a person would have it done."""

from __future__ import annotations

from typing import Any

import pytest

from server.errors import Code
from server.tool.elicitation import Reply
from tests.support.doubles import Person
from tests.support.tools.through_sandbox import Desk, desk
from tools.archive.collections import (
    AddItemToCollections,
    CreateCollection,
    DeleteCollection,
    GetCollection,
    GetCollections,
    RemoveItemFromCollections,
    UpdateCollection,
)
from tools.archive.content.items import SearchItems
from tools.archive.views.content import (
    CreateContentView,
    DeleteContentView,
    GetContentView,
    GetContentViews,
    MoveContentViewToGroup,
    UpdateContentView,
)
from tools.archive.views.creators import (
    CreateCreatorView,
    DeleteCreatorView,
    GetCreatorView,
    GetCreatorViews,
    MoveCreatorViewToGroup,
    UpdateCreatorView,
)
from tools.archive.views.groups import (
    CreateViewGroup,
    DeleteViewGroup,
    GetViewGroup,
    GetViewGroups,
    MoveCollectionToGroup,
    ReorderViewsInGroup,
    UpdateViewGroup,
)
from tools.archive.views.social_profiles import (
    CreateSocialProfileView,
    DeleteSocialProfileView,
    GetSocialProfileView,
    GetSocialProfileViews,
    MoveSocialProfileViewToGroup,
    UpdateSocialProfileView,
)

COFFEE = "Bluebird Coffee"
VIP = {"field": "labels", "operator": "CONTAINS", "type": "MULTIPLE_SELECT_V2", "value": ["VIP"]}


def yes() -> Person:
    return Person([Reply("accept", {"confirm": True})])


async def named(front: Desk, listing: Any, name: str, **more: Any) -> Any:
    """The row of a list that has this name."""
    rows = (await front.call(listing, **more))["nodes"]
    (found,) = [each for each in rows if each["name"] == name]
    return found


async def test_a_search_becomes_a_view_that_shows_what_the_search_found() -> None:
    filters = {"itemTypes": ["REEL"], "takenAt": {"from": "2026-06-01"}}
    async with desk() as front:
        searched = await front.call(SearchItems, filter=filters, fields=["id"], limit=5)
        made = await front.call(CreateContentView, input={"name": "Reels", "filters": filters})
        shown = await front.call(
            SearchItems, presetId=made["contentView"]["id"], fields=["id"], limit=5
        )
        again = await front.call(GetContentView, id=made["contentView"]["id"])

    assert shown["nodes"] == searched["nodes"] != []
    assert again == made["contentView"]
    assert again["filters"] == {"itemTypes": ["REEL"], "takenAt": {"from": "2026-06-01T00:00:00Z"}}
    assert (again["sort"], again["showReportingStats"], again["group"]) == ([], True, None)


@pytest.mark.parametrize(
    ("create", "update", "get", "key"),
    [
        (CreateCreatorView, UpdateCreatorView, GetCreatorView, "creatorView"),
        (
            CreateSocialProfileView,
            UpdateSocialProfileView,
            GetSocialProfileView,
            "socialProfileView",
        ),
    ],
)
async def test_a_view_of_people_takes_options_by_name_and_is_changed_in_part(
    create: Any, update: Any, get: Any, key: str
) -> None:
    async with desk() as front:
        view = {"name": "VIPs", "filters": {}, "customAttributeConditions": [VIP]}
        made = (await front.call(create, input=view))[key]
        option = made["customAttributeConditions"][0]["value"]
        changed = await front.call(
            update, id=made["id"], input={"name": "Gold", "filters": {"a": 1}}
        )
        read = await front.call(get, id=made["id"])

    assert option != ["VIP"]
    assert changed[key]["customAttributeConditions"][0]["value"] == option
    assert "never applies them" in changed["notes"][0]
    assert (read["name"], read["filters"]) == ("Gold", {"a": 1})


async def test_a_content_view_is_changed_in_part() -> None:
    async with desk() as front:
        row = await named(front, GetContentViews, "TikTok Top Earners")
        before = await front.call(GetContentView, id=row["id"])
        after = await front.call(
            UpdateContentView, id=row["id"], input={"filters": {"provider": "YOUTUBE"}}
        )

    assert "filters" not in row
    assert after["contentView"]["filters"] == {"provider": "YOUTUBE"}
    assert after["contentView"]["sort"] == before["sort"] != []


@pytest.mark.parametrize(
    ("listing", "delete", "name", "words"),
    [
        (
            GetContentViews,
            DeleteContentView,
            "TikTok Top Earners",
            "(filters: provider, itemTypes; in the group",
        ),
        (
            GetCreatorViews,
            DeleteCreatorView,
            "VIP Creators",
            '(1 condition; in the group "Community") for good? Its cr',
        ),
        (
            GetSocialProfileViews,
            DeleteSocialProfileView,
            "Favourites by Audience",
            "(1 condition) for good? Its prof",
        ),
        (
            GetCollections,
            DeleteCollection,
            "Q3 Report",
            'items; in the group "Reporting") for good? The items stay',
        ),
        (GetCollections, DeleteCollection, "Empty Shelf", "(0 items) for good? It is empty."),
    ],
)
async def test_what_is_deleted_is_shown_first_and_is_gone_after_the_yes(
    listing: Any, delete: Any, name: str, words: str
) -> None:
    async with desk() as front:
        row = await named(front, listing, name)
        required = await front.refused(delete, id=row["id"])
        person = yes()
        deleted = await front.call(delete, person, id=row["id"])
        left = await front.call(listing)
        second = await front.refused(delete, Person(), id=row["id"])

    assert required.code is Code.CONFIRMATION_REQUIRED
    assert required.details["preview"]["delete"]["name"] == name
    (question,) = person.questions
    assert question.message.startswith("Northwind Skincare: Delete the ")
    assert f'"{name}" (' in question.message
    assert words in question.message
    assert deleted[delete.selected] == row["id"]
    assert deleted["deleted"]["name"] == name
    assert words.endswith(deleted["kept"]) or deleted["kept"] in question.message
    assert row["id"] not in {each["id"] for each in left["nodes"]}
    assert second.code is Code.NOT_FOUND
    assert second.hint


async def test_the_preview_of_a_collection_counts_its_items_and_binds_the_yes_to_them() -> None:
    async with desk() as front:
        row = await named(front, GetCollections, "Q3 Report")
        required = await front.refused(DeleteCollection, id=row["id"])
        outside = await front.call(SearchItems, fields=["id"], limit=1)
        item = outside["nodes"][0]["id"]
        await front.call(AddItemToCollections, itemId=item, collectionIds=[row["id"]])
        stale = await front.refused(
            DeleteCollection, id=row["id"], confirm=required.details["confirm"]
        )
        fresh = stale.details["confirm"]
        await front.call(DeleteCollection, id=row["id"], confirm=fresh)

    assert f"({row['itemCount']} items;" in required.message
    assert stale.code is Code.CONFIRMATION_REQUIRED
    assert f"({row['itemCount'] + 1} items;" in stale.message


async def test_a_group_is_deleted_and_its_members_are_named_and_stay() -> None:
    async with desk() as front:
        group = await named(front, GetViewGroups, "Reporting")
        person = yes()
        answer = await front.call(DeleteViewGroup, person, id=group["id"])
        view = await named(front, GetContentViews, "High Virality")

    assert person.questions[0].message == (
        'Northwind Skincare: Delete the view group "Reporting" for good? What is in it stays, '
        "in no group: "
        '2 collections ("Q3 Report", "Q2 Report"), 2 content views ("TikTok Top Earners", "High '
        'Virality").'
    )
    assert answer["deletedViewGroupId"] == group["id"]
    assert len(answer["movedViewIds"]) == 4
    assert view["group"] is None


async def test_a_group_is_made_filled_ordered_and_renamed() -> None:
    async with desk() as front:
        group = (await front.call(CreateViewGroup, input={"name": "New"}))["viewGroup"]["id"]
        moved = []
        for listing, move, name, what in (
            (GetContentViews, MoveContentViewToGroup, "All Reels", "viewId"),
            (GetContentViews, MoveContentViewToGroup, "High Virality", "viewId"),
            (GetCreatorViews, MoveCreatorViewToGroup, "VIP Creators", "viewId"),
            (GetSocialProfileViews, MoveSocialProfileViewToGroup, "Verified on TikTok", "viewId"),
            (GetCollections, MoveCollectionToGroup, "Q2 Report", "collectionId"),
        ):
            row = await named(front, listing, name)
            moved.append(row["id"])
            payload, earlier = (await front.call(move, **{what: row["id"]}, groupId=group)).values()
            assert earlier == row["group"]
            assert payload["group"] == {"id": group, "name": "New"}
        await front.call(ReorderViewsInGroup, groupId=group, viewIds=[moved[1]])
        await front.call(UpdateViewGroup, id=group, input={"name": "Newer"})
        full = await front.call(GetViewGroup, id=group)
        of_group = await front.call(GetContentViews, filter={"groupId": group})
        await front.call(MoveContentViewToGroup, viewId=moved[0], groupId=None)
        left = await front.call(GetViewGroup, id=group, fields=["contentViews.id"])
        wrong = await front.refused(ReorderViewsInGroup, groupId=group, viewIds=[moved[4]])

    assert full["name"] == "Newer"
    assert [each["id"] for each in full["contentViews"]] == [moved[1], moved[0]]
    assert [
        full[key][0]["id"] for key in ("creatorViews", "socialProfileViews", "collections")
    ] == moved[2:]
    assert {each["id"] for each in of_group["nodes"]} == set(moved[:2])
    assert left == {"contentViews": [{"id": moved[1]}]}
    assert wrong.code is Code.REJECTED
    assert "{viewGroup} shows which views are in the group." in wrong.hint


async def test_a_collection_is_made_renamed_filled_and_emptied() -> None:
    async with desk() as front:
        made = (await front.call(CreateCollection, input={"name": "Shoot"}))["collection"]["id"]
        taken = await front.refused(CreateCollection, input={"name": "Shoot"})
        await front.call(UpdateCollection, id=made, input={"name": "Summer Shoot"})
        item = (await front.call(SearchItems, fields=["id"], limit=1))["nodes"][0]["id"]
        await front.call(
            AddItemToCollections, itemId=item, collectionNames="Summer Shoot", autoCreate=True
        )
        full = await front.call(GetCollection, id=made)
        await front.call(RemoveItemFromCollections, itemId=item, collectionIds=[made])
        empty = await front.call(GetCollection, id=made, fields=["itemCount"])

    assert taken.code is Code.REJECTED
    assert "{collections} lists them" in taken.hint
    assert (full["name"], full["itemCount"], full["group"]) == ("Summer Shoot", 1, None)
    assert empty == {"itemCount": 0}


async def test_a_slip_in_the_name_of_a_collection_is_asked_about() -> None:
    async with desk() as front:
        item = (await front.call(SearchItems, fields=["id"], limit=1))["nodes"][0]["id"]
        names = ["Q3 Reprot"]
        failure = await front.refused(
            AddItemToCollections, itemId=item, collectionNames=names, autoCreate=True
        )
        rows = await front.call(GetCollections, fields=["name"])

    assert 'There is no collection "Q3 Reprot", but there is "Q3 Report" (' in failure.message
    assert {"name": "Q3 Reprot"} not in rows["nodes"]


async def test_older_collections_are_filled_here_and_managed_in_archives_own_app() -> None:
    async with desk() as front:
        item = (await front.call(SearchItems, workspace=COFFEE, fields=["id"], limit=1))["nodes"][
            0
        ]["id"]
        row = await named(front, GetCollections, "Menu Photos", workspace=COFFEE)
        await front.call(
            AddItemToCollections, workspace=COFFEE, itemId=item, collectionNames="Menu Photos"
        )
        refusals = [
            await front.refused(CreateCollection, workspace=COFFEE, input={"name": "A"}),
            await front.refused(
                UpdateCollection, workspace=COFFEE, id=row["id"], input={"name": "A"}
            ),
            await front.refused(DeleteCollection, yes(), workspace=COFFEE, id=row["id"]),
        ]
        moved = await front.refused(
            MoveCollectionToGroup, workspace=COFFEE, collectionId=row["id"], groupId=None
        )

    for each in refusals:
        assert each.code is Code.REJECTED
        assert (
            "manage collections in Archive's app only; putting items in ({addItemToCollections})"
            in each.hint
        )
    assert "have no groups of collections" in moved.hint


@pytest.mark.parametrize(
    "get", [GetContentView, GetCreatorView, GetSocialProfileView, GetViewGroup, GetCollection]
)
async def test_a_record_that_is_not_there_is_told_with_where_to_look(get: Any) -> None:
    async with desk() as front:
        failure = await front.refused(get, id="11111111-1111-4111-8111-111111111111")

    assert failure.code is Code.NOT_FOUND
    assert "lists the" in failure.hint


@pytest.mark.parametrize(
    ("change", "raw"),
    [
        (UpdateContentView, {"input": {"name": "A"}}),
        (UpdateCreatorView, {"input": {"name": "A"}}),
        (UpdateSocialProfileView, {"input": {"name": "A"}}),
        (UpdateViewGroup, {"input": {"name": "A"}}),
        (UpdateCollection, {"input": {"name": "A"}}),
    ],
)
async def test_a_change_of_what_is_not_there_is_refused_with_where_to_look(
    change: Any, raw: Any
) -> None:
    async with desk() as front:
        failure = await front.refused(change, id="11111111-1111-4111-8111-111111111111", **raw)

    assert failure.code in (Code.REJECTED, Code.NOT_FOUND)
    assert "lists the" in failure.hint


async def test_a_view_is_emptied_only_after_a_yes_and_the_result_says_what_was_lost() -> None:
    async with desk() as front:
        view = (await named(front, GetContentViews, "TikTok Top Earners"))["id"]
        before = await front.call(GetContentView, id=view, fields=["filters", "sort"])
        unasked = await front.refused(UpdateContentView, id=view, input={}, clear=["filters"])
        asked = yes()
        emptied = await front.call(
            UpdateContentView, asked, id=view, input={"name": "All"}, clear=["filters"]
        )
        after = await front.call(GetContentView, id=view, fields=["name", "filters", "sort"])

    assert unasked.code is Code.CONFIRMATION_REQUIRED
    assert unasked.details["preview"]["empty"] == {"filters": before["filters"]}
    assert 'Empty filters of the content view "TikTok Top Earners"' in unasked.message
    assert emptied["replaced"] == {"name": "TikTok Top Earners", "filters": before["filters"]}
    assert after == {"name": "All", "filters": {}, "sort": before["sort"]}
