from __future__ import annotations

from datetime import UTC, date
from typing import Any

import pytest

from server.pictures.weeks import Period
from server.tool.arguments import parse
from tools.archive.insights.chart_words import describe_posts, find_period
from tools.archive.insights.charts import Chart


def chart(**raw: Any) -> Chart:
    return parse(Chart, {"kind": "weekly", **raw}, {"timezone": UTC, "instants": []})


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "all posts"),
        ({"itemIds": ["a", "b"]}, "2 chosen posts"),
        ({"takenAt": {"from": "2026-07-01"}}, "posted from 2026-07-01"),
        ({"search": {"filter": {"provider": "TIKTOK"}}}, "TikTok"),
        ({"search": {"filter": {"accountNames": ["a", "b"]}}}, "account names a, b"),
        (
            {"search": {"filter": {"superSearch": {
                "mode": "FUZZY_CAPTION", "searchQuery": "rain jacket"}}}},
            '"rain jacket" in captions',
        ),
        (
            {"search": {"filter": {"followersCount": {"from": 1000}},
                        "customAttributeConditions": [{
                            "field": "tier", "operator": "EQUAL", "type": "TEXT", "value": "Gold"
                        }]}},
            "followers count from 1000; tier equal Gold",
        ),
        (
            {"search": {"filter": {"tagsNames": ["x" * 100]}}},
            f"tags names {'x' * 60}...",
        ),
    ],
)  # fmt: skip
def test_the_posts_are_described_in_words(arguments: dict[str, Any], words: str) -> None:
    assert describe_posts(chart(**arguments), "") == words


def test_a_view_stands_there_by_its_name() -> None:
    source = chart(search={"presetId": "7"}, takenAt={"from": "2026-07-01", "to": "2026-07-31"})

    assert describe_posts(source, "Top reels") == (
        "view or collection Top reels; posted from 2026-07-01 to 2026-07-31"
    )


@pytest.mark.parametrize(
    ("window", "period"),
    [
        ({"from": "2026-07-01", "to": "2026-07-31"}, Period(date(2026, 7, 1), date(2026, 7, 31))),
        # Midnight ends the day before.
        ({"to": "2026-08-01T00:00:00Z"}, Period(None, date(2026, 7, 31))),
        ({"from": "2026-07-01T12:00:00Z"}, Period(date(2026, 7, 1), None)),
    ],
)
def test_the_days_of_a_period_are_those_of_its_bounds(
    window: dict[str, str], period: Period
) -> None:
    assert find_period(chart(takenAt=window)) == period
    assert find_period(chart(search={"filter": {"takenAt": window}})) == period
