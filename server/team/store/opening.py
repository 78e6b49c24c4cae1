"""What the replicas of a team's server share, opened together."""

from __future__ import annotations

from contextlib import AsyncExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Self

import anyio

from server.errors import Failure
from server.limiter import Pacer
from server.settings import SettingsError
from server.settings.extras import describe_missing_team
from server.team.jobs.queue import Queue
from server.team.settings import TeamSettings
from server.team.store.addresses import reveal_address
from server.team.store.database import PATIENCE, Database
from server.team.store.postgres_pace import PostgresPace
from server.team.store.schema import check_schema

if TYPE_CHECKING:
    from server.team.store.redis_pace import RedisPace

# A probe asks every few seconds: it must not wait for long, nor report a moment's trouble.
_PROBE_SECONDS = 2.0


class TeamStore:
    """The database of the team with the queue of its jobs, and the pace over it or over Redis.

    Raises:
        SettingsError: An address is missing or wrong, or the extra `redis` is not installed.
    """

    def __init__(self, team: TeamSettings) -> None:
        url = reveal_address("ARCHIVE_MCP_DATABASE_URL", team.database_url)
        self.database = Database(url)
        self.queue = Queue(url)
        self._redis = _make_redis_pace(team)
        self._pace = self._redis or PostgresPace(self.database)
        self.limiter = Pacer(None, store=self._pace)
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self.database)
        await self._stack.enter_async_context(self.queue)
        if self._redis is not None:
            await self._stack.enter_async_context(self._redis)
        await self._pace.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    async def find_problem(self) -> str:
        """Return what keeps the store from working, in words; empty where nothing does."""
        try:
            await self.database.execute("SELECT 1", patience=_PROBE_SECONDS)
        except Failure as failure:
            return failure.message
        return ""


def check_store(team: TeamSettings, *, patience: float = PATIENCE) -> None:
    """Return if the team's database can be reached and has the schema of this version.

    Args:
        patience: Seconds to wait for a database that cannot be reached: containers start at once.

    Raises:
        SettingsError: It cannot, or has another one.
    """
    url = reveal_address("ARCHIVE_MCP_DATABASE_URL", team.database_url)

    async def check() -> None:
        async with Database(url, patience=patience) as database:
            await check_schema(database)

    try:
        anyio.run(check)
    except Failure as failure:
        raise SettingsError(
            f"{failure.message} Check ARCHIVE_MCP_DATABASE_URL and whether PostgreSQL is running."
        ) from None


def _make_redis_pace(team: TeamSettings) -> RedisPace | None:
    if team.redis_url is None:
        return None
    url = reveal_address("ARCHIVE_MCP_REDIS_URL", team.redis_url)
    try:
        from server.team.store.redis_pace import RedisPace
    except ImportError:
        raise SettingsError(describe_missing_team("redis", extra="redis")) from None
    return RedisPace(url)
