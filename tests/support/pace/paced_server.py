"""The server with another window of its pacer, another lease of its jobs, sends held up after
their turn came, and files written slowly.

For tests and benchmarks that cannot wait for the real pace:
`python -m tests.support.pace.paced_server --window 0.1`.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import os
import random
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import anyio

from server.dispatch import Dispatcher
from server.jobs import Leases
from server.jobs.lease import LEASE_SECONDS
from server.limiter import (
    Lane,
    Limiter,
    Slot,
    Snapshot,
)
from server.protocol.handlers import build_server
from server.protocol.stdio import serve
from server.services import Services
from server.settings import load
from server.tool.catalog import Catalog
from tests.support.pace.stores import open_pacer
from tests.support.paths import SURFACE


class Delaying:
    """A limiter whose slots are sometimes used late, as if the machine or the network had been
    slow.

    Args: share: part of the sends that are delayed. most: longest delay in seconds; they are evenly
        distributed.
    """

    def __init__(self, inner: Limiter, share: float, most: float, seed: int) -> None:
        self._inner = inner
        self._share = share
        self._most = most
        self._random = random.Random(seed)

    @asynccontextmanager
    async def slot(
        self,
        key: str,
        *,
        operation: str = "",
        cost: float = 5,
        lane: Lane = "interactive",
        deadline: float | None = None,
    ) -> AsyncIterator[Slot]:
        """See `Limiter.slot`."""
        async with self._inner.slot(
            key, operation=operation, cost=cost, lane=lane, deadline=deadline
        ) as slot:
            if self._random.random() < self._share:
                await anyio.sleep(self._random.uniform(0, self._most))
            yield slot

    async def snapshot(self, key: str) -> Snapshot | None:
        """See `Limiter.snapshot`."""
        return await self._inner.snapshot(key)


def main() -> None:
    """Serve until the client leaves."""
    options = _options()
    settings = load({}, environment=os.environ)
    surface = Catalog.read(SURFACE, importlib.import_module)
    prompts: Any = importlib.import_module("prompts")

    async def session() -> None:
        place = options.store or str(settings.state_dir)
        async with (
            open_pacer(place, options.window) as pacer,
            Services(
                settings, limiter=_delay(pacer, options), leases=Leases(options.lease)
            ) as services,
        ):
            calls = Dispatcher(surface, services, settings.timezone)
            await serve(build_server(surface, calls, prompts.DOCUMENTS, prompts.instructions()))

    if options.batch_delay:
        _write_slowly(options.batch_delay)
    gc.freeze()
    anyio.run(session)


def _delay(limiter: Limiter, options: argparse.Namespace) -> Limiter:
    if not options.delay_share:
        return limiter
    return Delaying(limiter, options.delay_share, options.delay_most, options.seed)


def _write_slowly(seconds: float) -> None:
    """Let each batch of rows of a CSV file take so long."""
    from server.exports.cells import CsvFile

    add = CsvFile.add

    def slow_add(file: CsvFile, records: Iterable[dict[str, Any]]) -> None:
        time.sleep(seconds)
        add(file, records)

    CsvFile.add = slow_add  # type: ignore[assignment]  # that is the purpose


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--window", type=float, default=1.0, help="seconds in which 5 sends are allowed"
    )
    parser.add_argument(
        "--store", default="", help="PostgreSQL or Redis that keeps the pace, instead of a file"
    )
    parser.add_argument(
        "--delay-share", type=float, default=0.0, help="part of the sends that are held up"
    )
    parser.add_argument(
        "--delay-most", type=float, default=0.0, help="seconds that they are held up at most"
    )
    parser.add_argument(
        "--lease",
        type=float,
        default=LEASE_SECONDS,
        help="seconds that a job's owner may be silent",
    )
    parser.add_argument(
        "--batch-delay", type=float, default=0.0, help="seconds that a batch of a CSV file takes"
    )
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    main()
