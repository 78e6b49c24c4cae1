"""Tags and crawls through the tools, on every ArchiveBox there is."""

from __future__ import annotations

import secrets
from typing import Any

import pytest

from server.errors import Code
from tests.support.archivebox.targets import Target


def name() -> str:
    """A tag's name that nobody used before."""
    return f"tag-{secrets.token_hex(4)}"


def only_before_0_9(target: Target) -> bool:
    return target.version == "0.8.5"


async def test_tags_are_listed_without_their_pages(target: Target) -> None:
    await target.saved(name())
    tags = await target.every("list_tags")
    assert tags
    assert all("snapshots" not in each and each["num_snapshots"] >= 0 for each in tags)


async def test_a_tag_is_found_by_name_and_by_id(target: Target) -> None:
    wanted = name()
    await target.saved(wanted)
    by_name = await target.call("get_tag", tag_id=wanted)
    assert (await target.call("get_tag", tag_id=str(by_name["id"])))["name"] == wanted
    assert (await target.refused("get_tag", tag_id="no-such-tag")).code is Code.NOT_FOUND


async def test_a_tag_named_like_the_id_of_another_is_told_and_not_taken_for_it(
    target: Target,
) -> None:
    if only_before_0_9(target):
        return
    first = await target.call("create_tag", name=name())
    await target.call("create_tag", name=str(first["tag_id"]))
    assert (await target.refused("get_tag", tag_id=str(first["tag_id"]))).code is Code.AMBIGUOUS


async def test_a_page_is_tagged_and_untagged(target: Target) -> None:
    snapshot, wanted = await target.saved(), name()
    arguments: dict[str, Any] = {"snapshot_id": snapshot["id"], "tag_name": wanted}
    if only_before_0_9(target):
        for tool in ("tag_snapshot", "untag_snapshot"):
            assert (await target.refused(tool, **arguments)).code is Code.UNSUPPORTED
        return
    await target.call("tag_snapshot", **arguments)
    assert wanted in (await target.call("get_snapshot", snapshot_id=snapshot["id"]))["tags"]
    await target.call("untag_snapshot", **arguments)
    assert wanted not in (await target.call("get_snapshot", snapshot_id=snapshot["id"]))["tags"]


async def test_tagging_needs_one_tag_and_one_page(target: Target) -> None:
    for tool in ("tag_snapshot", "untag_snapshot"):
        both = await target.refused(tool, snapshot_id="x", tag_name="a", tag_id=1)
        neither = await target.refused(tool, snapshot_id="x")
        assert both.code is neither.code is Code.INVALID_ARGUMENT


async def test_an_ambiguous_page_is_never_tagged(target: Target) -> None:
    if only_before_0_9(target):
        return
    await target.saved()
    await target.saved()
    assert (
        await target.refused("tag_snapshot", snapshot_id="0", tag_name=name())
    ).code is Code.AMBIGUOUS


async def test_a_tag_lives_from_creation_to_deletion(target: Target) -> None:
    first, second = name(), name()
    if only_before_0_9(target):
        for tool, arguments in (
            ("create_tag", {"name": first}),
            ("rename_tag", {"tag_id": first, "name": second}),
            ("delete_tag", {"tag_id": first}),
            ("search_tags", {"q": first}),
            ("autocomplete_tags", {"q": first}),
        ):
            assert (await target.refused(tool, **arguments)).code is Code.UNSUPPORTED
        return
    made = await target.call("create_tag", name=first)
    again = await target.call("create_tag", name=first.upper())
    assert (made["created"], again["created"], made["tag_id"]) == (True, False, again["tag_id"])
    assert first in [each["name"] for each in (await target.call("search_tags", q=first))["nodes"]]
    assert first in [
        each["name"] for each in (await target.call("autocomplete_tags", q=first))["nodes"]
    ]
    await target.call("rename_tag", tag_id=first, name=second)
    assert (await target.refused("rename_tag", tag_id=first, name="x")).code is Code.NOT_FOUND
    await target.confirmed("delete_tag", tag_id=second)
    assert (await target.refused("delete_tag", tag_id=second)).code is Code.NOT_FOUND


async def test_a_tags_pages_are_exported(target: Target) -> None:
    wanted = name()
    snapshot = await target.saved(wanted)
    for tool in ("export_tag_urls", "export_tag_snapshots"):
        if only_before_0_9(target):
            assert (await target.refused(tool, tag_id=wanted)).code is Code.UNSUPPORTED
            continue
        assert snapshot["url"] in (await target.call(tool, tag_id=wanted))["text"]
        assert (await target.refused(tool, tag_id="no-such-tag")).code is Code.NOT_FOUND


async def test_a_crawl_is_made_looked_at_and_deleted(target: Target) -> None:
    url = target.fresh.pop(0)
    if only_before_0_9(target):
        for tool, arguments in (
            ("create_crawl", {"urls": [url]}),
            ("list_crawls", {}),
            ("get_crawl", {"crawl_id": "x"}),
            ("update_crawl", {"crawl_id": "x", "status": "sealed"}),
            ("delete_crawl", {"crawl_id": "x"}),
            ("get_crawl_file", {"crawl_id": "x", "path": "a"}),
        ):
            assert (await target.refused(tool, **arguments)).code is Code.UNSUPPORTED
        return
    made = await target.call("create_crawl", urls=[url], tags=["made"])
    listed = await target.every("list_crawls")
    assert made["id"] in [each["id"] for each in listed]
    assert all("config" not in each for each in listed)
    assert "config" not in await target.call("get_crawl", crawl_id=made["id"])
    assert "config" in await target.call("get_crawl", crawl_id=made["id"], with_config=True)
    sealed = await target.call("update_crawl", crawl_id=made["id"], status="sealed")
    assert sealed["status"] == "sealed"
    preview = await target.refused("delete_crawl", crawl_id=made["id"])
    assert preview.details["preview"]["urls"] == [url]
    assert target.version != "0.9.73" or "snapshots" in preview.details["preview"]
    await target.call("delete_crawl", crawl_id=made["id"], confirm=preview.details["confirm"])
    for tool in ("get_crawl", "delete_crawl"):
        assert (await target.refused(tool, crawl_id=made["id"])).code is Code.NOT_FOUND
    assert (
        await target.refused("update_crawl", crawl_id=made["id"], status="sealed")
    ).code is Code.NOT_FOUND


async def test_crawls_are_paged_by_us(target: Target) -> None:
    if only_before_0_9(target):
        return
    for _ in range(3):
        await target.call("create_crawl", urls=[target.fresh.pop(0)])
    first = await target.call("list_crawls", limit=2)
    second = await target.call("list_crawls", limit=2, after=first["nextCursor"])
    ids = [each["id"] for each in first["nodes"] + second["nodes"]]
    assert len(ids) == len(set(ids)) >= 3
    assert (await target.refused("list_crawls", after="nonsense")).code is Code.INVALID_ARGUMENT


@pytest.mark.parametrize(
    "arguments", [{"urls": ["nope"]}, {"urls": []}, {"urls": ["http://a.example/"], "max_depth": 9}]
)
async def test_a_crawl_of_nonsense_is_not_started(
    target: Target, arguments: dict[str, Any]
) -> None:
    assert (await target.refused("create_crawl", **arguments)).code is Code.INVALID_ARGUMENT


async def test_a_crawls_files_are_read_below_the_crawl_only(target: Target) -> None:
    if target.version != "0.9.73":
        return
    crawl = (await target.saved())["crawl_id"]
    assert (await target.call("get_crawl_file", crawl_id=crawl, path="wget/index.jsonl"))["text"]
    missing = await target.refused("get_crawl_file", crawl_id=crawl, path="nothing.txt")
    assert missing.code is Code.NOT_FOUND
    for path in ("../secrets", "/etc/passwd", "a/b/c/d"):
        assert (
            await target.refused("get_crawl_file", crawl_id=crawl, path=path)
        ).code is Code.INVALID_ARGUMENT
