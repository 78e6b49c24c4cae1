"""The pace of all replicas of a team's server: records in PostgreSQL or Redis.

A change reads the record, and writes the new one only if nobody changed it meanwhile; else it is
made anew. So no replica ever holds a lock, and one that is suspended in the middle of a change
blocks nobody. A key without a record starts with a pause: the server may have lost it, by a crash
or by a failover to one that never had it.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Generic, TypeVar

from server.errors import Failure
from server.limiter.jitter import Rules
from server.limiter.pace_store import Busy, Record
from server.team.store.clock import StoreClock
from server.team.store.database import Database

T = TypeVar("T")
Version = TypeVar("Version")

_READ = (
    "SELECT extract(epoch FROM clock_timestamp())::float8, version, state, evidence "
    "FROM (SELECT 1) AS one LEFT JOIN pace ON key = %s"
)
_ADD = (
    "INSERT INTO pace (key, version, state, evidence) VALUES (%s, 1, %s, %s) "
    "ON CONFLICT (key) DO NOTHING RETURNING version"
)
_REPLACE = (
    "UPDATE pace SET version = version + 1, state = %s, evidence = %s, touched_at = now() "
    "WHERE key = %s AND version = %s RETURNING version"
)
# What was not used for a day says nothing any more.
_TRIM = "DELETE FROM pace WHERE touched_at < now() - interval '1 day'"


class SharedPace(ABC, Generic[Version]):
    """A `PaceStore` on a server, by reading and swapping; the two steps are the subclass's.

    Args:
        window: Length of the API's window in seconds.
        clock: Monotonic clock of this process in seconds.
    """

    keeps_history = False

    def __init__(self, *, window: float = 1.0, clock: Callable[[], float] = time.monotonic) -> None:
        rules = Rules(window)
        self.clock = StoreClock(rules.span(rules.slowest), clock)

    @property
    def offset(self) -> float:
        """See `PaceStore.offset`."""
        return self.clock.offset

    @property
    def safe_from(self) -> float:
        """See `PaceStore.safe_from`."""
        return self.clock.safe_from

    async def start(self) -> None:
        """Read the server's clock, so that the pause of a new process begins now."""
        await self._read_or_fail("", None)

    async def transact(
        self,
        key: str,
        change: Callable[[Record | None], tuple[T, Record]],
        *,
        patience: float | None = None,
    ) -> T:
        """See `PaceStore.transact`."""
        until = None if patience is None else self.clock.now() + patience
        while True:
            version, record = await self._read_or_fail(key, patience)
            result, changed = change(record)
            if await self._swap_or_fail(key, version, changed, patience):
                return result
            # Somebody else was faster, so there is progress; only the caller's patience may end.
            if until is not None and self.clock.now() > until:
                raise Busy

    def close(self) -> None:
        """Close nothing: the connections belong to whoever opened them."""

    @abstractmethod
    async def _read(
        self, key: str, patience: float | None
    ) -> tuple[float, Version | None, Record | None]:
        """Return the server's time in seconds, and the version and the record of a key."""

    @abstractmethod
    async def _swap(
        self, key: str, version: Version | None, record: Record, patience: float | None
    ) -> bool:
        """Write the record if the key still has this version (None: no record), and return
        whether it had."""

    async def _read_or_fail(
        self, key: str, patience: float | None
    ) -> tuple[Version | None, Record | None]:
        try:
            if not self.clock.is_trusted:
                # This one connects first, which would blur the clock.
                await self._read("", patience)
            asked = self.clock.now()
            server_time, version, record = await self._read(key, patience)
        except Failure:
            self._note_loss(patience)
            raise
        self.clock.observe(asked, self.clock.now(), server_time)
        return version, record

    async def _swap_or_fail(
        self, key: str, version: Version | None, record: Record, patience: float | None
    ) -> bool:
        try:
            return await self._swap(key, version, record, patience)
        except Failure:
            self._note_loss(patience)
            raise

    def _note_loss(self, patience: float | None) -> None:
        # Whatever answers next may be another server, or have lost the last records.
        self.clock.distrust()
        if patience is not None:
            raise Busy from None


class PostgresPace(SharedPace[int]):
    """The pace in the team's database.

    Args:
        database: The database, which the caller opens and closes.
    """

    def __init__(
        self,
        database: Database,
        *,
        window: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(window=window, clock=clock)
        self._database = database

    async def _read(
        self, key: str, patience: float | None
    ) -> tuple[float, int | None, Record | None]:
        [(server_time, version, state, evidence)] = await self._database.execute(
            _READ, (key,), patience=patience
        )
        return server_time, version, None if version is None else (state, evidence)

    async def _swap(
        self, key: str, version: int | None, record: Record, patience: float | None
    ) -> bool:
        if version is not None:
            parameters = (*record, key, version)
            return bool(await self._database.execute(_REPLACE, parameters, patience=patience))
        is_added = bool(await self._database.execute(_ADD, (key, *record), patience=patience))
        if is_added:
            await self._database.execute(_TRIM, patience=patience)
        return is_added
