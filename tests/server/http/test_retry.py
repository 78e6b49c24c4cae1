from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest

from server.errors import Code, Failure
from server.http.retry import (
    ATTEMPTS,
    Transient,
    run_with_retries,
)
from tests.support.doubles import Clock

HOW_TO_CHECK = "look at the list."


def make_lost(**how: Any) -> Transient:
    return Transient(Code.UNAVAILABLE, "The connection broke.", "Try again.", **how)


def not_sent() -> Transient:
    return make_lost(may_have_happened=False)


def make_throttled(seconds: float = 2.0) -> Transient:
    return Transient(Code.RATE_LIMITED, "Too fast.", may_have_happened=False, retry_after=seconds)


class Attempts:
    """Fails with each of the failures in turn, then succeeds."""

    def __init__(self, failures: Sequence[Exception]) -> None:
        self.failures = list(failures)
        self.count = 0

    async def __call__(self) -> str:
        self.count += 1
        if self.failures:
            raise self.failures.pop(0)
        return "done"


async def run(
    attempts: Attempts,
    *,
    repeatable: bool = True,
    verify: str = "",
    seconds: float = 45.0,
    clock: Clock | None = None,
) -> str:
    clock = clock or Clock()
    return await run_with_retries(
        attempts,
        repeatable=repeatable,
        deadline=clock() + seconds,
        clock=clock,
        verify=verify,
        sleep=clock.sleep,
    )


async def test_what_works_is_done_once() -> None:
    attempts = Attempts([])

    assert await run(attempts) == "done"
    assert attempts.count == 1


@pytest.mark.parametrize(
    "failures",
    [[make_lost()], [not_sent()], [make_throttled()], [make_lost(), not_sent(), make_throttled()]],
)
async def test_a_read_is_repeated_until_it_works(failures: list[Exception]) -> None:
    attempts = Attempts(failures)
    expected = len(failures) + 1

    assert await run(attempts) == "done"
    assert attempts.count == expected


async def test_a_read_is_given_up_after_four_attempts_with_the_last_failure() -> None:
    attempts = Attempts([make_lost(), make_lost(), make_lost(), not_sent(), make_lost()])

    with pytest.raises(Transient) as given_up:
        await run(attempts)

    assert attempts.count == ATTEMPTS == 4
    assert given_up.value.may_have_happened is False
    assert given_up.value.retryable


@pytest.mark.parametrize(
    "failure",
    [Failure(Code.REJECTED, "No."), make_lost(worth_repeating=False), ValueError("a bug")],
)
async def test_what_will_not_pass_is_not_repeated(failure: Exception) -> None:
    attempts = Attempts([failure])

    with pytest.raises(type(failure)):
        await run(attempts)

    assert attempts.count == 1


@pytest.mark.parametrize("failure", [not_sent(), make_throttled()])
async def test_a_write_is_repeated_when_it_provably_did_not_happen(failure: Transient) -> None:
    attempts = Attempts([failure])

    assert await run(attempts, repeatable=False, verify=HOW_TO_CHECK) == "done"
    assert attempts.count == 2


async def test_a_write_that_may_have_happened_is_not_repeated_and_says_how_to_check() -> None:
    attempts = Attempts([make_lost()])

    with pytest.raises(Failure) as unknown:
        await run(attempts, repeatable=False, verify=HOW_TO_CHECK)

    assert attempts.count == 1
    assert unknown.value.code is Code.OUTCOME_UNKNOWN
    assert (
        unknown.value.message == "The connection broke. The change may or may not have been made."
    )
    assert unknown.value.hint == "Do not repeat it blindly: look at the list."
    assert unknown.value.retryable is False


async def test_a_write_that_is_harmless_to_repeat_is_repeated() -> None:
    attempts = Attempts([make_lost(), make_lost()])

    assert await run(attempts, repeatable=True, verify=HOW_TO_CHECK) == "done"
    assert attempts.count == 3


async def test_a_write_that_never_got_an_answer_is_unknown_even_if_harmless() -> None:
    with pytest.raises(Failure) as unknown:
        await run(Attempts([make_lost()] * 4), repeatable=True, verify=HOW_TO_CHECK)

    assert unknown.value.code is Code.OUTCOME_UNKNOWN


async def test_a_write_that_never_left_this_machine_is_not_called_unknown() -> None:
    with pytest.raises(Failure) as refused:
        await run(Attempts([not_sent()] * 4), repeatable=False, verify=HOW_TO_CHECK)

    assert refused.value.code is Code.UNAVAILABLE


@pytest.mark.parametrize(
    "last",
    [
        not_sent(),
        make_throttled(),
        Failure(Code.RATE_LIMITED, "No turn."),
        Failure(Code.REJECTED, "No."),
    ],
)
async def test_an_early_attempt_that_may_have_happened_is_not_forgotten(last: Failure) -> None:
    attempts = Attempts([make_lost(), last, last, last])

    with pytest.raises(Failure) as unknown:
        await run(attempts, repeatable=True, verify=HOW_TO_CHECK)

    assert unknown.value.code is Code.OUTCOME_UNKNOWN
    assert last.message in unknown.value.message


async def test_a_read_tells_the_last_failure_whatever_came_before() -> None:
    with pytest.raises(Failure) as refused:
        await run(Attempts([make_lost(), Failure(Code.RATE_LIMITED, "No turn.")]))

    assert refused.value.code is Code.RATE_LIMITED


@pytest.mark.parametrize(
    ("dice", "pauses"),
    [(0.0, [0.15, 0.3, 0.6]), (0.5, [0.225, 0.45, 0.9]), (1.0, [0.3, 0.6, 1.2])],
)
async def test_pauses_double_from_three_tenths_of_a_second_and_are_half_random(
    monkeypatch: pytest.MonkeyPatch, dice: float, pauses: list[float]
) -> None:
    monkeypatch.setattr(random, "random", lambda: dice)
    clock = Clock()

    with pytest.raises(Transient):
        await run(Attempts([make_lost()] * 4), clock=clock)

    assert clock.slept == pytest.approx(pauses)


async def test_two_callers_do_not_pause_in_step() -> None:
    paused: set[float] = set()
    for _ in range(20):
        clock = Clock()
        await run(Attempts([make_lost()]), clock=clock)
        paused |= set(clock.slept)

    assert len(paused) > 10


async def test_after_a_refusal_for_speed_the_limiter_does_the_waiting() -> None:
    clock = Clock()

    await run(Attempts([make_throttled(30.0)]), clock=clock)

    assert clock.slept == [0.0]


async def test_no_attempt_begins_after_the_deadline() -> None:
    clock = Clock()
    attempts = Attempts([make_lost()] * 4)

    with pytest.raises(Transient):
        await run(attempts, seconds=0.15, clock=clock)

    assert attempts.count == 1
    assert clock.slept == []


async def test_an_attempt_that_could_only_begin_at_the_deadline_is_not_made() -> None:
    attempts = Attempts([make_throttled()])

    with pytest.raises(Transient):
        await run(attempts, seconds=0.0)

    assert attempts.count == 1


async def test_a_failure_is_taken_to_have_happened_and_to_pass_unless_it_says_otherwise() -> None:
    failure = make_lost()

    assert (failure.may_have_happened, failure.worth_repeating) == (True, True)
    assert (failure.retryable, failure.retry_after) == (True, None)
