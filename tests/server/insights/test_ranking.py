from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.insights.ranking import (
    compute_engagement_rate,
    cuts_a_tie,
    is_ranked,
    rank_items,
)
from server.insights.rows import METRICS, Row
from tests.support.insights_made_up import many_rows

metrics = st.sampled_from(METRICS)


def row(name: str, likes: int | None, comments: int | None = 0, followers: int | None = 100) -> Row:
    return Row(
        name,
        "TIKTOK",
        "POST",
        "2026-03-01T00:00:00Z",
        (likes, comments, None, None, None, None),
        followers=followers,
    )


@given(many_rows, metrics, st.integers(1, 40))
def test_a_rank_is_one_more_than_the_number_of_larger_values(
    items: list[Row], metric: str, most: int
) -> None:
    nodes = rank_items(items, metric, most)
    known = [value for each in items if (value := each.value(metric)) is not None]

    assert len(nodes) == min(most, len(items))
    for node in nodes:
        value = None if node[metric] is None else int(node[metric])
        assert node["rank"] == (None if value is None else 1 + sum(each > value for each in known))


@given(many_rows, metrics)
def test_items_without_the_metric_come_last(items: list[Row], metric: str) -> None:
    ranks = [each["rank"] for each in rank_items(items, metric, len(items))]

    assert ranks == sorted((each for each in ranks if each), reverse=False) + [None] * ranks.count(
        None
    )


def test_items_of_equal_value_share_a_rank_and_the_next_is_left_out() -> None:
    nodes = rank_items([row("a", 5), row("b", 7), row("c", 5), row("d", 1)], "likes", 10)

    assert [(each["id"], each["rank"]) for each in nodes] == [
        ("b", 1),
        ("a", 2),
        ("c", 2),
        ("d", 4),
    ]


def test_an_item_without_the_metric_comes_behind_one_that_has_none_of_it() -> None:
    nodes = rank_items([row("unknown", None), row("zero", 0)], "likes", 2)

    assert [(each["id"], each["rank"]) for each in nodes] == [("zero", 1), ("unknown", None)]


@given(many_rows, metrics, st.integers(1, 30))
def test_a_tie_is_cut_where_one_more_item_would_share_the_last_rank(
    items: list[Row], metric: str, most: int
) -> None:
    shown, all_ = rank_items(items, metric, most), rank_items(items, metric, len(items))
    last = shown[-1]["rank"] if shown else None
    tied = last is not None and sum(each["rank"] == last for each in all_) > sum(
        each["rank"] == last for each in shown
    )

    assert cuts_a_tie(items, metric, most) == tied


@pytest.mark.parametrize(
    ("likes", "holds"),
    [
        ([3, 2, 2, None], True),
        ([], True),
        ([None, None], True),
        ([None, 3], False),
        ([2, 3], False),
        ([0, None], True),
        ([None, 0], False),
    ],
)
def test_an_order_holds_if_values_fall_and_unknown_ones_end_it(
    likes: list[int | None], holds: bool
) -> None:
    assert is_ranked([row(str(place), each) for place, each in enumerate(likes)], "likes") is holds


@pytest.mark.parametrize(
    ("likes", "comments", "followers", "rate"),
    [
        (10, 5, 1000, 1.5),
        (1, 0, 3, 33.33),
        (None, 5, 10, None),
        (5, None, 10, None),
        (1, 1, 0, None),
        (1, 1, None, None),
    ],
)
def test_an_engagement_rate_needs_likes_comments_and_followers(
    likes: int | None, comments: int | None, followers: int | None, rate: float | None
) -> None:
    assert compute_engagement_rate(row("a", likes, comments, followers)) == rate


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(1, 10**7))
def test_an_engagement_rate_is_a_percentage(likes: int, comments: int, followers: int) -> None:
    found = compute_engagement_rate(row("a", likes, comments, followers))

    assert found is not None
    assert abs(Fraction(found) - Fraction(100 * (likes + comments), followers)) <= Fraction(
        51, 10_000
    )
