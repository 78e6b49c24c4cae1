from __future__ import annotations

import anyio
import pytest

from server.errors import Code, Failure
from server.limiter import ConcurrencyCap, Lane


async def _held(cap: ConcurrencyCap, lane: Lane, inside: list[str], until: anyio.Event) -> None:
    async with cap.slot("key", lane=lane):
        inside.append(lane)
        await until.wait()


async def test_jobs_leave_half_of_the_places_to_interactive_calls() -> None:
    cap, until = ConcurrencyCap(4), anyio.Event()
    inside: list[str] = []
    lanes: tuple[Lane, ...] = ("job", "interactive")
    begun = []
    async with anyio.create_task_group() as tasks:
        for lane in lanes:
            for _ in range(5):
                tasks.start_soon(_held, cap, lane, inside, until)
            await anyio.wait_all_tasks_blocked()
            begun.append(sorted(inside))
        until.set()

    assert begun == [["job", "job"], ["interactive", "interactive", "job", "job"]]
    assert len(inside) == 10


async def test_a_turn_that_does_not_come_in_time_is_refused_and_keeps_no_place() -> None:
    cap, until = ConcurrencyCap(2, clock=lambda: 100.0), anyio.Event()
    inside: list[str] = []
    lanes: tuple[Lane, ...] = ("job", "interactive")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_held, cap, "job", inside, until)
        tasks.start_soon(_held, cap, "interactive", inside, until)
        await anyio.wait_all_tasks_blocked()
        for lane in lanes:
            with pytest.raises(Failure) as caught:
                async with cap.slot("key", lane=lane, deadline=100.0):
                    pass
            assert caught.value.code is Code.RATE_LIMITED
        until.set()
    async with cap.slot("key", lane="job", deadline=101.0), cap.slot("key", deadline=101.0):
        inside.append("again")
    assert inside[-1] == "again"


@pytest.mark.parametrize(("most", "jobs"), [(1, 1), (2, 1), (3, 1), (4, 2), (5, 2), (None, 2)])
async def test_jobs_have_half_of_the_places_rounded_down_but_one_at_least(
    most: int | None, jobs: int
) -> None:
    cap, until = ConcurrencyCap() if most is None else ConcurrencyCap(most), anyio.Event()
    inside: list[str] = []
    async with anyio.create_task_group() as tasks:
        for _ in range(8):
            tasks.start_soon(_held, cap, "job", inside, until)
        await anyio.wait_all_tasks_blocked()
        assert len(inside) == jobs
        for _ in range(8):
            tasks.start_soon(_held, cap, "interactive", inside, until)
        await anyio.wait_all_tasks_blocked()
        assert len(inside) == (most or 4)
        until.set()


async def test_a_refusal_for_want_of_a_place_may_be_tried_again() -> None:
    cap = ConcurrencyCap(1, clock=lambda: 100.0)
    async with cap.slot("key"):
        with pytest.raises(Failure) as caught:
            async with cap.slot("key", deadline=90.0):
                pass
    assert caught.value.retryable


async def test_an_answer_teaches_a_cap_nothing() -> None:
    cap = ConcurrencyCap(1, clock=lambda: 100.0)
    async with cap.slot("key") as slot:
        slot.report_answer(429, {}, retry_after=60)
    async with cap.slot("key", deadline=101.0):
        pass
    assert await cap.snapshot("key") is None


async def test_a_deadline_that_has_passed_is_not_waited_for() -> None:
    cap = ConcurrencyCap(1, clock=lambda: 100.0)
    refusals: list[Failure] = []

    async def call() -> None:
        with pytest.raises(Failure) as caught:
            async with cap.slot("key", deadline=99.0):
                pass
        refusals.append(caught.value)

    async with cap.slot("key"), anyio.create_task_group() as group:
        group.start_soon(call)
        # Rounds of the event loop, which a busy machine makes slower but not more.
        for _ in range(100):
            await anyio.lowlevel.checkpoint()
        assert [failure.code for failure in refusals] == [Code.RATE_LIMITED]
