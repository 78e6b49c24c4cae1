"""The shared schedule as pure data: what any order of events may and may not lead to."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.limiter.budget import Credits, Policy, Reading
from server.limiter.jitter import CALLS, Evidence, Rules
from server.limiter.schedule import (
    Claim,
    Ticket,
    TurnRequest,
    Wait,
    attempt,
    give_back,
    record_answer,
)
from server.limiter.state import State, decode, make_cautious_state, make_initial_state
from tests.support.pace.answers import make_answer

RULES = Rules(1.0)
ASK = TurnRequest("me", 5, "interactive")


def waiting(outcome: Claim | Wait) -> Wait:
    assert isinstance(outcome, Wait)
    return outcome


def reserved(outcome: Claim | Wait) -> Ticket:
    ticket = waiting(outcome).ticket
    assert ticket is not None
    return ticket


def spans(stamps: list[float]) -> list[float]:
    ordered = sorted(stamps)
    return [later - earlier for earlier, later in zip(ordered, ordered[CALLS:], strict=False)]


@given(seed=st.integers(0, 10**9), processes=st.integers(1, 6), gap=st.floats(0.208, 0.25))
@settings(max_examples=60, deadline=None)
def test_no_lateness_cancelling_or_dying_ever_puts_six_sends_into_one_window(
    seed: int, processes: int, gap: float
) -> None:
    dice = random.Random(seed)
    state = State(gap=gap)
    calls: dict[str, tuple[float, Ticket | None]] = {
        f"p{n}": (100 + dice.random(), None) for n in range(processes)
    }
    stamps: list[float] = []
    now = 100.0
    for _ in range(300):
        who, (when, ticket) = min(calls.items(), key=lambda item: item[1][0])
        now = max(now, when) + dice.choice(
            [0, 0, dice.random() * 0.01, dice.random() * 0.2, dice.random() * 3]
        )
        fate = dice.random()
        if ticket and fate < 0.1:
            if fate < 0.05:
                give_back(state, ticket)
            calls[who] = (now + dice.random(), None)
            continue
        outcome = attempt(state, RULES, TurnRequest(who, 5, "interactive"), ticket, now)
        if isinstance(outcome, Claim):
            stamps.append(outcome.stamp)
            calls[who] = (now + dice.choice([0, 0, dice.random() * 2]), None)
        else:
            calls[who] = (outcome.until, outcome.ticket)
        state = decode(state.encode(), RULES, now)
    assert stamps
    assert all(span >= RULES.window for span in spans(stamps))


def test_punctual_processes_take_turns_at_even_distances() -> None:
    state = make_initial_state(RULES)
    calls: dict[str, tuple[float, Ticket | None]] = dict.fromkeys("abcd", (100.0, None))
    order: list[tuple[str, float]] = []
    while len(order) < 41:
        who, (now, ticket) = min(calls.items(), key=lambda item: item[1][0])
        outcome = attempt(state, RULES, TurnRequest(who, 5, "interactive"), ticket, now)
        if isinstance(outcome, Claim):
            order.append((who, now))
            calls[who] = (now, None)
        else:
            calls[who] = (outcome.until, outcome.ticket)
    assert "".join(who for who, _ in order) == "a" + "abcd" * 10
    assert order[-1][1] == pytest.approx(100 + 40 * RULES.slowest)


@given(st.permutations(range(6)))
def test_returned_slots_leave_the_schedule_as_it_was(order: list[int]) -> None:
    state = make_initial_state(RULES)
    attempt(state, RULES, ASK, None, 100)
    before = replace(state, freed=[])
    tickets = [
        reserved(attempt(state, RULES, TurnRequest(str(n), 5, "interactive"), None, 100))
        for n in range(6)
    ]
    for index in order:
        give_back(state, tickets[index])
    assert state.freed == []
    assert state.next_free == before.next_free


def test_a_slot_returned_in_the_middle_goes_to_the_next_that_asks() -> None:
    state = make_initial_state(RULES)
    attempt(state, RULES, ASK, None, 100)
    first, second = (
        reserved(attempt(state, RULES, TurnRequest(who, 5, "interactive"), None, 100))
        for who in "ab"
    )
    give_back(state, first)
    assert reserved(attempt(state, RULES, ASK, None, 100)).slot == first.slot
    assert reserved(attempt(state, RULES, ASK, None, 100)).slot == second.slot + RULES.slowest


def test_who_comes_late_by_more_than_a_gap_gets_a_new_slot_behind_the_others() -> None:
    state = make_initial_state(RULES)
    attempt(state, RULES, ASK, None, 100)
    mine = reserved(attempt(state, RULES, ASK, None, 100))
    others = [
        reserved(attempt(state, RULES, TurnRequest(who, 5, "interactive"), None, 100))
        for who in "abcd"
    ]
    again = reserved(attempt(state, RULES, ASK, mine, mine.slot + 0.3))
    assert again.slot == pytest.approx(others[-1].slot + RULES.slowest)


def test_who_always_comes_late_still_gets_a_turn_in_the_end() -> None:
    state = make_initial_state(RULES)
    now, ticket, misses = 100.0, None, 0
    attempt(state, RULES, ASK, None, now)
    outcome: Claim | Wait = attempt(state, RULES, ASK, ticket, now)
    while isinstance(outcome, Wait):
        state.next_free += 4 * state.gap
        now, misses = outcome.until + 0.4, misses + 1
        outcome = attempt(state, RULES, ASK, outcome.ticket, now)
    assert misses == 3


def test_who_is_a_little_late_may_send_and_says_so() -> None:
    state = make_initial_state(RULES)
    attempt(state, RULES, ASK, None, 100)
    mine = reserved(attempt(state, RULES, ASK, None, 100))
    outcome = attempt(state, RULES, ASK, mine, mine.slot + 0.03)
    assert isinstance(outcome, Claim)
    assert outcome.late == pytest.approx(0.03)


def test_a_429_makes_reserved_slots_void_and_keeps_the_widest_gap_for_600_windows() -> None:
    state, evidence = State(gap=0.21), Evidence(answers=50, trips=[("items", 0.1)] * 50)
    attempt(state, RULES, ASK, None, 100)
    mine = reserved(attempt(state, RULES, ASK, None, 100))
    record_answer(state, RULES, evidence, make_answer(100.1, status=429, penalty=7))
    assert reserved(attempt(state, RULES, ASK, mine, mine.slot)).slot == pytest.approx(107.1)
    record_answer(state, RULES, evidence, make_answer(699))
    assert state.gap == 0.25
    record_answer(state, RULES, evidence, make_answer(701))
    assert state.gap < 0.25


def test_a_429_that_names_no_time_pauses_a_window_and_an_absurd_one_an_hour() -> None:
    state = make_initial_state(RULES)
    record_answer(state, RULES, Evidence(), make_answer(100, status=429))
    assert state.penalty_until == 101
    record_answer(state, RULES, Evidence(), make_answer(100, status=429, penalty=1e9))
    assert state.penalty_until == 3700
    record_answer(state, RULES, Evidence(), make_answer(100, status=429, penalty=2))
    assert state.penalty_until == 3700


def test_the_pause_stands_after_the_answers_of_other_sends() -> None:
    state = make_initial_state(RULES)
    record_answer(state, RULES, Evidence(), make_answer(100, status=429, penalty=30))
    record_answer(state, RULES, Evidence(), make_answer(101))
    assert waiting(attempt(state, RULES, ASK, None, 102)).until == 130


def test_failures_of_the_api_say_nothing_about_the_network() -> None:
    evidence = Evidence()
    record_answer(make_initial_state(RULES), RULES, evidence, make_answer(100, status=503))
    assert evidence == Evidence()


def poor(level: float) -> State:
    state = make_initial_state(RULES)
    state.credits = Credits(Policy("startup", 5000, 50), level, 100)
    return state


def test_a_send_waits_for_its_credits_without_holding_a_slot() -> None:
    state = poor(100)
    outcome = waiting(attempt(state, RULES, TurnRequest("me", 60, "interactive"), None, 100))
    assert outcome == Wait(pytest.approx(100 + 60 / 50), None, for_credits=True)  # type: ignore[arg-type]
    assert state.next_free == 0


def test_the_credits_of_a_send_are_taken_when_it_is_claimed() -> None:
    state = poor(1000)
    attempt(state, RULES, TurnRequest("me", 60, "interactive"), None, 100)
    assert state.credits
    assert state.credits.level == 940


def test_a_costly_send_is_not_starved_by_cheap_ones() -> None:
    state, costly = poor(100), TurnRequest("costly", 340, "interactive")
    due = waiting(attempt(state, RULES, costly, None, 100)).until
    now = 100.0
    while now < due:
        assert isinstance(
            attempt(state, RULES, TurnRequest("cheap", 5, "interactive"), None, now), Wait
        )
        now += 0.5
    assert isinstance(attempt(state, RULES, costly, None, due), Claim)
    assert (
        waiting(attempt(state, RULES, TurnRequest("cheap", 5, "interactive"), None, due)).until
        > due
    )


def test_after_saving_up_a_process_leaves_the_credits_to_others_again() -> None:
    state, costly = poor(100), TurnRequest("costly", 340, "interactive")
    due = waiting(attempt(state, RULES, costly, None, 100)).until
    attempt(state, RULES, costly, None, due)
    assert isinstance(
        attempt(state, RULES, TurnRequest("cheap", 5, "interactive"), None, due + 0.25), Claim
    )


def test_who_turns_out_to_be_short_of_credits_returns_the_slot() -> None:
    state = make_initial_state(RULES)
    attempt(state, RULES, ASK, None, 100)
    ticket = reserved(attempt(state, RULES, ASK, None, 100))
    state.credits = poor(0).credits
    assert waiting(attempt(state, RULES, ASK, ticket, ticket.slot)).ticket is None
    assert state.next_free == ticket.slot


def test_a_job_that_saves_credits_does_not_keep_a_person_waiting() -> None:
    state = poor(300)
    attempt(state, RULES, TurnRequest("job", 340, "job"), None, 100)
    assert isinstance(
        attempt(state, RULES, TurnRequest("person", 60, "interactive"), None, 100), Claim
    )


def test_a_process_that_died_while_saving_holds_nobody_up_for_long() -> None:
    state = poor(100)
    due = waiting(attempt(state, RULES, TurnRequest("dead", 60, "interactive"), None, 100)).until
    assert isinstance(attempt(state, RULES, ASK, None, due + 2 * state.gap), Claim)


def test_sends_that_were_never_answered_are_forgotten_after_a_minute() -> None:
    state = poor(5000)
    attempt(state, RULES, TurnRequest("lost", 340, "interactive"), None, 100)
    reading = Reading(Policy("startup", 5000, 50), 1000)
    record_answer(state, RULES, Evidence(), replace(make_answer(110), reading=reading))
    assert state.credits
    assert state.credits.level == 660
    record_answer(state, RULES, Evidence(), replace(make_answer(170), reading=reading))
    assert state.credits.level == 1000


def full_state() -> State:
    return State(
        gap=0.21,
        next_free=101.3,
        penalty_until=99.5,
        cautious_until=300.25,
        touched=100.0,
        epoch=90.0,
        freed=[(100.5, 100.75)],
        credits=Credits(Policy("growth", 15000, 250), 123.4, 99.9),
    )


def test_a_state_survives_being_stored_with_sends_and_savers() -> None:
    state = full_state()
    attempt(state, RULES, ASK, None, 100.1)
    attempt(state, RULES, TurnRequest("other", 9000, "job"), None, 100.9)
    assert state.saver
    assert decode(state.encode(), RULES, 101) == state


def test_a_clock_that_went_back_means_that_the_machine_was_restarted() -> None:
    assert decode(full_state().encode(), RULES, 20) == make_initial_state(RULES)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "[[0.2,0,0,0,0],[],[],0,0]", "[[0.2,0,0,0,0,0],[],[1],null,null]"],
)
def test_a_text_that_is_not_ours_is_treated_as_lost_history(text: str) -> None:
    assert decode(text, RULES, 100) == make_cautious_state(RULES, 100)


@pytest.mark.parametrize(
    ("field", "value"), [("gap", -1.0), ("gap", 9.0), ("next_free", 1e12), ("penalty_until", 1e12)]
)
def test_a_state_that_makes_no_sense_is_treated_as_lost_history(field: str, value: float) -> None:
    state = full_state()
    setattr(state, field, value)
    assert decode(state.encode(), RULES, 100) == make_cautious_state(RULES, 100)


def test_a_slot_reserved_before_the_history_was_lost_is_void() -> None:
    old = State(gap=0.21)
    attempt(old, RULES, ASK, None, 100)
    ticket = reserved(attempt(old, RULES, ASK, None, 100))
    state = make_cautious_state(RULES, 100.1)
    give_back(state, ticket)
    assert state == make_cautious_state(RULES, 100.1)
    assert reserved(attempt(state, RULES, ASK, ticket, ticket.slot)).slot >= 101.1


def test_lost_history_means_waiting_until_everything_sent_before_has_left_the_window() -> None:
    assert waiting(attempt(make_cautious_state(RULES, 100), RULES, ASK, None, 100)).until >= 101
