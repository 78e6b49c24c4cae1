"""How many reads travel together, by what batches cost and how long they take."""

from __future__ import annotations

import pytest

from server.archive.batching import FIRST, MOST, BatchSize


def sizes(
    batch_size: BatchSize, price: float | None, seconds: float = 0.1, burst: float | None = 15_000
) -> list[int]:
    """Return the sizes of batches that cost so many credits a read, until they stop growing."""
    tried = [batch_size.size]
    for _ in range(8):
        spent = None if price is None else batch_size.size * price
        batch_size.record_answer(batch_size.size, seconds, spent, burst, metered=price is not None)
        if batch_size.size == tried[-1]:
            return tried
        tried.append(batch_size.size)
    raise AssertionError(tried)


def test_batches_double_up_to_the_most() -> None:
    batch_size = BatchSize(6)
    assert sizes(batch_size, 6) == [5, 10, 20, 40]
    assert not batch_size.learning


def test_the_price_is_what_was_measured_last() -> None:
    batch_size = BatchSize(6)
    sizes(batch_size, 2.5)
    assert batch_size.cost == 2.5


def test_without_a_price_where_prices_are_told_nothing_grows() -> None:
    batch_size = BatchSize(6)
    batch_size.record_answer(5, 0.1, None, 15_000, metered=True)
    assert (batch_size.size, batch_size.learning) == (FIRST, True)


def test_where_no_prices_are_told_time_alone_decides() -> None:
    assert sizes(BatchSize(6), None, burst=None) == [5, 10, 20, 40]


@pytest.mark.parametrize(("burst", "expected"), [(3_000, [5, 10, 20]), (900, [5])])
def test_a_pack_takes_no_more_than_a_tenth_of_the_plan(burst: float, expected: list[int]) -> None:
    assert sizes(BatchSize(6), 10, burst=burst) == expected


def test_batches_that_take_long_grow_no_more() -> None:
    batch_size = BatchSize(6)
    batch_size.record_answer(5, 1.0, 30, 15_000, metered=True)
    batch_size.record_answer(10, 4.5, 60, 15_000, metered=True)
    assert (batch_size.size, batch_size.learning) == (10, False)


def test_a_price_that_jumps_has_to_be_seen_twice_because_others_use_the_workspace_too() -> None:
    batch_size = BatchSize(6)
    batch_size.record_answer(5, 0.1, 340, 15_000, metered=True)
    assert (batch_size.size, batch_size.cost, batch_size.learning) == (5, 6, True)
    batch_size.record_answer(5, 0.1, 30, 15_000, metered=True)
    assert (batch_size.size, batch_size.cost) == (10, 6)
    for _ in range(2):
        batch_size.record_answer(10, 0.1, 200, 15_000, metered=True)
    assert (batch_size.size, batch_size.cost, batch_size.learning) == (10, 20, False)


def test_a_batch_that_was_not_full_says_nothing_about_the_next_size() -> None:
    batch_size = BatchSize(6)
    batch_size.record_answer(3, 0.1, 18, 15_000, metered=True)
    assert batch_size.size == FIRST


def test_a_refusal_for_good_bounds_the_size_for_ever() -> None:
    batch_size = BatchSize(6)
    sizes(batch_size, 6)
    batch_size.record_failure(40, passing=False)
    assert (batch_size.size, batch_size.most) == (20, 20)
    batch_size.reset()
    assert sizes(batch_size, 6) == [20]


def test_trouble_that_may_pass_bounds_it_when_it_comes_twice() -> None:
    batch_size = BatchSize(6)
    sizes(batch_size, 6)
    batch_size.record_failure(40, passing=True)
    assert (batch_size.size, batch_size.most) == (20, MOST)
    assert sizes(batch_size, 6) == [20, 40]
    batch_size.record_failure(40, passing=True)
    assert sizes(batch_size, 6) == [20]


def test_trouble_that_a_single_read_meets_too_was_not_because_of_the_size() -> None:
    batch_size = BatchSize(6)
    sizes(batch_size, 6)
    for _ in range(3):
        for size in (40, 20, 10, 5, 2):
            batch_size.record_failure(size, passing=True)
        batch_size.reset()
    assert (batch_size.size, batch_size.most) == (1, MOST)
    assert sizes(batch_size, 6) == [1, 2, 4, 8, 16, 32, 40]
