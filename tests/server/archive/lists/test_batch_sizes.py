"""How many reads travel together, from what batches took and from what they met."""

from __future__ import annotations

import pytest

from server.archive.batching import BatchSize


def pace_at(size: int, cost: float = 6.0) -> BatchSize:
    """A size that has grown to batches of that many reads."""
    pace = BatchSize(cost)
    while pace.size < size:
        answer(pace)
    assert pace.size == size
    return pace


def answer(
    pace: BatchSize,
    reads: int | None = None,
    *,
    seconds: float = 0.1,
    spent: float | None = None,
    burst: float | None = None,
    metered: bool = False,
) -> None:
    """A batch of that many reads, or of as many as the size allows, was answered."""
    size = pace.size if reads is None else reads
    pace.record_answer(size, seconds, spent, burst, metered=metered)


def test_packs_double_from_five_to_forty_and_then_nothing_more_is_tried() -> None:
    pace, sizes = BatchSize(6.0), []
    for _ in range(5):
        sizes.append((pace.size, pace.learning))
        answer(pace)

    assert sizes == [(5, True), (10, True), (20, True), (40, False), (40, False)]


def test_a_pack_smaller_than_allowed_proves_nothing() -> None:
    pace = pace_at(10)
    answer(pace, 9)
    assert pace.size == 10

    answer(pace, 9, seconds=60)
    assert pace.learning


@pytest.mark.parametrize(("seconds", "size"), [(4.0, 20), (4.01, 10)])
def test_a_pack_that_would_take_longer_than_eight_seconds_is_not_tried(
    seconds: float, size: int
) -> None:
    pace = pace_at(10)
    answer(pace, seconds=seconds)
    answer(pace, 10)

    assert pace.size == size


def test_what_takes_long_stays_small_even_after_an_outage() -> None:
    pace = pace_at(10)
    answer(pace, seconds=5)
    pace.record_failure(10, passing=True)
    pace.reset()
    for _ in range(5):
        answer(pace)

    assert pace.size == 10


@pytest.mark.parametrize(("burst", "size"), [(1200.0, 20), (1199.0, 10), (None, 20)])
def test_a_pack_takes_at_most_a_tenth_of_the_plans_credits(burst: float | None, size: int) -> None:
    pace = pace_at(10, cost=6.0)
    answer(pace, burst=burst)

    assert pace.size == size


def test_what_a_read_cost_is_what_the_next_one_is_expected_to_cost() -> None:
    pace = pace_at(10, cost=6.0)
    answer(pace, spent=30.0, metered=True)
    assert (pace.cost, pace.size) == (3.0, 20)

    answer(pace, spent=0.0, metered=True)  # a request costs five credits at least
    assert (pace.cost, pace.size) == (0.25, 40)


@pytest.mark.parametrize(("spent", "cost", "size"), [(120.0, 12.0, 20), (120.5, 6.0, 10)])
def test_a_price_more_than_doubled_is_doubted_at_first(
    spent: float, cost: float, size: int
) -> None:
    pace = pace_at(10, cost=6.0)
    answer(pace, spent=spent, metered=True)

    assert (pace.cost, pace.size, pace.learning) == (cost, size, True)


def test_a_price_more_than_doubled_twice_in_a_row_is_believed_and_packs_grow_no_more() -> None:
    pace = pace_at(10, cost=6.0)
    for _ in range(2):
        answer(pace, spent=150.0, metered=True)

    assert (pace.cost, pace.size, pace.learning) == (15.0, 10, False)


def test_a_price_that_was_high_only_once_is_forgotten() -> None:
    pace = pace_at(10, cost=6.0)
    for spent in (150.0, 60.0, 300.0, 120.0):
        answer(pace, spent=spent, metered=True)

    assert (pace.cost, pace.size) == (6.0, 40)


def test_where_prices_are_told_no_larger_pack_is_tried_without_one() -> None:
    pace = pace_at(10)
    answer(pace, metered=True)

    assert (pace.size, pace.learning) == (10, True)


@pytest.mark.parametrize(("reads", "half"), [(40, 20), (5, 2), (3, 1), (2, 1), (1, 1)])
def test_a_pack_that_is_refused_is_halved_for_good(reads: int, half: int) -> None:
    pace = pace_at(40)
    pace.record_failure(reads, passing=False)
    assert (pace.size, pace.learning) == (half, False)

    pace.reset()
    answer(pace)
    assert pace.size == half


def test_a_refused_pack_larger_than_the_limit_does_not_widen_it() -> None:
    pace = pace_at(40)
    pace.record_failure(10, passing=False)
    pace.record_failure(40, passing=False)
    assert pace.size == 5

    pace.reset()
    answer(pace)
    assert pace.size == 5


def test_a_failure_that_may_pass_has_to_come_twice_at_a_size_to_count() -> None:
    pace = pace_at(20)
    pace.record_failure(20, passing=True)
    assert (pace.size, pace.learning) == (10, True)

    answer(pace)
    pace.record_failure(20, passing=True)
    assert (pace.size, pace.learning) == (10, False)


def test_failures_at_ever_smaller_sizes_may_all_be_the_same_outage() -> None:
    pace = pace_at(40)
    for reads in (40, 20, 10, 5):
        pace.record_failure(reads, passing=True)
    assert pace.size == 2

    for _ in range(5):
        answer(pace)
    assert pace.size == 40


def test_a_size_above_one_that_failed_counts_as_having_failed_too() -> None:
    pace = pace_at(40)
    pace.record_failure(10, passing=True)
    pace.record_failure(20, passing=True)

    answer(pace)
    assert (pace.size, pace.learning) == (10, False)


def test_a_failure_of_a_read_by_itself_clears_the_packs_before_it() -> None:
    pace = pace_at(20)
    for _ in range(2):
        pace.record_failure(20, passing=True)
    pace.reset()
    for _ in range(2):
        answer(pace)
    assert pace.size == 40

    pace.record_failure(40, passing=True)
    answer(pace)
    assert pace.size == 40
