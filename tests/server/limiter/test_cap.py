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
