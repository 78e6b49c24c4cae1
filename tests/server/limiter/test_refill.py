"""The refill that is seen from the levels in the answers."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.limiter.refill import CONFIRMED, ENOUGH, LEAST, MEMORY, Refill

BURST = 15_000.0
STATED = 250.0
COST = 55.0


def watch(refill: float, seconds: Iterable[float], *, level: float, cost: float = COST) -> Refill:
    """What is seen of a bucket of which nobody else takes: a request at each of these moments."""
    seen, now = Refill(), 0.0
    for moment in seconds:
        level = min(BURST, level + refill * (moment - now)) - cost
        now = moment
        seen = seen.add(level, now, cost, BURST)
    return seen


def every(pause: float, until: float) -> list[float]:
    """Moments with a pause between them."""
    return [pause * number for number in range(1, int(until / pause) + 1)]


@pytest.mark.parametrize("refill", [8.25, 50.0, 120.0, 199.0])
@pytest.mark.parametrize("pause", [0.2, 1.0, 7.0])
def test_what_comes_back_is_seen_within_half_a_minute(refill: float, pause: float) -> None:
    seen = watch(refill, every(pause, 30), level=8_000)

    assert seen.rate(STATED) == pytest.approx(refill, rel=1e-6)


def test_nothing_is_concluded_from_a_few_seconds() -> None:
    assert watch(8, every(0.2, ENOUGH - 1), level=12_000).rate(STATED) == STATED


def test_ten_seconds_are_enough_to_conclude_something() -> None:
    assert Refill(gained=500, seconds=10.0).rate(STATED) == 50
    assert Refill(gained=495, seconds=9.9).rate(STATED) == STATED


@pytest.mark.parametrize("part", [CONFIRMED + 0.001, 1.0, 3.0])
def test_about_what_the_plan_states_or_more_is_what_it_states(part: float) -> None:
    # Costs are estimates: a hair less is no sign of others.
    assert watch(part * STATED, every(1, 30), level=3_000).rate(STATED) == STATED


def test_where_nothing_comes_back_a_little_is_still_believed_in() -> None:
    seen = watch(0, every(1, 60), level=12_000)

    assert (seen.gained, seen.rate(STATED)) == (0, LEAST * STATED)


def test_a_full_bucket_does_not_look_like_a_slow_one() -> None:
    # Of 250 credits a second only the 55 that were taken can come back.
    assert watch(STATED, every(2, 60), level=BURST).rate(STATED) == STATED


def test_a_bucket_that_filled_up_shows_how_fast_it_did_at_least() -> None:
    slow = watch(8, every(1, 60), level=5_000)
    missing = BURST - (slow.level or 0.0) + slow.spent
    later = slow.add(BURST - COST, slow.stamp + 100, COST, BURST)

    assert later.rate(STATED) == pytest.approx(missing / 100)


def test_a_bucket_found_full_much_later_says_nothing_new() -> None:
    slow = watch(8, every(1, 60), level=5_000)
    later = slow.add(BURST - COST, slow.stamp + 100_000, COST, BURST)

    assert later.rate(STATED) == slow.rate(STATED) == pytest.approx(8)


def test_what_others_take_is_no_refill_for_this_machine() -> None:
    seen = Refill()
    for second in range(31):
        # 250 come back and others take 200: here it looks like 50.
        seen = seen.add(9_000 + 50 * second, float(second), 0, BURST)

    assert seen.rate(STATED) == 50


def test_a_change_is_noticed_within_minutes() -> None:
    seen = watch(8, every(1, 600), level=14_000, cost=20)
    level, now = seen.level or 0.0, seen.stamp
    rates = []
    for second in range(1, int(2 * MEMORY) + 1):
        seen = seen.add(level + 50 * second, now + second, 0, BURST)
        rates.append(seen.rate(STATED))

    assert rates[int(MEMORY) - 1] > 30
    assert 40 < rates[-1] <= 50
    assert seen.seconds == pytest.approx(MEMORY)


@given(
    st.lists(st.tuples(st.floats(0, BURST), st.floats(-5, 5000), st.floats(0, 500)), max_size=30)
)
def test_whatever_the_answers_say_the_rate_is_one_that_can_be_worked_with(
    answers: list[tuple[float, float, float]],
) -> None:
    seen, now = Refill(), 1000.0
    for level, pause, spent in answers:
        now = max(0.0, now + pause)
        seen = seen.add(level, now, spent, BURST)

        assert LEAST * STATED <= seen.rate(STATED) <= STATED
        assert 0 <= seen.seconds <= MEMORY * (1 + 1e-9)
        assert Refill.decode(seen.encode()) == seen


@pytest.mark.parametrize(
    "values",
    [
        [],
        [1, 2],
        [1, 2, 3, 4, "x"],
        [-1, 0, 0, 0, 0],
        [math.nan, 0, 0, 0, 0],
        [None] * 5,
        [0, 0, math.nan, 0, 0],
    ],
)
def test_what_makes_no_sense_counts_as_nothing_seen(values: list[Any]) -> None:
    assert Refill.decode(values) == Refill()
