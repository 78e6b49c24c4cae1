"""The commands as endpoints, and their traps."""

from __future__ import annotations

from typing import Any

import pytest

from server.sandbox.archivebox import KEY, OUTAGE, Closed
from tests.server.sandbox.archivebox.conftest import Box

NEW = "https://example.com/long-read"


async def search(box: Box, **body: Any) -> Any:
    path = "/cli/list" if box.version == "0.8.5" else "/cli/search"
    return (await box.ask("POST", path, body))["result"]


async def test_added_pages_appear_later_on_the_newest_release(box: Box) -> None:
    payload = await box.ask(
        "POST", "/cli/add", {"urls": [NEW, "https://example.com/b"], "tag": "research,own"}
    )
    result = payload["result"]
    assert (result["num_snapshots"], result["snapshot_ids"]) == (0, [])
    assert payload["stdout"].startswith('<span style="color:')
    crawl = f"/crawls/crawl/{result['crawl_id']}"
    counts = []
    for _ in range(4):
        counts.append(len(await search(box, crawl_id=result["crawl_id"])))
        box.wait(1)
    assert counts == [0, 1, 2, 2]
    assert (await box.get(crawl))["status"] == "started"
    box.wait(10)
    assert (await box.get(crawl))["status"] == "sealed"
    item = await box.one(url=NEW)
    assert (item["status"], item["tags"], item["title"]) == (
        "sealed",
        ["own", "research"],
        "Long read",
    )
    assert {row["status"] for row in item["archiveresults"]} <= {"succeeded", "skipped"}


async def test_archiving_progresses_result_by_result(box: Box) -> None:
    await box.ask("POST", "/cli/add", {"urls": [NEW]})
    numbers = []
    for _ in range(8):
        box.wait(1)
        item = await box.one(url=NEW)
        numbers.append((item["status"], item["num_archiveresults"]))
    assert [status for status, _ in numbers] == sorted(
        (status for status, _ in numbers), key=["queued", "started", "sealed"].index
    )
    assert [number for _, number in numbers] == sorted(number for _, number in numbers)
    assert numbers[0] == ("queued", 0)
    assert numbers[-1] == ("sealed", 12)


async def test_snapshots_are_there_at_once_before(middle: Box) -> None:
    result = (await middle.ask("POST", "/cli/add", {"urls": [NEW, "ftp//x", "not a url"]}))[
        "result"
    ]
    assert result["num_snapshots"] == 3
    assert (await middle.get(f"/core/snapshot/{result['snapshot_ids'][2]}"))["url"] == "not a url"
    middle.wait(8)
    assert (await middle.get(f"/core/snapshot/{result['snapshot_ids'][0]}"))["status"] == "sealed"


async def test_the_oldest_release_archives_while_the_caller_waits(old: Box) -> None:
    payload = (await old.ask("POST", "/cli/add", {"urls": [NEW], "extractors": "title,wget"}))[
        "result"
    ]
    assert [link["url"] for link in payload] == [NEW]
    assert set(payload[0]["history"]) == {"title", "wget"}
    assert (await old.ask("POST", "/cli/add", {"urls": [NEW]}))["result"] == []


async def test_a_known_page_is_not_archived_again_unless_asked(box: Box) -> None:
    url = "https://harborpost.example/2026/ferry-terminal-reopens"
    await box.ask("POST", "/cli/add", {"urls": [url]})
    box.wait(10)
    assert len(await box.pages("/core/snapshots", url=url)) == 1
    for how in ({"update": True}, {"overwrite": True}, {"only_new": False}):
        await box.ask("POST", "/cli/add", {"urls": [url], **how})
        box.wait(10)
    assert len(await box.pages("/core/snapshots", url=url)) == 4


async def test_bad_addresses_are_dropped_refused_or_kept_as_text(box: Box) -> None:
    assert await box.get_refusal("POST", "/cli/add", {"urls": ["nope", "ftp//x"]}) == (
        400,
        "No valid URLs were submitted",
    )
    assert await box.get_refusal("POST", "/cli/add", {"urls": []}) == (
        400,
        "No valid URLs were submitted",
    )
    assert (await box.get_refusal("POST", "/cli/add", {"urls": [NEW], "depth": 9}))[
        1
    ] == "ValueError: Depth must be 0-4"
    status, detail = await box.get_refusal("POST", "/cli/add", {})
    assert (status, detail[0]["loc"]) == (422, ["body", "args", "urls"])
    for single in ("not a url", "file:///etc/passwd"):
        crawl = (await box.ask("POST", "/cli/add", {"urls": [single]}))["result"]["crawl_id"]
        box.wait(5)
        assert (
            (await box.get(f"/crawls/crawl/{crawl}"))["urls"],
            await search(box, crawl_id=crawl),
        ) == (single, [])


async def test_an_address_in_capitals_is_another_page(box: Box) -> None:
    for url in (NEW, NEW.replace("https://", "HTTPS://")):
        await box.ask("POST", "/cli/add", {"urls": [url]})
        box.wait(10)
        assert (await box.one(url=url))["url"] == url


async def test_a_page_that_does_not_answer_fails_with_reasons(box: Box) -> None:
    await box.ask("POST", "/cli/add", {"urls": ["https://gone.invalid/x"]})
    box.wait(10)
    item = await box.one(url="https://gone.invalid/x")
    reasons = [row["output_str"] for row in item["archiveresults"] if row["status"] == "failed"]
    assert (item["status"], item["title"]) == ("sealed", None)
    assert "net::ERR_NAME_NOT_RESOLVED at https://gone.invalid/x" in reasons


async def test_a_crawl_follows_links_as_deep_as_asked(box: Box) -> None:
    crawl = (await box.ask("POST", "/cli/add", {"urls": [NEW], "depth": 1, "max_urls": 2}))[
        "result"
    ]["crawl_id"]
    box.wait(30)
    matches = await search(box, crawl_id=crawl)
    assert sorted(row["depth"] for row in matches) == [0, 1]
    assert (await box.get(f"/crawls/crawl/{crawl}"))["status"] == "sealed"


async def test_a_paused_crawl_waits_for_its_resumption(box: Box) -> None:
    crawl = (await box.ask("POST", "/cli/add", {"urls": [NEW]}))["result"]["crawl_id"]
    await box.ask("PATCH", f"/crawls/crawl/{crawl}", {"action": "pause"})
    box.wait(30)
    assert await search(box, crawl_id=crawl) == []
    assert (await box.ask("PATCH", f"/crawls/crawl/{crawl}", {"action": "resume"}))[
        "is_paused"
    ] is False
    box.wait(10)
    assert [row["status"] for row in await search(box, crawl_id=crawl)] == ["sealed"]


async def test_changing_what_is_being_archived_would_block(box: Box) -> None:
    await box.ask("POST", "/cli/add", {"urls": [NEW]})
    box.wait(2)
    await box.ask("PATCH", f"/core/snapshot/{(await box.one(url=NEW))['id']}", {"tags": []})
    assert box.sandbox.counts.blocked == 1


async def test_an_empty_search_finds_everything_or_nothing(any_box: Box) -> None:
    matches = await search(any_box)
    assert len(matches) == (300 if any_box.version in ("0.9.73", "0.9.74") else 0)
    if any_box.version == "0.8.5":
        assert (await any_box.get_refusal("POST", "/cli/list", {"filter_patterns": []}))[0] == 503
        return
    assert len(await search(any_box, filter_patterns=[])) == 300


async def test_the_newest_release_searches_newest_first_and_with_a_limit(box: Box) -> None:
    dates = [row["created_at"] for row in await search(box, limit=10)]
    assert (len(dates), dates) == (10, sorted(dates, reverse=True))
    assert len(await search(box, limit=0)) == 300
    assert [row["url"] for row in await search(box, sort="url", limit=2)] == sorted(
        row["url"] for row in await search(box, sort="url", limit=2)
    )


async def test_search_is_a_mode_and_the_patterns_are_the_query(box: Box) -> None:
    assert [
        row["title"] for row in await search(box, search="contents", filter_patterns=["marsupial"])
    ] == ["Night surveys with volunteers: a protocol"]
    assert await search(box, search="meta", filter_patterns=["marsupial"]) == []
    assert len(await search(box, search="marsupial")) == 300


@pytest.mark.parametrize(
    ("kind", "pattern"),
    [
        ("substring", "FERRY-terminal-re"),
        ("domain", "harborpost.example/2026"),
        ("regex", r"ferry.*reopens$"),
    ],
)
async def test_patterns_are_of_several_kinds(any_box: Box, kind: str, pattern: str) -> None:
    if any_box.version == "0.8.5":
        status, words = await any_box.get_refusal(
            "POST", "/cli/list", {"filter_type": kind, "filter_patterns": [pattern]}
        )
        assert (status, words) == (
            503,
            "AttributeError: 'benedict' object has no attribute 'to_dict'",
        )
        return
    matches = await search(any_box, filter_type=kind, filter_patterns=[pattern])
    assert [link["url"] for link in matches] == [
        "https://harborpost.example/2026/ferry-terminal-reopens"
    ]


async def test_a_pattern_that_does_not_compile_is_only_an_exception(any_box: Box) -> None:
    body = {"filter_type": "regex", "filter_patterns": ["("]}
    path = "/cli/list" if any_box.version == "0.8.5" else "/cli/search"
    status, words = await any_box.get_refusal("POST", path, body)
    assert (status, words.partition(":")[0]) == (503, "OperationalError")


async def test_results_of_a_search_come_as_table_or_addresses(box: Box) -> None:
    body = {"limit": 2, "as_json": False, "as_csv": "url,title", "with_headers": True}
    table = await box.ask("POST", "/cli/search", body)
    assert (table["result_format"], table["result"].split("\n")[0]) == ("csv", "url,title")
    page = await box.ask("POST", "/cli/search", {**body, "as_html": True})
    assert (page["result_format"], page["result"].count("\n")) == ("html", 1)
    status, words = await box.get_refusal("POST", "/cli/search", {**body, "as_csv": "nonsense"})
    assert (status, words) == (503, "ValueError: Invalid CSV field(s): nonsense")


async def test_the_old_list_has_another_status_and_checks_it(middle: Box) -> None:
    archived = await search(middle, status="archived", filter_patterns=[])
    unarchived = await search(middle, status="unarchived", filter_patterns=[])
    assert (len(archived) + len(unarchived), len(unarchived)) == (300, 5)
    status, detail = await middle.get_refusal("POST", "/cli/search", {"status": "sealed"})
    assert (status, detail[0]["type"]) == (422, "enum")


@pytest.mark.parametrize(
    "body",
    [
        {"filter_patterns": ["https://nowhere.example/"]},
        {"filter_type": "url", "filter_patterns": ["x"]},
    ],
)
async def test_removing_nothing_or_by_an_unknown_kind_ends_the_web_process(
    any_box: Box, body: dict[str, Any]
) -> None:
    with pytest.raises(ConnectionError):
        await any_box.send("POST", "/api/v1/cli/remove", body)
    any_box.wait(OUTAGE - 0.1)
    with pytest.raises(Closed):
        await any_box.send("GET", "/health/")
    any_box.wait(0.2)
    assert (await any_box.send("GET", "/health/")).body == b"OK"
    assert (any_box.sandbox.counts.deaths, any_box.sandbox.counts.removed_all) == (1, 0)
    assert len(await any_box.pages("/core/snapshots")) == 300


async def test_searching_by_an_unknown_kind_ends_the_web_process(box: Box) -> None:
    with pytest.raises(Closed):
        await box.send(
            "POST", "/api/v1/cli/search", {"filter_type": "fuzzy", "filter_patterns": ["x"]}
        )
    box.wait(OUTAGE)
    assert len(await search(box, filter_type="fuzzy")) == 300


async def test_removing_without_a_filter_removes_everything(box: Box) -> None:
    result = (await box.ask("POST", "/cli/remove", {}))["result"]
    assert (result["removed_count"], result["success"]) == (300, True)
    assert await box.pages("/core/snapshots") == []
    assert (box.sandbox.counts.removed_all, box.sandbox.counts.deaths) == (1, 0)


async def test_the_default_pattern_protects_older_releases_only_from_an_empty_body(
    middle: Box,
) -> None:
    with pytest.raises(Closed):
        await middle.send("POST", "/api/v1/cli/remove", {})
    middle.wait(OUTAGE)
    # A field that this release does not know is ignored, and nothing limits the rest.
    result = (await middle.ask("POST", "/cli/remove", {"tag": "research", "filter_patterns": []}))[
        "result"
    ]
    assert (result["removed_count"], result["remaining_snapshots"]) == (300, 0)
    assert middle.sandbox.counts.removed_all == 1


async def test_one_snapshot_is_removed_by_its_timestamp(any_box: Box) -> None:
    item = (await any_box.get("/core/snapshots?limit=1"))["items"][0]
    body = {"filter_type": "timestamp", "filter_patterns": [item["timestamp"]]}
    if any_box.version == "0.8.5":
        status, words = await any_box.get_refusal("POST", "/cli/remove", body)
        assert (status, words) == (503, "OperationalError: no such table: crawls_outlink")
    else:
        assert (await any_box.ask("POST", "/cli/remove", body))["result"][
            "removed_snapshot_ids"
        ] == [item["id"]]
    left = 300 if any_box.version == "0.8.5" else 299
    assert (await any_box.get("/core/snapshots?limit=1"))["total_items"] == left
    assert any_box.sandbox.counts.removed_all == 0


async def test_updating_archives_again_what_fits(box: Box, middle: Box) -> None:
    url = "https://fernandflint.example/shop/copper-pot"
    body = {"filter_type": "exact", "filter_patterns": [url]}
    result = (await box.ask("POST", "/cli/update", body))["result"]
    assert result["matched_count"] == 1
    box.wait(1)
    assert (await box.one(url=url))["status"] == "started"
    box.wait(5)
    assert (await box.one(url=url))["status"] == "sealed"
    assert (await box.ask("POST", "/cli/update", {}))["result"] is None
    assert await middle.get_refusal("POST", "/cli/update", body) == (
        503,
        "ValueError: year 31690708 is out of range",
    )


async def test_schedules_are_made_listed_and_cleared(box: Box) -> None:
    record = (
        await box.ask("POST", "/cli/schedule", {"add": True, "every": "daily", "import_path": NEW})
    )["result"]
    assert record["active_schedule_ids"] == record["created_schedule_ids"]
    assert (await box.ask("POST", "/cli/schedule", {"show": True}))["result"][
        "active_schedule_ids"
    ] == record["active_schedule_ids"]
    assert (await box.ask("POST", "/cli/schedule", {"run_all": True}))["result"][
        "run_all_enqueued"
    ] == 1
    assert (await box.ask("POST", "/cli/schedule", {"clear": True}))["result"][
        "disabled_count"
    ] == 1
    status, words = await box.get_refusal("POST", "/cli/schedule", {"every": "sometimes"})
    assert (status, words.partition(":")[0]) == (503, "ValueError")


async def test_a_schedule_in_the_foreground_never_answers(box: Box) -> None:
    with pytest.raises(ConnectionError):
        await box.send("POST", "/api/v1/cli/schedule", {"foreground": True})
    assert (box.sandbox.counts.hung, box.sandbox.counts.deaths) == (1, 0)
    assert await box.get("/core/tags?limit=1")


async def test_the_oldest_schedule_is_broken(old: Box) -> None:
    status, words = await old.get_refusal("POST", "/cli/schedule", {"every": "day"})
    assert (status, words) == (
        503,
        "AttributeError: 'ScheduleCommandSchema' object has no attribute 'show'",
    )


async def test_requests_are_kept_for_tests_to_look_at(box: Box) -> None:
    await box.ask("POST", "/cli/add", {"urls": [NEW]})
    method, target, body = box.sandbox.requests[-1]
    assert (method, target, NEW.encode() in body) == ("POST", "/api/v1/cli/add", True)
    for _ in range(1_100):
        await box.send("GET", "/health/", key=KEY)
    assert len(box.sandbox.requests) == 1_000
    box.sandbox.reset()
    assert (len(box.sandbox.requests), box.sandbox.stats()["snapshots"]) == (0, 300)
