"""Every tool that changes Archive: what it is given, what it says and does, and what Archive
refuses of it.

Strings that begin with an `@` are labels of what is saved in the sandbox; they stand for its id.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.support.doubles import Person
from tests.support.tools.fronts import yes
from tests.support.tools.watched import Json

UNKNOWN = "11111111-1111-4111-8111-111111111111"
COFFEE = {"workspace": "Bluebird Coffee"}
OLD = {"words": "older format and cannot be managed", "points_to": "archive_get_collections"}


@dataclass(frozen=True)
class Refusal:
    """What Archive does not do: its words, and a tool that the hint names."""

    given: Json
    words: str
    points_to: str
    code: str = "REJECTED"


@dataclass(frozen=True)
class Look:
    """A reading tool that shows the change."""

    tool: str
    given: Json
    shows: Json


@dataclass(frozen=True)
class Case:
    """One tool.

    Args: says: what its result holds. changes: everything that differs in the sandbox afterwards.
        looks: how to see it. asks: the whole question, for one that asks. later: seconds until it
        shows.
    """

    tool: str
    given: Json
    says: Json
    changes: Json
    looks: tuple[Look, ...]
    refusals: tuple[Refusal, ...]
    asks: str = ""
    later: float = 0.0


def person_for(case: Case) -> Person:
    """Agrees once to what is asked about; anybody else refuses to be asked."""
    return yes() if case.asks else Person()


MAIN = "Northwind Skincare"
REEL = "https://www.instagram.com/reel/CxNewReel01/"
OF_HELD = {"fields": ["id"], "filter": {"ids": ["@items/held"]}}
IN_FAVOURITES = {"ids": ["@items/held"], "collectionsIds": ["@collections/Team Favourites"]}

ITEMS = (
    Case(
        "archive_add_item_to_collections",
        {"itemId": "@items/0", "collectionNames": ["Empty Shelf"]},
        {"item": {"id": "@items/0"}},
        {"collections/Empty Shelf": {"itemCount": 1}},
        (
            Look(
                "archive_search_items",
                {"fields": ["id"], "filter": {"collectionsIds": ["@collections/Empty Shelf"]}},
                {"nodes": [{"id": "@items/0"}]},
            ),
        ),
        (
            Refusal(
                {"itemId": UNKNOWN, "collectionNames": ["Empty Shelf"]},
                "itemId: Item not found",
                "archive_get_filter_presets",
            ),
            Refusal(
                {"itemId": "@items/0", "collectionNames": ["Empty Shelf", "Fuller Shelf"]},
                "Collection 'Fuller Shelf' does not exist",
                "archive_get_filter_presets",
            ),
            Refusal(
                {"itemId": "@items/0", "collectionIds": ["@collections/Q4 Report"]},
                "not found in this workspace",
                "archive_get_filter_presets",
            ),
        ),
    ),
    Case(
        "archive_remove_item_from_collections",
        {"itemId": "@items/held", "collectionIds": ["@collections/Team Favourites"]},
        {"item": {"id": "@items/held"}},
        {"collections/Team Favourites": {"itemCount": -1}},
        (
            Look("archive_search_items", {"filter": IN_FAVOURITES}, {"nodes": []}),
            Look("archive_search_items", OF_HELD, {"nodes": [{"id": "@items/held"}]}),
        ),
        (
            Refusal(
                {"itemId": UNKNOWN, "collectionNames": ["Team Favourites"]},
                "itemId: Item not found",
                "archive_get_filter_presets",
            ),
            Refusal(
                {"itemId": "@items/held", "collectionNames": ["Team Favorites"]},
                "Collection 'Team Favorites' does not exist",
                "archive_get_filter_presets",
            ),
        ),
    ),
    Case(
        "archive_refetch_engagement_bulk",
        {"itemIds": ["@items/0", "@items/1", UNKNOWN]},
        {"processedCount": 2, "skippedItemIds": []},
        {MAIN: {"operations": 1, "wallet": -6}},
        (
            Look(
                "archive_get_operations",
                {"limit": 1},
                {"nodes": [{"operationType": "refetch_engagement", "status": "QUEUED"}]},
            ),
        ),
        (
            Refusal(
                {"workspace": "Northwind Outdoor", "itemIds": ["@items/abroad"]},
                "may not use that workspace or operation",
                "archive_get_workspaces",
                "FORBIDDEN",
            ),
        ),
        asks="Northwind Skincare: Refresh the engagement of 2 Archive items (by {accounts}) "
        "for at most 6 billing "
        "credits (3 each)? Left out: 1 unknown id.",
    ),
    Case(
        "archive_upload_item_from_url",
        {"input": {"url": REEL}},
        {"success": True},
        {MAIN: {"items": 1}},
        (Look("archive_get_item_ids_by_url", {"urls": [REEL]}, {"nodes": [{"status": "FOUND"}]}),),
        (
            Refusal(
                {"input": {"url": "http://intranet.local/reel/1"}},
                "url: URL must be a public http or https address",
                "archive_get_item_ids_by_url",
            ),
        ),
        later=4.0,
    ),
)

Q3_ITEMS = {
    "fields": ["id"],
    "filter": {"ids": ["@items/0", "@items/1", "@items/2", "@items/held"]},
}

COLLECTIONS = (
    Case(
        "archive_create_collection",
        {"input": {"name": "Autumn"}},
        {"collection": {"name": "Autumn"}},
        {"collections/Autumn": "new"},
        (
            Look(
                "archive_get_collection",
                {"id": "@collections/Autumn"},
                {"name": "Autumn", "itemCount": 0, "group": None},
            ),
        ),
        (
            Refusal(
                {"input": {"name": "Q3 Report"}},
                "'Q3 Report' already exists",
                "archive_get_collections",
            ),
            Refusal({**COFFEE, "input": {"name": "Autumn"}}, **OLD),
        ),
    ),
    Case(
        "archive_update_collection",
        {"id": "@collections/Q3 Report", "input": {"name": "Quarter 3"}},
        {"collection": {"id": "@collections/Q3 Report", "name": "Quarter 3"}},
        {"collections/Q3 Report": {"name": "Quarter 3"}},
        (Look("archive_get_collection", {"id": "@collections/Q3 Report"}, {"name": "Quarter 3"}),),
        (
            Refusal(
                {"id": UNKNOWN, "input": {"name": "A"}},
                "Collection not found",
                "archive_get_collections",
            ),
            Refusal(
                {"id": "@collections/Q3 Report", "input": {"name": "Q2 Report"}},
                "Collection 'Q2 Report' already exists",
                "archive_get_collections",
            ),
            Refusal({**COFFEE, "id": "@collections/Menu Photos", "input": {"name": "A"}}, **OLD),
        ),
    ),
    Case(
        "archive_delete_collection",
        {"id": "@collections/Q3 Report"},
        {"deletedCollectionId": "@collections/Q3 Report"},
        {
            "collections/Q3 Report": "gone",
            "viewGroups/Reporting": {"collections": ["collections/Q2 Report"]},
        },
        (
            Look(
                "archive_get_view_group",
                {"id": "@viewGroups/Reporting"},
                {"collections": [{"name": "Q2 Report"}]},
            ),
            Look("archive_search_items", Q3_ITEMS, {"nodes": [{}] * 4}),
        ),
        (
            Refusal(
                {"id": UNKNOWN}, "No collection has that id", "archive_get_collections", "NOT_FOUND"
            ),
            Refusal(
                {"id": "@contentViews/All Reels"},
                "No collection has that id",
                "archive_get_collections",
                "NOT_FOUND",
            ),
            Refusal({**COFFEE, "id": "@collections/Menu Photos"}, **OLD),
        ),
        asks='Northwind Skincare: Delete the collection "Q3 Report" ({items} items; '
        'in the group "Reporting") for '
        "good? The items stay in Archive; which of them were in it is lost.",
    ),
    Case(
        "archive_move_collection_to_group",
        {"collectionId": "@collections/Q2 Report", "groupId": "@viewGroups/Website"},
        {"collection": {"id": "@collections/Q2 Report", "group": {"name": "Website"}}},
        {
            "collections/Q2 Report": {"group": "viewGroups/Website"},
            "viewGroups/Reporting": {"collections": ["collections/Q3 Report"]},
            "viewGroups/Website": {
                "collections": ["collections/Website Gallery", "collections/Q2 Report"]
            },
        },
        (
            Look(
                "archive_get_collection",
                {"id": "@collections/Q2 Report"},
                {"group": {"name": "Website"}},
            ),
        ),
        (
            Refusal(
                {"collectionId": "@collections/Q2 Report", "groupId": "@viewGroups/Trail Team"},
                "groupId: Group not found",
                "archive_get_view_groups",
            ),
            Refusal(
                {**COFFEE, "collectionId": "@collections/Menu Photos", "groupId": None},
                OLD["words"],
                "archive_get_view_groups",
            ),
        ),
    ),
)
