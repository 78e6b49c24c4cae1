from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.archive.selection import select
from tests.support.paths import ARCHIVE_API
from tools.archive.content.sorting import SORT_PATHS, sorter
from tools.archive.insights.base import FIELD_OF
from tools.archive.schema.objects import Item

API = json.loads(ARCHIVE_API.read_text(encoding="utf-8"))


def item(
    number: int, likes: Any = None, name: str | None = None, virality: str | None = None
) -> dict[str, Any]:
    return {
        "id": number,
        "takenAt": f"2026-03-{number:02}T00:00:00Z",
        "socialProfile": {"accountName": name},
        "currentEngagement": {"likes": likes, "linearViralityScore": virality},
    }


def order(records: list[dict[str, Any]], *keys: tuple[str, str]) -> list[int]:
    return [each["id"] for each in sorter(list(keys))(records)]


def test_every_sort_key_of_the_api_has_a_field_that_exists() -> None:
    assert SORT_PATHS.keys() == set(API["enums"]["ItemSortKey"])
    for path in SORT_PATHS.values():
        select(Item, [path])


@pytest.mark.parametrize(
    ("direction", "expected"), [("DESC", [2, 3, 1, 4, 5]), ("ASC", [1, 3, 2, 4, 5])]
)
def test_what_is_not_known_comes_last_in_either_direction(
    direction: str, expected: list[int]
) -> None:
    records = [item(4), item(1, 5), item(2, 100), {"id": 5, "currentEngagement": None}, item(3, 20)]

    assert order(records, ("LIKE_COUNT", direction)) == expected


def test_numbers_too_large_for_json_sort_among_the_others() -> None:
    records = [
        item(1, 5),
        item(2, str(2**60)),
        item(3, str(2**61)),
        item(4, 2**53 - 1),
        item(5, str(-(2**60))),
    ]

    assert order(records, ("LIKE_COUNT", "DESC")) == [3, 2, 4, 1, 5]


def test_names_sort_without_regard_to_case() -> None:
    records = [item(1, name="bea"), item(2, name="Ada"), item(3, name="Cleo"), item(4)]

    assert order(records, ("ACCOUNT_NAME", "ASC")) == [2, 1, 3, 4]


@pytest.mark.parametrize("key", ["LINEAR_VIRALITY", "EXPONENTIAL_VIRALITY"])
def test_virality_sorts_by_its_class(key: str) -> None:
    classes = ["LOW", "HIGH", "NOT_VIRAL", "MEDIUM", None, "NEW_CLASS"]
    records = [item(number, virality=each) for number, each in enumerate(classes, 1)]

    assert order(records, (key, "DESC")) == [2, 4, 1, 3, 5, 6]


def test_views_sort_by_the_same_metric_as_insights_rank_by() -> None:
    for key, metric in FIELD_OF.items():
        assert SORT_PATHS[key] == f"currentEngagement.{metric}"


def test_a_story_whose_views_are_estimated_sorts_among_the_others() -> None:
    shown = {1: (50, 50), 2: (None, 90), 3: (70, 70)}
    records = [
        {"id": each, "currentEngagement": {"views": views, "impressions": impressions}}
        for each, (views, impressions) in shown.items()
    ]

    assert order(records, ("MERGED_VIEW_PLAY_COUNT", "DESC")) == [2, 3, 1]


def test_dates_sort_as_time() -> None:
    assert order([item(2), item(9), item(1)], ("TAKEN_AT", "DESC")) == [9, 2, 1]


def test_the_first_key_counts_first_and_the_next_decides_between_equals() -> None:
    records = [item(1, 5, "b"), item(2, 7, "a"), item(3, 5, "a"), item(4, 7, "c")]

    assert order(records, ("LIKE_COUNT", "DESC"), ("ACCOUNT_NAME", "ASC")) == [2, 4, 3, 1]


@given(st.lists(st.none() | st.integers(0, 3), max_size=12), st.sampled_from(["ASC", "DESC"]))
def test_equals_stay_in_the_order_in_which_they_came(
    likes: list[int | None], direction: str
) -> None:
    records = [item(number, value) for number, value in enumerate(likes)]

    found = order(records, ("LIKE_COUNT", direction))

    assert sorted(found) == list(range(len(likes)))
    for value in {None, *likes}:
        of_value = [number for number in found if likes[number] == value]
        assert of_value == sorted(of_value)


def test_the_records_given_are_left_as_they_were() -> None:
    records = [item(1, 1), item(2, 2)]
    sorter([("LIKE_COUNT", "DESC")])(records)

    assert [each["id"] for each in records] == [1, 2]
