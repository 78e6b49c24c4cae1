"""What the schedule keeps and for how long: credits that are saved up, and its stored state."""

from __future__ import annotations

from dataclasses import replace

import pytest

from server.limiter import Lane
from server.limiter.budget import Credits, Policy, Reading
from server.limiter.jitter import Evidence, Rules
from server.limiter.schedule import (
    Answer,
    Claim,
    Ticket,
    TurnRequest,
    Wait,
    attempt,
    give_back,
    record_answer,
)
from server.limiter.state import Saver, Send, State, decode, make_cautious_state, make_initial_state
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


@pytest.mark.parametrize(
    ("rules", "at", "left"),
    [(RULES, 159, 660), (RULES, 160, 1000), (HALF, 130, 1000), (HALF, 129, 660)],
)
def test_sends_without_an_answer_are_forgotten_after_sixty_windows(
    rules: Rules, at: float, left: float
) -> None:
    state = State(gap=0.1, credits=Credits(PLAN, 5000, 100))
    attempt(state, rules, TurnRequest("lost", 340, "interactive"), None, 100)
    record_answer(state, rules, Evidence(), replace(make_answer(at), reading=Reading(PLAN, 1000)))

    assert state.credits
    assert state.credits.level == left


def test_an_answer_is_that_of_the_send_with_its_stamp() -> None:
    state = State(gap=0.1, credits=Credits(PLAN, 5000, 100))
    for now in (100, 101):
        attempt(state, RULES, TurnRequest("x", now, "interactive"), None, now)
    record_answer(
        state, RULES, Evidence(), replace(make_answer(102, stamp=100), reading=Reading(PLAN, 1000))
    )

    assert [send.open for send in state.sends] == [False, True]
    assert state.credits
    assert state.credits.level == 1000 - 101


@pytest.mark.parametrize(
    ("asking", "saving", "waits"),
    [
        ("interactive", "interactive", True),
        ("job", "job", True),
        ("job", "interactive", True),
        ("interactive", "job", False),
    ],
)
def test_who_saves_up_is_left_the_credits_by_others_of_its_lane_or_below(
    asking: Lane, saving: Lane, waits: bool
) -> None:
    state = State(gap=0.25, credits=Credits(PLAN, 4000, 100), saver=Saver("saver", 110.0, saving))
    outcome = attempt(state, RULES, TurnRequest("me", 5, asking), None, 100)

    assert isinstance(outcome, Wait) is waits
    if waits:
        assert expect_wait(outcome) == Wait(110.0, None, for_credits=True)


def test_a_saver_itself_is_not_held_up_and_has_saved_up_once_it_sent() -> None:
    state = State(
        gap=0.25, credits=Credits(PLAN, 4000, 100), saver=Saver("me", 110.0, "interactive")
    )

    assert isinstance(attempt(state, RULES, ASK, None, 100), Claim)
    assert state.saver is None


def test_the_send_of_another_does_not_end_a_saving() -> None:
    saver = Saver("saver", 110.0, "job")
    state = State(gap=0.25, credits=Credits(PLAN, 4000, 100), saver=saver)
    attempt(state, RULES, ASK, None, 100)

    assert state.saver == saver


def test_who_saves_first_keeps_saving_until_two_gaps_after_the_credits_are_there() -> None:
    state = State(gap=0.25, credits=Credits(PLAN, 100, 100))
    attempt(state, RULES, TurnRequest("first", 50, "interactive"), None, 100)
    attempt(state, RULES, TurnRequest("second", 500, "interactive"), None, 100)

    assert state.saver == Saver("first", 101.5, "interactive")
    attempt(state, RULES, TurnRequest("second", 500, "interactive"), None, 101.5)
    assert state.saver.who == "second"


@pytest.mark.parametrize(
    ("field", "value", "sensible"),
    [
        ("gap", 0.0, False),
        ("gap", 0.25, True),
        ("gap", 0.2501, False),
        ("next_free", 100 + 7199.9, True),
        ("next_free", 100 + 7200.0, False),
        ("penalty_until", 100 + 7199.9, True),
        ("penalty_until", 100 + 7200.0, False),
        ("touched", 101.0, True),
    ],
)
def test_a_state_is_used_only_if_it_makes_sense(field: str, value: float, sensible: bool) -> None:
    state = State(gap=0.21, touched=100.0)
    setattr(state, field, value)
    decoded = decode(state.encode(), RULES, 100)

    assert decoded == (state if sensible else make_cautious_state(RULES, 100))


def test_a_state_touched_more_than_a_window_ahead_is_of_an_earlier_start_of_the_machine() -> None:
    state = State(gap=0.21, touched=101.1)

    assert decode(state.encode(), RULES, 100) == make_initial_state(RULES)
    assert decode(State(gap=0.1, touched=100.6).encode(), HALF, 100) == make_initial_state(HALF)


def test_everything_survives_being_stored() -> None:
    state = State(
        gap=0.21,
        next_free=101.3,
        penalty_until=99.5,
        cautious_until=300.25,
        touched=100.0,
        epoch=90.0,
        freed=[(100.5, 100.75)],
        sends=[Send(99.0, 5.0, open=False), Send(99.5, 60.0)],
        credits=Credits(Policy("growth", 15000, 250), 123.4, 99.9),
        saver=Saver("somebody", 102.5, "job"),
    )
    assert decode(state.encode(), RULES, 100) == state

    state.saver = Saver("somebody", 102.5, "interactive")
    assert decode(state.encode(), RULES, 100) == state
    # An empty bucket and a full one are no nonsense.
    for level in (0.0, 15_000.0):
        state.credits = Credits(Policy("growth", 15000, 250), level, 99.9)
        assert decode(state.encode(), RULES, 100) == state
    state.saver = state.credits = None
    assert decode(state.encode(), RULES, 100) == state


def test_a_reservation_belongs_to_the_history_it_was_made_in() -> None:
    state = State(gap=0.25, epoch=90.0)
    attempt(state, RULES, ASK, None, 100)
    ticket = take_ticket(attempt(state, RULES, ASK, None, 100))

    assert (ticket.epoch, ticket.slot, ticket.due, ticket.after) == (90.0, 100.25, 100.25, 100.5)
    state.epoch = 95.0
    give_back(state, ticket)
    assert (state.next_free, state.freed) == (100.5, [])


def test_defaults_of_what_is_shared_say_nothing() -> None:
    assert Send(1.0, 5.0).open is True
    assert Ticket(1.0, 2.0, 1.0) == Ticket(1.0, 2.0, 1.0, misses=0, epoch=0.0)
    assert Wait(1.0, None).for_credits is False
    silent = Answer(stamp=1.0, sent=1.0, at=1.0, operation="items", status=200, reading=Reading())
    assert (silent.penalty, silent.new_connection, silent.late) == (0.0, False, None)
    assert State(0.25) == State(0.25, 0.0, 0.0, 0.0, 0.0, 0.0, [], [], None, None)


def test_a_state_that_no_text_can_carry_is_not_stored() -> None:
    with pytest.raises(ValueError, match="JSON"):
        State(gap=float("nan")).encode()


def test_a_send_counts_from_when_it_left() -> None:
    state = State(gap=0.25, sends=[Send(10.0 + number / 4, 5) for number in range(5)])
    evidence = Evidence()
    late = replace(make_answer(10.9, stamp=10.25), sent=10.75)

    record_answer(state, RULES, evidence, late)
    assert [send.stamp for send in state.sends] == [10.0, 10.5, 10.75, 10.75, 11.0]
    assert [send.open for send in state.sends].count(False) == 1
    assert evidence.late == [0.5]
    assert evidence.trips == [("items", 0.15)]


def test_the_handshake_of_a_new_connection_is_not_the_lateness_of_this_machine() -> None:
    state = State(gap=0.25, sends=[Send(10.0, 5)])
    evidence = Evidence(trips=[("items", 0.125)])
    first = replace(make_answer(10.5, stamp=10.0), sent=10.375, new_connection=True)

    record_answer(state, RULES, evidence, first)
    assert state.sends[0].stamp == 10.375
    assert (evidence.late, evidence.handshakes) == ([], [0.375])


def test_an_answer_that_is_unusually_late_may_be_to_a_send_that_came_late() -> None:
    def find_stamp(trip: float, trips: int = 16) -> float:
        evidence = Evidence(trips=[("items", 0.125)] * trips)
        state = State(gap=0.25, sends=[Send(10.0, 5)])
        record_answer(
            state, RULES, evidence, replace(make_answer(10 + trip), stamp=10.0, sent=10.0)
        )
        return state.sends[0].stamp

    assert find_stamp(0.0625) == 10.0
    assert find_stamp(0.1875) == 10.0625
    # Not for ever: the API itself may need seconds for an answer.
    assert find_stamp(3.0) == 10.25
    # Without others to compare it with, nothing is unusual.
    assert find_stamp(0.1875, trips=4) == 10.0
