"""Collection jobs at the real pace and on the scale of a large view, and what they leave to
interactive calls."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

from server.jobs import JobState, RecordState
from server.sandbox import COFFEE
from tests.benchmarks.figures import Figure
from tests.support.sandboxed import sandbox_process
from tests.support.stdio import StdioServer
from tests.support.tagging import (
    Site,
    begun,
    killed_again_and_again,
    reached,
)

RATE = 5.0
"""Requests a second that Archive admits (Archive docs, rate limiting page)."""
LEASE = 2.0
"""Seconds; the real one is longer, but nothing is measured while it runs out."""

_CALLS = 50
_PAUSE = 0.5
"""Longest pause of the person between two calls, in seconds: they are not to come in step with the
job."""
_STRANGERS = 50
_KILLS = 20
_SCALE = 0.01


async def at_the_real_rate(quick: bool) -> list[Figure]:
    """300 items on the Growth plan, the server killed half-way and the job resumed by another."""
    items = 60 if quick else 300
    async with _site(items, window=1.0, plan="growth") as site:
        before = len(site.sandbox.arrivals())
        job, under_way = await killed_again_and_again(site, [items // 2], search={})
        arrivals, changes = site.sandbox.arrivals()[before:], site.changes()
        refused = site.sandbox.stats()["refused"]
        found = site.members()
    pause = max(later - earlier for earlier, later in pairwise(arrivals))
    ideal = (len(arrivals) - 1) / RATE
    seconds = arrivals[-1] - arrivals[0] - pause
    return [
        Figure(
            f"{items} items, the interruption left out",
            seconds,
            "s",
            ideal,
            goal=1.15,
            judged="ratio",
        ),
        Figure("interruption, with a lease of 2 s", pause, "s"),
        Figure("requests in all, per item", len(arrivals), "", items, judged="ratio"),
        *_outcome(job.state, changes, found, items, under_way.total()),
        Figure("answered 429", refused, goal=0),
    ]


async def killed_twenty_times(quick: bool) -> list[Figure]:
    """14,000 items and 50 that are refused, at a hundred times the rate, the server killed at 20
    random moments."""
    items = 1_000 if quick else 14_000
    async with _site(items, window=_SCALE, plan="boundless") as site:
        mine, strangers = site.ids(), site.ids(COFFEE, most=_STRANGERS)
        mixed = random.Random(1).sample([*mine, *strangers], len(mine) + len(strangers))
        moments = sorted(random.Random(2).sample(range(items - 100), _KILLS))
        began = time.monotonic()
        job, under_way = await killed_again_and_again(site, moments, itemIds=mixed)
        seconds = time.monotonic() - began
        changes, found = site.changes(), site.members()
        failed = {row.key for row in site.records(RecordState.FAILED)}
        too_often = sum(count > 1 + under_way[each] for each, count in changes.items())
    tagged = {each: count for each, count in changes.items() if each not in strangers}
    return [
        Figure(f"{items:,} items, {_KILLS} kills", seconds, "s"),
        *_outcome(job.state, tagged, found, items, under_way.total()),
        Figure("items sent more often than they were interrupted", too_often, goal=0),
        Figure(
            "refused items reported one by one",
            len(failed & set(strangers)),
            "",
            _STRANGERS,
            goal=1,
            at_least=True,
            judged="ratio",
        ),
        Figure("other items reported as failed", len(failed - set(strangers)), goal=0),
    ]


async def interactive(quick: bool) -> list[Figure]:
    """Calls one at a time while a job runs at full speed, in its process and in another."""
    figures: list[Figure] = []
    for elsewhere in (False, True):
        async with (
            _site(1_000, window=1.0, plan="growth") as site,
            site.server() as first,
            site.server() as second,
        ):
            caller = second if elsewhere else first
            await caller.call_tool("archive_get_workspace")
            task = await begun(first, search={})
            await reached(site, lambda job: job.finished_records >= 5)
            before = len(site.sandbox.arrivals())
            began = time.monotonic()
            waits = await _calls(caller, 15 if quick else _CALLS)
            seconds = time.monotonic() - began
            sent = len(site.sandbox.arrivals()) - before
            refused = site.sandbox.stats()["refused"]
            task.cancel()
        where = "another process" if elsewhere else "the process of the job"
        figures += [
            Figure(
                f"p95 of {len(waits)} calls in {where}", _percentile(waits, 0.95), "s", goal=1.0
            ),
            Figure(f"longest call in {where}", max(waits), "s"),
            Figure(
                "requests a second meanwhile, of the job and the calls",
                sent / seconds,
                "/s",
                RATE,
                judged="ratio",
            ),
            Figure("answered 429", refused, goal=0),
        ]
    return figures


async def _calls(server: StdioServer, count: int) -> list[float]:
    waits: list[float] = []
    pauses = random.Random(3)
    for _ in range(count):
        await asyncio.sleep(pauses.uniform(0, _PAUSE))
        timed = await server.timed("tools/call", {"name": "archive_get_workspace", "arguments": {}})
        if timed.result["isError"]:
            raise RuntimeError(timed.result["content"][0]["text"][:300])
        waits.append(timed.seconds)
    return waits


def _outcome(
    state: JobState, changes: dict[str, int], found: Sequence[str], items: int, under_way: int
) -> list[Figure]:
    if state is not JobState.DONE:
        raise RuntimeError(f"the job ended as {state}")
    return [
        Figure("items missing", items - len(set(found)), goal=0),
        Figure("items in it twice", len(found) - len(set(found)), goal=0),
        Figure("sends repeated", sum(changes.values()) - len(changes), goal=under_way),
    ]


def _percentile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


@asynccontextmanager
async def _site(items: int, *, window: float, plan: str) -> AsyncIterator[Site]:
    with (
        TemporaryDirectory() as folder,
        sandbox_process(items=items, plan=plan, window=window) as sandbox,
    ):
        sandbox.warm_up()
        yield Site(sandbox, Path(folder), window, LEASE if window == 1.0 else LEASE / 5)
