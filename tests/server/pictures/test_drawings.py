from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from server.insights.money import ASSUMED_CENTS, Money
from server.insights.rows import METRICS, Row
from server.pictures.drawings import (
    Drawing,
    Subject,
    chart_engagement,
    chart_platform_mix,
    chart_top_creators,
    chart_weeks,
)
from server.pictures.measures import Measure, Metric, make_measure
from server.pictures.weeks import MOST_WEEKS, OPEN, Period
from tests.support.tools.figures import read_texts

SUBJECT = Subject("Northwind", "TikTok")
TODAY = date(2026, 11, 29)


def row(
    taken_at: str = "2026-11-02T10:00:00Z",
    creator: str | None = "c",
    account: str = "mia",
    **values: Any,
) -> Row:
    metrics = tuple(values.get(name) for name in METRICS)
    return Row(taken_at, "TIKTOK", "POST", taken_at, metrics, creator=creator, account=account)


def measures(*metrics: Metric, money: Money = ASSUMED_CENTS) -> list[Measure]:
    return [make_measure(metric, money) for metric in metrics]


def weekly(
    rows: list[Row], *metrics: Metric, period: Period = OPEN, today: date = TODAY
) -> Drawing:
    return chart_weeks(rows, measures(*metrics), period, today, SUBJECT)


def test_a_week_without_posts_has_no_posts_and_nothing_to_add_up() -> None:
    drawing = weekly(
        [row("2026-10-05T00:00:00Z", likes=3), row("2026-10-25T23:59:59Z", likes=4)], "likes"
    )

    assert drawing.columns == ["week", "from", "to", "items", "likes"]
    assert drawing.rows == [
        ["2026-W41", "2026-10-05", "2026-10-11", 1, 3],
        ["2026-W42", "2026-10-12", "2026-10-18", 0, 0],
        ["2026-W43", "2026-10-19", "2026-10-25", 1, 4],
    ]


def test_a_week_whose_posts_all_lack_the_metric_has_no_total_and_says_so() -> None:
    drawing = weekly([row("2026-10-05T00:00:00Z"), row("2026-10-19T00:00:00Z", likes=0)], "likes")

    assert [line[3:] for line in drawing.rows] == [[1, None], [0, 0], [1, 0]]
    # A week without posts has nothing that could be unknown.
    assert read_texts(drawing).count("?") == 1


def test_only_the_latest_weeks_are_drawn() -> None:
    start = datetime(2020, 1, 6, tzinfo=UTC)
    rows = [
        row((start + timedelta(weeks=week)).isoformat(), likes=week)
        for week in range(MOST_WEEKS + 50)
    ]
    drawing = weekly(rows, "likes")

    assert [line[-1] for line in drawing.rows] == list(range(50, MOST_WEEKS + 50))
    assert any(f"the last {MOST_WEEKS} are shown" in note for note in drawing.list_notes())


def test_a_bar_bears_the_first_day_of_its_week_and_its_value() -> None:
    rows = [row("2026-07-08T00:00:00Z"), row("2026-07-14T00:00:00Z"), row("2026-07-15T00:00:00Z")]
    texts = read_texts(weekly(rows, "items"))

    assert {"Jul 6", "Jul 13", "1", "2"} <= set(texts)


def test_weeks_that_the_period_cuts_are_named_and_the_others_of_it_are_there() -> None:
    period = Period(date(2026, 7, 1), date(2026, 7, 31))
    drawing = weekly([row("2026-07-08T00:00:00Z")], "items", period=period)
    texts = read_texts(drawing)

    assert [line[1:3] for line in drawing.rows] == [
        ["2026-07-01", "2026-07-05"],
        ["2026-07-06", "2026-07-12"],
        ["2026-07-13", "2026-07-19"],
        ["2026-07-20", "2026-07-26"],
        ["2026-07-27", "2026-07-31"],
    ]
    partial = "2026-W27 (2026-07-01 to 2026-07-05), 2026-W31 (2026-07-27 to 2026-07-31)"
    assert drawing.list_notes() == [f"Partial weeks: {partial}."]
    assert {"Jul 1-5", "Jul 6", "Jul 27-31", f"Hatched, partial weeks: {partial}"} <= set(texts)


def test_the_workspace_and_the_filter_stand_above_the_chart() -> None:
    drawing = weekly([row(likes=1)], "likes")
    texts = read_texts(drawing)

    assert "Northwind: likes by week" in texts
    assert "TikTok\n1 posts from 2026-11-02 to 2026-11-02 (UTC)" in texts
    assert drawing.to_dict()["title"] == "Northwind: likes by week"
    assert drawing.to_dict()["posts"] == "TikTok"


def test_only_the_measures_that_were_asked_for_are_drawn() -> None:
    assert "Posts" not in read_texts(weekly([row(likes=1)], "likes"))
    mix = chart_platform_mix([row(likes=1, views=2)], measures("likes", "views"), SUBJECT)
    texts = read_texts(mix)
    assert {"Likes", "Views"} <= set(texts)
    assert "Posts" not in texts


def test_creators_are_ranked_by_the_first_measure_or_by_their_posts() -> None:
    rows = [row(creator="a", likes=9), row(creator="b", likes=1), row(creator="b", likes=2)]
    by_likes = chart_top_creators(rows, measures("likes"), 1, SUBJECT)
    by_posts = chart_top_creators(rows, measures("items", "likes"), 1, SUBJECT)

    assert by_likes.rows == [["a", "mia", 1, 9]]
    assert by_posts.rows == [["b", "mia", 2, 3]]
    assert by_posts.columns == ["creatorId", "accounts", "items", "likes"]


def test_creators_without_the_metric_and_accounts_without_a_creator_are_not_ranked() -> None:
    rows = [row(creator="a", likes=0), row(creator="b"), row(creator=None, likes=900)]
    drawing = chart_top_creators(rows, measures("likes"), 10, SUBJECT)

    assert drawing.rows == [["a", "mia", 1, 0]]
    assert "1 items of accounts without a creator in the CRM are left out." in drawing.notes
    assert "1 creators have no known likes: left out." in drawing.notes


EMV_ROWS = [
    row("2026-10-05T00:00:00Z", earnedMediaValue=123_456),
    row("2026-10-12T00:00:00Z", earnedMediaValue=5),
]
SNAPSHOTS = [[{"at": "2026-10-06T00:00:00Z", "earnedMediaValue": 123_456}]]


@pytest.mark.parametrize("kind", ["creators", "mix", "weeks", "engagement"])
@pytest.mark.parametrize(
    ("money", "unit", "dollars"),
    [(Money(), "USD, assumed", 1234.56), (Money("cents"), "USD", 1234.56),
     (Money("dollars"), "USD", 123_456)],
)  # fmt: skip
def test_money_is_shown_in_dollars_and_a_guess_is_called_one(
    kind: str, money: Money, unit: str, dollars: float
) -> None:
    value = measures("earnedMediaValue", money=money)
    drawing = {
        "creators": chart_top_creators(EMV_ROWS[:1], value, 5, SUBJECT),
        "mix": chart_platform_mix(EMV_ROWS[:1], value, SUBJECT),
        "weeks": chart_weeks(EMV_ROWS, value, OPEN, TODAY, SUBJECT),
        "engagement": chart_engagement(EMV_ROWS[:1], SNAPSHOTS, value, SUBJECT),
    }[kind]
    texts = read_texts(drawing)

    assert f"Earned media value\n({unit})" in texts
    assert any(text.startswith(r"\$") for text in texts)
    assert drawing.columns[-1] == "earnedMediaValueUsd"
    assert drawing.rows[0][-1] == dollars
    assert drawing.to_dict()["units"] == {"earnedMediaValueUsd": unit}
    assert money.notes == [note for note in drawing.list_notes() if "ARCHIVE_MCP_EMV_UNIT" in note]


def test_an_unknown_figure_is_a_gap_and_is_called_unknown() -> None:
    mixed = chart_platform_mix([row(likes=5), row()], measures("likes"), SUBJECT)
    nothing = chart_platform_mix([row(), row()], measures("likes"), SUBJECT)

    assert "unknown" not in read_texts(mixed)
    assert "unknown" in read_texts(nothing)
