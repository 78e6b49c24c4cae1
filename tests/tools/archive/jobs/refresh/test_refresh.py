from __future__ import annotations

from pathlib import Path

import pytest

from server.errors import Code, Failure
from server.tool.job import summarise
from tests.support.doubles import Purse
from tests.support.jobs.refreshes import home, refetched, refresh
from tests.support.tools.engagements import (
    MANY,
    REELS,
    items,
    said,
)
from tests.support.tools.tagging import scene
from tests.support.tools.working import Json, Worker, worker
from tools.archive.content.refetch import RefetchEngagementBulk
from tools.archive.jobs import engagement_refresh
from tools.archive.jobs.engagement import StartEngagementJob


async def test_a_refresh_is_asked_about_waits_and_tells_what_became_of_each_item(
    one: Worker,
) -> None:
    kinds = {home(one).item(number).id: home(one).item(number) for number in range(400)}
    stories = {each for each, item in kinds.items() if item.type == "STORY"}
    _, result = await refresh(one, search={})

    (preview,) = one.previews
    assert (preview["items"], preview["billingCreditsAtMost"]) == (
        400 - len(stories),
        3 * (400 - len(stories)),
    )
    assert preview["leftOut"] == [f"{len(stories)} stories"]
    assert set(refetched(one)) == kinds.keys() - stories
    assert set(refetched(one).values()) == {1}
    accepted = kinds.keys() - stories
    failed = {each for each in accepted if kinds[each].is_unreachable}
    assert result["summary"] == {
        "items": 400 - len(stories),
        "accepted": len(accepted),
        "succeeded": len(accepted) - len(failed),
        "failed": len(failed),
        "skipped": 0,
        "leftOut": len(stories),
    }
    (group,) = result["failedItems"]
    assert {each["id"] for each in group["items"]} == failed
    (left_out,) = result["leftOutItems"]
    assert (left_out["reason"], left_out["count"]) == ("Stories cannot be refreshed.", len(stories))
    assert {each["id"] for each in left_out["items"]} <= stories
    assert len(failed) == 2
    assert any("`file`; at most 50 of a kind are named here." in note for note in result["notes"])
    assert {each["status"] for each in result["operations"]} == {"COMPLETED", "PARTIAL"}
    spent = 6_000 - home(one).changes.credits
    assert spent == result["billingCreditsAtMost"] == 3 * len(accepted)
    assert preview["billingCreditsAtMost"] == result["billingCreditsAtMost"]


async def test_what_cannot_be_refreshed_is_told_before_the_user_agrees(one: Worker) -> None:
    found = await items(one, 60)
    stories = sum(each["type"] == "STORY" for each in found)
    with pytest.raises(Failure) as caught:
        await one.call(
            StartEngagementJob, mode="refresh", itemIds=[*(each["id"] for each in found), "nobody"]
        )

    assert caught.value.code is Code.CONFIRMATION_REQUIRED
    assert (
        f"Northwind Skincare: Refresh the engagement of {60 - stories} Archive items (by "
        in caught.value.message
    )
    assert f"Left out: {stories} stories and 1 unknown id." in caught.value.message
    assert refetched(one) == {}


async def test_items_that_are_being_refreshed_already_are_told_as_skipped(one: Worker) -> None:
    found = [each["id"] for each in await items(one, 5, filter=REELS)]
    home(one).changes.start_refresh(tuple(home(one).item_by_id(each).number for each in found[:2]))
    _, result = await refresh(one, itemIds=found)

    (group,) = result["skippedItems"]
    assert [each["id"] for each in group["items"]] == found[:2]
    assert all(each["account"] for each in group["items"])
    assert [each["id"] for each in result["refreshedItems"]] == found[2:]
    assert (result["summary"]["accepted"], result["summary"]["skipped"]) == (3, 2)


async def test_batches_are_not_called_records_and_what_was_left_out_is_named(one: Worker) -> None:
    found = await items(one, 60)
    stories = {each["id"] for each in found if each["type"] == "STORY"}
    ids = [*(each["id"] for each in found), "nobody"]
    told, result = await refresh(one, itemIds=ids)
    shown = summarise(await one.jobs.get(told["jobId"]))

    assert "records" not in shown
    assert shown["batches"] == {"total": 2, "done": 1, "skipped": 1}
    assert result["summary"]["items"] == 60 - len(stories)
    groups = {group["reason"]: group["items"] for group in result["leftOutItems"]}
    assert {each["id"] for each in groups["Stories cannot be refreshed."]} == stories
    assert groups["No item of this workspace has that id."] == [{"id": "nobody"}]
    assert refetched(one).keys() == {each["id"] for each in found} - stories


async def test_where_billing_credits_run_short_the_refused_hundred_are_named_and_can_be_sent_again(
    one: Worker,
) -> None:
    found = [each["id"] for each in await items(one, 150, filter=MANY)]
    count = len(found)
    assert count > 110
    home(one).changes.credits = 310
    told, result = await refresh(one, itemIds=found)
    records = await one.records(told)

    assert {key: str(row.state) for key, row in records.items()} == {
        "items 1-100": "done",
        f"items 101-{count}": "failed",
    }
    assert any("Not enough credits" in note for note in result["notes"])
    assert any("`resume`" in note for note in result["notes"])
    assert result["summary"]["accepted"] == 100
    home(one).changes.credits = 6_000
    again = await one.ended(await one.call(StartEngagementJob, resume=told["jobId"]))
    assert again["summary"]["accepted"] == count
    assert refetched(one)[found[0]] == 1


async def test_a_job_pauses_where_it_would_spend_more_than_what_is_left_for_the_day(
    tmp_path: Path,
) -> None:
    purse = Purse(310)
    async with worker(tmp_path, purse) as one:
        found = [each["id"] for each in await items(one, 150, filter=MANY)]
        told = await one.agreed(StartEngagementJob, mode="refresh", itemIds=found)
        row = await one.jobs.wait(told["jobId"], 50_000)
        assert (row.state, row.error and row.error["code"]) == ("paused", "FORBIDDEN")
        assert len(refetched(one)) == 100
        assert purse.left == 10
        purse.left = 3 * len(found)
        await one.ended(await one.call(StartEngagementJob, resume=told["jobId"]))
        assert set(refetched(one).values()) == {1}
        assert purse.left == 300


async def test_credits_of_items_that_archive_skipped_come_back(tmp_path: Path) -> None:
    purse = Purse(100)
    async with worker(tmp_path, purse) as one:
        found = [each["id"] for each in await items(one, 5, filter=REELS)]
        skipped = [home(one).item_by_id(each).number for each in found[:2]]
        home(one).changes.start_refresh(tuple(skipped))
        await refresh(one, itemIds=found)
        assert purse.left == 100 - 3 * 3
        home(one).changes.start_refresh(tuple(skipped))
        await one.agreed(RefetchEngagementBulk, itemIds=found)
        assert purse.left == 100 - 2 * 3 * 3


async def test_a_call_that_would_spend_more_than_what_is_left_is_not_sent(tmp_path: Path) -> None:
    purse = Purse(14)
    async with worker(tmp_path, purse) as one:
        found = [each["id"] for each in await items(one, 5, filter=REELS)]
        with pytest.raises(Failure, match=r"Spent\.") as caught:
            await one.agreed(RefetchEngagementBulk, itemIds=found)
    assert caught.value.code is Code.FORBIDDEN
    assert purse.left == 14
    assert refetched(one) == {}


async def test_a_refresh_that_never_ends_is_told_as_still_under_way(
    one: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engagement_refresh, "LONGEST_WAIT", 60.0)
    found = [each["id"] for each in await items(one, 3, filter=REELS)]
    slow = {
        "id": "x",
        "status": "PROCESSING",
        "succeededItemIds": [],
        "failedItemIds": [],
        "pendingItemIds": found,
    }
    one.sandbox.meddle = lambda name, _: (
        said({"data": {"operation": slow}}) if name == "GetOperation" else None
    )
    _, result = await refresh(one, itemIds=found)

    assert [each["status"] for each in result["operations"]] == ["PROCESSING"]
    assert any("archive_get_operation" in note for note in result["notes"])
    assert one.sandbox.times("GetOperation") < 12


async def test_more_items_than_one_refresh_takes_are_refused_before_anything_is_looked_up(
    one: Worker,
) -> None:
    with pytest.raises(Failure) as caught:
        await one.call(
            StartEngagementJob, mode="refresh", itemIds=[f"id-{number}" for number in range(5_001)]
        )

    assert caught.value.code is Code.INVALID_ARGUMENT
    assert "5,001 items" in caught.value.message
    assert one.sandbox.asked == []


async def test_nothing_to_refresh_is_refused_without_a_question(one: Worker) -> None:
    with pytest.raises(Failure, match="Nothing to refresh"):
        await one.call(StartEngagementJob, mode="refresh", itemIds=["nobody"])


async def test_what_a_filter_that_was_not_applied_let_through_is_not_paid_for() -> None:
    arguments: Json = {
        "mode": "refresh",
        "dryRun": True,
        "search": {"filter": {"provider": "TIKTOK", "takenAt": {"from": "2026-06-01"}}},
    }
    async with scene() as here:
        right = await here.call("archive_start_engagement_job", **arguments)
        here.sandbox.ignored = {"provider"}
        plan = await here.call("archive_start_engagement_job", **arguments)

    assert plan["items"] == right["items"] > 0
    assert "notes" not in right
    assert plan["notes"][0].startswith("Archive did not apply filter.provider: ")
