from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.pictures.weeks import OPEN, Period, list_weeks, render_weeks

MONDAY = date(2026, 7, 6)
TODAY = date(2026, 11, 29)
days = st.dates(date(2026, 1, 1), date(2026, 12, 31))


def labels(*mondays: date, period: Period = OPEN, today: date = TODAY) -> list[str]:
    return render_weeks(list_weeks(mondays, period, today))


def test_a_week_bears_its_first_day() -> None:
    assert labels(MONDAY, MONDAY + timedelta(days=14)) == ["Jul 6", "Jul 13", "Jul 20"]


@pytest.mark.parametrize(
    ("first", "last", "label"),
    [
        (date(2026, 7, 6), date(2026, 7, 12), "Jul 6"),
        (date(2026, 7, 8), date(2026, 7, 12), "Jul 8-12"),
        (date(2026, 7, 6), date(2026, 7, 6), "Jul 6"),
        (date(2026, 7, 8), None, "Jul 8-12"),
        (None, date(2026, 7, 9), "Jul 6-9"),
    ],
)
def test_a_week_that_is_cut_bears_its_days(
    first: date | None, last: date | None, label: str
) -> None:
    assert labels(MONDAY, period=Period(first, last)) == [label]


def test_a_cut_week_may_end_in_another_month() -> None:
    period = Period(date(2026, 6, 29), date(2026, 7, 2))

    assert labels(date(2026, 6, 29), period=period) == ["Jun 29-Jul 2"]


def test_the_week_that_runs_is_partial_and_later_ones_are_not_there() -> None:
    period = Period(last=date(2026, 7, 31))

    assert labels(MONDAY, today=date(2026, 7, 8)) == ["Jul 6-8"]
    assert labels(MONDAY, period=period, today=date(2026, 7, 8)) == ["Jul 6-8"]


def test_weeks_of_several_years_bear_the_year() -> None:
    assert labels(date(2025, 12, 22), date(2026, 1, 5)) == ["Dec 22 '25", "Dec 29 '25", "Jan 5 '26"]


@given(st.lists(days, min_size=1, max_size=5), st.none() | days, st.none() | days, days)
def test_weeks_follow_each_other_and_hold_every_week_with_posts(
    posted: list[date], first: date | None, last: date | None, today: date
) -> None:
    mondays = [day - timedelta(days=day.weekday()) for day in posted]
    weeks = list_weeks(mondays, Period(first, last), today)

    starts = [week.monday for week in weeks]
    assert set(mondays) <= set(starts)
    assert starts == [starts[0] + timedelta(days=7 * place) for place in range(len(starts))]
    for week in weeks:
        assert week.monday <= week.first <= week.last <= week.monday + timedelta(days=6)
