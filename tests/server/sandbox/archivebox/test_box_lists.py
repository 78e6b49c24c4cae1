"""Lists, filters and lookups with all their oddities."""

from __future__ import annotations

import itertools
import json
from datetime import timedelta
from typing import Any

import pytest

from tests.server.sandbox.archivebox.conftest import NOW, Box


async def test_snapshots_come_oldest_first_whatever_is_asked_for(any_box: Box) -> None:
    page = await any_box.get("/core/snapshots?order_by=-created_at&sort=newest&limit=300")
    dates = [item["created_at"] for item in page["items"]]
    assert dates == sorted(dates)
    assert (page["total_items"], page["num_items"]) == (300, 300)


@pytest.mark.parametrize(
    ("limit", "expected"), [(499, 499), (500, 500), (501, 500), (99999, 500), (7, 7)]
)
async def test_limits_are_clamped_in_silence(any_box: Box, limit: int, expected: int) -> None:
    assert (await any_box.get(f"/core/archiveresults?limit={limit}"))["limit"] == expected


@pytest.mark.parametrize("query", ["limit=0", "limit=-1"])
async def test_a_limit_of_nothing_divides_by_zero(any_box: Box, query: str) -> None:
    answer = await any_box.send("GET", f"/api/v1/core/snapshots?{query}")
    payload = json.loads(answer.body)
    assert (answer.status, payload["succeeded"]) == (503, False)
    assert payload["message"].startswith("ZeroDivisionError: ")
    assert payload["errors"][0].startswith('Traceback (most recent call last):\n  File "/')


@pytest.mark.parametrize("query", ["page=-1", "offset=-1"])
async def test_a_negative_start_is_an_error_of_the_database(any_box: Box, query: str) -> None:
    expected = (503, "ValueError: Negative indexing is not supported.")
    assert await any_box.get_refusal("GET", f"/core/tags?{query}") == expected


@pytest.mark.parametrize("value", ["abc", "", "1.5"])
async def test_a_limit_that_is_no_number_is_refused_in_detail(any_box: Box, value: str) -> None:
    status, detail = await any_box.get_refusal("GET", f"/core/snapshots?limit={value}")
    assert (status, detail[0]["loc"], detail[0]["type"]) == (422, ["query", "limit"], "int_parsing")
    assert "input" not in detail[0]


async def test_pages_beyond_the_end_are_empty_and_wrongly_numbered(any_box: Box) -> None:
    page = await any_box.get("/core/snapshots?page=9999&limit=2")
    assert (page["items"], page["page"], page["offset"]) == ([], 6666, 19998)


async def test_pages_count_from_zero_and_an_offset_wins(any_box: Box) -> None:
    first = await any_box.get("/core/snapshots?limit=3")
    second = await any_box.get("/core/snapshots?limit=3&page=1")
    assert (await any_box.get("/core/snapshots?limit=3&page=9&offset=3"))["items"] == second[
        "items"
    ]
    assert first["items"] != second["items"]


async def test_the_count_is_given_twice_since_0_9(any_box: Box) -> None:
    page = await any_box.get("/core/tags?limit=1")
    assert page.get("count") == (None if any_box.version == "0.8.5" else 14)
    assert (next(iter(page)) == "items") == (any_box.version != "0.8.5")


async def test_a_parameter_that_is_not_declared_is_ignored(any_box: Box) -> None:
    total = (await any_box.get("/core/snapshots?limit=1&downloaded_at__gte=2030-01-01&nonsense=1"))[
        "total_items"
    ]
    assert total == 300


async def test_the_status_filters_snapshots_only_on_the_newest_release(any_box: Box) -> None:
    payload = await any_box.get("/core/snapshots?status=queued&limit=500")
    assert payload["total_items"] == (2 if any_box.version in ("0.9.73", "0.9.74") else 300)


async def test_an_unknown_status_is_refused_by_the_newest_release(box: Box) -> None:
    status, words = await box.get_refusal("GET", "/core/snapshots?status=failed")
    assert status == 400
    statuses = "queued, started, paused, sealed, deleting"
    assert words == f"Invalid snapshot status: failed. Expected one of: {statuses}"


async def test_a_url_is_matched_whole_and_a_title_in_part(any_box: Box) -> None:
    url = "https://harborpost.example/2026/ferry-terminal-reopens"
    assert (await any_box.one(url=url))["title"] == "Ferry terminal reopens after two winters"
    assert (await any_box.one(title="ferry%20TERMINAL%20reopens"))["url"] == url
    assert await any_box.pages("/core/snapshots", url="ferry-terminal-reopens") == []


async def test_tags_are_matched_by_their_exact_name(any_box: Box) -> None:
    matches = await any_box.pages("/core/snapshots", tag="Long%20Reads")
    assert matches
    assert all("Long Reads" in item["tags"] for item in matches)
    assert await any_box.pages("/core/snapshots", tag="long%20reads") == []
    assert await any_box.pages("/core/snapshots", tag="nowhere") == []


async def test_dates_select_last_week(any_box: Box) -> None:
    since = (NOW - timedelta(days=7)).date().isoformat()
    matches = await any_box.pages("/core/snapshots", bookmarked_at__gte=since)
    assert 20 < len(matches) < 120
    assert all(item["bookmarked_at"] >= since for item in matches)
    assert await any_box.pages("/core/snapshots", created_at__lt="2020-01-01T00:00:00Z") == []


async def test_a_date_that_is_none_is_refused_in_detail(any_box: Box) -> None:
    status, detail = await any_box.get_refusal("GET", "/core/snapshots?created_at__gte=notadate")
    assert (status, detail[0]["type"]) == (422, "datetime_from_date_parsing")


async def test_creators_are_found_by_part_of_their_name(any_box: Box) -> None:
    matches = await any_box.pages("/core/snapshots", created_by_username="READ")
    assert {item["created_by_id"] for item in matches} == {"3"}
    status, words = await any_box.get_refusal("GET", "/core/snapshots?created_by_id=abc")
    assert (status, words) == (503, "ValueError: Field 'id' expected a number but got 'abc'.")


async def test_contents_are_searched_only_on_the_newest_release(any_box: Box) -> None:
    matches = await any_box.pages("/core/snapshots", search="marsupial")
    assert [item["title"] for item in matches] == (
        ["Night surveys with volunteers: a protocol"]
        if any_box.version in ("0.9.73", "0.9.74")
        else []
    )


async def test_a_search_can_be_kept_to_metadata(box: Box) -> None:
    assert await box.pages("/core/snapshots", search="marsupial", search_mode="meta") == []
    assert len(await box.pages("/core/snapshots", search="marsupial", search_mode="bogus")) == 1
    assert await box.pages("/core/snapshots", search="quiet-inbox", search_mode="meta")


async def test_ids_have_dashes_except_on_the_newest_release(any_box: Box) -> None:
    item = (await any_box.get("/core/snapshots?limit=1"))["items"][0]
    assert ("-" in item["id"]) == (any_box.version not in ("0.9.73", "0.9.74"))
    assert ("abid" in item) == (any_box.version == "0.8.5")


async def test_a_snapshot_is_found_by_any_part_of_its_id_and_by_its_timestamp(any_box: Box) -> None:
    item = (await any_box.get("/core/snapshots?limit=1&offset=5"))["items"][0]
    digits = item["id"].replace("-", "")
    for ref in (
        item["id"],
        digits,
        digits.upper(),
        item["id"][-12:],
        digits[9:25],
        item["timestamp"],
        item["timestamp"][:14],
    ):
        assert (await any_box.get(f"/core/snapshot/{ref}"))["url"] == item["url"]


async def test_an_id_that_fits_several_is_an_error_or_silently_the_first(any_box: Box) -> None:
    items = (await any_box.get("/core/snapshots?limit=300"))["items"]
    crowded = next(
        one["id"][:8] for one, two in itertools.pairwise(items) if one["id"][:8] == two["id"][:8]
    )
    answer = await any_box.send("GET", f"/api/v1/core/snapshot/{crowded}")
    if any_box.version == "0.8.5":
        assert answer.status == 200
        return
    message = json.loads(answer.body)["message"]
    assert answer.status == 503
    assert message.startswith(
        "MultipleObjectsReturned: get() returned more than one Snapshot -- it returned "
    )


async def test_a_blank_id_fits_everything_on_the_newest_release(box: Box) -> None:
    status, words = await box.get_refusal("GET", "/core/snapshot/%20")
    assert (status, words.partition(":")[0]) == (503, "MultipleObjectsReturned")


async def test_a_missing_snapshot_is_an_exception_with_404(any_box: Box) -> None:
    answer = await any_box.send("GET", "/api/v1/core/snapshot/ffffffffffffffffffffffffffffffff")
    payload = json.loads(answer.body)
    assert (answer.status, payload["succeeded"]) == (404, False)
    assert payload["message"].startswith("DoesNotExist: ")
    assert "Traceback" in payload["errors"][0]


async def test_results_come_with_one_snapshot_but_not_with_many(any_box: Box) -> None:
    item = (await any_box.get("/core/snapshots?limit=1"))["items"][0]
    assert (item["archiveresults"], item["num_archiveresults"] > 5) == ([], True)
    one = await any_box.get(f"/core/snapshot/{item['id']}")
    assert len(one["archiveresults"]) == item["num_archiveresults"]
    status, detail = await any_box.get_refusal("GET", "/core/snapshots?with_archiveresults=perhaps")
    assert (status, detail[0]["type"]) == (422, "bool_parsing")


async def test_any_leads_to_the_object(any_box: Box) -> None:
    item = (await any_box.get("/core/snapshots?limit=1"))["items"][0]
    answer = await any_box.send("GET", f"/api/v1/core/any/{item['id']}")
    if any_box.version == "0.8.5":
        assert json.loads(answer.body)["url"] == item["url"]
    else:
        assert (answer.status, answer.headers["location"]) == (
            302,
            f"/api/v1/core/snapshot/{item['id']}?",
        )
    status, words = await any_box.get_refusal("GET", "/core/any/zzzzzzzz")
    assert (status, words.endswith("not found")) == (404, True)


async def test_any_finds_tags_results_and_crawls(box: Box) -> None:
    result = (await box.get("/core/archiveresults?limit=1"))["items"][0]["id"]
    crawl = (await box.get("/crawls/crawls"))[0]["id"]
    expected = {
        result: f"/core/archiveresult/{result}?",
        crawl: f"/crawls/crawl/{crawl}?",
        "café": "/core/tag/14?",
    }
    for ref, path in expected.items():
        answer = await box.send("GET", f"/api/v1/core/any/{ref}")
        assert answer.headers["location"] == f"/api/v1{path}"


async def failures(box: Box, **filters: Any) -> list[dict[str, Any]]:
    return await box.pages("/core/archiveresults", status="failed", **filters)


async def test_what_failed_last_week_has_a_reason(any_box: Box) -> None:
    since = (NOW - timedelta(days=7)).date().isoformat()
    matches = await failures(any_box, created_at__gte=since)
    reasons = [str(item.get("output_str") or item.get("output") or "") for item in matches]
    assert all(reasons)
    assert any("ERR_NAME_NOT_RESOLVED" in reason for reason in reasons)
    assert any("403" in reason for reason in reasons)
    # 0.9.31 calls a wget a success that stored its own log; 0.9.73 says its exit code alone.
    expected = {
        "0.9.73": "exit=8",
        "0.9.74": "exit=8",
        "0.9.31": "No favicon found",
        "0.8.5": "404",
    }
    assert any(expected[any_box.version] in reason for reason in reasons)


async def test_results_are_filtered_by_their_snapshot(any_box: Box) -> None:
    snapshot = await any_box.one(url="https://northline.example/story/storm-warning-live")
    matches = await failures(any_box, snapshot_id=snapshot["id"])
    assert {item["snapshot_url"] for item in matches} == {snapshot["url"]}
    assert matches == await failures(any_box, snapshot_url="storm-WARNING")
    assert len(await failures(any_box, snapshot_tag="NEW")) >= len(matches)


async def test_plugins_were_called_extractors_before_0_9(any_box: Box) -> None:
    name, other = ("extractor", "plugin") if any_box.version == "0.8.5" else ("plugin", "extractor")
    payload = await any_box.get(f"/core/archiveresults?{name}=HTMLtotext&limit=500")
    assert {item[name] for item in payload["items"]} == {"htmltotext"}
    assert (await any_box.get(f"/core/archiveresults?{other}=htmltotext&limit=1"))[
        "total_items"
    ] > payload["total_items"]


@pytest.mark.parametrize("name", ["cmd", "pwd", "cmd_version"])
async def test_filtering_by_what_is_no_field_fails_inside(any_box: Box, name: str) -> None:
    if any_box.version == "0.8.5":
        assert (await any_box.get(f"/core/archiveresults?{name}=zzz"))["total_items"] == 0
        return
    status, words = await any_box.get_refusal("GET", f"/core/archiveresults?{name}=wget")
    assert (status, words.startswith(f"FieldError: Cannot resolve keyword '{name}'")) == (503, True)


async def test_a_result_is_found_by_its_id(any_box: Box) -> None:
    item = (await any_box.get("/core/archiveresults?limit=1&offset=40"))["items"][0]
    assert await any_box.get(f"/core/archiveresult/{item['id']}") == item
    status, words = await any_box.get_refusal(
        "GET", "/core/archiveresult/ffffffffffffffffffffffffffffffff"
    )
    assert (status, words) == (404, "DoesNotExist: ArchiveResult matching query does not exist.")
