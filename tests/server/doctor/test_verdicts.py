"""What an answer of the API says about an assumption."""

from __future__ import annotations

import json
from typing import Any

import pytest

from server.doctor import verdicts
from server.doctor.judging import REPORT_IT, list_records
from server.doctor.verdicts import COMPARE_IT
from server.http.transport import Reply

NOW = 1_800_000_000.0
POLICY = '"growth";q=15000;w=60'


def posts(*metrics: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"id": f"i{number}", "currentEngagement": metric} for number, metric in enumerate(metrics)
    ]


def reply(status: int, body: str = "{}") -> Reply:
    return Reply(status, {}, body.encode())


@pytest.mark.parametrize(
    ("headers", "outcome"),
    [
        ({"ratelimit-policy": POLICY, "ratelimit": '"growth";r=14203;t=1'}, "confirmed"),
        ({"ratelimit-policy": POLICY, "ratelimit": '"growth";r=15001;t=1'}, "contradicted"),
        ({"ratelimit-policy": POLICY}, "contradicted"),
        ({"ratelimit": '"growth";r=14203;t=1'}, "contradicted"),
        ({}, "contradicted"),
    ],
)
def test_the_credit_headers_must_both_be_there_and_agree(
    headers: dict[str, str], outcome: str
) -> None:
    finding = verdicts.judge_credit_headers(headers)
    assert finding.outcome == outcome
    assert (finding.advice == REPORT_IT) == (outcome == "contradicted")


@pytest.mark.parametrize(
    ("reset", "outcome", "part"),
    [
        ("t=1800000010", "confirmed", "full at 1800000010"),
        ('t="1800000010"', "confirmed", "full at 1800000010"),
        ("t=10", "contradicted", "seconds from now"),
        ("t=1800001010", "unknown", "+1000 s off"),
        ("x=1", "unknown", "no time"),
    ],
)
def test_the_reset_is_held_against_this_machines_clock(reset: str, outcome: str, part: str) -> None:
    headers = {"ratelimit-policy": POLICY, "ratelimit": f'"growth";r=12500;{reset}'}
    finding = verdicts.judge_credit_reset(headers, NOW)
    assert (finding.outcome, part in finding.evidence) == (outcome, True)


def test_without_a_policy_the_reset_cannot_be_judged() -> None:
    assert (
        verdicts.judge_credit_reset({"ratelimit": '"growth";r=1;t=1800000010'}, NOW).outcome
        == "unknown"
    )


@pytest.mark.parametrize(
    ("spent", "records", "outcome"),
    [
        ((60, 90), 100, "confirmed"),
        ((5, 20), 100, "contradicted"),
        ((300, 310), 100, "contradicted"),
        ((5, 80), 100, "unknown"),
        ((60, 90), 99, "unknown"),
        (None, 100, "unknown"),
    ],
)
def test_the_price_of_a_page_is_only_judged_on_a_full_page(
    spent: tuple[float, float] | None, records: int, outcome: str
) -> None:
    assert verdicts.judge_page_cost(spent, records).outcome == outcome


@pytest.mark.parametrize(
    ("once", "five_times", "outcome"),
    [
        ((5, 6), (25, 26), "confirmed"),
        ((5, 6), (5, 6), "contradicted"),
        ((5, 6), (12, 26), "unknown"),
        ((0, 70), (20, 90), "unknown"),
        (None, (25, 26), "unknown"),
        ((5, 6), None, "unknown"),
    ],
)
def test_aliased_fields_are_judged_only_where_the_prices_are_clearly_apart(
    once: tuple[float, float] | None, five_times: tuple[float, float] | None, outcome: str
) -> None:
    assert verdicts.judge_alias_cost(once, five_times).outcome == outcome


@pytest.mark.parametrize(
    ("metrics", "outcome"),
    [
        ({"likes": "5", "views": None}, "confirmed"),
        ({"likes": "5", "views": 7}, "contradicted"),
        ({"likes": None}, "unknown"),
    ],
)
def test_metrics_are_text_or_the_assumption_is_wrong(metrics: dict[str, Any], outcome: str) -> None:
    assert verdicts.judge_big_numbers(posts(metrics)).outcome == outcome


@pytest.mark.parametrize(
    ("values", "outcome"),
    [(["9", "9", None, "2"], "confirmed"), (["2", "9"], "contradicted"), (["9", None], "unknown")],
)
def test_a_page_is_in_order_as_far_as_its_values_are_known(
    values: list[str | None], outcome: str
) -> None:
    assert (
        verdicts.judge_sorting(posts(*({"earnedMediaValue": value} for value in values))).outcome
        == outcome
    )


@pytest.mark.parametrize(
    ("metrics", "probe"),
    [
        ({"earnedMediaValue": "500000", "views": "1000000"}, "looks like cents"),
        ({"earnedMediaValue": "50000", "views": "1000000"}, "looks like dollars"),
        ({"earnedMediaValue": "200000", "views": "1000000"}, "cannot tell"),
        ({"earnedMediaValue": "1", "views": "1000000"}, "cannot tell"),
        ({"earnedMediaValue": "5000", "views": None, "likes": "100"}, "looks like cents"),
        ({"earnedMediaValue": "50", "views": None, "likes": "100"}, "looks like dollars"),
        ({"earnedMediaValue": "50", "views": "0"}, "cannot tell"),
        ({"earnedMediaValue": None, "views": "10"}, "cannot tell"),
    ],
)
def test_the_unit_of_a_value_is_a_hint_and_never_a_finding(
    metrics: dict[str, Any], probe: str
) -> None:
    finding = verdicts.guess_emv_unit(posts(metrics))
    assert finding.outcome == "unknown"
    assert finding.evidence.startswith(probe)
    assert finding.advice == (COMPARE_IT if probe == "looks like dollars" else "")


def test_the_hint_shows_the_numbers_it_comes_from() -> None:
    records = posts(
        {"earnedMediaValue": "100", "views": "200"},
        {"earnedMediaValue": "900", "views": "1800", "likes": "7"},
    )
    evidence = verdicts.guess_emv_unit(records).evidence
    assert "the top post has earnedMediaValue 900, views 1800, likes 7 (i1)" in evidence
    assert (
        "over 2 posts the value is 0.5 per view, which is $0.005 if in cents and $0.5 if in dollars"
        in evidence
    )


def test_a_refusal_counts_only_for_the_reason_that_was_expected() -> None:
    too_deep = {
        "errors": [{"message": "Query exceeds max depth of 10", "extensions": {"code": "X"}}]
    }
    assert verdicts.judge_refusal("depth", too_deep, ["max depth"]).outcome == "confirmed"
    assert (
        "Query exceeds max depth of 10 (X)"
        in verdicts.judge_refusal("depth", too_deep, ["max depth"]).evidence
    )
    assert (
        verdicts.judge_refusal("depth", {"errors": "Not authorized"}, ["max depth"]).outcome
        == "unknown"
    )
    assert (
        verdicts.judge_refusal("depth", {"data": {"items": {}}}, ["max depth"]).outcome
        == "contradicted"
    )
    assert verdicts.judge_refusal("depth", {}, ["max depth"]).outcome == "unknown"


@pytest.mark.parametrize(
    ("status", "errors", "outcome", "read_as"),
    [
        (401, "Missing or invalid authentication token", "confirmed", "UNAUTHENTICATED"),
        (200, "Missing or invalid authentication token", "contradicted", "UNAUTHENTICATED"),
        (401, [{"message": "bad token"}], "contradicted", "UNAUTHENTICATED"),
        (200, None, "contradicted", "BAD_RESPONSE"),
    ],
)
def test_a_bad_token_is_judged_by_status_and_shape_and_says_how_it_is_read(
    status: int, errors: Any, outcome: str, read_as: str
) -> None:
    payload: dict[str, Any] = {} if errors is None else {"errors": errors}
    finding = verdicts.judge_status("bad-token", reply(status, json.dumps(payload)), payload, 401)
    assert finding.outcome == outcome
    assert finding.evidence.endswith(f"archive-mcp reads it as {read_as}")


def test_a_bad_token_that_is_let_in_is_a_contradiction() -> None:
    payload: dict[str, Any] = {"data": {"workspaces": {"nodes": []}}}
    finding = verdicts.judge_status(
        "bad-token", reply(200, '{"data":{"workspaces":{"nodes":[]}}}'), payload, 401
    )
    assert (
        finding.outcome,
        "no error at all; archive-mcp reads it as an answer" in finding.evidence,
    ) == (
        "contradicted",
        True,
    )


def preset(*ids: str, total: int | None = None) -> dict[str, Any]:
    return {"totalCount": len(ids) if total is None else total, "nodes": [{"id": id} for id in ids]}


def test_presets_in_the_same_order_both_ways_ignore_the_order() -> None:
    same, other = (
        (preset("a", "b"), preset("a", "b"), None),
        (preset("a", "b"), preset("b", "a"), None),
    )
    alone = (preset("a"), preset("a"), None)
    assert verdicts.judge_preset_order([same, alone]).outcome == "confirmed"
    assert verdicts.judge_preset_order([same, other]).outcome == "contradicted"
    assert verdicts.judge_preset_order([alone, (None, None, None)]).outcome == "unknown"


def test_presets_that_keep_all_their_items_ignore_the_filter() -> None:
    same, lost = (preset("a"), None, preset(total=1)), (preset("a"), None, preset(total=0))
    empty = (preset(), None, preset(total=0))
    assert verdicts.judge_preset_filter([same, empty]).outcome == "confirmed"
    assert verdicts.judge_preset_filter([same, lost]).outcome == "contradicted"
    assert verdicts.judge_preset_filter([empty, (None, None, None)]).outcome == "unknown"


@pytest.mark.parametrize("connection", [None, [], {}, {"nodes": None}, {"nodes": [None, 3]}])
def test_a_page_without_records_is_an_empty_one(connection: Any) -> None:
    assert list_records(connection) == []
