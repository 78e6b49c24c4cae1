"""Every tool that changes something is seen to have changed it: in the server's database and on its
disk, not in its answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest

from server.errors import Code
from tests.support.archivebox.install import ALL_VERSIONS
from tests.support.archivebox.points import (
    CANCELLED,
    CHANGED,
    DELETED,
    LISTED_ONLY,
    REMOVED,
    TAGGED_AGAIN,
    Record,
)
from tests.support.archivebox.stored import Stored, plain_id
from tests.support.archivebox.targets import Target

Json = dict[str, Any]

since_0_9 = pytest.mark.parametrize("box", ALL_VERSIONS[:2], indirect=True)
newest = pytest.mark.parametrize("box", ALL_VERSIONS[:1], indirect=True)


@since_0_9
async def test_tags_are_made_put_on_renamed_taken_off_and_deleted(
    target: Target, stored: Stored
) -> None:
    page = await _listed(target)
    made = await target.call("create_tag", name="Rivers")
    names = "SELECT name FROM core_tag WHERE id = ?"
    assert stored.rows(names, made["tag_id"]) == [("Rivers",)]

    await target.call("tag_snapshot", snapshot_id=page["id"], tag_name="Rivers")
    assert "Rivers" in stored.tags(page["id"])

    await target.call("rename_tag", tag_id=made["tag_id"], name="Streams")
    assert stored.rows(names, made["tag_id"]) == [("Streams",)]

    await target.call("untag_snapshot", snapshot_id=page["id"], tag_name="Streams")
    assert "Streams" not in stored.tags(page["id"])

    await target.confirmed("delete_tag", tag_id=made["tag_id"])
    assert stored.rows(names, made["tag_id"]) == []


@since_0_9
async def test_a_change_of_a_page_is_stored(target: Target, stored: Stored, record: Record) -> None:
    page = await _listed(target)
    await target.call("update_snapshot", snapshot_id=page["id"], status="sealed", tags=["Mills"])
    assert (stored.status(page["id"]), stored.tags(page["id"])) == ("sealed", {"Mills"})
    record(7, CHANGED, f"{stored.status(page['id'])}; {stored.describe(page['url'])}")

    await target.call("update_snapshot", snapshot_id=page["id"], status="queued")
    assert stored.status(page["id"]) == "queued"
    sealed = await target.call("update_snapshot", snapshot_id=page["id"], status="sealed")
    retried = "SELECT retry_at IS NULL FROM core_snapshot WHERE id = ?"
    # Some versions keep the time at which a sealed page would have been tried again.
    assert stored.rows(retried, plain_id(page["id"])) == [(sealed["retry_at"] is None,)]


@since_0_9
async def test_a_crawl_is_made_sealed_and_deleted(target: Target, stored: Stored) -> None:
    url = target.fresh.pop()
    made = await target.call("create_crawl", urls=[url], tags=["Ferries"])
    crawl = plain_id(made["id"])
    query = "SELECT urls, tags_str, status FROM crawls_crawl WHERE id = ?"
    assert stored.rows(query, crawl) == [(url, "Ferries", "queued")]

    await target.call("update_crawl", crawl_id=made["id"], status="sealed")
    assert [row[2] for row in stored.rows(query, crawl)] == ["sealed"]

    await target.confirmed("delete_crawl", crawl_id=made["id"])
    assert stored.rows(query, crawl) == []
    assert stored.rows("SELECT url FROM core_snapshot WHERE crawl_id = ?", crawl) == []


@since_0_9
async def test_an_added_page_is_on_disk_with_its_tags(target: Target, stored: Stored) -> None:
    page = await target.saved("Harbour", "Tides")
    plugins = "SELECT plugin, status FROM core_archiveresult WHERE snapshot_id = ?"
    assert ("wget", "succeeded") in stored.rows(plugins, plain_id(page["id"]))
    assert stored.tags(page["id"]) == {"Harbour", "Tides"}
    assert any("tides.html" in path.name for path in stored.files(page["id"]))


@since_0_9
async def test_tags_asked_for_are_on_a_known_page(
    target: Target, stored: Stored, record: Record
) -> None:
    page = await target.saved()
    added = await target.call("add", urls=[page["url"]], tag="Later")
    await target.archive(added.get("crawl_id"))
    copies = stored.copies(page["url"])
    # 0.9.31 makes another copy, and that carries the tags.
    assert len(copies) == {"0.9.73": 1, "0.9.31": 2}[target.version]
    assert "Later" in stored.tags(copies[-1])
    record(7, TAGGED_AGAIN, stored.describe(page["url"]))


@since_0_9
async def test_what_is_listed_only_is_not_archived(
    target: Target, stored: Stored, record: Record
) -> None:
    url = target.fresh.pop()
    await target.call("add", urls=[url], index_only=True)
    await _work_off(stored)
    ((page,),) = stored.rows("SELECT id FROM core_snapshot WHERE url = ?", url)
    assert stored.rows("SELECT plugin FROM core_archiveresult WHERE snapshot_id = ?", page) == []
    assert not any("tides" in path.name for path in stored.files(page))
    record(7, LISTED_ONLY, stored.describe(url))


@since_0_9
async def test_a_deleted_page_is_gone_with_its_files(
    target: Target, stored: Stored, record: Record
) -> None:
    page, neighbour = await target.saved(), await target.saved()
    assert stored.files(page["id"])
    await target.confirmed("delete_snapshot", snapshot_id=page["id"])
    await _work_off(stored)
    assert (stored.status(page["id"]), stored.files(page["id"])) == (None, [])
    assert stored.files(neighbour["id"])
    left = f"{stored.describe(page['url'])}, {len(stored.files(page['id']))} files"
    record(3, DELETED, f"{left}; its neighbour: {stored.describe(neighbour['url'])}")


@since_0_9
async def test_removed_pages_are_gone_with_their_files(
    target: Target, stored: Stored, record: Record
) -> None:
    page, neighbour = await target.saved(), await target.saved()
    await target.confirmed("remove", filter_patterns=[page["url"]], filter_type="exact")
    await _work_off(stored)
    assert (stored.status(page["id"]), stored.files(page["id"])) == (None, [])
    assert stored.files(neighbour["id"])
    left = f"{stored.describe(page['url'])}, {len(stored.files(page['id']))} files"
    record(3, REMOVED, f"{left}; its neighbour: {stored.describe(neighbour['url'])}")


@newest
async def test_a_result_is_made_and_gets_a_file(target: Target, stored: Stored) -> None:
    page = await target.saved()
    made = await target.call(
        "create_archiveresult", snapshot_id=page["id"], plugin="notes", output_str="mine"
    )
    query = "SELECT plugin, output_str, status FROM core_archiveresult WHERE id = ?"
    assert stored.rows(query, plain_id(made["id"])) == [("notes", "mine", "succeeded")]

    await target.call(
        "update_archiveresult", archiveresult_id=made["id"], file_name="n.txt", text="Grüße"
    )
    (file,) = [path for path in stored.files(page["id"]) if path.name == "n.txt"]
    assert file.read_text(encoding="utf-8") == "Grüße"


@since_0_9
async def test_jobs_tag_and_cancel_pages(
    target: Target, stored: Stored, tmp_path: Path, record: Record
) -> None:
    page = await target.saved("Shelf")
    settings = {
        "ARCHIVEBOX_API_KEY": stored.real.key,
        "ARCHIVE_MCP_STATE_DIR": str(tmp_path),
    }
    async with target.connect(**settings) as calls:
        target.calls = calls
        job = {"action": "tag", "tags": ["Read"], "untag": ["Shelf"], "query": {"tag": "Shelf"}}
        await target.confirmed("start_save", **job)
        assert stored.tags(page["id"]) == {"Read"}

        url = target.fresh.pop()
        await target.call("start_save", action="save", urls=[url], wait_minutes=0)
        await target.confirmed("start_save", action="cancel")
    open_crawls = "SELECT urls FROM crawls_crawl WHERE status NOT IN ('sealed', 'paused')"
    assert stored.rows(open_crawls) == []
    await _work_off(stored)
    outputs = (
        "SELECT plugin FROM core_archiveresult JOIN core_snapshot ON snapshot_id ="
        " core_snapshot.id WHERE url = ?"
    )
    assert stored.rows(outputs, url) == []
    record(7, CANCELLED, f"no open crawl; {stored.describe(url)}")


@pytest.mark.parametrize("box", ALL_VERSIONS[2:], indirect=True)
async def test_the_oldest_server_adds_a_page_and_refuses_other_changes(
    target: Target, stored: Stored
) -> None:
    page = await target.saved("Harbour")
    assert stored.tags(page["id"]) == {"Harbour"}
    folder = stored.real.folder / "data" / page["archive_path"]
    assert any("tides.html" in path.name for path in folder.rglob("*"))

    refused = await target.refused("update_snapshot", snapshot_id=page["id"], status="sealed")
    assert refused.code is Code.UNSUPPORTED


async def _listed(target: Target) -> Json:
    """A page that nothing archives behind the test's back."""
    url = target.fresh.pop()
    return await target.call("create_snapshot", url=url, status="sealed")


async def _work_off(stored: Stored) -> None:
    await anyio.to_thread.run_sync(stored.real.work_off)
