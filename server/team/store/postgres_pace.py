"""The pace of all replicas of a team's server in its database."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable

from server.limiter.pace_store import Record
from server.team.store.database import Database
from server.team.store.pace import Reading, SharedPace, Swap

_NOW = "extract(epoch FROM clock_timestamp())::float8"
_READ = (
    f"SELECT {_NOW}, version, state, evidence "  # noqa: S608  # put together from constants
    "FROM (SELECT 1) AS one LEFT JOIN pace ON key = %(key)s"
)
_ADD = (
    "INSERT INTO pace (key, version, state, evidence) "  # noqa: S608  # as above
    "VALUES (%(key)s, %(version)s, %(state)s, %(evidence)s) "
    f"ON CONFLICT (key) DO NOTHING RETURNING {_NOW}"
)
# One question for both outcomes: done, or the record that is there instead.
_REPLACE = f"""
WITH written AS (
    UPDATE pace
    SET version = %(version)s, state = %(state)s, evidence = %(evidence)s, touched_at = now()
    WHERE key = %(key)s AND version = %(old)s
    RETURNING key
)
SELECT {_NOW}, EXISTS (SELECT FROM written), pace.version, pace.state, pace.evidence
FROM (SELECT 1) AS one
LEFT JOIN pace ON pace.key = %(key)s AND NOT EXISTS (SELECT FROM written)
"""  # noqa: S608  # as above
# What was not used for a day says nothing any more.
_TRIM = "DELETE FROM pace WHERE touched_at < now() - interval '1 day'"
_VERSION_BITS = 62


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

    async def _read(self, key: str, patience: float | None) -> Reading[int]:
        [(server_time, version, state, evidence)] = await self._database.execute(
            _READ, {"key": key}, patience=patience
        )
        return _make_reading(server_time, version, state, evidence)

    async def _swap(
        self, key: str, latest: Reading[int], record: Record, patience: float | None
    ) -> Swap[int]:
        # Never the same again: a counter would start anew in a table that a crash emptied.
        version = secrets.randbits(_VERSION_BITS)
        state, evidence = record
        values = {"key": key, "version": version, "state": state, "evidence": evidence}
        if latest.version is None:
            return await self._add(values, patience)
        [(server_time, is_done, *row)] = await self._database.execute(
            _REPLACE, {**values, "old": latest.version}, patience=patience
        )
        if is_done:
            return Swap(server_time, True, Reading(server_time, version, record))
        return Swap(server_time, False, _make_reading(server_time, *row))

    async def _add(self, values: dict[str, object], patience: float | None) -> Swap[int]:
        rows = await self._database.execute(_ADD, values, patience=patience)
        if not rows:
            [(server_time,)] = await self._database.execute(f"SELECT {_NOW}", patience=patience)
            return Swap(server_time, False, None)
        await self._database.execute(_TRIM, patience=patience)
        return Swap(rows[0][0], True, None)


def _make_reading(
    server_time: float, version: int | None, state: str | None, evidence: str | None
) -> Reading[int]:
    if version is None or state is None or evidence is None:
        return Reading(server_time, None, None)
    return Reading(server_time, version, (state, evidence))
