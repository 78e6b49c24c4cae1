"""The figures of the pacer: other windows, what a send costs, and claims that got old."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from server.limiter import Pacer
from tests.support.pace.pacer_world import KEY, PLAN, World, sqlite_store, together


class Stopping:
    """A clock that stands still inside transactions and jumps once after each of them, as it does
    for a process that is stopped between claiming its turn and using it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._inside = False
        self._jumps: list[float] = []
        self.pacer = world.pacer()
        self.pacer._clock = self

    def stop(self, *seconds: float) -> None:
        """Jump so far after each of the transactions that come."""
        self._inside, self._jumps = False, [*seconds]

    def __call__(self) -> float:
        db = sqlite_store(self.pacer)._db
        inside = bool(db and db.in_transaction)
        if self._inside and not inside and self._jumps:
            self._world.time.now += self._jumps.pop(0)
        self._inside = inside
        return self._world.time.now


@pytest.fixture
def stopping(world: World) -> Stopping:
    return Stopping(world)


@pytest.fixture
async def quick(world: World, tmp_path: Path) -> AsyncIterator[Callable[[], Pacer]]:
    """Pacers of an API that counts in tenths of a second."""
    pacers: list[Pacer] = []

    def make() -> Pacer:
        time = world.time
        pacers.append(Pacer(tmp_path, window=0.1, clock=time.clock, sleep=time.sleep, boot="b"))
        return pacers[-1]

    yield make
    for pacer in pacers:
        pacer.close()


async def test_a_send_costs_five_credits_unless_somebody_says_otherwise(world: World) -> None:
    pacer = world.pacer()
    await world.send(pacer, "a", status=200, headers={**PLAN, "ratelimit": '"startup";r=4000'})
    before = (await pacer.snapshot(KEY)).credits
    await world.time.sleep(0.2)
    async with pacer.slot(KEY):
        after = (await pacer.snapshot(KEY)).credits

    assert before == pytest.approx(4000)
    assert after == pytest.approx(4000 + 0.2 * 50 - 5)


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "soon"}, {"X-Other": "7"}])
async def test_a_refusal_that_names_no_time_pauses_everybody_for_a_window(
    world: World, quick: Callable[[], Pacer], headers: dict[str, str]
) -> None:
    pacer = quick()
    await world.send(pacer, "a", status=429, headers=headers)

    assert (await pacer.snapshot(KEY)).penalty == pytest.approx(0.1)


async def test_a_header_about_waiting_is_read_in_any_case(world: World) -> None:
    pacer = world.pacer()
    await world.send(pacer, "a", status=429, headers={"X-Other": "9", "RETRY-AFTER": "7"})

    assert (await pacer.snapshot(KEY)).penalty == pytest.approx(7)


async def test_whoever_waits_for_credits_looks_again_after_five_windows(
    world: World, quick: Callable[[], Pacer]
) -> None:
    pacer, other = quick(), quick()
    await world.send(pacer, "a", status=200, headers=PLAN)

    async def upgrade() -> None:
        await world.time.sleep(0.1)
        await world.send(other, "u", status=200, headers={"ratelimit": '"startup";r=5000'}, cost=0)

    await together(lambda: world.send(pacer, "b", cost=3000, lane="job"), upgrade)
    assert world.order() == "aub"
    assert world.sent[-1][1] == pytest.approx(0.05 + 0.5, abs=0.03)


@pytest.mark.parametrize(("stopped", "sent"), [(0.25, 0.25), (0.26, 0.26)])
async def test_a_claim_is_good_for_as_long_as_no_sixth_send_can_come_into_the_window(
    world: World, stopping: Stopping, stopped: float, sent: float
) -> None:
    stopping.stop(stopped)
    async with stopping.pacer.slot(KEY) as slot:
        claimed = round(getattr(slot, "stamp", 0.0) - 1000, 6)

    assert claimed == (0 if stopped == 0.25 else sent)


async def test_at_a_tighter_pace_a_claim_gets_old_sooner(world: World, stopping: Stopping) -> None:
    for _ in range(80):
        await world.send(stopping.pacer, "a", status=200)
    await world.time.sleep(1)
    stopping.stop(0.1)
    async with stopping.pacer.slot(KEY) as slot:
        assert getattr(slot, "stamp", 0.0) == world.time.now


async def test_after_two_claims_that_got_old_the_third_is_used_whatever_happens(
    world: World, stopping: Stopping
) -> None:
    stopping.stop(*[5.0] * 10)
    async with stopping.pacer.slot(KEY) as slot:
        assert getattr(slot, "stamp", 0.0) == 1010
