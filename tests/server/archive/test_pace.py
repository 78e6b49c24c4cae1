"""How many reads travel together, by what packs cost and how long they take."""

from __future__ import annotations

import pytest

from server.archive.batching import FIRST, MOST, BatchSize


def sizes(
    pace: BatchSize, each: float | None, seconds: float = 0.1, burst: float | None = 15_000
) -> list[int]:
    """The sizes of packs that cost so many credits a read, until they stop growing."""
    found = [pace.size]
    for _ in range(8):
        spent = None if each is None else pace.size * each
        pace.record_answer(pace.size, seconds, spent, burst, metered=each is not None)
        if pace.size == found[-1]:
            return found
        found.append(pace.size)
    raise AssertionError(found)


def test_packs_double_up_to_the_most() -> None:
    pace = BatchSize(6)
    assert sizes(pace, 6) == [5, 10, 20, 40]
    assert not pace.learning


def test_the_price_is_what_was_measured_last() -> None:
    pace = BatchSize(6)
    sizes(pace, 2.5)
    assert pace.cost == 2.5


def test_without_a_price_where_prices_are_told_nothing_grows() -> None:
    pace = BatchSize(6)
    pace.record_answer(5, 0.1, None, 15_000, metered=True)
    assert (pace.size, pace.learning) == (FIRST, True)


def test_where_no_prices_are_told_time_alone_decides() -> None:
    assert sizes(BatchSize(6), None, burst=None) == [5, 10, 20, 40]


@pytest.mark.parametrize(("burst", "expected"), [(3_000, [5, 10, 20]), (900, [5])])
def test_a_pack_takes_no_more_than_a_tenth_of_the_plan(burst: float, expected: list[int]) -> None:
    assert sizes(BatchSize(6), 10, burst=burst) == expected


def test_packs_that_take_long_grow_no_more() -> None:
    pace = BatchSize(6)
    pace.record_answer(5, 1.0, 30, 15_000, metered=True)
    pace.record_answer(10, 4.5, 60, 15_000, metered=True)
    assert (pace.size, pace.learning) == (10, False)


def test_a_price_that_jumps_has_to_be_seen_twice_because_others_use_the_workspace_too() -> None:
    pace = BatchSize(6)
    pace.record_answer(5, 0.1, 340, 15_000, metered=True)
    assert (pace.size, pace.cost, pace.learning) == (5, 6, True)
    pace.record_answer(5, 0.1, 30, 15_000, metered=True)
    assert (pace.size, pace.cost) == (10, 6)
    for _ in range(2):
        pace.record_answer(10, 0.1, 200, 15_000, metered=True)
    assert (pace.size, pace.cost, pace.learning) == (10, 20, False)


def test_a_pack_that_was_not_full_says_nothing_about_the_next_size() -> None:
    pace = BatchSize(6)
    pace.record_answer(3, 0.1, 18, 15_000, metered=True)
    assert pace.size == FIRST


def test_a_refusal_for_good_bounds_the_size_for_ever() -> None:
    pace = BatchSize(6)
    sizes(pace, 6)
    pace.record_failure(40, passing=False)
    assert (pace.size, pace.most) == (20, 20)
    pace.reset()
    assert sizes(pace, 6) == [20]


def test_trouble_that_may_pass_bounds_it_when_it_comes_twice() -> None:
    pace = BatchSize(6)
    sizes(pace, 6)
    pace.record_failure(40, passing=True)
    assert (pace.size, pace.most) == (20, MOST)
    assert sizes(pace, 6) == [20, 40]
    pace.record_failure(40, passing=True)
    assert sizes(pace, 6) == [20]


def test_trouble_that_a_single_read_meets_too_was_not_because_of_the_size() -> None:
    pace = BatchSize(6)
    sizes(pace, 6)
    for _ in range(3):
        for size in (40, 20, 10, 5, 2):
            pace.record_failure(size, passing=True)
        pace.reset()
    assert (pace.size, pace.most) == (1, MOST)
    assert sizes(pace, 6) == [1, 2, 4, 8, 16, 32, 40]
