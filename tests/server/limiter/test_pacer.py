"""What callers of the pacer see, in virtual time: seconds pass only when everybody sleeps."""

from __future__ import annotations

from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from server.errors import Code, Failure
from server.limiter import Pacer, state_key
from tests.support.pace.pacer_world import KEY, PLAN, World, sqlite_store, together


async def test_the_first_send_goes_at_once_and_the_others_a_gap_apart(world: World) -> None:
    pacer = world.pacer()
    await together(*[lambda name=name: world.send(pacer, name) for name in "abc"])
    assert world.sent == [("a", 0), ("b", 0.25), ("c", 0.5)]


async def test_processes_take_turns_however_many_callers_each_has(world: World) -> None:
    first, second = world.pacer(), world.pacer()
    await together(
        *[lambda: world.send(first, "a")] * 6,
        *[lambda: world.send(second, "b")] * 3,
    )
    assert world.order() == "aabababaa"
    assert [moment for _, moment in world.sent] == [0.25 * n for n in range(9)]


async def test_a_process_that_arrives_late_is_served_in_its_turn(world: World) -> None:
    busy, new = world.pacer(), world.pacer()

    async def arrive() -> None:
        await world.time.sleep(2.6)
        await world.send(new, "n")

    await together(*[lambda: world.send(busy, "b")] * 30, arrive)
    (moment,) = [moment for name, moment in world.sent if name == "n"]
    assert moment <= 2.6 + 2 * 0.25


async def test_interactive_callers_go_before_jobs_that_came_earlier(world: World) -> None:
    pacer = world.pacer()
    await together(
        lambda: world.send(pacer, "0"),
        *[lambda name=name: world.send(pacer, name, lane="job") for name in "xyz"],
        *[lambda name=name: world.send(pacer, name) for name in "abc"],
    )
    assert world.order() == "0abcxyz"
    assert world.sent[-1] == ("z", 1.5)


async def test_keys_do_not_wait_for_each_other(world: World) -> None:
    pacer = world.pacer()
    for number in range(10):
        async with pacer.slot(state_key("https://archive.test", str(number))):
            assert world.time.now == 1000


async def test_a_cancelled_waiter_costs_nothing(world: World) -> None:
    pacer, other = world.pacer(), world.pacer()
    await world.send(pacer, "a")
    with anyio.CancelScope() as scope:

        async def cancel() -> None:
            await world.time.sleep(0.1)
            scope.cancel()

        await together(cancel, *[lambda: world.send(pacer, "!")] * 20)
    await world.send(other, "b")
    assert world.sent == [("a", 0), ("b", 0.25)]


async def test_the_slot_of_a_cancelled_waiter_is_passed_on(world: World) -> None:
    pacer, other = world.pacer(), world.pacer()
    await world.send(pacer, "a")
    scope = anyio.CancelScope()

    async def cancelled() -> None:
        with scope:
            await world.send(pacer, "!")

    async def cancel() -> None:
        await world.time.sleep(0.1)
        scope.cancel()

    await together(
        cancelled, lambda: world.send(other, "o"), lambda: world.send(pacer, "b"), cancel
    )
    assert world.sent == [("a", 0), ("b", 0.25), ("o", 0.5)]


async def test_a_wait_that_cannot_meet_the_deadline_is_refused_at_once(world: World) -> None:
    pacer = world.pacer()
    await world.send(pacer, "a")
    with pytest.raises(Failure) as caught:
        await world.send(pacer, "b", wait=0.2)
    assert (caught.value.code, caught.value.retryable) == (Code.RATE_LIMITED, True)
    assert caught.value.details == {"retry_after": 1}
    assert "1 second" in caught.value.hint
    assert world.time.now == 1000
    await world.send(pacer, "c", wait=0.25)
    assert world.sent[-1] == ("c", 0.25)


async def test_a_place_too_far_back_in_the_queue_is_refused_at_once(world: World) -> None:
    pacer = world.pacer()
    refused: list[tuple[Code, float]] = []

    async def impatient() -> None:
        try:
            await world.send(pacer, "x", wait=1.0)
        except Failure as failure:
            refused.append((failure.code, world.time.now))

    await together(*[impatient] * 10)
    assert [moment for _, moment in world.sent] == [0, 0.25, 0.5, 0.75, 1.0]
    assert refused == [(Code.RATE_LIMITED, 1000)] * 5


async def test_whoever_becomes_hopeless_while_waiting_is_told_before_the_deadline(
    world: World,
) -> None:
    first, second = world.pacer(), world.pacer()
    refused: list[float] = []

    async def impatient() -> None:
        try:
            await world.send(first, "x", wait=4.0)
        except Failure:
            refused.append(world.time.now - 1000)

    await together(*[lambda: world.send(second, "o")] * 16, *[impatient] * 16)
    assert 6 <= len(refused) <= 10
    assert sorted(refused)[len(refused) // 2] < 2


async def test_interactive_callers_can_make_a_waiting_job_hopeless(world: World) -> None:
    pacer = world.pacer()
    await world.send(pacer, "a")

    async def job() -> None:
        with pytest.raises(Failure):
            await world.send(pacer, "j", lane="job", wait=0.6)

    await together(job, *[lambda: world.send(pacer, "i")] * 4)
    assert world.order() == "aiiii"


async def test_a_429_holds_every_process_back_for_the_longest_time_named(world: World) -> None:
    pacer, other = world.pacer(), world.pacer()
    await world.send(pacer, "a", status=429, retry_after=3.5, headers={"Retry-After": "2"})
    await together(lambda: world.send(other, "b"), lambda: world.send(pacer, "c"))
    assert world.sent[1:] == [("b", 3.55), ("c", 3.8)]


async def test_a_429_makes_reservations_of_other_processes_void(world: World) -> None:
    pacer, other = world.pacer(), world.pacer()
    await world.send(other, "0")
    await together(
        lambda: world.send(pacer, "a", status=429, headers={"retry-after": "4"}),
        lambda: world.send(other, "b"),
        lambda: world.send(other, "c"),
    )
    assert world.sent == [("0", 0), ("a", 0.25), ("b", 4.3), ("c", 4.55)]


async def test_a_pause_longer_than_the_deadline_is_refused_with_its_length(world: World) -> None:
    pacer = world.pacer()
    await world.send(pacer, "a", status=429, retry_after=60)
    with pytest.raises(Failure) as caught:
        await world.send(pacer, "b", wait=45)
    assert caught.value.details == {"retry_after": 60}


async def test_credits_slow_sends_down_before_they_run_dry(world: World) -> None:
    pacer = world.pacer()
    await world.send(pacer, "a", status=200, headers={**PLAN, "ratelimit": '"startup";r=200'})
    await world.send(pacer, "b", cost=60)
    await world.send(pacer, "c", cost=120)
    assert world.sent[1:] == [("b", 0.25), ("c", pytest.approx(0.25 + (100 + 120 - 150) / 50))]


async def test_credits_that_cannot_come_back_in_time_are_refused_at_once(world: World) -> None:
    pacer = world.pacer()
    await world.send(pacer, "a", status=200, headers=PLAN)
    with pytest.raises(Failure) as caught:
        await world.send(pacer, "b", cost=1000, wait=15)
    assert (caught.value.code, caught.value.retryable) == (Code.BUDGET_EXHAUSTED, True)
    assert caught.value.details == {"retry_after": 20}
    assert world.time.now == pytest.approx(1000.05)


async def test_a_person_is_not_kept_waiting_by_a_job_that_is_short_of_credits(world: World) -> None:
    pacer = world.pacer()
    await world.send(pacer, "a", status=200, headers={**PLAN, "ratelimit": '"startup";r=300'})
    await together(
        lambda: world.send(pacer, "j", cost=60, lane="job"),
        lambda: world.send(pacer, "p", cost=60),
    )
    assert world.order() == "apj"
    assert world.sent[1][1] == 0.25


async def test_a_waiter_for_credits_notices_when_they_come_back_early(world: World) -> None:
    pacer, other = world.pacer(), world.pacer()
    await world.send(pacer, "a", status=200, headers=PLAN)

    async def upgrade() -> None:
        await world.time.sleep(1)
        await world.send(other, "u", status=200, headers={"ratelimit": '"startup";r=5000'}, cost=0)

    await together(lambda: world.send(pacer, "b", cost=3000, lane="job"), upgrade)
    assert world.order() == "aub"
    assert world.sent[-1][1] < 7


async def test_the_snapshot_shows_pace_pause_and_credits(world: World) -> None:
    pacer = world.pacer()
    empty = await pacer.snapshot(KEY)
    assert (empty.gap, empty.penalty, empty.jitter, empty.plan, empty.credits) == (
        0.25,
        0,
        None,
        None,
        None,
    )
    await world.send(pacer, "a", status=429, retry_after=10, headers=PLAN)
    told = await world.pacer().snapshot(KEY)
    assert (told.plan, told.burst, told.refill) == ("startup", 5000, 50)
    assert told.credits == pytest.approx(100)
    assert told.penalty == pytest.approx(10)


async def test_steady_answers_tighten_the_pace_of_every_process(world: World) -> None:
    pacer = world.pacer()
    for _ in range(80):
        await world.send(pacer, "a", status=200)
    seen = await world.pacer().snapshot(KEY)
    assert seen.gap < 0.209
    assert seen.jitter == pytest.approx(0, abs=1e-3)


async def test_a_restart_of_the_machine_starts_a_new_schedule(world: World) -> None:
    await world.send(world.pacer(boot="before"), "a", status=429, retry_after=500)
    await world.send(world.pacer(boot="after"), "b")
    assert world.sent[-1] == ("b", 0.05)


async def test_a_send_that_fails_keeps_its_slot_and_lets_the_next_go(world: World) -> None:
    pacer = world.pacer()
    with pytest.raises(ConnectionError):
        async with pacer.slot(KEY):
            raise ConnectionError
    await world.send(pacer, "b")
    assert world.sent == [("b", 0.25)]


async def test_a_send_that_leaves_late_holds_back_the_one_that_would_be_the_sixth(
    world: World,
) -> None:
    pacer, left = world.pacer(), []

    async def send(delay: float = 0.0) -> None:
        async with pacer.slot(KEY, operation="items") as slot:
            await world.time.sleep(delay)
            slot.note_sent()
            left.append(world.time.now)
            await world.time.sleep(0.05)
            slot.report_answer(200, {})

    # Even answers, so that five are sent in little more than a second.
    await together(*[send] * 80)
    assert left[-1] - left[-6] < 1.05
    # What keeps it from leaving comes after its turn: a busy machine, a slow disk.
    await together(*[send] * 3, lambda: send(0.6), *[send] * 9)
    left.sort()
    assert all(later - earlier >= 1 for earlier, later in zip(left, left[5:], strict=False))


async def test_an_answer_is_told_even_when_its_caller_is_cancelled(world: World) -> None:
    pacer = world.pacer()
    with anyio.CancelScope() as scope:
        async with pacer.slot(KEY) as slot:
            slot.report_answer(429, {}, retry_after=30)
            scope.cancel()
            await anyio.lowlevel.checkpoint()
    assert (await world.pacer().snapshot(KEY)).penalty == 30


async def test_a_claim_that_got_old_before_it_could_be_used_is_made_anew(
    world: World, tmp_path: Path
) -> None:
    inside = [False]

    def clock() -> float:
        db = sqlite_store(pacer)._db
        if inside[0] and db and not db.in_transaction:
            world.time.now += 5
            inside[0] = False
        elif db and db.in_transaction and world.time.now < 1005:
            inside[0] = True
        return world.time.now

    pacer = Pacer(tmp_path, sleep=world.time.sleep, clock=world.time.clock, boot="boot")
    pacer._clock = clock
    async with pacer.slot(KEY) as slot:
        assert world.time.now >= 1005
        assert getattr(slot, "stamp", 0.0) == world.time.now
    pacer.close()
