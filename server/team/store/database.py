"""PostgreSQL as the team's replicas use it: short transactions over a pool of connections.

A database that restarts, or cannot be reached for a moment, is waited for; the caller sees a
failure only after that. Transactions are finished even where their caller was cancelled: a
cancellation in the middle of one would cost the pool its connection.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self, TypeVar

import anyio
import psycopg
from psycopg.abc import QueryNoTemplate
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from server.errors import Code, Failure

Connection = psycopg.AsyncConnection[TupleRow]
Parameters = Sequence[Any] | Mapping[str, Any]
T = TypeVar("T")

# Seconds that a caller waits for a database that is gone: longer than a restart, shorter than the
# 45 s that a call may last.
PATIENCE = 15.0
# A cancelled caller waits at most so long for the pool.
_SLICE = 0.5
_FIRST_PAUSE = 0.01
_LONGEST_PAUSE = 0.5
_POOL_SIZE = 10
# A connection that nobody used for so long is closed.
_IDLE_SECONDS = 300.0
_LOST = (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout)
_CONNECTING: dict[str, Any] = {
    "autocommit": True,
    "connect_timeout": 5,
    "application_name": "archive-mcp",
    # A server that vanished without a word is noticed in seconds, not in hours.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 2,
    "tcp_user_timeout": 10_000,
}
# A replica that was suspended in the middle of a transaction must not hold its locks for ever.
_LIMITS = (
    "SELECT set_config('idle_in_transaction_session_timeout', '10s', false), "
    "set_config('lock_timeout', '10s', false), set_config('statement_timeout', '30s', false)"
)


class Database:
    """The team's database, connected to on first use.

    Args:
        url: postgresql://user:password@host:port/name.
        size: Most connections that this process holds at a time.
        patience: Seconds to wait for a database that cannot be reached.
    """

    def __init__(self, url: str, *, size: int = _POOL_SIZE, patience: float = PATIENCE) -> None:
        self._patience = patience
        self._pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            url,
            min_size=0,
            max_size=size,
            open=False,
            kwargs=_CONNECTING,
            configure=_configure,
            max_idle=_IDLE_SECONDS,
            # The pool's own attempts lie farther and farther apart; ours do not.
            reconnect_timeout=_SLICE,
        )

    async def __aenter__(self) -> Self:
        await self._pool.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with anyio.CancelScope(shield=True):
            await self._pool.close()

    @asynccontextmanager
    async def transaction(self, *, patience: float | None = None) -> AsyncIterator[Connection]:
        """Open a transaction that commits at the end of the block and rolls back on an error.

        The block must be short: a cancellation waits for its end. It is not repeated by itself.

        Args:
            patience: Seconds to wait for a connection instead of the database's own patience.

        Raises:
            Failure: `UNAVAILABLE` where the database cannot be reached, or the connection was lost
                before the commit was confirmed.
        """
        connection = await self._connect(patience)
        with anyio.CancelScope(shield=True):
            try:
                async with connection.transaction():
                    yield connection
            except _LOST:
                raise make_unavailable() from None
            finally:
                await self._pool.putconn(connection)

    async def run(
        self, work: Callable[[Connection], Awaitable[T]], *, patience: float | None = None
    ) -> T:
        """Run a transaction, again where its connection was lost, and return its result.

        The work may run twice although its first commit was done: it must be of a kind where that
        does no harm.

        Raises:
            Failure: `UNAVAILABLE` once the patience is over.
        """

        async def attempt(connection: Connection) -> T:
            async with connection.transaction():
                return await work(connection)

        return await self._repeat(attempt, patience)

    async def execute(
        self,
        query: QueryNoTemplate,
        parameters: Parameters = (),
        *,
        patience: float | None = None,
    ) -> list[TupleRow]:
        """Run one statement as a transaction of its own and return its rows, if it has any.

        It is repeated where its connection was lost, as the work of `run` is.
        """

        async def attempt(connection: Connection) -> list[TupleRow]:
            cursor = await connection.execute(query, parameters)
            return await cursor.fetchall() if cursor.description else []

        return await self._repeat(attempt, patience)

    async def _repeat(
        self, attempt: Callable[[Connection], Awaitable[T]], patience: float | None
    ) -> T:
        until = time.monotonic() + (self._patience if patience is None else patience)
        pause = _FIRST_PAUSE
        while True:
            try:
                with anyio.CancelScope(shield=True):
                    async with self._pool.connection(timeout=_SLICE) as connection:
                        return await attempt(connection)
            except _LOST:
                if time.monotonic() >= until:
                    raise make_unavailable() from None
            # Not shielded: here a cancelled caller leaves.
            await anyio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _connect(self, patience: float | None) -> Connection:
        """Return a connection that answered just now; the caller gives it back."""
        until = time.monotonic() + (self._patience if patience is None else patience)
        pause = _FIRST_PAUSE
        while True:
            with anyio.CancelScope(shield=True):
                connection = await self._try_connection()
            if connection is not None:
                return connection
            if time.monotonic() >= until:
                raise make_unavailable()
            await anyio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _try_connection(self) -> Connection | None:
        try:
            connection = await self._pool.getconn(timeout=_SLICE)
        except _LOST:
            return None
        try:
            await AsyncConnectionPool.check_connection(connection)
        except _LOST:
            await self._pool.putconn(connection)
            return None
        return connection


def make_unavailable() -> Failure:
    """Return the failure for a database that cannot be reached."""
    return Failure(
        Code.UNAVAILABLE,
        "The database of the team's server cannot be reached.",
        "Repeat the call in a minute. If this lasts, tell the user that the administrator must "
        "look after PostgreSQL.",
        retryable=True,
    )


async def _configure(connection: Connection) -> None:
    await connection.execute(_LIMITS)
