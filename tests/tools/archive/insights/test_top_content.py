from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import pytest

from server.errors import Code
from server.sandbox.archive.data.items import Item
from tests.support.tools.insights_shop import (
    COFFEE,
    FIELDS,
    Json,
    Shop,
    as_shown,
    engagement,
    known,
    name_shown,
    shop,
)
from tools.archive.insights.base import FIELD_OF, Metric

TOP = "archive_get_top_content"


@pytest.fixture
async def there() -> AsyncIterator[Shop]:
    """A read-only server over a sandbox of 400 items."""
    async with shop() as found:
        yield found


def largest(items: list[Item], metric: str, most: int) -> list[Any]:
    return [as_shown(metric, value) for value in sorted(known(items, metric), reverse=True)[:most]]


def values(found: Json) -> list[int]:
    return [each[found["metric"]] for each in found["nodes"]]


@pytest.mark.parametrize("metric", FIELD_OF)
async def test_the_top_of_a_workspace_is_sorted_by_archive_in_one_request(
    there: Shop, metric: Metric
) -> None:
    found = await there.top(metric=metric, limit=7)

    assert values(found) == largest(there.items(), FIELD_OF[metric], 7)
    assert [each["rank"] for each in found["nodes"]] == [1, 2, 3, 4, 5, 6, 7]
    assert [each["first"] for each in there.sandbox.pages] == [8]
    assert found["notes"][0] == "Sorted by Archive."


async def test_an_engagement_rate_is_what_the_records_themselves_say(there: Shop) -> None:
    items = {each.id: each for each in there.items()}
    found = await there.top(itemIds=list(items)[:50], limit=50, metric="MERGED_VIEW_PLAY_COUNT")
    rates = {each["id"]: each["engagementRatePercent"] for each in found["nodes"]}

    assert any(each is None for each in rates.values())
    for name, rate in rates.items():
        now, followers = items[name].current_engagement, items[name].social_profile.followers
        if now is None or now.likes is None or now.comments is None:
            assert rate is None
        else:
            assert rate == pytest.approx(100 * (now.likes + now.comments) / followers, abs=0.005)
    assert any("followers" in note for note in found["notes"])


async def test_a_view_is_ranked_here_over_all_its_pages(there: Shop) -> None:
    presets = (await there.call("archive_get_filter_presets"))["nodes"]
    preset = next(each["id"] for each in presets if each["name"] == "All Reels")
    found = await there.top(search={"presetId": preset}, metric="LIKE_COUNT", limit=5)
    reels = [each for each in there.items() if each.kind == "REEL"]

    assert values(found) == largest(reels, "likes", 5)
    assert found["coverage"] == {
        "items": len(reels),
        "known": len(known(reels, "likes")),
        "unknown": len(reels) - len(known(reels, "likes")),
    }
    assert f"Ranked here, over all {len(reels)} items." in found["notes"]


async def test_named_items_are_ranked_and_those_without_the_metric_come_last(there: Shop) -> None:
    items = there.items()[:30]
    found = await there.top(itemIds=[each.id for each in items], metric="SHARE_COUNT", limit=30)
    shares = sorted(known(items, "shares"), reverse=True)

    assert values(found) == shares + [None] * (30 - len(shares))
    assert [each["rank"] for each in found["nodes"][len(shares) :]] == [None] * (30 - len(shares))
    assert any("come last" in note for note in found["notes"])


async def test_only_the_content_of_an_account_or_a_person_is_ranked(there: Shop) -> None:
    items = there.items()
    account, person = items[0].social_profile.account_name, items[0].creator
    by_account = await there.top(accountName=f"@{account}", limit=50)
    by_person = await there.top(creatorId=person.id, limit=50)

    assert {each["id"] for each in by_account["nodes"]} == {
        each.id for each in items if each.social_profile.account_name == account
    }
    assert {each["id"] for each in by_person["nodes"]} == {
        each.id for each in items if each.creator.id == person.id
    }


async def test_only_a_window_of_time_is_ranked(there: Shop) -> None:
    found = await there.top(takenAt={"from": "2026-10-01", "to": "2026-10-31"}, limit=5)
    october = [
        e for e in there.items() if date(2026, 10, 1) <= e.taken_at.date() <= date(2026, 10, 31)
    ]

    assert values(found) == largest(october, "earnedMediaValue", 5)


async def test_where_no_item_has_the_metric_nothing_is_ranked_and_that_is_said(there: Shop) -> None:
    found = await there.top(COFFEE, limit=3)

    assert [each["rank"] for each in found["nodes"]] == [None] * 3
    assert any("No item has earnedMediaValue" in note for note in found["notes"])
    assert len(there.sandbox.pages) == 2


async def test_items_without_the_metric_that_archive_puts_first_do_not_hide_the_top(
    there: Shop,
) -> None:
    there.sandbox.hidden = True
    ranges = [{"field": "COMMENT_COUNT", "range": {"from": 1}}]
    found = await there.top(
        search={"filter": {"itemTypes": ["REEL"]}}, metric="LIKE_COUNT", limit=3
    )
    reels = [each for each in there.items() if each.kind == "REEL"]

    assert values(found) == largest(reels, "likes", 3)
    assert there.sandbox.pages[1]["filter"] == {
        "itemTypes": ["REEL"],
        "engagement": [{"field": "LIKE_COUNT", "range": {"from": 0}}],
    }
    again = await there.top(search={"filter": {"engagement": ranges}}, metric="LIKE_COUNT", limit=3)
    assert values(again) == largest(
        [each for each in there.items() if sum(known([each], "comments"))], "likes", 3
    )


async def test_an_order_of_archive_that_does_not_hold_is_not_trusted(there: Shop) -> None:
    there.sandbox.changed = {"earnedMediaValue": "1"}
    found = await there.top(limit=3)

    assert "Ranked here, over all 400 items." in found["notes"]
    assert values(found) == sorted(values(found), reverse=True)


async def test_a_tie_at_the_end_is_said(there: Shop) -> None:
    items = [each for each in there.items() if known([each], "shares")]
    by_value: dict[int, list[Item]] = {}
    for item in items:
        by_value.setdefault(known([item], "shares")[0], []).append(item)
    tied = next(each for each in by_value.values() if len(each) > 1)[:2]
    found = await there.top(itemIds=[each.id for each in tied], metric="SHARE_COUNT", limit=1)

    assert found["nodes"][0]["rank"] == 1
    assert any("same value as the last one" in note for note in found["notes"])


async def test_every_metric_of_a_node_is_the_items_own(there: Shop) -> None:
    items = {each.id: each for each in there.items()}
    for node in (await there.top(limit=20))["nodes"]:
        for metric, attribute in FIELDS.items():
            value = getattr(engagement(items[node["id"]]), attribute)
            assert node[name_shown(metric)] == as_shown(metric, value)
        assert node["link"] == items[node["id"]].archive_public_url


async def test_a_person_that_does_not_exist_is_not_found(there: Shop) -> None:
    failure = await there.refused(TOP, creatorId="00000000-0000-4000-8000-000000000000")

    assert failure.code in (Code.NOT_FOUND, Code.INVALID_ARGUMENT)
