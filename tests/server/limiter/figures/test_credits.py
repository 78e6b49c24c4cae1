"""The figures of the credit budget: reserves, lengths that are read, and what an answer leaves."""

from __future__ import annotations

import pytest

from server.limiter import Lane, state_key
from server.limiter.budget import Credits, Policy, Reading, merge, parse_number, read_budget
from server.limiter.refill import Refill

GROWTH = Policy("growth", 15000, 250)


@pytest.mark.parametrize(
    ("lane", "level", "ready"),
    [
        ("interactive", 360, 100.0),
        ("interactive", 350, 100.04),
        ("job", 1560, 100.0),
        ("job", 1550, 100.04),
    ],
)
def test_a_person_leaves_two_percent_of_the_bucket_and_a_job_ten(
    lane: Lane, level: float, ready: float
) -> None:
    assert Credits(GROWTH, level, 100).ready(60, lane, 100) == pytest.approx(ready, abs=1e-9)


@pytest.mark.parametrize(
    ("lane", "level", "ready"),
    # Eight a second: 16 stay for others behind a person, 80 behind a job.
    [
        ("interactive", 76, 100.0),
        ("interactive", 68, 101.0),
        ("job", 140, 100.0),
        ("job", 132, 101.0),
    ],
)
def test_where_little_comes_back_seconds_of_it_are_left_and_not_a_share_of_the_bucket(
    lane: Lane, level: float, ready: float
) -> None:
    slow = Refill(gained=480, seconds=60)

    assert Credits(GROWTH, level, 100, slow).ready(60, lane, 100) == pytest.approx(ready)


def test_a_shortage_too_small_to_matter_is_none() -> None:
    assert Credits(GROWTH, 360 - 1e-7, 100).ready(60, "interactive", 100) == 100
    assert Credits(GROWTH, 360 - 0.5, 100).ready(60, "interactive", 100) > 100


def test_more_than_the_bucket_holds_is_taken_when_it_is_full() -> None:
    assert Credits(GROWTH, 14000, 100).ready(20000, "interactive", 100) == 104
    assert Credits(GROWTH, 15000, 100).ready(20000, "job", 100) == 100


def test_a_bucket_fills_up_with_time_and_never_empties_by_it() -> None:
    credits = Credits(GROWTH, 1000, 100)

    assert credits.level_at(102) == 1500
    assert credits.level_at(90) == 1000
    assert credits.spend(600, 102) == Credits(GROWTH, 900, 102)
    assert credits.spend(9999, 102) == Credits(GROWTH, 0, 102)


@pytest.mark.parametrize(("blanks", "refill"), [(481, 250), (482, 2500)])
def test_five_hundred_characters_of_a_header_are_read(blanks: int, refill: float) -> None:
    header = " " * blanks + "growth;q=15000;w=60"
    policy = read_budget({"ratelimit-policy": header}).policy

    assert policy == Policy("growth", 15000, refill)


def test_forty_characters_of_a_plans_name_are_kept() -> None:
    policy = read_budget({"ratelimit-policy": f"{'x' * 45};q=1;w=1"}).policy

    assert policy == Policy("x" * 40, 1, 1)


@pytest.mark.parametrize("header", ["growth;w=60", "growth;q=60", "growth", "growth;q=0;w=60"])
def test_a_policy_needs_both_a_size_and_a_time(header: str) -> None:
    assert read_budget({"ratelimit-policy": header}) == Reading()


def test_a_remainder_counts_for_the_policy_of_its_name() -> None:
    policies = "rps;q=5;w=1, growth;q=15000;w=60"

    assert read_budget({"ratelimit-policy": policies, "ratelimit": "x;r=1, growth;r=9"}) == Reading(
        GROWTH, 9
    )
    assert read_budget({"ratelimit-policy": policies, "ratelimit": "x;r=1, y;r=2"}) == Reading(
        Policy("rps", 5, 5), 1
    )
    assert read_budget({"ratelimit": "x;t=1, y;r=2"}) == Reading(None, 2)


def test_what_is_left_is_no_more_than_the_bucket_and_no_less_than_nothing() -> None:
    assert merge(None, Reading(GROWTH, 99999), outstanding=100, at=5) == Credits(
        GROWTH, 14900, 5, Refill(level=15000, stamp=5)
    )
    assert merge(None, Reading(GROWTH, 50), outstanding=300, at=5) == Credits(
        GROWTH, 0, 5, Refill(level=50, stamp=5)
    )


def test_a_plan_whose_level_nobody_named_counts_as_full() -> None:
    assert merge(None, Reading(GROWTH), outstanding=300, at=5) == Credits(GROWTH, 15000, 5)


def test_a_level_without_a_plan_belongs_to_the_plan_that_is_known() -> None:
    assert merge(Credits(GROWTH, 1, 1), Reading(None, 700), 100, 5) == Credits(
        GROWTH, 600, 5, Refill(level=700, stamp=5)
    )


@pytest.mark.parametrize(
    ("text", "number"),
    [("0", 0), (' "7.5" ', 7.5), ("-0.1", None), ("inf", None), ("nan", None), ("x", None)],
)
def test_a_number_is_finite_and_not_negative(text: str, number: float | None) -> None:
    assert parse_number(text) == number


def test_a_state_key_is_the_same_in_every_release_so_that_old_state_is_found_again() -> None:
    assert state_key("https://a", "b") == "3687828cd59e0328d51558f87dcdf7e5"


def test_an_answer_that_says_and_took_nothing_changes_nothing() -> None:
    before = Credits(GROWTH, 9_000, 100, Refill(level=9_000, stamp=100))
    assert merge(before, Reading(None, None), 0, 101) == before
