"""Changing snapshots and tags."""

from __future__ import annotations

import json
from typing import Any

import pytest

from server.sandbox.archivebox import KEY_READER
from tests.server.sandbox.archivebox.conftest import NOW, Box

FERRY = "https://harborpost.example/2026/ferry-terminal-reopens"
NOW_TEXT = NOW.isoformat()


async def ferry(box: Box) -> dict[str, Any]:
    return await box.one(url=FERRY)


@pytest.mark.parametrize("status", ["succeeded", "failed", "nonsense"])
async def test_a_result_status_is_none_of_a_snapshot(any_box: Box, status: str) -> None:
    path = f"/core/snapshot/{(await ferry(any_box))['id']}"
    expected = 405 if any_box.version == "0.8.5" else 400
    assert (await any_box.get_refusal("PATCH", path, {"status": status}))[0] == expected


async def test_case_matters_only_before_the_newest_release(box: Box, middle: Box) -> None:
    newest, before = (await ferry(box))["id"], (await ferry(middle))["id"]
    assert (await box.ask("PATCH", f"/core/snapshot/{newest}", {"status": "Sealed"}))[
        "status"
    ] == "sealed"
    refusal = await middle.get_refusal("PATCH", f"/core/snapshot/{before}", {"status": "Sealed"})
    assert refusal == (400, "Invalid status: Sealed")


async def test_no_status_breaks_the_database_of_the_newest_release(box: Box) -> None:
    path = f"/core/snapshot/{(await ferry(box))['id']}"
    for nothing in ("", None):
        status, words = await box.get_refusal("PATCH", path, {"status": nothing})
        assert (status, words.partition(":")[0]) == (503, "IntegrityError")


async def test_what_cannot_be_changed_is_ignored(box: Box) -> None:
    item = await ferry(box)
    path = f"/core/snapshot/{item['id']}"
    assert (await box.ask("PATCH", path, {"title": "Other", "url": "https://other.example/"}))[
        "title"
    ] == item["title"]
    assert (await box.ask("PATCH", path, {}))["url"] == item["url"]
    status, detail = await box.get_refusal("PATCH", path)
    assert (status, detail) == (
        422,
        [{"type": "missing", "loc": ["body", "data"], "msg": "Field required"}],
    )


async def test_queued_without_a_date_is_queued_for_ever(box: Box) -> None:
    path = f"/core/snapshot/{(await ferry(box))['id']}"
    assert (await box.ask("PATCH", path, {"status": "queued"}))["retry_at"] is None
    box.wait(60)
    assert (await box.get(path))["status"] == "queued"
    await box.ask("PATCH", path, {"retry_at": NOW_TEXT})
    box.wait(4)
    assert (await box.get(path))["status"] == "sealed"


async def test_deleting_is_a_status_that_deletes(box: Box) -> None:
    path = f"/core/snapshot/{(await ferry(box))['id']}"
    assert (await box.ask("PATCH", path, {"status": "deleting"}))["status"] == "deleting"
    box.wait(10)
    assert (await box.get_refusal("GET", path))[0] == 404


async def test_queued_snapshots_are_cancelled_paused_and_resumed(box: Box) -> None:
    first, second = await box.pages("/core/snapshots", status="queued")
    path = f"/core/snapshot/{first['id']}"
    assert (await box.ask("PATCH", path, {"action": "pause"}))["status"] == "paused"
    assert (await box.ask("PATCH", path, {"action": "resume"}))["status"] == "queued"
    box.wait(8)
    assert (await box.get(path))["status"] == "sealed"
    cancelled = await box.ask("PATCH", f"/core/snapshot/{second['id']}", {"action": "cancel"})
    assert (cancelled["status"], cancelled["num_archiveresults"]) == ("sealed", 0)
    assert await box.get_refusal("PATCH", path, {"action": "explode"}) == (
        400,
        "Invalid action: explode",
    )


async def test_a_crawls_own_tags_come_back_on_the_newest_release(box: Box, middle: Box) -> None:
    for server, expected in ((box, ["mine", "research"]), (middle, ["mine"])):
        record = await server.ask(
            "POST", "/core/snapshots", {"url": "https://example.com/t", "tags": ["research"]}
        )
        changed = await server.ask("PATCH", f"/core/snapshot/{record['id']}", {"tags": ["mine"]})
        assert changed["tags"] == expected


async def test_deleting_is_queued_or_done_at_once(any_box: Box) -> None:
    path = f"/core/snapshot/{(await ferry(any_box))['id']}"
    if any_box.version == "0.8.5":
        assert await any_box.get_refusal("DELETE", path) == (405, "Method not allowed")
        return
    payload = await any_box.ask("DELETE", path)
    if any_box.version == "0.9.31":
        assert payload["deleted_count"] > 10
        assert (await any_box.get_refusal("GET", path))[0] == 404
        return
    assert (payload["deleted_count"], payload["queued_count"]) == (0, 1)
    assert (await any_box.get(path))["status"] == "deleting"
    assert (await any_box.ask("DELETE", path))["queued_count"] == 1
    any_box.wait(5)
    assert (await any_box.get_refusal("GET", path))[0] == 404


async def test_creating_a_known_url_gives_back_what_there_is(box: Box, middle: Box) -> None:
    there = await ferry(box)
    assert (await box.ask("POST", "/core/snapshots", {"url": FERRY}))["id"] == there["id"]
    await middle.ask("POST", "/core/snapshots", {"url": FERRY})
    assert len(await middle.pages("/core/snapshots", url=FERRY)) == 2


async def test_a_bad_url_becomes_an_exception_or_a_snapshot(box: Box, middle: Box) -> None:
    status, words = await box.get_refusal("POST", "/core/snapshots", {"url": "not a url"})
    assert (status, words.partition(":")[0]) == (503, "ValidationError")
    assert (await middle.ask("POST", "/core/snapshots", {"url": "not a url"}))["url"] == "not a url"
    assert await box.get_refusal("POST", "/core/snapshots", {"url": " "}) == (
        400,
        "URL is required",
    )
    too_deep = {"url": "https://example.com", "depth": 9}
    assert await box.get_refusal("POST", "/core/snapshots", too_deep) == (
        400,
        "depth must be between 0 and 4",
    )


@pytest.mark.parametrize(
    "path", ["search", "autocomplete", "create", "add-to-snapshot", "remove-from-snapshot"]
)
async def test_some_tag_addresses_want_a_slash_at_the_end(box: Box, path: str) -> None:
    method = "GET" if path in ("search", "autocomplete") else "POST"
    answer = await box.send(method, f"/api/v1/core/tags/{path}?q=a", {})
    assert (answer.status, answer.headers["location"]) == (301, f"/api/v1/core/tags/{path}/?q=a")


@pytest.mark.parametrize(
    "path", ["/core/snapshots/", "/core/tags/", "/crawls/crawls/", "/core/tag/1/", "/nowhere"]
)
async def test_other_addresses_must_not_have_one(any_box: Box, path: str) -> None:
    status, words = await any_box.get_refusal("GET", path)
    assert status == 404
    assert words.startswith("<!doctype html>")


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "DELETE"])
async def test_other_methods_are_refused_in_plain_text(any_box: Box, method: str) -> None:
    answer = await any_box.send(method, "/api/v1/core/tags")
    assert (answer.status, answer.body, answer.headers["content-type"]) == (
        405,
        b"Method not allowed",
        "text/plain",
    )


async def test_a_tag_is_put_on_a_snapshot_and_taken_off(box: Box) -> None:
    item = await ferry(box)
    added = await box.ask(
        "POST", "/core/tags/add-to-snapshot/", {"snapshot_id": item["id"], "tag_name": "brand new"}
    )
    assert "brand new" in (await ferry(box))["tags"]
    gone = {"snapshot_id": item["id"], "tag_id": added["tag_id"]}
    assert (await box.ask("POST", "/core/tags/remove-from-snapshot/", gone))[
        "tag_name"
    ] == "brand new"
    assert (await ferry(box))["tags"] == item["tags"]


async def test_an_ambiguous_id_tags_the_first_that_fits(middle: Box, box: Box) -> None:
    for server in (middle, box):
        oldest = (await server.get("/core/snapshots?limit=1"))["items"][0]
        prefix = oldest["id"][:3]
        await server.ask(
            "POST", "/core/tags/add-to-snapshot/", {"snapshot_id": prefix, "tag_name": "oops"}
        )
        assert [item["id"] for item in await server.pages("/core/snapshots", tag="oops")] == [
            oldest["id"]
        ]
    await middle.ask(
        "POST", "/core/tags/add-to-snapshot/", {"snapshot_id": "", "tag_name": "worse"}
    )
    assert await box.get_refusal(
        "POST", "/core/tags/add-to-snapshot/", {"snapshot_id": "", "tag_name": "x"}
    ) == (
        400,
        "Snapshot id is required",
    )


async def test_tags_are_made_renamed_and_deleted_by_number(box: Box) -> None:
    record = await box.ask("POST", "/core/tags/create/", {"name": " reading <b>list</b> "})
    assert (record["tag_name"], record["created"]) == ("reading list", True)
    assert (await box.ask("POST", "/core/tags/create/", {"name": "READING LIST"}))[
        "created"
    ] is False
    path = f"/core/tag/{record['tag_id']}"
    assert (await box.ask("POST", f"{path}/rename", {"name": "shelf"}))["tag_name"] == "shelf"
    assert await box.get_refusal("POST", f"{path}/rename", {"name": "Research"}) == (
        400,
        'Tag "research" already exists',
    )
    status, detail = await box.get_refusal("POST", "/core/tag/shelf/rename", {"name": "x"})
    assert (status, detail[0]["loc"]) == (422, ["path", "tag_id"])
    assert (await box.get("/core/tag/SHELF?with_snapshots=false"))["name"] == "shelf"
    assert (await box.ask("DELETE", path))["deleted_count"] == 1
    assert await box.get_refusal("GET", path) == (404, "Tag not found")


async def test_the_old_tags_have_uuids_and_a_missing_one_breaks_the_answer(old: Box) -> None:
    tag = (await old.get("/core/tags?limit=1"))["items"][0]
    assert (await old.get(f"/core/tag/{tag['id']}?with_snapshots=false"))["slug"] == tag["slug"]
    status, words = await old.get_refusal("GET", "/core/tag/zzz")
    assert (status, words.partition(":")[0]) == (503, "ValidationError")


async def test_tags_are_searched_and_completed(box: Box) -> None:
    cards = await box.get(
        "/core/tags/search/?q=read&sort=name_asc&year=20266&created_by=x&has_snapshots=maybe"
    )
    assert [card["name"] for card in cards["tags"]] == ["Long Reads", "to-read"]
    assert (cards["year"], cards["created_by"], cards["has_snapshots"]) == ("", "", "all")
    unused = (await box.get("/core/tags/search/?has_snapshots=no"))["tags"]
    assert [card["name"] for card in unused] == ["someday"]
    payload = (await box.get("/core/tags/autocomplete/?q=RES"))["tags"]
    assert [(tag["name"], tag["num_snapshots"] > 10) for tag in payload] == [("research", True)]


async def test_completion_is_for_anybody_where_the_index_is_public(box: Box) -> None:
    anybody = await box.ask("GET", "/core/tags/autocomplete/", key="")
    everything = await box.get("/core/tags/autocomplete/")
    assert len(anybody["tags"]) < len(everything["tags"])
    closed = Box(public=False, snapshots=5)
    assert await closed.get_refusal("GET", "/core/tags/autocomplete/", key="") == (
        401,
        "Authentication required",
    )
    assert await closed.ask("GET", "/core/tags/autocomplete/", key=KEY_READER)


async def test_a_tag_is_exported_as_addresses_and_as_lines_of_json(box: Box) -> None:
    tagged = await box.pages("/core/snapshots", tag="research")
    number = (await box.get("/core/tags/search/?q=research"))["tags"][0]["id"]
    urls = await box.send("GET", f"/api/v1/core/tag/{number}/urls.txt")
    assert urls.headers["content-disposition"] == 'attachment; filename="tag-research-urls.txt"'
    assert sorted(urls.body.decode().split("\n")) == sorted(item["url"] for item in tagged)
    lines = await box.send("GET", f"/api/v1/core/tag/{number}/snapshots.jsonl")
    matches = [json.loads(line) for line in lines.body.splitlines()]
    assert {row["id"] for row in matches} == {item["id"] for item in tagged}
    assert lines.headers["content-type"] == "application/x-ndjson; charset=utf-8"
