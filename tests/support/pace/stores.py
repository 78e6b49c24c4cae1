"""A pacer over any of the stores, by the address of the store."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from server.limiter import Pacer


@asynccontextmanager
async def open_pacer(
    place: str, window: float = 1.0, clock: Callable[[], float] = time.monotonic
) -> AsyncIterator[Pacer]:
    """Open a pacer for as long as the context lives.

    Args:
        place: A folder, or the address of a PostgreSQL or a Redis.
    """
    if place.startswith("postgresql:"):
        from server.team.store.database import Database
        from server.team.store.postgres_pace import PostgresPace

        async with Database(place) as database:
            records = PostgresPace(database, window=window, clock=clock)
            yield Pacer(None, store=records, window=window, clock=clock)
    elif place.startswith("redis:"):
        from server.team.store.redis_pace import RedisPace

        async with RedisPace(place, window=window, clock=clock) as store:
            yield Pacer(None, store=store, window=window, clock=clock)
    else:
        pacer = Pacer(Path(place), window=window, clock=clock)
        try:
            yield pacer
        finally:
            pacer.close()
