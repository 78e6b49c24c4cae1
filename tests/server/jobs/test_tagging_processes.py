"""A collection job in real server processes that are killed, or suspended for longer than the
lease.

The rate is scaled up: 5 requests in a hundredth of a second. The benchmarks have more items, and
the true rate.
"""

from __future__ import annotations

import os
import random
import signal
from pathlib import Path

import pytest

from server.jobs import JobState, RecordState
from server.sandbox import COFFEE
from tests.support.sandboxed import sandbox_process
from tests.support.tagging import (
    Site,
    begun,
    killed_again_and_again,
    reached,
    resumed,
    suspended,
)

ITEMS = 2_000
STRANGERS = 50
KILLS = 20
WINDOW = 0.01
LEASE = 0.4
WIDTH = 8

pytestmark = pytest.mark.skipif(os.name == "nt", reason="stops processes with POSIX signals")


async def test_a_job_killed_at_twenty_moments_puts_in_every_item_and_repeats_but_what_was_under_way(
    tmp_path: Path,
) -> None:
    moments = sorted(random.Random(5).sample(range(ITEMS - 100), KILLS))
    with sandbox_process(items=ITEMS, plan="boundless", window=WINDOW) as sandbox:
        site = Site(sandbox, tmp_path, WINDOW, LEASE)
        mine, strangers = site.ids(), site.ids(COFFEE, most=STRANGERS)
        mixed = random.Random(6).sample([*mine, *strangers], ITEMS + STRANGERS)
        job, under_way = await killed_again_and_again(site, moments, itemIds=mixed)

        changes, failed = site.changes(), site.records(RecordState.FAILED)
        assert job.state is JobState.DONE
        # A refusal of what was under way at a kill does not tell what became of the first send.
        unknown = site.records(RecordState.UNKNOWN)
        assert job.counts[RecordState.DONE] == ITEMS
        assert {row.key for row in [*failed, *unknown]} == set(strangers)
        assert all(under_way[row.key] for row in unknown)
        assert sorted(site.members()) == sorted(mine)
        assert set(changes) == {*mine, *strangers}
        assert under_way.total() <= KILLS * WIDTH
        assert all(count <= 1 + under_way[each] for each, count in changes.items())
        assert {row.reason for row in failed} == {
            "Archive refused addItemToCollections: itemId: Item not found"
        }


async def test_a_job_killed_while_it_gathers_loses_no_item(tmp_path: Path) -> None:
    with sandbox_process(items=1_500, plan="boundless", window=0.1) as sandbox:
        site = Site(sandbox, tmp_path, 0.1, LEASE)
        mine = site.ids()
        for number, moment in enumerate((1, 300, 700, 1_000)):
            async with site.server() as server:
                task = await (resumed(site, server) if number else begun(server, search={}))
                await reached(
                    site,
                    # A default argument binds the value of this round.
                    lambda job, moment=moment: job.counts.get(RecordState.PENDING, 0) >= moment,  # type: ignore[misc]
                )
                server.signal(signal.SIGKILL)
                await task
        async with site.server() as server:
            await resumed(site, server)
            job = await reached(site, lambda job: job.counts.get(RecordState.DONE, 0) >= 40)

        assert job.phase == "sending"
        assert sorted(row.key for row in site.records()) == sorted(mine)


async def test_an_owner_suspended_past_its_lease_sends_nothing_more_when_it_comes_back(
    tmp_path: Path,
) -> None:
    with sandbox_process(items=800, plan="boundless", window=WINDOW) as sandbox:
        site = Site(sandbox, tmp_path, WINDOW, LEASE)
        mine = site.ids()
        async with site.server() as first, site.server() as second:
            await begun(first, search={})
            await reached(site, lambda job: job.finished_records >= 200)
            await suspended(site, first)
            under_way = {row.key for row in site.records(RecordState.SENDING)}
            await resumed(site, second)
            await reached(site, lambda job: job.finished_records >= 400)
            first.signal(signal.SIGCONT)
            job = await reached(site, lambda job: job.ended)
            # An answer shows that the first has long been awake and at work again.
            told = await first.call_tool("archive_mcp_get_job", {"id": job.id})

        changes = site.changes()
        assert told["structuredContent"]["records"] == {"total": 800, "done": 800}
        assert sorted(site.members()) == sorted(mine)
        assert len(under_way) <= WIDTH
        assert {each for each, count in changes.items() if count > 1} <= under_way
        assert max(changes.values()) <= 2
