from __future__ import annotations

import json
import re
from itertools import chain
from typing import Any

import pytest

from server.archive.operations import Mutation
from server.tool.job import StartChange
from server.tool.request import Request
from tests.support.paths import ROOT
from tests.support.surface import (
    CLASSES,
    OPERATION_TOOLS,
    ROWS,
    TOOLS,
    Schema,
    each_tool,
)
from tools.surface import (
    FILE,
    render,
)

# tool: operation, toolset, and what it does: read, add and create (nothing that exists changes),
# change, remove, spend
CONTRACT = {
    "archive_get_workspaces": ("workspaces", "workspace", "read"),
    "archive_get_workspace": ("workspace", "workspace", "read"),
    "archive_get_custom_attribute_schemas": ("customAttributeSchemas", "workspace", "read"),
    "archive_get_filter_presets": ("filterPresets", "workspace", "read"),
    "archive_search_items": ("items", "content", "read"),
    "archive_get_media_contents": ("mediaContents", "content", "read"),
    "archive_get_transcriptions": ("transcriptions", "content", "read"),
    "archive_get_item_ids_by_url": ("itemIdsByUrl", "content", "read"),
    "archive_get_engagement_history": ("engagementHistory", "content", "read"),
    "archive_search_creators": ("creators", "creators", "read"),
    "archive_get_creator": ("creator", "creators", "read"),
    "archive_get_social_profile": ("socialProfile", "creators", "read"),
    "archive_get_operations": ("operations", "operations", "read"),
    "archive_get_operation": ("operation", "operations", "read"),
    "archive_add_item_to_collections": ("addItemToCollections", "collections", "add"),
    "archive_remove_item_from_collections": ("removeItemFromCollections", "collections", "remove"),
    "archive_refetch_engagement_bulk": ("refetchEngagementBulk", "content", "spend"),
    "archive_get_social_profiles": ("socialProfiles", "creators", "read"),
    "archive_get_content_views": ("contentViews", "views", "read"),
    "archive_get_content_view": ("contentView", "views", "read"),
    "archive_get_social_profile_views": ("socialProfileViews", "views", "read"),
    "archive_get_social_profile_view": ("socialProfileView", "views", "read"),
    "archive_get_creator_views": ("creatorViews", "views", "read"),
    "archive_get_creator_view": ("creatorView", "views", "read"),
    "archive_get_view_groups": ("viewGroups", "views", "read"),
    "archive_get_view_group": ("viewGroup", "views", "read"),
    "archive_get_collections": ("collections", "collections", "read"),
    "archive_get_collection": ("collection", "collections", "read"),
    "archive_get_campaigns": ("campaigns", "campaigns", "read"),
    "archive_get_competitor_brands": ("competitorBrands", "competitors", "read"),
    "archive_get_competitor_brand": ("competitorBrand", "competitors", "read"),
    "archive_get_competitor_brand_items": ("competitorBrandItems", "competitors", "read"),
    "archive_create_collection": ("createCollection", "collections", "create"),
    "archive_update_collection": ("updateCollection", "collections", "change"),
    "archive_delete_collection": ("deleteCollection", "collections", "remove"),
    "archive_create_content_view": ("createContentView", "views", "create"),
    "archive_update_content_view": ("updateContentView", "views", "change"),
    "archive_delete_content_view": ("deleteContentView", "views", "remove"),
    "archive_create_social_profile_view": ("createSocialProfileView", "views", "create"),
    "archive_update_social_profile_view": ("updateSocialProfileView", "views", "change"),
    "archive_delete_social_profile_view": ("deleteSocialProfileView", "views", "remove"),
    "archive_create_creator_view": ("createCreatorView", "views", "create"),
    "archive_update_creator_view": ("updateCreatorView", "views", "change"),
    "archive_delete_creator_view": ("deleteCreatorView", "views", "remove"),
    "archive_create_view_group": ("createViewGroup", "views", "create"),
    "archive_update_view_group": ("updateViewGroup", "views", "change"),
    "archive_delete_view_group": ("deleteViewGroup", "views", "remove"),
    "archive_move_content_view_to_group": ("moveContentViewToGroup", "views", "change"),
    "archive_move_social_profile_view_to_group": (
        "moveSocialProfileViewToGroup",
        "views",
        "change",
    ),
    "archive_move_creator_view_to_group": ("moveCreatorViewToGroup", "views", "change"),
    "archive_move_collection_to_group": ("moveCollectionToGroup", "views", "change"),
    "archive_reorder_views_in_group": ("reorderViewsInGroup", "views", "change"),
    "archive_upload_item_from_url": ("uploadItemFromUrl", "content", "create"),
}
HINTS = {
    "read": {"readOnlyHint": True, "destructiveHint": False, "idempotentHint": True},
    "add": {"readOnlyHint": False, "destructiveHint": False, "idempotentHint": True},
    "create": {"readOnlyHint": False, "destructiveHint": False, "idempotentHint": False},
    "change": {"readOnlyHint": False, "destructiveHint": True, "idempotentHint": True},
    "remove": {"readOnlyHint": False, "destructiveHint": True, "idempotentHint": True},
    "spend": {"readOnlyHint": False, "destructiveHint": True, "idempotentHint": False},
}
FILLER = re.compile(
    r"\b(this tool|allows? you|please|simply "
    r"put|easily|powerful|leverage|utili[sz]e|CRITICAL|MANDATORY|IMPORTANT|MUST|"
    r"ALWAYS|NEVER|WARNING|NOTE)\b|!"
)
SHORTEST = {"archive": 40, "archivebox": 20, "archive_mcp": 40}
"""Characters of a description: ArchiveBox's 45 tools share little room, and most of them need few
words."""


OPERATION = re.compile(r"\{(\w+|[A-Z]+ /(?:[^{}\s]|\{\w+\})*)\}")
TOOLSETS = {
    "archive": [
        "workspace",
        "content",
        "creators",
        "views",
        "collections",
        "campaigns",
        "competitors",
        "operations",
        "insights",
        "jobs",
    ],
    "archivebox": [
        "snapshots",
        "results",
        "tags",
        "crawls",
        "jobs",
        "auth",
        "cli",
        "machine",
        "personas",
        "workers",
    ],
    "archive_mcp": ["jobs", "discover"],
}


def own_meta(row: Schema) -> dict[str, Any]:
    """Return what `_meta` says under this server's own prefix."""
    meta = row["tool"]["_meta"]
    return {key: value for key, value in meta.items() if key.startswith("archive-mcp/")}


def test_the_packaged_file_is_what_the_classes_say() -> None:
    assert FILE.read_text(encoding="utf-8") == render(), "run: python -m tools.surface"


def test_the_contract_names_the_tools_of_the_operations() -> None:
    assert sorted(CONTRACT) == sorted(OPERATION_TOOLS)


def test_no_two_tools_share_an_operation() -> None:
    operations = [row["operation"] for row in ROWS]

    assert len(operations) == len(set(operations))


@pytest.mark.parametrize("name", CONTRACT)
def test_names_operations_and_toolsets_are_a_contract(name: str) -> None:
    operation, toolset, _ = CONTRACT[name]
    row = next(each for each in ROWS if each["tool"]["name"] == name)

    assert (row["operation"], row["toolset"], row["backend"]) == (operation, toolset, "archive")
    assert own_meta(row) == {"archive-mcp/operation": operation}
    assert row["module"].startswith("tools.archive.")
    assert getattr(__import__(row["module"], fromlist=["x"]), row["class_name"]) is CLASSES[name]


@pytest.mark.parametrize("name", CONTRACT)
def test_the_hints_tell_the_truth(name: str) -> None:
    annotations = TOOLS[name]["annotations"]

    assert annotations == {
        "title": TOOLS[name]["title"],
        **HINTS[CONTRACT[name][2]],
        "openWorldHint": True,
    }


@each_tool
def test_a_name_fits_every_host(name: str) -> None:
    assert len(name) <= 41
    assert re.fullmatch(r"archive(box)?_[a-z0-9_]+|archive_mcp_[a-z0-9_]+", name)


@each_tool
def test_a_title_is_for_people(name: str) -> None:
    title = TOOLS[name]["title"]

    assert 5 <= len(title) <= 45
    assert title[0].isupper()
    assert "_" not in title


def test_no_two_tools_share_a_title_or_description() -> None:
    for key in ("title", "description"):
        assert len({tool[key] for tool in TOOLS.values()}) == len(TOOLS)


@each_tool
def test_a_description_says_enough_and_does_not_shout(name: str) -> None:
    description = TOOLS[name]["description"]

    assert SHORTEST[CLASSES[name].backend] <= len(description) <= 700
    assert description.endswith((".", "instead."))
    assert "  " not in description
    assert not FILLER.search(description), description


@each_tool
def test_the_tools_that_a_description_names_exist(name: str) -> None:
    shown = {key: value for key, value in TOOLS[name].items() if key != "_meta"}
    named = re.findall(r"archive(?:box)?_[a-z_]+", json.dumps(shown))

    assert set(named) <= set(TOOLS)


@pytest.mark.parametrize(
    "request_type", [each for each in CLASSES.values() if each.risk != "reads"]
)
def test_every_change_says_itself_what_it_risks_and_how_to_check_it(
    request_type: type[Any],
) -> None:
    selected = ["selected"] if issubclass(request_type, Mutation) else []
    for declared in ("risk", "repeatable", "verify", *selected):
        assert declared in vars(request_type), (
            f"{request_type.__name__} leaves `{declared}` to its base"
        )
    assert request_type.verify.endswith(".")
    asks = request_type.confirmed or issubclass(request_type, StartChange)
    assert asks or request_type.risk not in ("spends",)


@pytest.mark.parametrize("request_type", CLASSES.values())
def test_every_tool_says_itself_what_it_is(request_type: type[Request[Any, Any]]) -> None:
    assert {"operation", "title", "__doc__"} <= vars(request_type).keys()


def test_the_hints_of_a_tool_name_operations_that_exist() -> None:
    operations = {row["operation"] for row in ROWS}
    for each in CLASSES.values():
        text = " ".join(
            str(vars(each).get(name, ""))
            for name in ("verify", "instead", "missing", "refused", "use")
        )
        assert set(OPERATION.findall(text)) <= operations


def test_the_endpoints_that_messages_name_exist() -> None:
    operations = {row["operation"] for row in ROWS}
    root = ROOT
    files = [
        *(root / "tools" / "archivebox").glob("*.py"),
        *(root / "server" / "archivebox").glob("*.py"),
    ]
    named = {
        each
        for file in files
        for each in OPERATION.findall(file.read_text(encoding="utf-8"))
        if "/" in each
    }

    assert named
    assert named <= operations


@pytest.mark.parametrize("read_only", [True, False])
def test_reads_are_listed_under_their_own_toolsets_in_a_stable_order(read_only: bool) -> None:
    listed = [row for row in ROWS if row["tool"]["annotations"]["readOnlyHint"] or not read_only]
    backends = list(TOOLSETS)
    unlisted = {row["toolset"] for row in listed} - {*chain(*TOOLSETS.values())}
    assert not unlisted, f"new toolsets, to be added to TOOLSETS in this file: {sorted(unlisted)}"
    places = [
        (backends.index(row["backend"]), TOOLSETS[row["backend"]].index(row["toolset"]))
        for row in listed
    ]

    assert places == sorted(places)
