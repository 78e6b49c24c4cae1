"""Reading the credit headers and knowing what is left."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.limiter import Lane, state_key
from server.limiter.budget import (
    Credits,
    Policy,
    Reading,
    merge,
    read_budget,
)
from server.limiter.jitter import Rules
from server.limiter.refill import Refill
from server.limiter.state import Saver, State, decode

GROWTH = Policy("growth", 15000, 250)


@pytest.mark.parametrize(
    ("policy", "remaining", "expected"),
    [
        ('"growth";q=15000;w=60', '"growth";r=14203;t=1785409320', Reading(GROWTH, 14203)),
        ("growth;q=15000;w=60", "growth;r=14203;t=42", Reading(GROWTH, 14203)),
        ('"cosmic";q=10;w=5', '"cosmic";r=0', Reading(Policy("cosmic", 10, 2), 0)),
        ('"growth"; q=15000 ; w="60"', '"other";r=7', Reading(GROWTH, 7)),
        ('"rps";q=5;w=1, "growth";q=15000;w=60', '"growth";r=9', Reading(GROWTH, 9)),
        ('"growth";q=15000;w=0', '"growth";r=9', Reading(None, 9)),
        ('"growth";q=lots;w=60', '"growth";r=-1', Reading()),
        ('"growth";q=nan;w=60', '"growth";r=inf', Reading()),
        ("", ";;;=,,=;", Reading()),
    ],
)
def test_headers_are_read_in_every_spelling_and_garbage_counts_as_silence(
    policy: str, remaining: str, expected: Reading
) -> None:
    assert read_budget({"RateLimit-Policy": policy, "ratelimit": remaining}) == expected


def test_headers_may_be_missing() -> None:
    assert read_budget({"content-type": "application/json"}) == Reading()


@given(st.text(), st.text())
def test_no_header_text_breaks_the_reader_and_what_it_reads_makes_sense(
    policy: str, remaining: str
) -> None:
    reading = read_budget({"ratelimit-policy": policy, "ratelimit": remaining})
    assert reading.left is None or 0 <= reading.left < float("inf")
    assert reading.policy is None or (reading.policy.burst > 0 and reading.policy.refill > 0)


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_the_bucket_never_holds_more_than_its_burst(level: float, later: float) -> None:
    assert Credits(GROWTH, min(level, 15000), 0).level_at(later) <= 15000


@given(st.floats(0, 15000), st.floats(0, 20000), st.sampled_from(["interactive", "job"]))
def test_at_the_moment_named_as_ready_the_credits_are_there(
    level: float, cost: float, lane: str
) -> None:
    credits = Credits(GROWTH, level, 100)
    ready = credits.ready(cost, "job" if lane == "job" else "interactive", 100)
    assert credits.ready(cost, "job" if lane == "job" else "interactive", ready) == ready


def test_a_job_leaves_more_credits_untouched_than_a_person() -> None:
    credits = Credits(GROWTH, 1000, 0)
    assert credits.ready(60, "interactive", 0) == 0
    assert credits.ready(60, "job", 0) == pytest.approx((1500 + 60 - 1000) / 250)


def test_credits_of_sends_under_way_are_not_counted_as_left() -> None:
    known = merge(None, Reading(GROWTH, 1000), outstanding=300, at=5)
    assert known == Credits(GROWTH, 700, 5, Refill(level=1000, stamp=5))


def test_an_answer_without_headers_changes_nothing() -> None:
    known = Credits(GROWTH, 700, 5)
    assert merge(known, Reading(), outstanding=0, at=9) == known
    assert merge(None, Reading(None, 50), outstanding=0, at=9) is None


def test_a_changed_plan_keeps_the_level_until_the_api_names_another() -> None:
    startup = Policy("startup", 5000, 50)
    assert merge(Credits(GROWTH, 700, 5), Reading(startup), 0, 9) == Credits(startup, 700, 5)


def test_of_another_plan_nothing_was_seen_yet() -> None:
    slow = Credits(GROWTH, 700, 5, Refill(gained=480, seconds=60, level=700, stamp=5))
    same = merge(slow, Reading(GROWTH, 750), 0, 9)
    other = merge(slow, Reading(Policy("startup", 5000, 50), 750), 0, 9)

    assert (slow.refill, same and same.refill, other and other.refill) == (8, 8, 50)


def test_a_request_without_a_level_in_its_answer_is_spending_all_the_same() -> None:
    known = merge(None, Reading(GROWTH, 1000), 0, at=10)
    known = merge(known, Reading(), 0, at=12, spent=60)
    known = merge(known, Reading(GROWTH, 980), 0, at=20, spent=60)

    # 120 were taken, and only 20 are missing.
    assert known is not None
    assert (known.seen.gained, known.seen.seconds) == (100, 10)


def test_a_state_of_an_earlier_version_says_nothing_of_the_refill() -> None:
    state = State(gap=0.2, credits=Credits(GROWTH, 700, 100), touched=100)
    earlier = json.loads(state.encode())
    del earlier[3][5:]

    assert decode(json.dumps(earlier), Rules(), 101).credits == Credits(GROWTH, 700, 100)


def test_a_state_key_tells_budgets_apart_and_shows_no_secret() -> None:
    keys = {
        state_key("https://a", "b", "c"),
        state_key("https://a", "bc"),
        state_key("https://ab", "c"),
    }
    assert len(keys) == 3
    assert all(len(key) == 32 and set(key) <= set("0123456789abcdef") for key in keys)
    assert state_key("https://a", "b") == state_key("https://a", "b")


ODD_TEXTS = [
    "0",
    "-0",
    "-5",
    "1e-320",
    "1e-9",
    "0.5",
    "1",
    "60",
    "15000",
    "1e9",
    "1e12",
    "1e308",
    "1e400",
    "nan",
    "inf",
    "-inf",
    "many",
    "1_0",
    "\u0663",
]
ODD = st.sampled_from([*ODD_TEXTS, "", "9" * 400, '"60"']) | st.floats().map(str)


@given(ODD, ODD, ODD, st.floats(0, 1e5), st.sampled_from(["interactive", "job"]))
def test_no_odd_header_keeps_anybody_from_sending_for_long(
    burst: str, seconds: str, left: str, cost: float, lane: Lane
) -> None:
    headers = {"ratelimit-policy": f"a;q={burst};w={seconds}", "ratelimit": f"a;r={left};t=9"}
    credits = merge(None, read_budget(headers), outstanding=cost, at=100)
    credits = merge(credits, read_budget({"ratelimit": f"a;r={left}"}), outstanding=0, at=101)
    if credits is None:
        return
    state = State(gap=0.2, credits=credits.spend(cost, 101), touched=101)
    restored = decode(state.encode(), Rules(), 101)

    assert restored.credits == state.credits
    assert restored.credits is not None
    assert 101 <= restored.credits.ready(cost, lane, 101) <= 101 + 601
    assert restored.credits.level_at(1e6) <= restored.credits.policy.burst


@pytest.mark.parametrize(
    ("burst", "refill", "level"),
    [(15000, 1e-9, 0), (1e300, 1e299, 0), (15000, 250, -1e9), (15000, 0, 0), (1e-320, 0, 0)],
)
def test_odd_credits_that_an_earlier_version_wrote_down_are_forgotten(
    burst: float, refill: float, level: float
) -> None:
    credits = Credits(Policy("a", burst, refill), level, 100)
    saver = Saver("somebody", 1e15, "interactive")
    state = State(gap=0.2, credits=credits, saver=saver, touched=100)

    assert decode(state.encode(), Rules(), 101) == State(gap=0.2, touched=100)
