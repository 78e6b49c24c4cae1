"""The figures of the shared schedule: boundaries in time, other windows, and what is kept."""

from __future__ import annotations

from dataclasses import replace

import pytest

from server.limiter import Lane
from server.limiter.budget import Credits, Policy, Reading
from server.limiter.jitter import Evidence, Rules
from server.limiter.schedule import (
    Answer,
    Ask,
    Granted,
    Saver,
    Send,
    State,
    Ticket,
    Wait,
    attempt,
    decode,
    fresh,
    give_back,
    settle,
    wary,
)

RULES = Rules(1.0)
HALF = Rules(0.5)
ASK = Ask("me", 5, "interactive")
PLAN = Policy("startup", 5000, 50)


def answer(at: float, status: int = 200, *, stamp: float = 0.0, penalty: float = 0.0) -> Answer:
    return Answer(
        stamp=stamp, at=at, operation="items", status=status, reading=Reading(), penalty=penalty
    )


def waiting(outcome: Granted | Wait) -> Wait:
    assert isinstance(outcome, Wait)
    return outcome


def reserved(outcome: Granted | Wait) -> Ticket:
    ticket = waiting(outcome).ticket
    assert ticket is not None
    return ticket


def steady() -> Evidence:
    """Evidence of an even network."""
    return Evidence(answers=50, trips=[("items", 0.1)] * 50)


def test_a_new_schedule_begins_at_once_and_a_lost_one_after_the_window_and_its_gaps() -> None:
    assert fresh(RULES) == State(gap=0.25)
    assert isinstance(attempt(fresh(RULES), RULES, ASK, None, 100), Granted)
    assert waiting(attempt(wary(RULES, 100), RULES, ASK, None, 100)).until == pytest.approx(101.21)
    assert waiting(attempt(wary(HALF, 100), HALF, ASK, None, 100)).until == pytest.approx(100.605)


def test_lost_history_begins_a_new_epoch_at_the_widest_gap() -> None:
    state = wary(RULES, 100)

    assert (state.gap, state.epoch, state.touched) == (0.25, 100, 100)


@pytest.mark.parametrize(("sends", "until"), [(4, None), (5, 101.21), (6, 101.21)])
def test_the_log_keeps_a_sixth_send_out_of_the_window_whatever_the_slots_say(
    sends: int, until: float | None
) -> None:
    state = State(gap=0.25, sends=[Send(100, 5) for _ in range(sends)])
    outcome = attempt(state, RULES, ASK, None, 100)

    if until is None:
        assert outcome == Granted(100, None)
    else:
        assert waiting(outcome).until == pytest.approx(until)


def test_the_log_counts_from_the_fifth_last_send() -> None:
    state = State(gap=0.25, sends=[Send(99 + 0.1 * number, 5) for number in range(8)])

    assert waiting(attempt(state, RULES, ASK, None, 100)).until == pytest.approx(99.3 + 1.21)


@pytest.mark.parametrize(("late", "sent"), [(0.25, True), (0.26, False)])
def test_a_slot_is_good_until_a_gap_after_it_was_due(late: float, sent: bool) -> None:
    state = fresh(RULES)
    attempt(state, RULES, ASK, None, 100)
    ticket = reserved(attempt(state, RULES, ASK, None, 100))
    attempt(state, RULES, Ask("other", 5, "job"), None, 100)
    outcome = attempt(state, RULES, ASK, ticket, ticket.due + late)

    assert isinstance(outcome, Granted) is sent
    if not sent:
        assert reserved(outcome).misses == 1


def test_who_came_too_late_twice_in_a_row_keeps_the_third_slot() -> None:
    state = fresh(RULES)
    ticket = Ticket(slot=100.0, after=100.25, due=100.0, misses=2)

    assert attempt(state, RULES, ASK, ticket, 109) == Granted(109, 9)


def test_who_came_in_time_at_last_has_missed_nothing_so_far() -> None:
    state = State(gap=0.25, penalty_until=105)
    ticket = Ticket(slot=100.0, after=100.25, due=100.0, misses=2)

    assert reserved(attempt(state, RULES, ASK, ticket, 100)).misses == 0


@pytest.mark.parametrize(("slot", "kept"), [(104.9, False), (105.0, True), (105.1, True)])
def test_a_slot_reserved_for_the_end_of_a_pause_is_good(slot: float, kept: bool) -> None:
    state = State(gap=0.25, next_free=107, penalty_until=105)
    ticket = Ticket(slot=slot, after=slot + 0.25, due=slot)
    again = reserved(attempt(state, RULES, ASK, ticket, 101))

    assert again.slot == (slot if kept else 107)


def test_a_slot_of_which_nothing_was_waited_for_says_nothing_about_lateness() -> None:
    state = fresh(RULES)

    assert attempt(state, RULES, ASK, None, 100) == Granted(100, None)
    assert state.touched == 100


def test_a_returned_slot_is_taken_up_to_its_very_moment_and_not_after() -> None:
    state = State(gap=0.25, next_free=103, freed=[(101, 101.25), (102, 102.25)])

    assert reserved(attempt(state, RULES, ASK, None, 100.5)).slot == 101
    assert state.freed == [(102, 102.25)]
    late = replace(state, freed=[(102, 102.25)])
    assert attempt(late, RULES, ASK, None, 102) == Granted(102, None)
    gone = replace(state, freed=[(102, 102.25)])
    assert reserved(attempt(gone, RULES, ASK, None, 102.01)).slot == 103
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
    settle(fresh(RULES), RULES, evidence, answer(100.5, status, stamp=100))

    assert evidence.trips == [("items", 0.5)] * trips
    assert evidence.answers == trips


def test_lateness_counts_whatever_the_answer_was() -> None:
    evidence = Evidence()
    settle(fresh(RULES), RULES, evidence, replace(answer(100, 503), late=0.02))
    settle(fresh(RULES), RULES, evidence, replace(answer(100), late=0.0))

    assert evidence.late == [0.02, 0.0]


@pytest.mark.parametrize(
    ("rules", "at", "cautious"), [(RULES, 699.9, True), (RULES, 700, False), (HALF, 400, False)]
)
def test_the_widest_gap_after_a_429_lasts_six_hundred_windows(
    rules: Rules, at: float, cautious: bool
) -> None:
    state = fresh(rules)
    settle(state, rules, Evidence(), answer(100, 429))
    settle(state, rules, steady(), answer(at))

    assert (state.gap == rules.slowest) is cautious


def test_in_half_a_window_a_429_pauses_half_as_long_and_caution_ends_in_half_the_time() -> None:
    state = fresh(HALF)
    settle(state, HALF, Evidence(), answer(100, 429))

    assert (state.penalty_until, state.cautious_until) == (100.5, 400)


def test_a_shorter_pause_does_not_end_a_longer_one() -> None:
    state = fresh(RULES)
    settle(state, RULES, Evidence(), answer(100, 429, penalty=30))
    settle(state, RULES, Evidence(), answer(101, 429, penalty=2))

    assert state.penalty_until == 130
    assert state.cautious_until == 701


@pytest.mark.parametrize(
    ("rules", "at", "left"),
    [(RULES, 159, 660), (RULES, 160, 1000), (HALF, 130, 1000), (HALF, 129, 660)],
)
def test_sends_without_an_answer_are_forgotten_after_sixty_windows(
    rules: Rules, at: float, left: float
) -> None:
    state = State(gap=0.1, credits=Credits(PLAN, 5000, 100))
    attempt(state, rules, Ask("lost", 340, "interactive"), None, 100)
    settle(state, rules, Evidence(), replace(answer(at), reading=Reading(PLAN, 1000)))

    assert state.credits
    assert state.credits.level == left


def test_an_answer_is_that_of_the_send_with_its_stamp() -> None:
    state = State(gap=0.1, credits=Credits(PLAN, 5000, 100))
    for now in (100, 101):
        attempt(state, RULES, Ask("x", now, "interactive"), None, now)
    settle(state, RULES, Evidence(), replace(answer(102, stamp=100), reading=Reading(PLAN, 1000)))

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
    outcome = attempt(state, RULES, Ask("me", 5, asking), None, 100)

    assert isinstance(outcome, Wait) is waits
    if waits:
        assert waiting(outcome) == Wait(110.0, None, broke=True)


def test_a_saver_itself_is_not_held_up_and_has_saved_up_once_it_sent() -> None:
    state = State(
        gap=0.25, credits=Credits(PLAN, 4000, 100), saver=Saver("me", 110.0, "interactive")
    )

    assert isinstance(attempt(state, RULES, ASK, None, 100), Granted)
    assert state.saver is None


def test_the_send_of_another_does_not_end_a_saving() -> None:
    saver = Saver("saver", 110.0, "job")
    state = State(gap=0.25, credits=Credits(PLAN, 4000, 100), saver=saver)
    attempt(state, RULES, ASK, None, 100)

    assert state.saver == saver


def test_who_saves_first_keeps_saving_until_two_gaps_after_the_credits_are_there() -> None:
    state = State(gap=0.25, credits=Credits(PLAN, 100, 100))
    attempt(state, RULES, Ask("first", 50, "interactive"), None, 100)
    attempt(state, RULES, Ask("second", 500, "interactive"), None, 100)

    assert state.saver == Saver("first", 101.5, "interactive")
    attempt(state, RULES, Ask("second", 500, "interactive"), None, 101.5)
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

    assert decoded == (state if sensible else wary(RULES, 100))


def test_a_state_touched_more_than_a_window_ahead_is_of_an_earlier_start_of_the_machine() -> None:
    state = State(gap=0.21, touched=101.1)

    assert decode(state.encode(), RULES, 100) == fresh(RULES)
    assert decode(State(gap=0.1, touched=100.6).encode(), HALF, 100) == fresh(HALF)


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
    state.saver = state.credits = None
    assert decode(state.encode(), RULES, 100) == state


def test_a_reservation_belongs_to_the_history_it_was_made_in() -> None:
    state = State(gap=0.25, epoch=90.0)
    attempt(state, RULES, ASK, None, 100)
    ticket = reserved(attempt(state, RULES, ASK, None, 100))

    assert (ticket.epoch, ticket.slot, ticket.due, ticket.after) == (90.0, 100.25, 100.25, 100.5)
    state.epoch = 95.0
    give_back(state, ticket)
    assert (state.next_free, state.freed) == (100.5, [])


def test_defaults_of_what_is_shared_say_nothing() -> None:
    assert Send(1.0, 5.0).open is True
    assert Ticket(1.0, 2.0, 1.0) == Ticket(1.0, 2.0, 1.0, misses=0, epoch=0.0)
    assert Wait(1.0, None).broke is False
    silent = Answer(stamp=1.0, at=1.0, operation="items", status=200, reading=Reading())
    assert (silent.penalty, silent.new_connection, silent.late) == (0.0, False, None)
    assert State(0.25) == State(0.25, 0.0, 0.0, 0.0, 0.0, 0.0, [], [], None, None)


def test_a_state_that_no_text_can_carry_is_not_stored() -> None:
    with pytest.raises(ValueError, match="JSON"):
        State(gap=float("nan")).encode()
