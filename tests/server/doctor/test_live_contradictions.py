"""What the live questions make of an API that answers otherwise than assumed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from server.sandbox import (
    Answer,
)
from tests.support.doctor.live_rig import Request, Rig, change_data, with_body


@pytest.mark.parametrize(
    ("id", "within"),
    [
        ("page-size", "first: 101"),
        ("depth", "socialProfiles"),
        ("introspection", "__schema"),
        ("not-viral", "NOT_VIRAL"),
        ("utc-dates", "+02:00"),
        ("bad-token", "workspaces(first: 1)"),
        ("bad-workspace", "query Workspace {"),
    ],
)
async def test_what_should_be_refused_and_is_answered_contradicts(id: str, within: str) -> None:
    def lenient(request: Request, answer: Answer) -> Answer:
        return (
            with_body(answer, {"data": {"items": {"nodes": []}}})
            if within in request.query
            else answer
        )

    findings = await Rig(lenient).findings()
    assert {id for id, finding in findings.items() if finding.outcome == "contradicted"} == {id}


async def test_presets_that_obey_order_and_filter_contradict() -> None:
    def obedient(request: Request, answer: Answer) -> Answer:
        body = json.loads(answer.body)
        for alias, connection in (body.get("data") or {}).items():
            if alias.startswith("up"):
                connection["nodes"].reverse()
            if alias.startswith("old"):
                connection["totalCount"] = 0
        return with_body(answer, body, answer.status)

    findings = await Rig(obedient).findings()
    contradicted = {id for id, finding in findings.items() if finding.outcome == "contradicted"}
    assert contradicted == {"preset-order", "preset-filter"}


def _hides_a_view(data: dict[str, Any]) -> None:
    data["filterPresets"] = [
        preset for preset in data["filterPresets"] if preset["id"] != data["contentViews"][0]["id"]
    ]


def _lists_a_creator_view(data: dict[str, Any]) -> None:
    data["filterPresets"].append({"id": data["creatorViews"][0]["id"], "accessor": "MEDIA_DECK"})


def _groups_on_one_side(data: dict[str, Any]) -> None:
    data["contentViews"][0]["group"] = {"id": "nobody-knows-it"}


def _names_a_filter_otherwise(data: dict[str, Any]) -> None:
    data["contentViews"][0]["filters"] = {"platforms": ["TIKTOK"]}


def _applies_filters(data: dict[str, Any]) -> None:
    data["creators_view"]["totalCount"] = 1


def _counts_the_own_brand(data: dict[str, Any]) -> None:
    data["competitorBrands"]["nodes"].pop()


def _has_posts_of_today(data: dict[str, Any]) -> None:
    data["now"]["totalCount"] = 3


@pytest.mark.parametrize(
    ("id", "within", "change"),
    [
        ("presets-listed", "query Saved", _hides_a_view),
        ("presets-listed", "query Saved", _lists_a_creator_view),
        ("group-members", "query Saved", _groups_on_one_side),
        ("view-filters", "query Saved", _names_a_filter_otherwise),
        ("stored-filters", "query Stored", _applies_filters),
        ("own-brand", "query Brands", _counts_the_own_brand),
        ("brand-months", "query Months", _has_posts_of_today),
    ],
)
async def test_what_is_otherwise_in_lists_and_brands_contradicts(
    id: str, within: str, change: Callable[[dict[str, Any]], None]
) -> None:
    findings = await change_data(within, change).findings()
    assert {id for id, finding in findings.items() if finding.outcome == "contradicted"} == {id}


async def test_a_half_open_window_that_is_answered_contradicts() -> None:
    def lenient(request: Request, answer: Answer) -> Answer:
        body: dict[str, Any] = {"data": {"competitorBrandItems": {"nodes": []}}}
        return with_body(answer, body) if "query HalfOpen" in request.query else answer

    findings = await Rig(lenient).findings()
    assert {id for id, finding in findings.items() if finding.outcome == "contradicted"} == {
        "brand-window"
    }


async def test_a_list_that_the_api_does_not_know_contradicts() -> None:
    def refuse(request: Request, answer: Answer) -> Answer:
        error = {
            "message": "Field 'viewGroups' doesn't exist",
            "extensions": {"code": "undefinedField"},
        }
        return with_body(answer, {"errors": [error]}) if "query Saved" in request.query else answer

    findings = await Rig(refuse).findings()
    assert findings["saved-lists"].outcome == "contradicted"
    assert findings["presets-listed"].outcome == "unknown"
