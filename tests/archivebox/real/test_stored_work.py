"""Work on many pages and work that repeats is seen in the server's database and on its disk, not in
its answer."""

from __future__ import annotations

import json
from typing import Any

import anyio.to_thread
import pytest

from tests.support.archivebox.install import ALL_VERSIONS
from tests.support.archivebox.points import SCHEDULED, Record
from tests.support.archivebox.stored import Stored
from tests.support.archivebox.targets import Target

Json = dict[str, Any]

since_0_9 = pytest.mark.parametrize("box", ALL_VERSIONS[:2], indirect=True)


@since_0_9
async def test_each_run_of_a_schedule_is_another_copy(
    target: Target, stored: Stored, record: Record
) -> None:
    url = target.fresh.pop()
    await target.confirmed("schedule", import_path=url, every="daily", tag="Daily")
    enabled = (
        "SELECT schedule, urls, crawls_crawl.config FROM crawls_crawlschedule"
        " JOIN crawls_crawl ON template_id = crawls_crawl.id WHERE is_enabled"
    )
    ((every, urls, config),) = stored.rows(enabled)
    assert (every, urls) == ("daily", url)
    if target.version == "0.9.73":
        assert json.loads(config)["ONLY_NEW"] is False

    for _ in range(3):
        await anyio.to_thread.run_sync(_run_schedules, stored)
        await _work_off(stored)
    copies = stored.copies(url)
    assert len(copies) == 3
    for copy in copies:
        assert stored.page_files(copy)
        assert stored.tags(copy) == {"Daily"}
    shown = await target.call("schedule", show=True)
    assert [row["copies"] for row in shown["schedules"]] == [3]
    record(2, SCHEDULED, stored.describe(url))

    await target.confirmed("schedule", clear=True)
    assert stored.rows(enabled) == []


@since_0_9
async def test_a_retry_makes_a_copy_of_what_failed_and_none_of_what_is_good(
    working: Target, stored: Stored, record: Record
) -> None:
    good, bad = working.fresh.pop(), f"{stored.real.pages['missing']}?retried"
    added = await working.call("add", urls=[good, bad], tag="Retried")
    await working.archive(added["crawl_id"])
    await _work_off(stored)
    job: Json = {"action": "retry", "query": {"tag": "Retried"}, "wait_minutes": 0}
    await working.confirmed("start_save", **job)
    await _work_off(stored)
    assert (len(stored.copies(good)), len(stored.copies(bad))) == (1, 2)
    state = f"good page: {stored.describe(good)}; the 404: {stored.describe(bad)}"
    record(1, "`start_save` retry of a good page without favicon and of a 404", state)

    listed = await working.call("list_snapshots", url=good, status="succeeded")
    assert [page["id"] for page in listed["nodes"]] == [await _id_of(working, good)]


@since_0_9
async def test_what_fits_a_query_is_deleted_with_its_files(
    working: Target, stored: Stored, record: Record
) -> None:
    pages = [await working.saved("Gone") for _ in range(2)]
    neighbour = await working.saved("Stays")
    assert all(stored.page_files(page["id"]) for page in pages)
    await working.confirmed("start_remove", query={"tag": "Gone"})
    await _work_off(stored)
    for page in pages:
        assert (stored.status(page["id"]), stored.files(page["id"])) == (None, [])
    assert stored.page_files(neighbour["id"])
    gone = [stored.describe(page["url"]) for page in pages]
    record(3, "`start_remove` of two pages by tag, then the runner", ", ".join(gone))


@since_0_9
async def test_an_update_makes_the_output_that_is_missing(target: Target, stored: Stored) -> None:
    page = await target.saved()
    # Whatever is missing comes back, if the last of the plugins is among it: 0.9.73 takes a page
    # with an output of that one for complete.
    for plugin in ("htmltotext", "hashes"):
        stored.forget_output(page["id"], plugin)
    assert "htmltotext" not in _plugins(stored, page)
    await _update(target, page["url"])
    await _work_off(stored)
    assert "htmltotext" in _plugins(stored, page)
    assert stored.status(page["id"]) == "sealed"


@since_0_9
async def test_an_update_makes_no_second_copy(
    target: Target, stored: Stored, record: Record
) -> None:
    page = await target.saved()
    await _update(target, page["url"])
    await _work_off(stored)
    assert len(stored.copies(page["url"])) == 1
    assert stored.page_files(page["id"])
    record(7, "`update` of a saved page, then the runner", stored.describe(page["url"]))


async def _update(target: Target, url: str) -> None:
    # The time of day of the tests is another than the server's: without a date nothing is so old.
    await target.call(
        "update", filter_patterns=[url], filter_type="exact", bookmarked_before="2100-01-01"
    )


def _plugins(stored: Stored, page: Json) -> set[str]:
    """The plugins that left an output of a page."""
    return {plugin for plugin, _, _ in stored.outputs(page["id"])}


def _run_schedules(stored: Stored) -> None:
    """Start a run of every schedule, as if its time had come."""
    with stored.real.client() as client:
        started = client.post("/cli/schedule", json={"run_all": True}).raise_for_status().json()
    assert started["result"]["run_all_enqueued"] == 1


async def _id_of(target: Target, url: str) -> str:
    (page,) = (await target.call("list_snapshots", url=url))["nodes"]
    return str(page["id"])


async def _work_off(stored: Stored) -> None:
    await anyio.to_thread.run_sync(stored.real.work_off)
