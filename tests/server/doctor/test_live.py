"""The live questions: what they ask, how often, and what they make of an API that is not as
assumed."""

from __future__ import annotations

from typing import Any

import pytest

from server.doctor import ASSUMPTIONS
from server.doctor.live import NOBODYS_TOKEN, NOBODYS_WORKSPACE, check_assumptions
from server.sandbox import (
    MAIN,
    TOKEN,
    Answer,
)
from server.sandbox.archive.data.brands import load_brands
from tests.support.doctor.live_rig import Request, Rig, change_data, with_body

LIVE = [assumption.id for assumption in ASSUMPTIONS if assumption.live]
COFFEE = next(brand.id for brand in load_brands() if brand.insights is None)


async def test_the_sandbox_behaves_as_assumed_and_the_unit_of_a_value_stays_open() -> None:
    findings = await Rig().findings()
    assert list(findings) == LIVE
    assert {id for id, finding in findings.items() if finding.outcome != "confirmed"} == {
        "emv-cents"
    }
    assert findings["emv-cents"].evidence.startswith("looks like cents: the top post has ")


async def test_it_takes_sixteen_requests_all_of_them_reading_and_none_too_fast() -> None:
    rig = Rig()
    await rig.findings()
    assert len(rig.requests) == 16
    assert all(request.query.startswith(("query ", "{ ")) for request in rig.requests)
    assert rig.sandbox.refusals == 0


async def test_only_the_real_token_and_a_made_up_one_that_has_nothing_of_it_are_sent() -> None:
    rig = Rig()
    await rig.findings()
    assert [request.token for request in rig.requests if request.token != TOKEN] == [NOBODYS_TOKEN]
    assert {request.workspace for request in rig.requests} == {MAIN, NOBODYS_WORKSPACE, None}
    assert [request for request in rig.requests if request.workspace is None] == [
        request for request in rig.requests if request.token != TOKEN
    ]


async def test_without_a_workspace_only_what_needs_none_is_asked() -> None:
    findings = await Rig().findings(None)
    assert {id for id, finding in findings.items() if finding.outcome == "confirmed"} == {
        "without-workspace",
        "bad-token",
        "bad-workspace",
    }
    assert findings["depth"].evidence == "There is no workspace to ask in."


async def test_where_nothing_could_be_listed_nothing_is_asked() -> None:
    assert {finding.outcome for finding in await check_assumptions(None)} == {"unknown"}
    assert [finding.assumption for finding in await check_assumptions(None)] == LIVE


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_trouble_with_one_question_leaves_only_its_assumptions_unknown(status: int) -> None:
    def trouble(request: Request, answer: Answer) -> Answer:
        return (
            Answer(status, {}, b"")
            if "TopItems" in request.query or "first: 101" in request.query
            else answer
        )

    findings = await Rig(trouble).findings()
    unknown = {id for id, finding in findings.items() if finding.outcome == "unknown"}
    page = {"credit-headers", "credit-reset", "page-cost", "big-numbers", "sorting", "emv-cents"}
    assert unknown == {"page-size", *page}
    assert findings["page-size"].evidence == f"Archive answered HTTP {status}."
    assert findings["page-cost"].evidence == "The page of items was not answered."


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"<html>", b"[" * 100_000, b'{"data": null}', b'{"data": {"items": []}}']
)
async def test_answers_that_make_no_sense_confirm_nothing(body: bytes) -> None:
    findings = await Rig(lambda _, answer: Answer(200, {}, body)).findings()
    assert {id for id, finding in findings.items() if finding.outcome == "confirmed"} == {
        "without-workspace"
    }


async def test_without_a_view_or_collection_presets_stay_unknown() -> None:
    def none(request: Request, answer: Answer) -> Answer:
        return (
            with_body(answer, {"data": {"filterPresets": []}})
            if "query Presets {" in request.query
            else answer
        )

    rig = Rig(none)
    findings = await rig.findings()
    assert (findings["preset-order"].outcome, findings["preset-filter"].outcome) == (
        "unknown",
        "unknown",
    )
    assert len(rig.requests) == 15


async def test_a_plan_without_competitors_is_no_fault_and_stops_asking_about_them() -> None:
    rig = Rig()
    findings = await rig.findings(COFFEE)
    brands = [findings[id] for id in ("own-brand", "brand-window", "brand-months")]
    assert {brand.outcome for brand in brands} == {"unknown"}
    assert all(
        brand.evidence.startswith("not part of this plan") and not brand.advice for brand in brands
    )
    assert sum("competitorBrand" in request.query for request in rig.requests) == 1


async def test_without_a_competitor_only_the_own_brand_is_judged() -> None:
    def alone(data: dict[str, Any]) -> None:
        page = data["competitorBrands"]
        page["nodes"], page["totalCount"] = (
            [brand for brand in page["nodes"] if brand["isOwnBrand"]],
            0,
        )

    findings = await change_data("query Brands", alone).findings()
    assert [findings[id].outcome for id in ("own-brand", "brand-window", "brand-months")] == [
        "confirmed",
        "unknown",
        "unknown",
    ]


async def test_without_a_view_that_only_filters_narrow_nothing_more_is_asked() -> None:
    def narrow(data: dict[str, Any]) -> None:
        for view in data["creatorViews"] + data["socialProfileViews"]:
            view["filters"] = {"locations": [], "platform": None}

    rig = change_data("query Saved", narrow)
    findings = await rig.findings()
    assert findings["stored-filters"].outcome == "unknown"
    assert not [request for request in rig.requests if "query Stored" in request.query]


@pytest.mark.parametrize(
    ("within", "unknown"),
    [
        (
            "query Saved",
            {"saved-lists", "presets-listed", "group-members", "view-filters", "stored-filters"},
        ),
        ("query Stored", {"stored-filters"}),
        ("query Brands", {"own-brand", "brand-window", "brand-months"}),
        ("query HalfOpen", {"brand-window"}),
        ("query Months", {"brand-months"}),
    ],
)
async def test_trouble_with_lists_and_brands_leaves_only_what_they_tell_unknown(
    within: str, unknown: set[str]
) -> None:
    findings = await Rig(
        lambda request, answer: Answer(503, {}, b"") if within in request.query else answer
    ).findings()
    assert {id for id, finding in findings.items() if finding.outcome == "unknown"} == {
        "emv-cents",
        *unknown,
    }
