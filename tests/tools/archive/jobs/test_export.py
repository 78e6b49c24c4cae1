from __future__ import annotations

import json
from pathlib import Path

import anyio
import pytest

from server.errors import Code
from server.sandbox import Answer
from server.tool.result import Link
from tests.support.paths import SURFACE
from tests.support.tools.exporting_shop import (
    ITEMS,
    Json,
    Shop,
    lines,
    nodes,
    table,
    written,
)


async def test_a_spreadsheet_of_all_items_has_what_the_search_gives(there: Shop) -> None:
    items = {
        each["id"]: each
        for each in await there.everything("archive_search_items", fields=["*", "hashtags"])
    }
    result = await there.export(search={})
    rows = table(result)

    assert [row["id"] for row in rows] == list(items)
    assert (result["rows"], len(items)) == (ITEMS, ITEMS)
    assert result["columns"] == list(rows[0])
    assert result["bytes"] == len(written(result))
    for row in rows:
        item = items[row["id"]]
        assert row["caption"].lstrip("'") == (item["caption"] or "").replace("\r", "\n")
        assert row["socialProfile.accountName"] == item["socialProfile"]["accountName"]
        assert row["hashtags"] == "; ".join(item["hashtags"])
    assert there.left() == [result["name"]]


async def test_all_creators_come_with_emails_option_names_and_profiles(there: Shop) -> None:
    creators = await there.everything("archive_search_creators", optionNames=True)
    result = await there.export(what="creators")
    rows = {row["id"]: row for row in table(result)}

    assert list(rows) == [each["id"] for each in creators]
    assert len(rows) == result["rows"] > 600
    for each in creators:
        row, attributes, profiles = (
            rows[each["id"]],
            each["customAttributes"],
            each["socialProfiles"],
        )
        assert row["customAttributes.emails"] == "; ".join(attributes.get("emails") or [])
        assert row["customAttributes.labels"] == "; ".join(attributes.get("labels") or [])
        assert row["socialProfiles.accountName"] == "; ".join(
            profile["accountName"] for profile in profiles
        )
        assert row["socialProfiles.followers"] == "; ".join(
            str(profile["followers"] or "") for profile in profiles
        )
    assert any("@" in row["customAttributes.emails"] for row in rows.values())


async def test_creators_are_chosen_by_conditions_with_option_names(there: Shop) -> None:
    creators = await there.everything("archive_search_creators", optionNames=True)
    label = next(name for each in creators for name in each["customAttributes"].get("labels") or [])
    condition = {
        "field": "labels",
        "operator": "CONTAINS",
        "type": "MULTIPLE_SELECT_V2",
        "value": label,
    }
    searched = await there.everything(
        "archive_search_creators", customAttributeConditions=[condition]
    )
    result = await there.export(
        what="creators", creators={"customAttributeConditions": [condition]}, fields=["id"]
    )

    assert [row["id"] for row in table(result)] == [each["id"] for each in searched]
    assert 0 < result["rows"] < 640


async def test_options_stay_ids_where_that_is_asked_for(there: Shop) -> None:
    fields = ["customAttributes"]
    named = table(await there.export(what="creators", fields=fields))
    plain = table(await there.export(what="creators", fields=fields, optionNames=False))

    key = "customAttributes.labels"
    differing = [(a[key], b[key]) for a, b in zip(named, plain, strict=True) if a[key] != b[key]]
    assert len(differing) > 10
    assert all(len(ids) >= len("00000000-0000-0000-0000-000000000000") for _, ids in differing)


async def test_without_a_search_all_items_are_written(there: Shop) -> None:
    assert (await there.export())["rows"] == ITEMS


@pytest.mark.parametrize("by", ["search", "ids"])
async def test_the_items_of_a_time_are_written_however_they_are_chosen(
    there: Shop, by: str
) -> None:
    nodes = await there.everything("archive_search_items", fields=["id", "takenAt"])
    august = [node["id"] for node in nodes if node["takenAt"].startswith("2026-08")]
    source = {"itemIds": [node["id"] for node in nodes]} if by == "ids" else {}

    told = await there.export(takenAt={"from": "2026-08-01", "to": "2026-08-31"}, **source)

    assert told["rows"] == len(august) > 0
    # What lies outside that time is there all the same.
    assert "missing" not in told


async def test_a_file_without_rows_says_what_excluded_them(there: Shop) -> None:
    told = await there.export(search={"filter": {"accountNames": ["nobody"]}})

    assert told["rows"] == 0
    assert "Nothing meets filter.accountNames: check its values, or leave it out." in told["notes"]


async def test_a_file_of_all_creators_for_a_condition_says_so(there: Shop) -> None:
    everybody = {"field": "full_name", "operator": "IS_NOT_EMPTY", "type": "TEXT"}
    told = await there.export(what="creators", creators={"customAttributeConditions": [everybody]})

    assert any("came as without full_name IS_NOT_EMPTY" in note for note in told["notes"])


async def test_a_phrase_is_counted_before_it_is_written(there: Shop) -> None:
    search = {"captionPhrase": "two pumps of"}
    plan = await there.call("archive_start_export", search=search, dryRun=True)

    assert plan["records"] == (await there.export(search=search))["rows"] > 0


async def test_a_dry_run_tells_rows_and_cost_and_writes_nothing(there: Shop) -> None:
    told = await there.call("archive_start_export", search={}, name="q4", dryRun=True)

    assert told["records"] == ITEMS
    assert told["requests"] == 3
    # A page with two relations: 60 credits and 20.5 for each.
    assert told["rateCredits"] == 303
    assert (told["file"], told["folder"], told["dryRun"]) == ("q4.csv", str(there.out), True)
    assert there.sandbox.pages == 0
    assert there.left() == []


async def test_the_plan_is_right_about_the_requests(there: Shop) -> None:
    told = await there.call("archive_start_export", search={}, dryRun=True)
    before = there.sandbox.pages
    await there.call("archive_start_export", search={})

    assert told["requests"] == there.sandbox.pages - before == 3


async def test_a_finished_export_is_linked_to(there: Shop) -> None:
    made = await there.result("archive_start_export", search={}, name="Q4 büro")
    looked = await there.result("archive_mcp_get_job", id=made.structured["jobId"])
    result = made.structured["result"]

    link = Link("archive://exports/Q4%20b%C3%BCro.csv", "Q4 büro.csv", "text/csv", result["bytes"])
    assert made.links == looked.links == (link,)
    assert result["resource"] == {
        "uri": link.uri,
        "name": link.name,
        "mimeType": link.mime_type,
        "size": link.size,
    }
    assert Path(result["path"]).name == link.name


async def test_exports_of_the_same_name_at_the_same_time_get_files_of_their_own(
    there: Shop,
) -> None:
    results: list[Json] = []

    async def export() -> None:
        results.append(await there.export(search={}, name="same", fields=["id"]))

    async with anyio.create_task_group() as group:
        for _ in range(4):
            group.start_soon(export)

    assert there.left() == ["same-2.csv", "same-3.csv", "same-4.csv", "same.csv"]
    assert sorted(result["name"] for result in results) == there.left()
    assert len({written(result) for result in results}) == 1


async def test_values_that_archive_could_not_compute_are_empty_and_told(there: Shop) -> None:
    def meddle(page: int, body: Json) -> Json:
        if page != 2:
            return body
        for each in nodes(body):
            each["currentEngagement"] = None
        error = {"message": "metrics unavailable", "extensions": {"code": "SERVICE_UNAVAILABLE"}}
        return {**body, "errors": [error]}

    there.sandbox.meddle = meddle
    result = await there.export(search={}, fields=["currentEngagement.impressions"])
    rows = table(result)

    assert result["rows"] == ITEMS
    assert {row["currentEngagement.impressions"] for row in rows[100:200]} == {""}
    assert any(row["currentEngagement.impressions"] for row in rows[:100])
    assert "1 page" in " ".join(result["notes"])


async def test_nothing_found_is_a_file_with_a_head_alone(there: Shop) -> None:
    search = {"filter": {"accountNames": ["nobody.at.all"]}}
    result = await there.export(search=search, fields=["caption"])

    assert (result["rows"], table(result)) == (0, [])
    assert written(result).decode("utf-8-sig").split() == ["id,caption"]


async def test_an_export_that_was_refused_halfway_goes_on_where_it_was(there: Shop) -> None:
    def meddle(page: int, body: Json) -> Json | Answer:
        return (
            Answer(401, {"content-type": "application/json"}, b'{"errors":"revoked"}')
            if page == 3
            else body
        )

    there.sandbox.meddle = meddle
    told = await there.call("archive_start_export", search={})
    spools = there.left()
    there.sandbox.meddle = None
    result = (await there.call("archive_start_export", resume=told["jobId"]))["result"]
    ids = [row["id"] for row in table(result)]

    assert (told["state"], told["error"]["code"], told["records"]["gathered"]) == (
        "paused",
        "UNAUTHENTICATED",
        200,
    )
    assert [name.endswith(".part") for name in spools] == [True]
    assert len(ids) == len(set(ids)) == ITEMS
    assert there.sandbox.pages == 4
    assert there.left() == [result["name"]]


async def test_a_failed_page_does_not_hold_the_others_twice(there: Shop) -> None:
    def meddle(page: int, body: Json) -> Json | Answer:
        return (
            Answer(401, {"content-type": "application/json"}, b'{"errors":"revoked"}')
            if page in (2, 4)
            else body
        )

    there.sandbox.meddle = meddle
    told = await there.call("archive_start_export", search={}, format="jsonl")
    for _ in range(2):
        told = await there.call("archive_start_export", resume=told["jobId"])
    ids = [each["id"] for each in lines(told["result"])]

    assert len(ids) == len(set(ids)) == ITEMS


async def test_a_cancelled_export_leaves_nothing(there: Shop) -> None:
    reached, go_on = anyio.Event(), anyio.Event()

    async def slow() -> None:
        if there.sandbox.pages == 2:
            reached.set()
            await go_on.wait()

    there.sandbox.before = slow
    told: list[Json] = []

    async def export() -> None:
        told.append(await there.call("archive_start_export", search={}))

    async with anyio.create_task_group() as group:
        group.start_soon(export)
        await reached.wait()
        (job,) = (await there.call("archive_mcp_list_jobs"))["nodes"]
        assert [name.endswith(".part") for name in there.left()] == [True]
        await there.call("archive_mcp_cancel_job", id=job["jobId"])

    assert told[0]["state"] == "cancelled"
    assert there.left() == []


def test_the_packaged_listing_says_that_an_export_only_adds() -> None:
    file = SURFACE
    (tool,) = (
        row["tool"]
        for row in json.loads(file.read_text(encoding="utf-8"))["tools"]
        if row["tool"]["name"] == "archive_start_export"
    )

    assert tool["annotations"] == {
        "title": "Export to a file",
        "readOnlyHint": False,
        "destructiveHint": False,
        "idempotentHint": False,
        "openWorldHint": True,
    }
    assert tool["_meta"]["archive-mcp/workflow"] == "export"


@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "/etc/passwd",
        "a/b",
        "a\\b",
        "con",
        "NUL.csv",
        ".hidden",
        "x" * 300,
        "a\x00b",
        "c:x",
        "e.",
    ],
)
async def test_a_hostile_name_is_refused_before_any_request(there: Shop, name: str) -> None:
    failure = await there.refused(search={}, name=name)

    assert failure.code is Code.INVALID_ARGUMENT
    assert failure.message.startswith("File name: ")
    assert there.sandbox.requests == 0
    assert not there.out.exists()


async def test_a_key_that_the_workspace_lacks_is_refused_before_a_file_is_begun(
    there: Shop,
) -> None:
    mail = {"field": "email", "operator": "IS_NOT_EMPTY", "type": "TEXT"}
    failure = await there.refused(what="creators", creators={"customAttributeConditions": [mail]})

    assert "Did you mean `emails`?" in failure.message
    assert not there.out.exists()


async def test_a_folder_that_is_none_is_told_before_anything_is_read(there: Shop) -> None:
    there.out.write_text("a file")
    failure = await there.refused(search={})

    assert failure.code is Code.FORBIDDEN
    assert "is not a folder" in failure.message
    assert there.sandbox.pages == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"search": {"presetId": "b"}, "itemIds": ["a"]}, "exactly one of"),
        ({"what": "creators", "takenAt": {"from": "2026-01-01"}}, "are about items"),
        ({"search": {"limit": 3}}, "takes filter"),
        ({"search": {}, "creators": {"presetId": "b"}}, "`what` set to creators"),
        ({"what": "creators", "search": {"presetId": "b"}}, "are about items"),
        ({"what": "creators", "creators": {"sorting": [{"a": 1}]}}, "takes filter"),
        ({"search": {}, "fields": ["currentEngagement.saves"]}, "does not exist"),
        ({"what": "creators", "fields": ["email"]}, "does not exist"),
        ({"search": {}, "format": "ods"}, "format"),
    ],
)
async def test_arguments_that_do_not_fit_are_refused_before_any_request(
    there: Shop, arguments: Json, said: str
) -> None:
    failure = await there.refused(**arguments)

    assert failure.code is Code.INVALID_ARGUMENT
    assert said in failure.message
    assert there.sandbox.requests == 0
