"""Every call that is asked about: the whole question, and what would make it another one."""

from __future__ import annotations

from dataclasses import dataclass

from tests.support.tools.watched import Json
from tests.support.tools.write_cases import Case
from tests.support.tools.write_cases_views import CASES

ADD = "archive_add_item_to_collections"
DOUBTFUL = {"itemId": "@items/0", "collectionNames": ["Q3 Reprot"], "autoCreate": True}
SLIP = (
    'Northwind Skincare: There is no collection "Q3 Reprot", but there is "Q3 Report" ({items} '
    "items). "
    "Create a new one?"
)
DOUBTED = {"collections/Q3 Reprot": "new"}
REFETCH = "archive_refetch_engagement_bulk"


@dataclass(frozen=True)
class Asked:
    """A call that is asked about.

    Args:
        asks: the whole question. changes: everything that is different after the yes.
        other: arguments that a yes to `given` is not good for.
        meanwhile: a call that changes what the question tells; None where no call can.
    """

    tool: str
    given: Json
    asks: str
    changes: Json
    other: Json
    meanwhile: tuple[str, Json] | None


def of(tool: str, other: Json, meanwhile: tuple[str, Json] | None) -> Asked:
    case: Case = CASES[tool]
    return Asked(tool, case.given, case.asks, case.changes, other, meanwhile)


REFRESHED = {"itemIds": ["@items/0", "@items/2"]}
CALLS = {
    each.tool: each
    for each in (
        Asked(
            ADD,
            DOUBTFUL,
            SLIP,
            DOUBTED,
            {**DOUBTFUL, "itemId": "@items/1"},
            (ADD, {"itemId": "@items/0", "collectionNames": ["Q3 Report"]}),
        ),
        of(REFETCH, REFRESHED, None),
        of(
            "archive_delete_collection",
            {"id": "@collections/Q2 Report"},
            (ADD, {"itemId": "@items/0", "collectionNames": ["Q3 Report"]}),
        ),
        of(
            "archive_delete_content_view",
            {"id": "@contentViews/High Virality"},
            (
                "archive_update_content_view",
                {"id": "@contentViews/TikTok Top Earners", "input": {"filters": {}}},
            ),
        ),
        of(
            "archive_delete_creator_view",
            {"id": "@creatorViews/Berlin Crew"},
            (
                "archive_move_creator_view_to_group",
                {"viewId": "@creatorViews/VIP Creators", "groupId": ""},
            ),
        ),
        of(
            "archive_delete_social_profile_view",
            {"id": "@socialProfileViews/Favourites by Audience"},
            (
                "archive_update_social_profile_view",
                {"id": "@socialProfileViews/Verified on TikTok", "input": {"filters": {}}},
            ),
        ),
        of(
            "archive_delete_view_group",
            {"id": "@viewGroups/Community"},
            (
                "archive_move_content_view_to_group",
                {"viewId": "@contentViews/All Reels", "groupId": "@viewGroups/Website"},
            ),
        ),
    )
}
