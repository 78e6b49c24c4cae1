"""Saved pages through the tools, on every ArchiveBox there is: real servers and the sandbox as
three versions."""

from __future__ import annotations

import pytest

from server.errors import Code
from tests.support.archivebox.targets import Target


async def test_pages_are_listed_and_paged_without_gaps_or_repeats(target: Target) -> None:
    for _ in range(3):
        await target.saved()
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = await target.call("list_snapshots", limit=2, **({"after": cursor} if cursor else {}))
        seen += [each["id"] for each in page["nodes"]]
        cursor = page["nextCursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == page["totalCount"]


async def test_a_page_is_saved_archived_found_by_tag_and_read(target: Target) -> None:
    snapshot = await target.saved("research")
    by_tag = await target.every("list_snapshots", tag="research")
    assert snapshot["id"] in [each["id"] for each in by_tag]
    found = await target.call("get_snapshot", snapshot_id=snapshot["id"])
    assert found["archiveresults"]
    assert all("plugin" in each and "extractor" not in each for each in found["archiveresults"])
    read = await target.result("read_snapshot", snapshot_id=snapshot["id"])
    assert not read.is_structured
    assert read.structured["url"] == snapshot["url"]
    assert len(read.prose) > 100
    assert read.structured["title"], "where ArchiveBox noted none it is read from the saved page"
    assert "<" not in read.prose.splitlines()[0]


async def test_a_page_is_found_by_timestamp_and_by_the_end_of_its_id(target: Target) -> None:
    snapshot = await target.saved()
    for reference in (snapshot["timestamp"], snapshot["id"][-12:], snapshot["id"].upper()):
        assert (await target.call("get_snapshot", snapshot_id=reference))["id"] == snapshot["id"]


async def test_an_id_that_fits_several_pages_is_refused_with_the_candidates(target: Target) -> None:
    await target.saved()
    await target.saved()
    failed = await target.refused("get_snapshot", snapshot_id="0")
    assert failed.code is Code.AMBIGUOUS
    assert len(failed.details["candidates"]) > 1


async def test_a_page_that_is_not_there_is_told(target: Target) -> None:
    for tool in ("get_snapshot", "read_snapshot"):
        assert (await target.refused(tool, snapshot_id="ffffffffffff")).code is Code.NOT_FOUND


@pytest.mark.parametrize("limit", [-1, 10**9])
async def test_a_limit_that_the_server_stumbles_over_is_not_sent(
    target: Target, limit: int
) -> None:
    assert (await target.refused("list_snapshots", limit=limit)).code is Code.INVALID_ARGUMENT


async def test_failed_pages_say_why_and_succeeded_ones_did_not_fail(target: Target) -> None:
    await target.saved()
    failed = await target.call("list_snapshots", status="failed", limit=1000)
    succeeded = await target.call("list_snapshots", status="succeeded", limit=1000)
    assert all(each["reason"] for each in failed["nodes"])
    assert not {each["id"] for each in failed["nodes"]} & {
        each["id"] for each in succeeded["nodes"]
    }
    assert failed["totalCount"] is None
    assert "outputs" in failed["notes"][0]


async def test_a_status_filter_is_never_silently_ignored(target: Target) -> None:
    if target.version == "0.8.5":
        assert (await target.refused("list_snapshots", status="sealed")).code is Code.UNSUPPORTED
        return
    await target.saved()
    sealed = {each["id"] for each in await target.every("list_snapshots", status="sealed")}
    everything = await target.every("list_snapshots")
    assert sealed == {each["id"] for each in everything if each["status"] == "sealed"}
    if target.version == "0.9.31":
        assert "filtered here" in (await target.call("list_snapshots", status="sealed"))["notes"][0]


async def test_an_unknown_filter_value_is_refused_before_it_is_sent(target: Target) -> None:
    failed = await target.refused("list_snapshots", status="done")
    assert "must be one of" in failed.message


async def test_a_page_is_created_with_title_and_tags(target: Target) -> None:
    url = target.fresh.pop(0)
    if target.version == "0.8.5":
        failed = await target.refused("create_snapshot", url=url)
        assert (failed.code, failed.details["version"]) == (Code.UNSUPPORTED, "0.8.5")
        return
    made = await target.call("create_snapshot", url=url, title="By hand", tags=["made"])
    assert (made["url"], made["title"], made["tags"]) == (url, "By hand", ["made"])


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "not a url", "ftp://x.example/", "javascript:alert(1)", "http://"]
)
async def test_what_is_no_web_address_is_never_sent(target: Target, url: str) -> None:
    assert (await target.refused("add", urls=[url])).code is Code.INVALID_ARGUMENT
    assert (await target.refused("create_snapshot", url=url)).code in (
        Code.INVALID_ARGUMENT,
        Code.UNSUPPORTED,
    )


async def test_a_page_is_stopped_and_started_again(target: Target) -> None:
    snapshot = await target.saved()
    if target.version == "0.8.5":
        failed = await target.refused(
            "update_snapshot", snapshot_id=snapshot["id"], status="sealed"
        )
        assert failed.code is Code.UNSUPPORTED
        return
    sealed = await target.call("update_snapshot", snapshot_id=snapshot["id"], status="sealed")
    assert sealed["status"] == "sealed"
    queued = await target.call(
        "update_snapshot", snapshot_id=snapshot["id"], status="queued", if_status="sealed"
    )
    assert (queued["status"], queued["retry_at"] is not None) == ("queued", True)
    stale = await target.refused(
        "update_snapshot", snapshot_id=snapshot["id"], status="sealed", if_status="started"
    )
    assert stale.code is Code.REJECTED


async def test_tags_are_emptied_only_by_name_and_after_a_yes(target: Target) -> None:
    snapshot = await target.saved()
    id = snapshot["id"]
    if target.version == "0.8.5":
        return
    await target.call("update_snapshot", snapshot_id=id, tags=["one", "two"])
    unchanged = await target.refused("update_snapshot", snapshot_id=id, tags=[])
    asked = await target.refused("update_snapshot", snapshot_id=id, clear=["tags"])
    emptied = await target.call(
        "update_snapshot", snapshot_id=id, clear=["tags"], confirm=asked.details["confirm"]
    )

    assert unchanged.code is Code.INVALID_ARGUMENT
    assert asked.code is Code.CONFIRMATION_REQUIRED
    assert {"one", "two"} <= set(asked.details["preview"]["tags"])
    assert {"one", "two"} <= set(emptied["replaced"]["tags"])
    assert not {"one", "two"} & set(emptied["tags"])


@pytest.mark.parametrize("status", ["succeeded", "failed", "deleting"])
async def test_a_status_that_is_none_of_a_page_is_refused_before_it_is_sent(
    target: Target, status: str
) -> None:
    failed = await target.refused("update_snapshot", snapshot_id="abc", status=status)
    assert failed.code is Code.INVALID_ARGUMENT


async def test_a_page_is_deleted_after_the_users_yes_and_not_before(target: Target) -> None:
    snapshot = await target.saved()
    if target.version == "0.8.5":
        failed = await target.refused("delete_snapshot", snapshot_id=snapshot["id"])
        assert (failed.code, "the entry would stay" in failed.message) == (Code.UNSUPPORTED, True)
        return
    preview = await target.refused("delete_snapshot", snapshot_id=snapshot["id"])
    assert preview.details["preview"]["url"] == snapshot["url"]
    assert (await target.call("get_snapshot", snapshot_id=snapshot["id"]))["id"] == snapshot["id"]
    done = await target.confirmed("delete_snapshot", snapshot_id=snapshot["id"])
    assert done.get("deleted_count", 0) + done.get("queued_count", 0) >= 1


async def test_any_object_is_found_and_says_what_it_is(target: Target) -> None:
    snapshot = await target.saved()
    found = await target.call("get_any", id=snapshot["id"])
    assert (found["kind"], found["url"]) == ("Snapshot", snapshot["url"])
    assert (await target.refused("get_any", id="ffffffffffff")).code is Code.NOT_FOUND


async def test_the_feed_is_a_text_where_there_is_one(target: Target) -> None:
    await target.saved()
    if target.version != "0.9.73":
        assert (await target.refused("get_snapshots_feed")).code is Code.UNSUPPORTED
        return
    assert "<rss" in (await target.call("get_snapshots_feed", limit=5))["text"]
    assert (await target.refused("get_snapshots_feed", limit=-1)).code is Code.INVALID_ARGUMENT


async def test_an_address_and_a_tag_are_found_in_any_spelling(target: Target) -> None:
    snapshot = await target.saved("Case-Study")
    scheme, _, rest = snapshot["url"].partition("://")
    for url in (snapshot["url"], f"{scheme.upper()}://{rest}"):
        found = (await target.call("list_snapshots", url=url))["nodes"]
        assert [each["id"] for each in found] == [snapshot["id"]]
    tagged = await target.every("list_snapshots", tag="CASE-study")
    assert [each["id"] for each in tagged] == [snapshot["id"]]


async def test_a_page_is_found_by_the_dates_that_are_displayed(target: Target) -> None:
    snapshot = await target.saved()
    day = snapshot["created_at"][:10]
    for name, value in (
        ("created_at", snapshot["created_at"]),
        ("modified_at", snapshot["modified_at"]),
        ("created_at", day),
    ):
        found = await target.every("list_snapshots", **{name: value})
        assert snapshot["id"] in [each["id"] for each in found]
    shown = await target.call("list_snapshots", created_at__gte=day)
    assert shown["instants"] == [{"created_at__gte": f"{day}T00:00:00Z"}]
    refused = await target.refused("list_snapshots", created_at=f"{day}T10:00:00")
    assert "no zone" in refused.message


async def test_a_deleted_page_leaves_no_files(target: Target) -> None:
    if target.version == "0.8.5":
        return  # its one way to delete fails, and says so
    snapshot = await target.saved()
    report = await target.confirmed("delete_snapshot", snapshot_id=snapshot["id"])
    if target.sandbox is not None:
        assert target.sandbox.world.left_folders == set()
    # Where the files go later, the answer says so.
    assert report.get("files") == "removed" or "within about a minute" in report["notes"][0]
