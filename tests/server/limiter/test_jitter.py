"""How far apart sends are, given what was observed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.limiter.jitter import Evidence, Rules, robust_maximum

RULES = Rules(1.0)


def evidence_of(trips: list[float], operation: str = "items") -> Evidence:
    evidence = Evidence()
    for trip in trips:
        evidence.add_trip(operation, trip, new_connection=False)
    return evidence


def settled_gap(evidence: Evidence, gap: float = RULES.slowest) -> float:
    for _ in range(200):
        gap = evidence.gap(RULES, gap)
    return gap


def test_the_gap_is_a_quarter_window_until_there_is_enough_evidence() -> None:
    assert evidence_of([0.1] * 19).gap(RULES, 0.22) == 0.25
    assert evidence_of([0.1] * 20).gap(RULES, 0.25) < 0.25


def test_twenty_answers_of_twenty_operations_prove_nothing() -> None:
    evidence = Evidence()
    for number in range(40):
        evidence.add_trip(f"operation{number}", 0.1, new_connection=False)
    assert evidence.jitter() is None


def test_an_even_network_tightens_the_gap_step_by_step_close_to_a_fifth() -> None:
    evidence = evidence_of([0.1 + 0.0005 * (n % 3) for n in range(60)])
    assert evidence.gap(RULES, 0.25) > 0.24
    assert settled_gap(evidence) == pytest.approx(0.208, abs=0.001)


def test_a_wider_gap_applies_at_once() -> None:
    uneven = evidence_of([0.1 + 0.01 * (n % 8) for n in range(60)])
    assert uneven.gap(RULES, 0.208) == pytest.approx(RULES.gap_for(3 * 0.03))


def test_the_slow_half_of_the_answers_counts_as_the_apis_own_computing() -> None:
    assert settled_gap(evidence_of([0.1, 0.1, 0.1, 2.0] * 10)) < 0.209


def test_the_steadiest_operation_shows_what_the_network_does() -> None:
    evidence = evidence_of([0.1 + 0.1 * (n % 9) for n in range(40)])
    for _ in range(10):
        evidence.add_trip("workspaces", 0.08, new_connection=False)
    assert settled_gap(evidence) < 0.209


def test_an_operation_that_is_no_longer_used_says_nothing_about_today() -> None:
    evidence = evidence_of([0.08] * 30, "workspaces")
    for number in range(64):
        evidence.add_trip("items", 0.1 + 0.1 * (number % 9), new_connection=False)
    assert settled_gap(evidence) == 0.25


def test_what_a_new_connection_costs_counts_as_jitter() -> None:
    evidence = evidence_of([0.1] * 30)
    evidence.add_trip("items", 0.2, new_connection=True)
    assert evidence.jitter() == pytest.approx(0.1)
    assert all(trip == 0.1 for _, trip in evidence.trips)


def test_lateness_of_this_machine_counts_as_jitter_but_not_one_hiccup() -> None:
    evidence = evidence_of([0.1] * 30)
    for seconds in [0.01] * 15 + [3.0]:
        evidence.add_late(seconds)
    assert evidence.jitter() == pytest.approx(0.01)
    evidence.add_late(3.0)
    evidence.add_late(3.0)
    assert settled_gap(evidence) == 0.25


@given(
    st.lists(st.floats(0, 10), min_size=20, max_size=60), st.floats(0.01, 10), st.floats(0.05, 0.25)
)
def test_five_gaps_cover_the_window_and_the_jitter_or_are_the_widest(
    trips: list[float], window: float, part: float
) -> None:
    rules = Rules(window)
    evidence = evidence_of(trips)
    jitter, gap = evidence.jitter(), evidence.gap(rules, part * window)
    assert jitter is not None
    assert gap == rules.slowest or 5 * gap >= window + jitter


@given(st.floats(0, 10), st.floats(0.01, 10))
def test_the_log_holds_sends_apart_by_more_than_the_window_and_less_than_five_gaps(
    jitter: float, window: float
) -> None:
    rules = Rules(window)
    gap = rules.gap_for(jitter)
    assert window * 0.999 <= rules.span(gap) < 5 * gap
    assert rules.slack(gap) > 0


def test_evidence_survives_being_stored_and_stays_small() -> None:
    evidence = evidence_of([0.123456789] * 500, "o" * 500)
    for _ in range(500):
        evidence.add_late(0.0012345)
        evidence.add_trip("o" * 500, 0.9, new_connection=True)
    assert Evidence.decode(evidence.encode()) == evidence
    assert len(evidence.encode()) < 5000


@pytest.mark.parametrize(
    "text", ["", "[]", "null", "[1,2,3,4]", '[1,[],[],[["a","b"]]]', "{", "[1,[null],[],[]]"]
)
def test_evidence_that_is_not_ours_counts_as_none(text: str) -> None:
    assert Evidence.decode(text) == Evidence()


def test_the_robust_maximum_sets_one_sample_in_eight_aside() -> None:
    assert robust_maximum([]) == 0
    assert robust_maximum([3, 1]) == 3
    assert robust_maximum([1, 2, 3, 4, 5, 6, 7, 100]) == 7
