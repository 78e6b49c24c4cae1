from __future__ import annotations

import statistics
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.insights.rows import (
    EXACT,
    METRICS,
    Row,
    make_row,
)
from server.insights.summary import (
    CLASSES,
    By,
    count_virality,
    find_span,
    group_items,
    limit_groups,
    round_figure,
    select_best,
    summarize_metrics,
)
from tests.support.insights_made_up import many_rows, rows

BY = get_args(By)


def exact(told_value: Any) -> Fraction:
    """A figure of a result as the number it stands for."""
    return Fraction(str(told_value))


def item(**values: Any) -> Row:
    return make_row(
        {"id": "x", "provider": "INSTAGRAM", "type": "POST", "takenAt": "2026-03-01T00:00:00Z"}
        | {"currentEngagement": values}
    )


@given(many_rows)
def test_figures_are_those_of_the_statistics_module_over_the_items_that_have_the_metric(
    items: list[Row],
) -> None:
    found = summarize_metrics(items)
    for metric in METRICS:
        known = [Fraction(value) for row in items if (value := row.value(metric)) is not None]
        if not known:
            assert found[metric] == {
                "total": None,
                "mean": None,
                "median": None,
                "known": 0,
                "unknown": len(items),
            }
            continue
        assert exact(found[metric]["total"]) == sum(known)
        assert abs(exact(found[metric]["mean"]) - statistics.mean(known)) <= Fraction(1, 100)
        assert exact(found[metric]["median"]) == statistics.median(known)


@given(many_rows)
def test_known_and_unknown_add_up_to_the_items(items: list[Row]) -> None:
    for figures in summarize_metrics(items).values():
        assert figures["known"] + figures["unknown"] == len(items)


@pytest.mark.parametrize("by", BY)
@given(items=many_rows, metric=st.sampled_from(METRICS), most=st.integers(1, 4))
def test_groups_add_up_to_the_whole_also_where_some_are_put_together(
    by: By, items: list[Row], metric: str, most: int
) -> None:
    whole = summarize_metrics(items)
    groups = [
        each.to_dict()
        for each in limit_groups(
            group_items(items, by, metric), most, by_time=by in ("week", "month")
        )
    ]

    assert len(groups) <= most + 1
    assert sum(each["items"] for each in groups) == len(items)
    for name in METRICS:
        parts = [each[name] for each in groups if each[name] is not None]
        assert sum(each["known"] for each in parts) == whole[name]["known"]
        assert sum(exact(each["total"]) for each in parts) == (
            exact(whole[name]["total"]) if parts else 0
        )
        assert (whole[name]["total"] is None) == (not parts)


@given(many_rows)
def test_every_week_holds_the_items_of_seven_days_from_its_monday(items: list[Row]) -> None:
    for group in group_items(items, "week", "likes"):
        monday = datetime.fromisoformat(group.name["monday"]).replace(tzinfo=UTC)
        assert monday.weekday() == 0
        assert group.name["week"] == f"{monday.isocalendar()[0]}-W{monday.isocalendar()[1]:02}"
        assert all(timedelta(0) <= each.moment - monday < timedelta(days=7) for each in group.rows)


@pytest.mark.parametrize(
    ("moment", "week", "month"),
    [
        ("2025-12-28T23:59:59Z", "2025-W52", "2025-12"),
        ("2025-12-29T00:00:00Z", "2026-W01", "2025-12"),
        ("2027-01-03T23:59:59Z", "2026-W53", "2027-01"),
        ("2026-03-02T00:30:00+01:00", "2026-W09", "2026-03"),
    ],
)
def test_weeks_are_iso_weeks_and_months_calendar_months_in_utc(
    moment: str, week: str, month: str
) -> None:
    row = Row("x", "TIKTOK", "POST", moment, (None,) * 6)

    assert group_items([row], "week", "likes")[0].name["week"] == week
    assert group_items([row], "month", "likes")[0].name == {"month": month}


@given(many_rows)
def test_times_are_in_order_and_the_earliest_are_put_together(items: list[Row]) -> None:
    groups = group_items(items, "month", "likes")
    kept = limit_groups(groups, 2, by_time=True)

    assert [each.name["month"] for each in groups] == sorted(each.name["month"] for each in groups)
    if len(groups) > 2:
        assert kept[0].name == {"earlier": len(groups) - 2}
        assert kept[1:] == groups[-2:]


@given(many_rows, st.sampled_from(METRICS))
def test_creators_are_ordered_by_their_total_and_those_without_one_come_last(
    items: list[Row], metric: str
) -> None:
    totals = [each.to_dict()[metric] for each in group_items(items, "creator", metric)]
    known = [exact(each["total"]) for each in totals if each is not None]

    assert known == sorted(known, reverse=True)
    assert totals[len(known) :] == [None] * (len(totals) - len(known))


@given(many_rows)
def test_the_classes_of_virality_add_up_and_count_reels_and_tiktoks_only(items: list[Row]) -> None:
    found = count_virality(items)

    assert sum(found[each] for each in (*CLASSES, "unknown")) == found["items"]
    assert found["items"] == sum(
        (row.platform, row.kind) in {("INSTAGRAM", "REEL"), ("TIKTOK", "POST")} for row in items
    )


@given(many_rows)
def test_a_type_is_named_with_its_platform_and_in_the_words_of_the_api(items: list[Row]) -> None:
    groups = group_items(items, "type", "likes")

    names = [(group.name["provider"], group.name["type"]) for group in groups]
    assert len(names) == len(set(names))
    for group in groups:
        assert {(row.platform, row.kind) for row in group.rows} == {
            (group.name["provider"], group.name["type"])
        }


@given(many_rows)
def test_a_handle_is_another_account_on_another_platform(items: list[Row]) -> None:
    for group in group_items(items, "account", "likes"):
        assert {(row.platform, row.account) for row in group.rows} == {
            (group.name["provider"], group.name["accountName"])
        }


@given(many_rows)
def test_a_group_has_the_figures_that_were_chosen_and_no_others(items: list[Row]) -> None:
    assert list(summarize_metrics(items, ["views"])) == ["views"]
    for group in group_items(items, "platform", "views"):
        assert list(group.to_dict(["views"])) == ["platform", "items", "views"]


@given(many_rows, st.sampled_from(METRICS), st.integers(1, 6))
def test_the_best_are_those_with_the_largest_values(
    items: list[Row], metric: str, most: int
) -> None:
    values = sorted(
        (value for row in items if (value := row.value(metric)) is not None), reverse=True
    )

    assert [exact(each[metric]) for each in select_best(items, metric, most)] == values[:most]


def test_the_best_say_what_they_are_whose_and_where() -> None:
    row = make_row(
        {
            "id": "x",
            "provider": "YOUTUBE",
            "type": "SHORT",
            "takenAt": "2026-03-01T00:00:00Z",
            "archivePublicUrl": "https://archive.example/x",
            "originalUrl": "https://youtube.example/x",
            "socialProfile": {"accountName": "maya"},
            "currentEngagement": {"likes": "3"},
        }
    )

    assert select_best([row], "likes", 1) == [
        {
            "id": "x",
            "provider": "YOUTUBE",
            "type": "SHORT",
            "accountName": "maya",
            "takenAt": "2026-03-01T00:00:00Z",
            "link": "https://archive.example/x",
            "originalUrl": "https://youtube.example/x",
            "likes": 3,
        }
    ]


def test_nothing_at_all_is_told_as_unknown_and_not_as_zero() -> None:
    assert find_span([]) is None
    assert summarize_metrics([])["likes"] == {
        "total": None,
        "mean": None,
        "median": None,
        "known": 0,
        "unknown": 0,
    }


def test_a_zero_counts_and_a_null_does_not() -> None:
    found = summarize_metrics([item(likes="0"), item(likes=None), item(likes="9")])["likes"]

    assert found == {"total": 9, "mean": 4.5, "median": 4.5, "known": 2, "unknown": 1}


def test_numbers_that_json_does_not_hold_exactly_are_added_up_exactly_and_told_as_text() -> None:
    large = 2**53 + 1
    found = summarize_metrics(
        [item(views=str(large)), item(views=str(large)), item(views=str(large + 1))]
    )["views"]

    assert found["total"] == str(3 * large + 1)
    assert found["mean"] == f"{large}.33"
    assert found["median"] == str(large)
    assert select_best([item(views=str(large))], "views", 1)[0]["views"] == str(large)


@pytest.mark.parametrize("number", [EXACT, EXACT + 1, -EXACT - 1])
def test_whole_numbers_are_text_only_where_they_must_be(number: int) -> None:
    assert round_figure(Fraction(number)) == (number if abs(number) <= EXACT else str(number))


@given(st.fractions())
def test_a_figure_is_right_to_two_decimals(number: Fraction) -> None:
    assert abs(exact(round_figure(number)) - number) <= Fraction(1, 200)


@given(rows)
def test_a_row_survives_being_packed(row: Row) -> None:
    assert Row.unpack(row.id, list(row.pack())) == row
