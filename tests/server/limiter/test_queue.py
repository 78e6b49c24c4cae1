"""Who is told in the queue of a process that waiting is of no use, when, and why."""

from __future__ import annotations

import pytest

from server.errors import Code, Failure
from server.limiter import Lane, Limiter
from tests.support.pace.pacer_world import PLAN, World, together


class Caller:
    """Sends once and notes how that went.

    Args:
        wait: seconds after which the turn is of no use any more; None waits as long as it takes.
    """

    def __init__(
        self,
        world: World,
        pacer: Limiter,
        *,
        wait: float | None = None,
        cost: float = 5,
        lane: Lane = "interactive",
        after: float = 0,
    ) -> None:
        self._world = world
        self._pacer = pacer
        self._wait = wait
        self._cost = cost
        self._lane: Lane = lane
        self._after = after
        self.sent: float | None = None
        self.refused: float | None = None
        self.failure: Failure | None = None

    async def __call__(self) -> None:
        if self._after:
            await self._world.time.sleep(self._after)
        try:
            await self._world.send(
                self._pacer, "x", wait=self._wait, cost=self._cost, lane=self._lane
            )
            self.sent = self._now()
        except Failure as failure:
            self.failure = failure
            self.refused = self._now()

    def _now(self) -> float:
        return round(self._world.time.now - 1000, 6)


async def test_the_pace_among_others_is_the_fastest_of_the_last_three_turns(world: World) -> None:
    pacer, other = world.pacer(), world.pacer()
    mine = [Caller(world, pacer) for _ in range(7)]
    last = Caller(world, pacer, wait=2.85)
    others = [Caller(world, other, after=0.3) for _ in range(6)]
    await together(*mine, last, *others)

    assert [caller.sent for caller in mine] == [0, 0.25, 0.5, 1.0, 1.5, 2.0, 2.5]
    assert last.refused == 2.0


async def test_the_pace_is_learned_anew_when_the_queue_was_empty(world: World) -> None:
    pacer, other = world.pacer(), world.pacer()
    await together(*[Caller(world, pacer)] * 8, *[Caller(world, other)] * 8)
    await world.time.sleep(5)
    callers = [Caller(world, pacer, wait=0.6) for _ in range(3)]
    start = world.time.now - 1000
    await together(*callers)

    assert [caller.sent for caller in callers] == pytest.approx([start, start + 0.25, start + 0.5])


@pytest.mark.parametrize(("wait", "late"), [(1.99, True), (2.01, False)])
async def test_a_waiter_is_refused_at_once_when_the_credits_before_it_leave_too_few(
    world: World, wait: float, late: bool
) -> None:
    pacer = world.pacer()
    await world.send(pacer, "a", status=200, headers=PLAN)
    first = Caller(world, pacer, cost=50)
    second = Caller(world, pacer, cost=50, wait=wait)
    await together(first, second)

    assert first.sent == pytest.approx(1.05)
    if late:
        assert second.failure
        assert second.failure.code is Code.BUDGET_EXHAUSTED
        assert second.failure.details == {"retry_after": 2}
    assert (second.refused, second.sent) == ((0.05, None) if late else (None, pytest.approx(2.05)))


async def test_the_credits_of_all_that_wait_before_count(world: World) -> None:
    pacer = world.pacer()
    await world.send(pacer, "a", status=200, headers=PLAN)
    callers = [Caller(world, pacer, cost=50, wait=wait) for wait in (None, 2.5, 2.5)]
    await together(*callers)

    assert [caller.refused for caller in callers] == [None, None, 0.05]


async def test_a_pause_for_everybody_is_told_to_all_that_it_makes_hopeless(world: World) -> None:
    pacer = world.pacer()

    async def send_too_fast() -> None:
        await world.send(pacer, "a", status=429, retry_after=60)

    patient = Caller(world, pacer)
    impatient = [Caller(world, pacer, wait=5) for _ in range(3)]
    await together(send_too_fast, patient, *impatient)

    assert [caller.refused for caller in impatient] == [0.25] * 3
    assert [caller.failure and caller.failure.details for caller in impatient] == [
        {"retry_after": 61}
    ] * 3
    assert patient.sent == 60.05


async def test_want_of_a_turn_is_not_called_want_of_credits(world: World) -> None:
    pacer = world.pacer()
    await world.send(pacer, "a")
    hopeless = Caller(world, pacer, wait=0)
    await together(Caller(world, pacer), hopeless)

    assert hopeless.failure
    assert hopeless.failure.code is Code.RATE_LIMITED
    assert hopeless.failure.details == {"retry_after": 1}


async def test_a_deadline_that_has_passed_is_refused_with_a_second_to_wait(world: World) -> None:
    caller = Caller(world, world.pacer(), wait=-1)
    await together(caller)

    assert caller.failure
    assert caller.failure.details == {"retry_after": 1}
    assert "Wait 1 second" in caller.failure.hint
