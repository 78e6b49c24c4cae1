from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.insights.brands import (
    METRICS,
    compare_brands,
    find_missing,
    find_period,
    sum_metrics,
)

Json = dict[str, Any]
figures = st.one_of(
    st.none(), st.integers(0, 10**9), st.floats(0, 1e9).map(lambda each: round(each, 2))
)
brands = st.lists(
    st.fixed_dictionaries({"isOwnBrand": st.booleans(), **dict.fromkeys(METRICS, figures)}),
    max_size=8,
).map(lambda found: [{"id": str(n), "name": f"Brand {n}", **each} for n, each in enumerate(found)])


def brand(name: str, posts: float | None, **more: Any) -> Json:
    return {
        "id": name,
        "name": name,
        "isOwnBrand": False,
        **dict.fromkeys(METRICS),
        "postsCount": posts,
        **more,
    }


@given(brands)
def test_shares_add_up_to_the_whole_over_the_brands_that_have_the_figure(found: list[Json]) -> None:
    for metric in METRICS:
        shares = [
            each[metric]["sharePercent"]
            for each in compare_brands(found)
            if each[metric] is not None
        ]
        if not shares or not sum_metrics(found)[metric]:
            assert all(each is None for each in shares)
            continue
        assert sum(shares) == pytest.approx(100, abs=0.1)


@given(brands)
def test_a_brand_without_a_figure_is_named_as_such_and_ranked_nowhere(found: list[Json]) -> None:
    missing = find_missing(found)
    for each in compare_brands(found):
        for metric in METRICS:
            named = each["name"] in [*missing.get("everything", []), *missing.get(metric, [])]
            assert (each[metric] is None) == named


@given(brands)
def test_the_own_brand_comes_first_and_no_brand_is_lost(found: list[Json]) -> None:
    told = compare_brands(found)
    own = [each["isOwnBrand"] for each in told]

    assert sorted(each["id"] for each in told) == sorted(each["id"] for each in found)
    assert own == sorted(own, reverse=True)


def test_ranks_shares_and_change_by_hand() -> None:
    now = [brand("a", 30), brand("b", 10), brand("c", 30), brand("d", None), brand("e", 0)]
    before = {
        each["id"]: each
        for each in [brand("a", 20), brand("b", 0), brand("c", None), brand("d", 5)]
    }
    found = {each["id"]: each["postsCount"] for each in compare_brands(now, before)}

    assert found["a"] == {
        "value": 30,
        "sharePercent": 42.86,
        "rank": 1,
        "previous": 20,
        "changePercent": 50.0,
    }
    assert found["b"] == {
        "value": 10,
        "sharePercent": 14.29,
        "rank": 3,
        "previous": 0,
        "changePercent": None,
    }
    assert found["c"] == {
        "value": 30,
        "sharePercent": 42.86,
        "rank": 1,
        "previous": None,
        "changePercent": None,
    }
    assert found["d"] is None
    assert found["e"] == {
        "value": 0,
        "sharePercent": 0.0,
        "rank": 4,
        "previous": None,
        "changePercent": None,
    }
    assert sum_metrics(now)["postsCount"] == 70
    assert sum_metrics(now)["reach"] is None
    assert find_missing(now) == {
        "everything": ["d"],
        **{metric: ["a", "b", "c", "e"] for metric in METRICS if metric != "postsCount"},
    }


@given(st.dates(), st.sampled_from(["MONTH", "WEEK"]))
def test_a_period_holds_its_day_and_begins_where_the_one_before_ends(
    day: date, length: Literal["MONTH", "WEEK"]
) -> None:
    if not date(1, 2, 1) <= day <= date(9999, 11, 1):
        return
    first, last = find_period(length, day)
    before = find_period(length, first - timedelta(days=1))

    assert first <= day <= last
    assert before[1] == first - timedelta(days=1)
    assert (
        (first.day, (last + timedelta(days=1)).day) == (1, 1)
        if length == "MONTH"
        else last.isoweekday() == 7
    )
