"""The figures of the shared schedule: boundaries in time, other windows, and what is kept."""

from __future__ import annotations

from dataclasses import replace

import pytest

from server.limiter.budget import Policy
from server.limiter.jitter import Evidence, Rules
from server.limiter.schedule import (
    Claim,
    Ticket,
    TurnRequest,
    Wait,
    attempt,
    give_back,
    record_answer,
)
from server.limiter.state import Send, State, make_cautious_state, make_initial_state
from tests.support.pace.answers import make_answer

RULES = Rules(1.0)
HALF = Rules(0.5)
ASK = TurnRequest("me", 5, "interactive")
PLAN = Policy("startup", 5000, 50)


def expect_wait(outcome: Claim | Wait) -> Wait:
    assert isinstance(outcome, Wait)
    return outcome


def take_ticket(outcome: Claim | Wait) -> Ticket:
    ticket = expect_wait(outcome).ticket
    assert ticket is not None
    return ticket


def steady() -> Evidence:
    """Evidence of an even network."""
    return Evidence(answers=50, trips=[("items", 0.1)] * 50)


def test_a_new_schedule_begins_at_once_and_a_lost_one_after_the_window_and_its_gaps() -> None:
    assert make_initial_state(RULES) == State(gap=0.25)
    assert isinstance(attempt(make_initial_state(RULES), RULES, ASK, None, 100), Claim)
    assert expect_wait(
        attempt(make_cautious_state(RULES, 100), RULES, ASK, None, 100)
    ).until == pytest.approx(101.21)
    assert expect_wait(
        attempt(make_cautious_state(HALF, 100), HALF, ASK, None, 100)
    ).until == pytest.approx(100.605)


def test_lost_history_begins_a_new_epoch_at_the_widest_gap() -> None:
    state = make_cautious_state(RULES, 100)

    assert (state.gap, state.epoch, state.touched) == (0.25, 100, 100)


@pytest.mark.parametrize(("sends", "until"), [(4, None), (5, 101.21), (6, 101.21)])
def test_the_log_keeps_a_sixth_send_out_of_the_window_whatever_the_slots_say(
    sends: int, until: float | None
) -> None:
    state = State(gap=0.25, sends=[Send(100, 5) for _ in range(sends)])
    outcome = attempt(state, RULES, ASK, None, 100)

    if until is None:
        assert outcome == Claim(100, None)
    else:
        assert expect_wait(outcome).until == pytest.approx(until)


def test_the_log_counts_from_the_fifth_last_send() -> None:
    state = State(gap=0.25, sends=[Send(99 + 0.1 * number, 5) for number in range(8)])

    assert expect_wait(attempt(state, RULES, ASK, None, 100)).until == pytest.approx(99.3 + 1.21)


@pytest.mark.parametrize(("late", "sent"), [(0.25, True), (0.26, False)])
def test_a_slot_is_good_until_a_gap_after_it_was_due(late: float, sent: bool) -> None:
    state = make_initial_state(RULES)
    attempt(state, RULES, ASK, None, 100)
    ticket = take_ticket(attempt(state, RULES, ASK, None, 100))
    attempt(state, RULES, TurnRequest("other", 5, "interactive"), None, 100)
    outcome = attempt(state, RULES, ASK, ticket, ticket.due + late)

    assert isinstance(outcome, Claim) is sent
    if not sent:
        assert take_ticket(outcome).misses == 1


def test_who_came_too_late_twice_in_a_row_keeps_the_third_slot() -> None:
    state = make_initial_state(RULES)
    ticket = Ticket(slot=100.0, after=100.25, due=100.0, misses=2)

    assert attempt(state, RULES, ASK, ticket, 109) == Claim(109, 9)


def test_who_came_in_time_at_last_has_missed_nothing_so_far() -> None:
    state = State(gap=0.25, penalty_until=105)
    ticket = Ticket(slot=100.0, after=100.25, due=100.0, misses=2)

    assert take_ticket(attempt(state, RULES, ASK, ticket, 100)).misses == 0


@pytest.mark.parametrize(("slot", "kept"), [(104.9, False), (105.0, True), (105.1, True)])
def test_a_slot_reserved_for_the_end_of_a_pause_is_good(slot: float, kept: bool) -> None:
    state = State(gap=0.25, next_free=107, penalty_until=105)
    ticket = Ticket(slot=slot, after=slot + 0.25, due=slot)
    again = take_ticket(attempt(state, RULES, ASK, ticket, 101))

    assert again.slot == (slot if kept else 107)


def test_a_slot_of_which_nothing_was_waited_for_says_nothing_about_lateness() -> None:
    state = make_initial_state(RULES)

    assert attempt(state, RULES, ASK, None, 100) == Claim(100, None)
    assert state.touched == 100


def test_a_returned_slot_is_taken_up_to_its_very_moment_and_not_after() -> None:
    state = State(gap=0.25, next_free=103, freed=[(101, 101.25), (102, 102.25)])

    assert take_ticket(attempt(state, RULES, ASK, None, 100.5)).slot == 101
    assert state.freed == [(102, 102.25)]
    late = replace(state, freed=[(102, 102.25)])
    assert attempt(late, RULES, ASK, None, 102) == Claim(102, None)
    gone = replace(state, freed=[(102, 102.25)])
    assert take_ticket(attempt(gone, RULES, ASK, None, 102.01)).slot == 103
    assert gone.freed == []


def test_the_latest_thirty_two_returned_slots_are_kept_in_order() -> None:
    state = State(gap=0.25, next_free=1000)
    for number in reversed(range(40)):
        give_back(state, Ticket(slot=100 + number, after=100.25 + number, due=0))

    assert [slot for slot, _ in state.freed] == [100 + number for number in range(8, 40)]


def test_ten_sends_are_kept() -> None:
    state = State(gap=0.25)
    for number in range(14):
        attempt(state, RULES, ASK, None, 100 + 10 * number)

    assert [send.stamp for send in state.sends] == [140 + 10 * number for number in range(10)]


@pytest.mark.parametrize(("status", "trips"), [(199, 0), (200, 1), (299, 1), (300, 0), (404, 0)])
def test_only_good_answers_say_something_about_the_network(status: int, trips: int) -> None:
    evidence = Evidence()
    record_answer(make_initial_state(RULES), RULES, evidence, make_answer(100.5, status, stamp=100))

    assert evidence.trips == [("items", 0.5)] * trips
    assert evidence.answers == trips


def test_lateness_counts_whatever_the_answer_was() -> None:
    evidence = Evidence()
    record_answer(
        make_initial_state(RULES), RULES, evidence, replace(make_answer(100, 503), late=0.02)
    )
    record_answer(make_initial_state(RULES), RULES, evidence, replace(make_answer(100), late=0.0))

    assert evidence.late == [0.02, 0.0]


@pytest.mark.parametrize(
    ("rules", "at", "cautious"), [(RULES, 699.9, True), (RULES, 700, False), (HALF, 400, False)]
)
def test_the_widest_gap_after_a_429_lasts_six_hundred_windows(
    rules: Rules, at: float, cautious: bool
) -> None:
    state = make_initial_state(rules)
    record_answer(state, rules, Evidence(), make_answer(100, 429))
    record_answer(state, rules, steady(), make_answer(at))

    assert (state.gap == rules.slowest) is cautious


def test_in_half_a_window_a_429_pauses_half_as_long_and_caution_ends_in_half_the_time() -> None:
    state = make_initial_state(HALF)
    record_answer(state, HALF, Evidence(), make_answer(100, 429))

    assert (state.penalty_until, state.cautious_until) == (100.5, 400)


def test_a_shorter_pause_does_not_end_a_longer_one() -> None:
    state = make_initial_state(RULES)
    record_answer(state, RULES, Evidence(), make_answer(100, 429, penalty=30))
    record_answer(state, RULES, Evidence(), make_answer(101, 429, penalty=2))

    assert state.penalty_until == 130
    assert state.cautious_until == 701
