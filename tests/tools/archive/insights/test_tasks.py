"""What a marketer asks for is one call with a small answer."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import AsyncIterator

import pytest

from tests.support.tools.insights_shop import COFFEE, OUTDOOR, Shop, as_shown, known, shop

AUGUST = {"from": "2026-08-01", "to": "2026-08-31"}


@pytest.fixture
async def there() -> AsyncIterator[Shop]:
    """A read-only server over a sandbox of 400 items."""
    async with shop() as found:
        yield found


async def test_the_first_five_of_a_month_and_how_many_there_were(there: Shop) -> None:
    result = await there.result("archive_get_top_content", takenAt=AUGUST, limit=5)
    august = [item for item in there.items() if item.taken_at.strftime("%Y-%m") == "2026-08"]

    assert result.structured["items"] == len(august)
    dollars = [node["earnedMediaValueUsd"] for node in result.structured["nodes"]]
    values = sorted(known(august, "earnedMediaValue"), reverse=True)[:5]
    assert dollars == [as_shown("earnedMediaValue", value) for value in values]
    assert len(result.text) < 3_000


async def test_a_view_by_its_name_split_by_platform_with_the_median(there: Shop) -> None:
    result = await there.result(
        "archive_summarize_performance",
        search={"presetId": "All Reels"},
        by=["platform"],
        metrics=["earnedMediaValue", "likes"],
        limit=0,
    )
    reels = [item for item in there.items() if item.kind == "REEL"]

    assert result.structured["items"] == len(reels)
    likes = result.structured["metrics"]["likes"]
    assert likes["median"] == statistics.median(known(reels, "likes"))
    assert len(result.text) < 1_300


async def test_how_many_creators_have_an_e_mail_is_a_number_alone(there: Shop) -> None:
    mail = {"field": "emails", "operator": "IS_NOT_EMPTY", "type": "TEXT"}
    result = await there.result(
        "archive_search_creators", OUTDOOR, customAttributeConditions=[mail], countOnly=True
    )

    assert list(result.structured) == ["totalCount"]


async def test_the_three_accounts_with_the_most_likes_of_all(there: Shop) -> None:
    result = await there.result(
        "archive_summarize_performance", COFFEE, by=["account"], metrics=["likes"], top=3, limit=0
    )
    likes: dict[tuple[str, str], int] = defaultdict(int)
    for item in there.items(COFFEE):
        account = (item.provider, item.social_profile.account_name)
        likes[account] += sum(known([item], "likes"))
    first = sorted(likes, key=lambda account: -likes[account])[:3]

    groups = result.structured["by"]["account"][:3]
    assert [(group["provider"], group["accountName"]) for group in groups] == first
    assert [group["likes"]["total"] for group in groups] == [likes[name] for name in first]
    assert len(result.text) < 1_100


async def test_a_phrase_with_its_likes_and_for_how_many_the_views_are_unknown(
    there: Shop,
) -> None:
    result = await there.result(
        "archive_summarize_performance",
        COFFEE,
        search={"captionPhrase": "travel press"},
        metrics=["likes", "views"],
        limit=0,
    )
    items = [item for item in there.items(COFFEE) if "travel press" in (item.caption or "").lower()]

    assert result.structured["items"] == len(items)
    figures = result.structured["metrics"]
    assert figures["likes"]["total"] == sum(known(items, "likes"))
    assert figures["views"]["unknown"] == len(items) - len(known(items, "views")) > 0
    assert len(result.text) < 600


async def test_which_of_some_items_are_in_a_collection(there: Shop) -> None:
    home = there.home()
    collection = next(each for each in home.collections if each.name == "Team Favourites")
    contains = home.library.membership.contains
    ids = [home.item(number).id for number in range(60)]
    inside = {home.item(number).id for number in range(60) if contains(collection.number, number)}

    result = await there.result(
        "archive_search_items",
        filter={"ids": ids, "collectionsIds": ["Team Favourites"]},
        fields=["id"],
        limit=60,
    )

    assert {node["id"] for node in result.structured["nodes"]} == inside
    assert 0 < len(inside) < 60
