"""Long work on pages, on real servers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread

from tests.support.archivebox.server import OwnServer, RealArchiveBox, RealServer
from tests.support.archivebox.targets import Target, over_real

Json = dict[str, Any]


async def test_pages_are_saved_checked_and_changed_on_a_real_server(
    own_server: OwnServer, tmp_path: Path
) -> None:
    # Its own, because what other tests have queued would be cancelled with it.
    async with (
        own_real(own_server) as real,
        over_real(real) as plain,
        plain.connect(ARCHIVEBOX_API_KEY=real.key, ARCHIVE_MCP_STATE_DIR=str(tmp_path)) as calls,
    ):
        target = replace(plain, calls=calls)
        good, bad = target.fresh[0], f"{real.pages['missing']}?saved"
        results: list[Json] = []

        async def save() -> None:
            told = await target.call(
                "start_save", action="save", urls=[good, bad], tags=["shelf"], wait_minutes=3
            )
            while "result" not in told:
                told = await target.call("start_save", action="save", resume=told["jobId"])
            results.append(told["result"])

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(save)
            crawl = await _crawl_of(target, good)
            await target.archive(crawl)
        checked = await target.call("start_save", action="check", urls=[good, bad, f"{good}&never"])

        (saved,) = results
        assert [each["url"] for each in saved["saved"]] == [good]
        assert [each["url"] for each in saved["failed"]] == [bad]
        assert "404" in saved["failed"][0]["reason"]
        assert checked["result"]["counts"]["missing"] == 1
        assert [each["url"] for each in checked["result"]["good"]] == [good]
        assert [each["url"] for each in checked["result"]["noOutput"]] == [bad]

        query = {"tag": "shelf", "domain": "127.0.0.1"}
        tagged = await target.confirmed(
            "start_save", action="tag", tags=["read"], untag=["shelf"], query=query
        )
        tags = [each["tags"] for each in (await target.call("list_snapshots", tag="read"))["nodes"]]
        assert (tagged["result"]["changed"], tags) == (2, [["read"], ["read"]])
        await target.confirmed("start_save", action="tag", undo=tagged["jobId"])
        assert len((await target.call("list_snapshots", tag="shelf"))["nodes"]) == 2

        again = anyio.Event()

        async def retry() -> None:
            told = await target.confirmed("start_save", action="retry", query=query)
            assert told["result"]["counts"] == {
                "saved": 0,
                "partly": 0,
                "failed": 1,
                "unknown": 0,
                "queued": 0,
                "refused": 0,
            }
            again.set()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(retry)
            await target.archive(await _crawl_of(target, bad, other_than=crawl))
        assert again.is_set()
        assert len((await target.call("list_snapshots", url=bad))["nodes"]) == 2

        await target.call("start_save", action="save", urls=[target.fresh[1]], wait_minutes=0)
        cancelled = await target.confirmed("start_save", action="cancel")
        assert cancelled["result"]["changed"] == 1
        assert cancelled["result"]["pages"].get("stillOpen", 0) == 0
        assert {each["status"] for each in await target.every("list_crawls")} == {"sealed"}


async def test_known_pages_get_their_tags_and_listed_ones_are_not_archived(
    own_server: OwnServer,
) -> None:
    async with own_real(own_server) as real, over_real(real) as target:
        known, new, listed = f"{target.fresh[0]}-again", *target.fresh[1:3]
        await target.archive((await target.call("add", urls=[known]))["crawl_id"])
        added = await target.call("add", urls=[known, new], tag="asked")
        await target.archive(added["crawl_id"])
        odd = known.replace("-again", "%2Dagain")
        spelled = await target.call("add", urls=[odd], tag="odd")
        await target.archive(spelled["crawl_id"])
        odd_pages = (await target.call("list_snapshots", tag="odd"))["nodes"]
        await target.call("add", urls=[listed], tag="listed", index_only=True)
        # What the runner has to do with it is done, too.
        await anyio.to_thread.run_sync(real.work_off)
        tagged = await target.call("list_snapshots", tag="asked", with_archiveresults=True)
        only = await target.call("list_snapshots", tag="listed", with_archiveresults=True)

    assert added["saved_before"]["count"] == 1
    (before,) = spelled["saved_before"]["first"]
    assert (before["url"], before["saved_as"]) == (odd, known)
    # The server compares letter by letter: it has saved the page once more.
    assert [page["url"] for page in odd_pages] == [odd]
    assert {page["url"]: page["outcome"] for page in tagged["nodes"]} == {
        known: "saved",
        new: "saved",
    }
    assert [page["url"] for page in only["nodes"]] == [listed]
    assert not only["nodes"][0].get("archiveresults")


async def test_the_oldest_real_server_makes_new_outputs_of_what_failed(
    real_server: RealServer, tmp_path: Path
) -> None:
    real = real_server("0.8.5")
    async with (
        over_real(real) as plain,
        plain.connect(ARCHIVEBOX_API_KEY=real.key, ARCHIVE_MCP_STATE_DIR=str(tmp_path)) as calls,
    ):
        target = replace(plain, calls=calls)
        bad = f"{real.pages['missing']}?retried"
        saved = await target.call("start_save", action="save", urls=[bad], tags=["retried"])
        await target.confirmed("start_save", action="retry", query={"tag": "retried"})
        outputs = (await target.call("list_archiveresults", snapshot_url=bad, plugin="wget"))[
            "nodes"
        ]

    assert saved["result"]["counts"]["failed"] == 1
    assert "404" in saved["result"]["failed"][0]["reason"]
    assert [each["status"] for each in outputs] == ["failed", "failed"]


@asynccontextmanager
async def own_real(own_server: OwnServer) -> AsyncIterator[RealArchiveBox]:
    with own_server("0.9.73") as real:
        yield real


async def _crawl_of(target: Target, url: str, other_than: str = "") -> str:
    """The crawl that saves a page, as soon as there is one."""
    for _ in range(150):
        crawls = await target.every("list_crawls")
        if found := [each for each in crawls if url in each["urls"] and each["id"] != other_than]:
            return str(found[0]["id"])
        await anyio.sleep(0.2)
    raise AssertionError("the page was not added in time")
