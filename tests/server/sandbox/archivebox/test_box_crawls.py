"""Crawls, the feed, uploads, personas and the machine."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.server.sandbox.archivebox.conftest import Box

FERRY = "https://harborpost.example/2026/ferry-terminal-reopens"


async def ferry(box: Box) -> dict[str, Any]:
    return await box.one(url=FERRY)


async def test_crawls_come_all_at_once_with_ten_kilobytes_each(box: Box, middle: Box) -> None:
    crawls = await box.get("/crawls/crawls?limit=2&status=queued")
    assert len(crawls) > 60
    assert len(crawls[0]["config"]) == 195
    assert 8_000 < len(json.dumps(crawls[0]["config"])) < 12_000
    assert crawls[0]["config"]["TWOCAPTCHA_API_KEY"] == "********"
    assert (await middle.get("/crawls/crawls"))[0]["config"][
        "TWOCAPTCHA_API_KEY"
    ] == "sandbox-captcha-secret"


async def test_a_crawl_needs_eight_digits_of_its_id(box: Box, middle: Box) -> None:
    crawl = (await box.get("/crawls/crawls"))[0]["id"]
    assert (await box.get(f"/crawls/crawl/{crawl[-8:]}"))["id"] == crawl
    assert await box.get_refusal("GET", f"/crawls/crawl/{crawl[-7:]}") == (
        404,
        "DoesNotExist: Crawl matching query does not exist.",
    )
    old = (await middle.get("/crawls/crawls"))[0]["id"]
    assert (await middle.get(f"/crawls/crawl/{old[-7:]}"))["id"] == old


async def test_sealing_a_crawl_seals_its_snapshots(box: Box) -> None:
    (queued, *_) = await box.pages("/core/snapshots", status="queued")
    path = f"/crawls/crawl/{queued['crawl_id']}"
    assert (await box.ask("PATCH", path, {"status": "sealed"}))["status"] == "sealed"
    assert await box.pages("/core/snapshots", status="queued") == []
    assert await box.get_refusal("PATCH", path, {"status": "deleting"}) == (
        400,
        "Invalid status: deleting",
    )


async def test_a_new_tag_of_a_crawl_reaches_its_snapshots(box: Box) -> None:
    (paused, *_) = await box.pages("/core/snapshots", status="paused")
    await box.ask("PATCH", f"/crawls/crawl/{paused['crawl_id']}", {"tags": ["hiking", "summer"]})
    changed = await box.get(f"/core/snapshot/{paused['id']}")
    assert {"hiking", "summer"} <= set(changed["tags"])
    assert "travel" not in changed["tags"]


async def test_a_crawl_takes_its_snapshots_with_it(box: Box) -> None:
    before = len(await box.pages("/core/snapshots"))
    crawl = (await ferry(box))["crawl_id"]
    payload = await box.ask("DELETE", f"/crawls/crawl/{crawl}")
    assert payload["deleted_snapshots"] == before - len(await box.pages("/core/snapshots"))
    assert payload["deleted_count"] > payload["deleted_snapshots"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"urls": []}, "At least one URL is required"),
        ({"urls": ["https://a.example"], "max_depth": 7}, "max_depth must be between 0 and 4"),
        (
            {"urls": ["ftp://a.example"]},
            "URL must start with http:// or https:// and include a hostname.",
        ),
    ],
)
async def test_bad_crawls_are_refused(box: Box, body: dict[str, Any], words: str) -> None:
    assert await box.get_refusal("POST", "/crawls/crawls", body) == (400, words)


async def test_a_crawls_feed_and_files_are_read(box: Box) -> None:
    crawl = (await ferry(box))["crawl_id"]
    moved = await box.send("GET", f"/api/v1/crawls/crawl/{crawl}?as_rss=true")
    assert (moved.status, moved.headers["location"]) == (
        302,
        f"/api/v1/core/snapshots.rss?crawl_id={crawl}",
    )
    feed = await box.send("GET", moved.headers["location"])
    assert (feed.headers["content-type"], FERRY in feed.body.decode()) == (
        "application/rss+xml; charset=utf-8",
        True,
    )
    log = await box.send("GET", f"/api/v1/crawls/crawl/{crawl}/files/logs/crawl.log", key="")
    assert (log.status, FERRY in log.body.decode()) == (200, True)
    assert await box.get_refusal("GET", f"/crawls/crawl/{crawl}/files/../secrets") == (
        404,
        "Crawl file not found",
    )
    assert await box.get_refusal("GET", "/crawls/crawl/ffffffff/files/urls.txt") == (
        404,
        "Crawl not found",
    )


async def test_the_feed_is_newest_first_and_never_shows_the_key(box: Box) -> None:
    feed = (await box.send("GET", "/api/v1/core/snapshots.rss?limit=3&api_key=abc")).body.decode()
    assert feed.count("<item>") == 3
    assert "abc" not in feed
    assert (await box.get_refusal("GET", "/core/snapshots.rss?before=soon"))[0] == 400


async def test_a_result_is_uploaded_and_added_to(box: Box) -> None:
    item = await ferry(box)
    kind = {"content-type": "multipart/form-data; boundary=xx"}
    fields = {"snapshot_id": item["id"], "plugin": "notes", "output_str": "done"}
    parts = [
        f'--xx\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    head = 'Content-Disposition: form-data; name="files"; filename="a.txt"'
    file = f"--xx\r\n{head}\r\nContent-Type: text/plain\r\n\r\nhello\r\n"
    record = await box.ask(
        "POST",
        "/core/archiveresults",
        ("".join([*parts, file]) + "--xx--\r\n").encode(),
        headers=kind,
    )
    assert (record["status"], record["output_files"]) == (
        "succeeded",
        {"a.txt": {"extension": "txt", "mimetype": "text/plain", "size": 5}},
    )
    more = (file.replace("a.txt", "b.txt") + "--xx--\r\n").encode()
    assert set(
        (await box.ask("PATCH", f"/core/archiveresult/{record['id']}", more, headers=kind))[
            "output_files"
        ]
    ) == {
        "a.txt",
        "b.txt",
    }
    served = await box.send("GET", f"/snapshot/{item['id']}/notes/b.txt", key="")
    assert served.body == b"hello"
    status, detail = await box.get_refusal("POST", "/core/archiveresults", {})
    assert (status, [row["loc"] for row in detail]) == (
        422,
        [["form", "snapshot_id"], ["form", "plugin"]],
    )


async def test_personas_come_in_pages_only_on_the_newest_release(box: Box, middle: Box) -> None:
    page = await box.get("/personas/personas?limit=1&offset=1")
    assert (page["total_items"], page["items"][0]["name"]) == (2, "Reader")
    assert page["items"][0]["config"]["TWOCAPTCHA_API_KEY"] == "********"
    plain = await middle.get("/personas/personas?limit=1")
    assert [row["name"] for row in plain] == ["Default", "Reader"]


async def test_a_browser_hands_its_sign_ins_over(box: Box) -> None:
    body = {"extension_persona_id": "x1", "name": "Laptop", "cookies_txt": "a=b"}
    record = await box.ask("POST", "/personas/sync", body)
    assert (record["created"], record["cookies_file_written"], record["auth_file_written"]) == (
        True,
        True,
        False,
    )
    assert (await box.ask("POST", "/personas/sync", body))["created"] is False
    status, words = await box.get_refusal("POST", "/personas/sync", {**body, "name": "../etc"})
    assert (status, words.partition(":")[0]) == (503, "ValueError")


async def test_the_machine_is_found_by_name_and_its_programs_too(box: Box) -> None:
    machine = await box.get("/machine/machine/current")
    assert await box.get(f"/machine/machine/{machine['hostname'].upper()}") == machine
    assert await box.get(f"/machine/machine/{machine['id'][:10]}") == machine
    assert [row["name"] for row in await box.get("/machine/binary/by-name/NODE")] == [
        "node",
        "node",
    ]
    assert await box.get("/machine/binary/by-name/nothing") == []
    assert (await box.get("/machine/binaries?status=queued"))["items"][0]["is_valid"] is False
    status, words = await box.get_refusal("GET", "/machine/machines?bin_providers=apt")
    assert (status, words.partition(":")[0]) == (503, "FieldError")
    assert (await box.get_refusal("GET", "/machine/binary/zz"))[0] == 404
