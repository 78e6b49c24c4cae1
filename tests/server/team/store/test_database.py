"""The pool of connections: restarts, cancellations, and what callers see of them."""

from __future__ import annotations

import time

import anyio
import pytest

from server.errors import Code, Failure
from server.team.store.database import Connection, Database
from tests.support.machine.ports import closed_port
from tests.support.team.engines.postgres import Postgres

ADD = "INSERT INTO workspace_choices (principal_id, account, workspace) VALUES (%s, 'a', 'w')"
COUNT = "SELECT count(*) FROM workspace_choices"


async def count(database: Database) -> int:
    [(number,)] = await database.execute(COUNT)
    return int(number)


async def test_a_transaction_commits_at_its_end_and_rolls_back_on_an_error(
    database_url: str,
) -> None:
    async with Database(database_url) as database:
        async with database.transaction() as connection:
            await connection.execute(ADD, ["ann"])

        async def fail() -> None:
            async with database.transaction() as connection:
                await connection.execute(ADD, ["bob"])
                raise LookupError

        with pytest.raises(LookupError):
            await fail()
        assert await count(database) == 1


async def test_a_restart_between_two_calls_is_not_noticed(
    own_postgres: Postgres, own_database_url: str
) -> None:
    async with Database(own_database_url) as database:
        assert await count(database) == 0
        await anyio.to_thread.run_sync(own_postgres.restart)
        async with database.transaction() as connection:
            await connection.execute(ADD, ["ann"])
        await anyio.to_thread.run_sync(own_postgres.restart)
        assert await count(database) == 1


async def test_callers_wait_for_a_database_that_comes_back(
    own_postgres: Postgres, own_database_url: str
) -> None:
    done: list[int] = []
    async with Database(own_database_url, patience=60) as database:
        assert await count(database) == 0

        async def add(number: int) -> None:
            async def work(connection: Connection) -> None:
                await connection.execute(ADD, [str(number)])

            await database.run(work)
            done.append(number)

        await anyio.to_thread.run_sync(own_postgres.kill)
        async with anyio.create_task_group() as group:
            for number in range(20):
                group.start_soon(add, number)
            await anyio.sleep(0.7)
            assert done == []
            await anyio.to_thread.run_sync(own_postgres.start)
        assert await count(database) == 20


async def test_after_its_patience_a_caller_learns_what_to_do() -> None:
    with closed_port() as port:
        url = f"postgresql://someone:some-password@127.0.0.1:{port}/none"
        async with Database(url, patience=0.2) as database:
            with pytest.raises(Failure) as failure:
                await database.execute("SELECT 1")
            with pytest.raises(Failure):
                async with database.transaction():
                    pass
    assert failure.value.code == Code.UNAVAILABLE
    assert failure.value.retryable
    assert "PostgreSQL" in failure.value.hint
    assert "some-password" not in failure.value.message + failure.value.hint


async def test_a_cancelled_caller_does_not_wait_for_a_lost_database() -> None:
    with closed_port() as port:
        url = f"postgresql://someone:some-password@127.0.0.1:{port}/none"
        async with Database(url, patience=60) as database:
            started = time.monotonic()
            with anyio.move_on_after(0.1):
                await database.execute("SELECT 1")
            # The pool's slice of half a second, and what a busy machine adds.
            assert time.monotonic() - started < 10


async def test_a_lost_connection_in_a_transaction_is_a_failure_and_nothing_of_it_stays(
    postgres: Postgres, database_url: str
) -> None:
    async with Database(database_url) as database:

        async def add_and_be_cut_off() -> None:
            async with database.transaction() as connection:
                await connection.execute(ADD, ["ann"])
                await connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")

        with pytest.raises(Failure) as failure:
            await add_and_be_cut_off()
        assert failure.value.code == Code.UNAVAILABLE
        assert await count(database) == 0


async def test_cancelled_callers_cost_the_pool_no_connection(database_url: str) -> None:
    async with Database(database_url, size=2) as database:

        async def dawdle() -> None:
            with anyio.move_on_after(0.02):
                async with database.transaction() as connection:
                    await connection.execute("SELECT pg_sleep(0.03)")

        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(dawdle)
        async with database.transaction(), database.transaction():
            pass
        assert await count(database) == 0


async def test_more_callers_than_connections_take_turns(database_url: str) -> None:
    async with Database(database_url, size=2) as database, anyio.create_task_group() as group:
        for number in range(50):
            group.start_soon(database.execute, ADD, [str(number)])
    async with Database(database_url) as database:
        assert await count(database) == 50


async def test_a_replica_suspended_in_a_transaction_does_not_keep_its_locks(
    database_url: str,
) -> None:
    async with Database(database_url) as database:
        rows = await database.execute(
            "SELECT current_setting('idle_in_transaction_session_timeout'), "
            "current_setting('lock_timeout'), current_setting('statement_timeout')"
        )
    assert rows == [("10s", "10s", "30s")]
