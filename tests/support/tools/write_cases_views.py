"""The tools that change views and groups, and with the others all that change Archive."""

from __future__ import annotations

from tests.support.tools.watched import Json
from tests.support.tools.write_cases import (
    COLLECTIONS,
    ITEMS,
    UNKNOWN,
    Case,
    Look,
    Refusal,
)

SHOE_SIZE = {"field": "shoe_size", "operator": "CONTAINS", "type": "TEXT", "value": "42"}


def of_views(
    kind: str, narrow: Json, loose: str, grouped: tuple[str, str, list[str]], told: str
) -> tuple[Case, ...]:
    """The four tools of a kind of view.

    Args: narrow: the parts of a new one. loose: one in no group. grouped: one in a group, the
        group, what else is there. told: what the question about `grouped` says of it.
    """
    first, *rest = kind.split("_")
    key = first + "".join(map(str.capitalize, rest))
    many, spoken, listing = f"{key}s", kind.replace("_", " "), f"archive_get_{kind}s"
    one, (name, group, others) = f"{many}/{loose}", grouped
    own = [f"{many}/{each}" for each in others]
    other = "creatorViews/Berlin Crew" if kind != "creator_view" else "contentViews/All Reels"
    return (
        Case(
            f"archive_create_{kind}",
            {"input": {"name": "Fresh", **narrow}},
            {key: {"name": "Fresh", "group": None, "showReportingStats": True}},
            {f"{many}/Fresh": "new"},
            (
                Look(
                    f"archive_get_{kind}",
                    {"id": f"@{many}/Fresh"},
                    {"name": "Fresh", "filters": narrow["filters"]},
                ),
            ),
            (
                Refusal(
                    {
                        "input": {
                            "name": "Fresh",
                            "filters": {},
                            "customAttributeConditions": [SHOE_SIZE],
                        }
                    },
                    "There is no custom attribute 'shoe_size' of ",
                    "Attributes here: ",
                    "INVALID_ARGUMENT",
                ),
            ),
        ),
        Case(
            f"archive_update_{kind}",
            {"id": f"@{one}", "input": {"name": "Renamed", "showReportingStats": False}},
            {key: {"id": f"@{one}", "name": "Renamed"}},
            {one: {"name": "Renamed", "showReportingStats": False}},
            (
                Look(
                    f"archive_get_{kind}",
                    {"id": f"@{one}"},
                    {"name": "Renamed", "showReportingStats": False},
                ),
            ),
            (
                Refusal({"id": UNKNOWN, "input": {"name": "A"}}, "View not found", listing),
                Refusal({"id": f"@{other}", "input": {"name": "A"}}, "View not found", listing),
                Refusal(
                    {"id": f"@{one}", "input": {"customAttributeConditions": [SHOE_SIZE]}},
                    "shoe_size",
                    "Attributes here: ",
                    "INVALID_ARGUMENT",
                ),
            ),
        ),
        Case(
            f"archive_delete_{kind}",
            {"id": f"@{many}/{name}"},
            {f"deleted{key[0].upper()}{key[1:]}Id": f"@{many}/{name}"},
            {f"{many}/{name}": "gone", f"viewGroups/{group}": {many: own}},
            (
                Look(
                    listing,
                    {"filter": {"groupId": f"@viewGroups/{group}"}},
                    {"nodes": [{"name": each} for each in others]},
                ),
            ),
            (
                Refusal({"id": UNKNOWN}, f"No {spoken} has that id", listing, "NOT_FOUND"),
                Refusal({"id": f"@{other}"}, f"No {spoken} has that id", listing, "NOT_FOUND"),
            ),
            asks=f'Northwind Skincare: Delete the {spoken} "{name}" {told}',
        ),
        Case(
            f"archive_move_{kind}_to_group",
            {"viewId": f"@{many}/{name}", "groupId": None},
            {key: {"id": f"@{many}/{name}", "group": None}},
            {f"{many}/{name}": {"group": None}, f"viewGroups/{group}": {many: own}},
            (Look(f"archive_get_{kind}", {"id": f"@{many}/{name}"}, {"group": None}),),
            (
                Refusal(
                    {"viewId": f"@{one}", "groupId": "@viewGroups/Trail Team"},
                    "groupId: Group not found",
                    "archive_get_view_groups",
                ),
                Refusal(
                    {"viewId": f"@{other}", "groupId": None}, "viewId: View not found", listing
                ),
            ),
        ),
    )


VIEWS = (
    *of_views(
        "content_view",
        {"filters": {"itemTypes": ["REEL"]}},
        "All Reels",
        ("TikTok Top Earners", "Reporting", ["High Virality"]),
        '(filters: provider, itemTypes; in the group "Reporting") for good? Its items stay.',
    ),
    *of_views(
        "creator_view",
        {"filters": {}},
        "Favourites by Reach",
        ("VIP Creators", "Community", ["Berlin Crew"]),
        '(1 condition; in the group "Community") for good? Its creators stay.',
    ),
    *of_views(
        "social_profile_view",
        {"filters": {}},
        "Favourites by Audience",
        ("Verified on TikTok", "Community", []),
        '(filters: platform; in the group "Community") for good? Its profiles stay.',
    ),
)

GROUPS = (
    Case(
        "archive_create_view_group",
        {"input": {"name": "Campaigns"}},
        {"viewGroup": {"name": "Campaigns"}},
        {"viewGroups/Campaigns": "new"},
        (
            Look(
                "archive_get_view_group",
                {"id": "@viewGroups/Campaigns"},
                {"name": "Campaigns", "contentViews": []},
            ),
        ),
        (),
    ),
    Case(
        "archive_update_view_group",
        {"id": "@viewGroups/Website", "input": {"name": "Shop"}},
        {"viewGroup": {"id": "@viewGroups/Website", "name": "Shop"}},
        {"viewGroups/Website": {"name": "Shop"}},
        (
            Look(
                "archive_get_collection",
                {"id": "@collections/Website Gallery"},
                {"group": {"name": "Shop"}},
            ),
        ),
        (
            Refusal(
                {"id": UNKNOWN, "input": {"name": "A"}},
                "id: Group not found",
                "archive_get_view_groups",
            ),
            Refusal(
                {"id": "@viewGroups/Trail Team", "input": {"name": "A"}},
                "Group not found",
                "archive_get_view_groups",
            ),
        ),
    ),
    Case(
        "archive_delete_view_group",
        {"id": "@viewGroups/Website"},
        {"deletedViewGroupId": "@viewGroups/Website"},
        {
            "viewGroups/Website": "gone",
            "collections/Website Gallery": {"group": None},
            "contentViews/Rights Approved": {"group": None},
            "contentViews/Five-Star Posts": {"group": None},
        },
        (
            Look(
                "archive_get_content_view", {"id": "@contentViews/Five-Star Posts"}, {"group": None}
            ),
        ),
        (
            Refusal(
                {"id": UNKNOWN}, "No view group has that id", "archive_get_view_groups", "NOT_FOUND"
            ),
            Refusal(
                {"id": "@viewGroups/Trail Team"},
                "No view group has that id",
                "archive_get_view_groups",
                "NOT_FOUND",
            ),
        ),
        asks='Northwind Skincare: Delete the view group "Website" for good? '
        "What is in it stays, in no group: 1 "
        'collection ("Website Gallery"), 2 content views ("Rights Approved", "Five-Star Posts").',
    ),
    Case(
        "archive_reorder_views_in_group",
        {"groupId": "@viewGroups/Reporting", "viewIds": ["@contentViews/High Virality"]},
        {
            "viewGroup": {
                "contentViews": [{"name": "High Virality"}, {"name": "TikTok Top Earners"}]
            }
        },
        {
            "viewGroups/Reporting": {
                "contentViews": ["contentViews/High Virality", "contentViews/TikTok Top Earners"]
            }
        },
        (
            Look(
                "archive_get_view_group",
                {"id": "@viewGroups/Reporting"},
                {"contentViews": [{"name": "High Virality"}, {"name": "TikTok Top Earners"}]},
            ),
        ),
        (
            Refusal(
                {"groupId": "@viewGroups/Reporting", "viewIds": ["@contentViews/All Reels"]},
                "is not a view in this group",
                "archive_get_view_group",
            ),
            Refusal(
                {"groupId": "@viewGroups/Reporting", "viewIds": ["@collections/Q3 Report"]},
                "is a collection; only views can be reordered",
                "archive_get_view_group",
            ),
            Refusal(
                {"groupId": UNKNOWN, "viewIds": [UNKNOWN]},
                "groupId: Group not found",
                "archive_get_view_group",
            ),
        ),
    ),
)

CASES = {each.tool: each for each in (*ITEMS, *COLLECTIONS, *VIEWS, *GROUPS)}
