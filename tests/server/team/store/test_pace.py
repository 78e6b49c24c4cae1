"""The pace over each of its stores: a file, PostgreSQL, Redis."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import anyio
import pytest

from server.errors import Code, Failure
from server.limiter import Lane, Pacer, state_key
from server.limiter.pace_store import Busy, PaceStore, Record
from server.team.store.database import Database
from server.team.store.postgres_pace import PostgresPace
from server.team.store.redis_pace import RedisPace
from tests.support.machine.ports import closed_port
from tests.support.pace.stores import open_pacer
from tests.support.team.engines.postgres import Postgres
from tests.support.team.engines.redis import Redis

KEY = state_key("https://archive.test", "workspace")
WINDOW = 0.2
GAP = 0.25 * WINDOW
SPAN = 1.21 * WINDOW


@pytest.fixture
async def stores(place: str) -> AsyncIterator[list[PaceStore]]:
    """Four stores as four replicas have them."""
    async with AsyncExitStack() as stack:
        pacers = [await stack.enter_async_context(open_pacer(place, WINDOW)) for _ in range(4)]
        yield [pacer._store for pacer in pacers]


def put(state: str, evidence: str = "") -> Callable[[Record | None], tuple[Record | None, Record]]:
    return lambda record: (record, (state, evidence))


async def send(pacer: Pacer, *, lane: Lane = "interactive", seconds: float | None = None) -> float:
    """Take one turn and return its moment."""
    deadline = None if seconds is None else time.monotonic() + seconds
    async with pacer.slot(KEY, lane=lane, deadline=deadline):
        return time.monotonic()


async def claim(pacer: Pacer) -> float:
    """Take one turn and return when it was claimed, by the clock of the store. What lies between a
    claim and its send is covered by the gap's allowance for jitter, not by these tests."""
    async with pacer.slot(KEY) as slot:
        return float(getattr(slot, "stamp"))  # noqa: B009  # no part of the interface


async def wait_until(condition: Callable[[], bool]) -> None:
    with anyio.fail_after(60):
        while not condition():  # noqa: ASYNC110  # what changes are lists
            await anyio.sleep(0.01)


def shortest_span(moments: list[float]) -> float:
    ordered = sorted(moments)
    return min(later - earlier for earlier, later in zip(ordered, ordered[5:], strict=False))


async def test_a_record_is_what_the_last_change_made_of_it(stores: list[PaceStore]) -> None:
    one, other, *_ = stores
    assert await one.transact(KEY, put("first", '["é\\n"]')) is None
    assert await other.transact(KEY, put("second")) == ("first", '["é\\n"]')
    assert await one.transact(KEY, put("third")) == ("second", "")
    assert await other.transact(state_key("other"), put("x")) is None


async def test_what_a_change_raises_leaves_the_record_as_it_was(stores: list[PaceStore]) -> None:
    def fail(record: Record | None) -> tuple[None, Record]:
        raise LookupError

    one, other, *_ = stores
    await one.transact(KEY, put("kept"))
    with pytest.raises(LookupError):
        await one.transact(KEY, fail)
    assert await other.transact(KEY, put("next")) == ("kept", "")


async def test_of_changes_made_at_once_none_is_lost(stores: list[PaceStore]) -> None:
    def count(record: Record | None) -> tuple[int, Record]:
        number = int(record[0]) + 1 if record else 1
        return number, (str(number), "")

    numbers: list[int] = []

    async def change(store: PaceStore) -> None:
        for _ in range(10):
            numbers.append(await store.transact(KEY, count))

    async with anyio.create_task_group() as group:
        for store in stores:
            group.start_soon(change, store)
            group.start_soon(change, store)
    assert sorted(numbers) == list(range(1, 81))


async def test_a_refusal_by_an_old_record_is_made_again_by_the_new_one(
    stores: list[PaceStore],
) -> None:
    seen: list[str] = []

    def refuse_old(record: Record | None) -> tuple[str, Record]:
        state = record[0] if record else "none"
        seen.append(state)
        if state == "old":
            raise Failure(Code.RATE_LIMITED, "Too late.")
        return state, ("done", "")

    one, other, *_ = stores
    await one.transact(KEY, put("old"))
    await other.transact(KEY, put("new"))
    assert await one.transact(KEY, refuse_old) == "new"
    await one.transact(KEY, put("old"))
    with pytest.raises(Failure):
        await one.transact(KEY, refuse_old)
    assert seen[-1] == "old"


async def test_all_replicas_share_one_clock(stores: list[PaceStore]) -> None:
    times = []
    for store in stores:
        await store.transact(KEY, put("x"))
        times.append(time.monotonic() + store.offset)
    assert times == sorted(times)
    assert times[-1] - times[0] < 5


async def test_two_replicas_together_keep_the_pace(place: str) -> None:
    claims: list[float] = []
    async with open_pacer(place, WINDOW) as one, open_pacer(place, WINDOW) as other:

        async def work(pacer: Pacer) -> None:
            for _ in range(8):
                claims.append(await claim(pacer))

        async with anyio.create_task_group() as group:
            for pacer in (one, one, other, other):
                group.start_soon(work, pacer)
    assert len(claims) == 32
    assert shortest_span(claims) >= WINDOW


async def test_a_429_at_one_replica_pauses_the_other(place: str) -> None:
    async with open_pacer(place, WINDOW) as one, open_pacer(place, WINDOW) as other:
        await send(other)
        async with one.slot(KEY) as slot:
            slot.report_answer(429, {}, retry_after=1.5)
        refused = time.monotonic()
        assert await send(other) - refused >= 1.5 - 2 * GAP
        snapshot = await other.snapshot(KEY)
    assert snapshot.gap == pytest.approx(GAP)


async def test_interactive_callers_of_one_replica_go_before_jobs_of_all_others(place: str) -> None:
    order: list[str] = []
    async with AsyncExitStack() as stack:
        workers = [await stack.enter_async_context(open_pacer(place, WINDOW)) for _ in range(2)]
        server = await stack.enter_async_context(open_pacer(place, WINDOW))
        await server.snapshot(KEY)
        ends = anyio.Event()

        async def run_job(pacer: Pacer) -> None:
            while not ends.is_set():
                await send(pacer, lane="job")
                order.append("j")

        async def ask() -> None:
            await send(server)
            order.append("i")

        async with anyio.create_task_group() as group:
            for pacer in workers:
                group.start_soon(run_job, pacer)
            await wait_until(lambda: len(order) >= 6)
            before = len(order)
            async with anyio.create_task_group() as callers:
                for _ in range(8):
                    callers.start_soon(ask)
            during = order[before:]
            # Then the jobs go on.
            await wait_until(lambda: order[-4:] == ["j"] * 4)
            ends.set()
    # Those that had their turn when the callers came, and those between the first and its word.
    assert during.count("j") <= 3


async def test_a_wait_beyond_the_deadline_is_refused_at_once(place: str) -> None:
    async with open_pacer(place, WINDOW) as pacer:
        await pacer.snapshot(KEY)
        await anyio.sleep(SPAN)
        async with pacer.slot(KEY) as slot:
            slot.report_answer(429, {}, retry_after=60)
        started = time.monotonic()
        with pytest.raises(Failure) as failure:
            await send(pacer, seconds=30)
        assert failure.value.code == Code.RATE_LIMITED
        assert time.monotonic() - started < 10


async def test_a_new_replica_waits_until_what_was_sent_before_has_left_the_window(
    server_place: str,
) -> None:
    async with open_pacer(server_place, WINDOW) as pacer:
        started = time.monotonic()
        assert await send(pacer) - started >= SPAN
    async with open_pacer(server_place, WINDOW) as pacer:
        started = time.monotonic()
        assert await send(pacer) - started >= SPAN


async def test_patience_ends_although_others_are_always_faster(server_place: str) -> None:
    async with open_pacer(server_place, WINDOW) as one, open_pacer(server_place, WINDOW) as other:
        store, rival = one._store, other._store
        # As if a rival changed the record between each reading and each writing.
        changes: list[int] = []

        def change(record: Record | None) -> tuple[None, Record]:
            changes.append(len(changes))
            return None, (f"mine {len(changes)}", "")

        swap = store._swap  # type: ignore[attr-defined]

        async def swap_late(*arguments: object) -> object:
            await rival.transact(KEY, put(f"rival {len(changes)}"))
            return await swap(*arguments)

        store._swap = swap_late  # type: ignore[attr-defined]
        with pytest.raises(Busy):
            await store.transact(KEY, change, patience=0.05)
        assert (await rival.transact(KEY, put("x")) or ("", ""))[0].startswith("rival")


@pytest.mark.parametrize("kind", ["postgresql", "redis"])
async def test_a_store_that_cannot_be_reached_is_waited_for_and_then_named(kind: str) -> None:
    with closed_port() as port:
        async with AsyncExitStack() as stack:
            store: PaceStore
            if kind == "redis":
                url = f"redis://:some-password@127.0.0.1:{port}/0"
                store = await stack.enter_async_context(RedisPace(url, patience=0.3))
            else:
                url = f"postgresql://someone:some-password@127.0.0.1:{port}/none"
                database = await stack.enter_async_context(Database(url, patience=0.3))
                store = PostgresPace(database)
            pacer = Pacer(None, store=store)
            started = time.monotonic()
            with pytest.raises(Failure) as failure:
                await send(pacer, seconds=40)
            assert time.monotonic() - started >= 0.3
            with pytest.raises(Busy):
                await store.transact(KEY, put("x"), patience=0.05)
    assert failure.value.code == Code.UNAVAILABLE
    assert failure.value.retryable
    assert "administrator" in failure.value.hint
    assert "some-password" not in failure.value.message + failure.value.hint


async def test_a_redis_that_comes_back_empty_costs_a_pause_and_no_sixth_send(
    redis_server: Redis,
) -> None:
    claims: list[float] = []
    async with (
        open_pacer(redis_server.url, 1.0) as one,
        open_pacer(redis_server.url, 1.0) as other,
    ):

        async def work(pacer: Pacer) -> None:
            for _ in range(7):
                claims.append(await claim(pacer))

        async with anyio.create_task_group() as group:
            group.start_soon(work, one)
            group.start_soon(work, other)
            await wait_until(lambda: len(claims) >= 4)
            await anyio.to_thread.run_sync(redis_server.restart)
    assert len(claims) == 14
    assert shortest_span(claims) >= 1.0


@pytest.mark.parametrize("end", ["stop", "kill"])
async def test_a_postgresql_that_was_restarted_costs_a_pause_at_most_and_no_sixth_send(
    own_postgres: Postgres, own_database_url: str, end: str
) -> None:
    claims: list[float] = []
    async with (
        open_pacer(own_database_url, 1.0) as one,
        open_pacer(own_database_url, 1.0) as other,
    ):

        async def work(pacer: Pacer) -> None:
            for _ in range(7):
                claims.append(await claim(pacer))

        async with anyio.create_task_group() as group:
            group.start_soon(work, one)
            group.start_soon(work, other)
            await wait_until(lambda: len(claims) >= 4)
            await anyio.to_thread.run_sync(getattr(own_postgres, end))
            await anyio.to_thread.run_sync(own_postgres.start)
    assert len(claims) == 14
    assert shortest_span(claims) >= 1.0


async def test_after_a_crash_of_postgresql_no_record_is_believed(
    own_postgres: Postgres, own_database_url: str
) -> None:
    async with Database(own_database_url) as database:
        store = PostgresPace(database)
        await store.transact(KEY, put("old"))
        await anyio.to_thread.run_sync(own_postgres.kill)
        await anyio.to_thread.run_sync(own_postgres.start)
        assert await store.transact(KEY, put("new")) is None


async def test_what_was_not_used_for_a_day_goes_with_the_next_new_key(database_url: str) -> None:
    async with Database(database_url) as database:
        store = PostgresPace(database)
        await store.transact("old", put("x"))
        await store.transact("recent", put("x"))
        await database.execute(
            "UPDATE pace SET touched_at = now() - interval '25 hours' WHERE key = 'old'"
        )
        await store.transact("new", put("x"))
        rows = await database.execute("SELECT key FROM pace ORDER BY key")
    assert rows == [("new",), ("recent",)]


async def test_a_cancelled_caller_gives_its_turn_back_to_the_other_replica(place: str) -> None:
    async with open_pacer(place, WINDOW) as one, open_pacer(place, WINDOW) as other:
        await send(one)
        await send(other)
        with anyio.move_on_after(GAP / 2):
            await send(one)
        started = time.monotonic()
        await send(other)
        # Generous: what counts is that nobody waits for a caller that left.
        assert time.monotonic() - started < 10
