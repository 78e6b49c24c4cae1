"""What lists of views, groups, collections and brands say about an assumption."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import GraphQLInputObjectType

from server.archive.pagination import ROW_CAP
from server.doctor import verdicts_saved
from server.doctor.judging import REPORT_IT
from server.doctor.verdicts_saved import FILTER_KEYS, LISTS
from server.sandbox.archive.engine import schema


def lists(**changes: Any) -> dict[str, Any]:
    return {**{name: [] for name in LISTS}, **changes}


def ids(count: int) -> list[dict[str, Any]]:
    return [{"id": str(number), "accessor": "MEDIA_DECK"} for number in range(count)]


def test_the_known_filters_are_those_of_the_schema() -> None:
    kind = schema().type_map["ItemFilterInput"]
    assert isinstance(kind, GraphQLInputObjectType)
    assert set(kind.fields) == FILTER_KEYS


@pytest.mark.parametrize(
    ("payload", "outcome"),
    [
        ({"data": {name: [] for name in (*LISTS, "campaigns", "socialProfiles")}}, "confirmed"),
        ({"data": {name: [] for name in LISTS}}, "unknown"),
        ({"data": None}, "unknown"),
        ({"errors": [{"message": "no", "extensions": {"code": "undefinedField"}}]}, "contradicted"),
        ({"errors": [{"message": "no", "extensions": {"code": "UNAUTHORIZED"}}]}, "unknown"),
        ({"errors": "Shop not found"}, "unknown"),
    ],
)
def test_the_lists_are_known_only_where_all_were_answered(
    payload: dict[str, Any], outcome: str
) -> None:
    finding = verdicts_saved.judge_saved_lists(payload)
    assert finding.outcome == outcome
    assert (finding.advice == REPORT_IT) == (outcome == "contradicted")


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"filterPresets": ids(2), "contentViews": ids(2)}, "confirmed"),
        ({"filterPresets": ids(1), "contentViews": ids(2)}, "contradicted"),
        ({"filterPresets": ids(2), "contentViews": ids(1)}, "contradicted"),
        ({"filterPresets": ids(1), "collections": ids(1)}, "contradicted"),
        ({"filterPresets": ids(1), "contentViews": ids(1), "creatorViews": ids(1)}, "contradicted"),
        ({"filterPresets": ids(ROW_CAP), "contentViews": ids(ROW_CAP)}, "unknown"),
        ({"filterPresets": None, "contentViews": ids(1)}, "unknown"),
        ({}, "unknown"),
    ],
)
def test_presets_are_held_against_views_and_collections(
    changes: dict[str, Any], outcome: str
) -> None:
    assert verdicts_saved.judge_presets(lists(**changes)).outcome == outcome


IN_GROUP = [{"id": "v", "group": {"id": "g"}}]


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        (
            {"viewGroups": [{"id": "g", "contentViews": [{"id": "v"}]}], "contentViews": IN_GROUP},
            "confirmed",
        ),
        (
            {"viewGroups": [{"id": "g", "creatorViews": [{"id": "v"}]}], "contentViews": IN_GROUP},
            "contradicted",
        ),
        (
            {"viewGroups": [{"id": "g", "contentViews": []}], "contentViews": IN_GROUP},
            "contradicted",
        ),
        (
            {
                "viewGroups": [{"id": "g", "contentViews": [{"id": "v"}]}],
                "contentViews": [{"id": "v", "group": None}],
            },
            "contradicted",
        ),
        ({"viewGroups": [{"id": "g"}]}, "unknown"),
        ({"viewGroups": None}, "unknown"),
        ({"viewGroups": ids(ROW_CAP), "contentViews": IN_GROUP}, "unknown"),
    ],
)
def test_membership_must_be_told_from_both_sides(changes: dict[str, Any], outcome: str) -> None:
    assert verdicts_saved.judge_groups(lists(**changes)).outcome == outcome


@pytest.mark.parametrize(
    ("view", "outcome", "part"),
    [
        ({"filters": {"provider": "TIKTOK"}, "sort": []}, "confirmed", "1 content views"),
        (
            {"filters": {}, "sort": [{"sortKey": "TAKEN_AT", "sortOrder": "ASC"}]},
            "confirmed",
            "1 content views",
        ),
        ({"filters": {"platform": "TIKTOK"}, "sort": []}, "contradicted", "platform"),
        ({"filters": {}, "sort": {"by": "likes"}}, "contradicted", "sort.by"),
        ({"filters": {}, "sort": ["likes"]}, "contradicted", "sort is no list"),
        ({"filters": "provider", "sort": []}, "contradicted", "filters is no object"),
        ({"filters": {"provider": None}, "sort": []}, "unknown", "no content view"),
    ],
)
def test_the_shape_of_stored_filters_is_told_by_keys(
    view: dict[str, Any], outcome: str, part: str
) -> None:
    finding = verdicts_saved.judge_view_filters([view])
    assert (finding.outcome, part in finding.evidence) == (outcome, True)


def test_values_of_filters_stay_out_of_the_evidence() -> None:
    finding = verdicts_saved.judge_view_filters(
        [{"filters": {"secretly": "private words"}, "sort": []}]
    )
    assert "private" not in finding.evidence


def test_a_view_with_a_condition_is_not_one_that_only_filters_narrow() -> None:
    filtered = {"id": "1", "filters": {"platform": "TIKTOK"}, "customAttributeConditions": [{}]}
    assert verdicts_saved.find_filtered_view([filtered]) is None
    bare = {**filtered, "customAttributeConditions": []}
    assert verdicts_saved.find_filtered_view([filtered, bare]) is bare


@pytest.mark.parametrize(
    ("totals", "outcome"),
    [
        ({"creators": (640, 640)}, "confirmed"),
        ({"creators": (640, 640), "socialProfiles": (900, 20)}, "contradicted"),
        ({"creators": (640, None), "socialProfiles": (900, 900)}, "confirmed"),
        ({"creators": (None, None)}, "unknown"),
    ],
)
def test_a_view_with_filters_alone_must_hold_everybody(
    totals: dict[str, tuple[int | None, int | None]], outcome: str
) -> None:
    assert verdicts_saved.judge_stored_filters(totals).outcome == outcome


OWN: dict[str, Any] = {"id": "o", "name": "You", "isOwnBrand": True}
OTHER: dict[str, Any] = {"id": "c", "name": "Fjord", "isOwnBrand": False}


@pytest.mark.parametrize(
    ("nodes", "total", "outcome"),
    [
        ([OWN, OTHER], 8, "confirmed"),
        ([OWN], 0, "confirmed"),
        ([OTHER], 8, "contradicted"),
        ([OWN], 8, "contradicted"),
        ([OWN, OTHER], 0, "contradicted"),
        ([OWN, OTHER], None, "unknown"),
    ],
)
def test_the_own_brand_must_come_beside_the_page(
    nodes: list[dict[str, Any]], total: int | None, outcome: str
) -> None:
    assert verdicts_saved.judge_own_brand({"nodes": nodes, "totalCount": total}).outcome == outcome


@pytest.mark.parametrize(
    ("now", "before", "outcome"),
    [
        (0, 9, "confirmed"),
        (1, 9, "contradicted"),
        (1, 0, "contradicted"),
        (0, 0, "unknown"),
        (None, 9, "unknown"),
    ],
)
def test_posts_of_this_month_must_not_be_there_yet(
    now: int | None, before: int, outcome: str
) -> None:
    finding = verdicts_saved.judge_brand_months({"totalCount": now}, {"totalCount": before})
    assert finding.outcome == outcome


@pytest.mark.parametrize(
    ("payload", "part"),
    [
        (
            {"errors": [{"message": "no", "extensions": {"code": "UNAUTHORIZED"}}]},
            "not part of this plan",
        ),
        (
            {"errors": [{"message": "Later", "extensions": {"code": "SERVICE_UNAVAILABLE"}}]},
            "Later",
        ),
        ({"data": None}, "neither brands nor an error came"),
    ],
)
def test_why_brands_are_missing_is_said(payload: dict[str, Any], part: str) -> None:
    assert verdicts_saved.explain_no_brands(payload).startswith(part)
