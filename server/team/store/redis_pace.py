"""The pace of all replicas of a team's server in Redis, for whoever runs one anyway."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self, TypeVar

import anyio
import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from server.errors import Code, Failure
from server.limiter.pace_store import Record
from server.team.store.database import PATIENCE
from server.team.store.pace import Reading, SharedPace, Swap

T = TypeVar("T")

_PREFIX = "archive-mcp:pace:"
_SOCKET_SECONDS = 5.0
_FIRST_PAUSE = 0.01
_LONGEST_PAUSE = 0.5
# What was not used for a day says nothing any more.
_KEPT_MILLISECONDS = 86_400_000
# Both texts are JSON, which has no line breaks.
_SEPARATOR = "\n"
_READ = """
local now = redis.call('TIME')
return {now[1], now[2], redis.call('GET', KEYS[1])}
"""
# The text itself tells a record from others; empty for a key without one.
_SWAP = """
local now = redis.call('TIME')
local existing = redis.call('GET', KEYS[1])
if (existing or '') ~= ARGV[1] then return {now[1], now[2], 0, existing} end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return {now[1], now[2], 1, false}
"""


class RedisPace(SharedPace[str]):
    """The pace in a Redis of the team, connected to on first use.

    Args:
        url: redis://:password@host:port/number, or rediss:// for TLS.
        patience: Seconds to wait for a server that cannot be reached.
    """

    def __init__(
        self,
        url: str,
        *,
        window: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
        patience: float = PATIENCE,
    ) -> None:
        super().__init__(window=window, clock=clock)
        self._patience = patience
        self._client = redis.asyncio.Redis.from_url(
            url,
            decode_responses=True,
            socket_timeout=_SOCKET_SECONDS,
            socket_connect_timeout=_SOCKET_SECONDS,
            # A lost connection must be noticed here, because it may lead to another server.
            retry=Retry(NoBackoff(), 0),
        )
        self._run_read = self._client.register_script(_READ)
        self._run_swap = self._client.register_script(_SWAP)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with anyio.CancelScope(shield=True):
            await self._client.aclose()

    async def _read(self, key: str, patience: float | None) -> Reading[str]:
        async def read() -> Any:
            return await self._run_read(keys=[_PREFIX + key])

        seconds, microseconds, text = await self._repeat(read, patience)
        return _make_reading(_to_seconds(seconds, microseconds), text)

    async def _swap(
        self, key: str, latest: Reading[str], record: Record, patience: float | None
    ) -> Swap[str]:
        text = _SEPARATOR.join(record)
        arguments: list[str | int] = [latest.version or "", text, _KEPT_MILLISECONDS]

        async def swap() -> Any:
            return await self._run_swap(keys=[_PREFIX + key], args=arguments)

        seconds, microseconds, is_done, existing = await self._repeat(swap, patience)
        server_time = _to_seconds(seconds, microseconds)
        now = _make_reading(server_time, text if is_done else existing)
        return Swap(server_time, bool(is_done), now)

    async def _repeat(self, command: Callable[[], Awaitable[T]], patience: float | None) -> T:
        """Run a command, again where the server was lost, until the patience is over."""
        until = time.monotonic() + (self._patience if patience is None else patience)
        pause = _FIRST_PAUSE
        while True:
            try:
                # Cancelled between question and answer, a connection would be of no more use.
                with anyio.CancelScope(shield=True):
                    return await command()
            except (RedisError, OSError):
                self.clock.distrust()
                if time.monotonic() >= until:
                    raise _make_unavailable() from None
            await anyio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)


def _make_reading(server_time: float, text: str | None) -> Reading[str]:
    if text is None:
        return Reading(server_time, None, None)
    state, _, evidence = text.partition(_SEPARATOR)
    return Reading(server_time, text, (state, evidence))


def _to_seconds(seconds: str, microseconds: str) -> float:
    return int(seconds) + int(microseconds) / 1_000_000


def _make_unavailable() -> Failure:
    return Failure(
        Code.UNAVAILABLE,
        "The Redis that the team's server keeps its pace in cannot be reached.",
        "Repeat the call in a minute. If this lasts, tell the user that the administrator must "
        "look after Redis.",
        retryable=True,
    )
