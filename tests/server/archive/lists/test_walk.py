"""A list that is read page by page holds each record once, and has an end."""

from __future__ import annotations

import pytest

from server.archive.walk import Walk, describe_repeats, drop_repeats
from server.errors import Code, Failure


def test_a_record_that_comes_again_is_counted_and_left_out() -> None:
    walk = Walk()

    assert [walk.take({"id": name}) for name in "aba"] == [True, True, False]
    assert walk.repeats == 1


def test_records_without_an_id_are_all_taken() -> None:
    records = [{"caption": "x"}, {"caption": "x"}]

    assert drop_repeats(records) == (records, 0)


def test_snapshots_are_told_apart_by_their_time() -> None:
    assert drop_repeats([{"at": "1"}, {"at": "1"}, {"at": "2"}])[1] == 1


def test_what_came_again_is_told() -> None:
    assert describe_repeats(0) == []
    assert "7 records came twice" in describe_repeats(7)[0]


def test_a_cursor_that_repeats_is_an_endless_list() -> None:
    walk = Walk()
    for cursor in ("a", "b"):
        walk.take({"id": cursor})
        walk.step(cursor, None)
    with pytest.raises(Failure, match="repeats a cursor") as caught:
        walk.step("a", None)

    assert caught.value.code is Code.BAD_RESPONSE
    assert caught.value.hint
    assert not caught.value.retryable


def test_pages_that_bring_nothing_new_end_after_a_few() -> None:
    walk = Walk()
    walk.take({"id": "1"})
    for cursor in "abc":
        walk.step(cursor, 100)
    with pytest.raises(Failure, match="3 pages in a row bring nothing new"):
        walk.step("d", 100)


def test_a_list_far_longer_than_its_count_is_endless() -> None:
    walk = Walk()
    for number in range(1_003):
        walk.take({"id": str(number)})
    walk.step("1", 2)
    walk.take({"id": "one more"})
    walk.take({"id": "and another"})
    with pytest.raises(Failure, match="it counts 2 records and sent 1,005"):
        walk.step("2", 2)
