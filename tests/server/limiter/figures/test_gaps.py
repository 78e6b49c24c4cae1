"""The figures by which the gap between sends follows from what was observed."""

from __future__ import annotations

import pytest

from server.limiter.jitter import Evidence, Rules, robust_maximum

RULES = Rules(1.0)


def evidence_of(
    trips: list[float], operation: str = "items", evidence: Evidence | None = None
) -> Evidence:
    evidence = evidence or Evidence()
    for trip in trips:
        evidence.add_trip(operation, trip, new_connection=False)
    return evidence


def test_all_lengths_follow_from_the_window() -> None:
    rules = Rules(2.0)

    assert (rules.slowest, rules.margin) == pytest.approx((0.5, 0.08))
    assert rules.gap_for(0.1) == pytest.approx((2 + 0.1 + 0.08) / 5)
    assert rules.gap_for(-3) == rules.gap_for(0) == pytest.approx(2.08 / 5)
    assert rules.gap_for(9) == 0.5
    assert rules.slack(0.45) == pytest.approx(0.25)
    assert rules.span(0.45) == pytest.approx(2.25 - 0.08)


def test_a_window_is_a_second_unless_somebody_says_otherwise() -> None:
    assert Rules() == Rules(1.0)


def test_the_gap_narrows_by_a_tenth_of_the_way_at_a_time() -> None:
    assert evidence_of([0.1] * 20).gap(RULES, 0.25) == pytest.approx(0.25 - 0.1 * (0.25 - 0.208))


def test_twenty_answers_are_enough_and_nineteen_are_not() -> None:
    assert evidence_of([0.1] * 19).jitter() is None
    assert evidence_of([0.1] * 20).jitter() == 0


def test_an_operation_needs_eight_round_trips_to_say_something() -> None:
    others = evidence_of([0.1] * 7, "a", evidence_of([0.1] * 7, "b", evidence_of([0.1] * 7, "c")))
    assert others.jitter() is None

    assert evidence_of([0.1], "a", others).jitter() == 0


def test_jitter_is_lateness_and_the_larger_of_the_network_and_new_connections() -> None:
    evidence = evidence_of([0.1] * 15 + [0.11] * 16)
    assert evidence.jitter() == pytest.approx(3 * 0.01)

    evidence.add_late(0.005)
    assert evidence.jitter() == pytest.approx(0.03 + 0.005)

    evidence.add_trip("items", 0.15, new_connection=True)
    assert evidence.jitter() == pytest.approx(0.05 + 0.005)


def test_only_the_faster_half_of_the_round_trips_counts() -> None:
    assert evidence_of([0.1] * 10 + [0.2] * 10).jitter() == pytest.approx(0.3)
    assert evidence_of([0.1] * 11 + [0.2] * 10).jitter() == 0
    assert evidence_of([0.05] + [0.1] * 20).jitter() == pytest.approx(0.15)


def test_the_latest_observations_are_kept_and_older_ones_forgotten() -> None:
    evidence = evidence_of([0.9] + [0.1] * 63)
    assert len(evidence.trips) == 64

    evidence_of([0.1], evidence=evidence)
    assert [trip for _, trip in evidence.trips] == [0.1] * 64
    for number in range(40):
        evidence.add_late(number / 1000)
        evidence.add_trip("items", 0.1 + number / 1000, new_connection=True)
    assert evidence.late == pytest.approx([number / 1000 for number in range(8, 40)])
    assert evidence.handshakes == pytest.approx([number / 1000 for number in range(24, 40)])
    assert evidence.answers == 65 + 40


def test_a_new_connection_is_compared_with_the_fastest_trip_of_the_same_operation() -> None:
    evidence = evidence_of([0.3, 0.2, 0.4], "slow", evidence_of([0.1]))

    evidence.add_trip("slow", 0.25, new_connection=True)
    evidence.add_trip("slow", 0.15, new_connection=True)
    evidence.add_trip("unknown", 9.0, new_connection=True)
    assert evidence.handshakes == pytest.approx([0.05, 0.0])


def test_observations_are_kept_to_the_microsecond_and_names_to_forty_characters() -> None:
    evidence = evidence_of([0.12345678], "o" * 41)
    evidence.add_late(0.00000049)

    assert evidence.trips == [("o" * 40, 0.123457)]
    assert evidence.late == [0.0]


def test_the_first_observation_is_the_first() -> None:
    assert Evidence() == Evidence(0, [], [], [])
    assert evidence_of([0.1]).answers == 1


@pytest.mark.parametrize(
    ("count", "largest"), [(1, 1), (7, 7), (8, 7), (15, 14), (16, 14), (24, 21)]
)
def test_one_sample_in_eight_is_set_aside(count: int, largest: int) -> None:
    assert robust_maximum(range(1, count + 1)) == largest
