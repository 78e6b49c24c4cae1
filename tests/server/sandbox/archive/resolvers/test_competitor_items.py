"""Posts about competitors."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from server.sandbox import OUTDOOR, Sandbox
from tests.server.sandbox.archive.conftest import Client, Json

ITEMS = (
    "query($brand: ID!, $filter: CompetitorBrandItemFilterInput!, $first: Int = 100, "
    "$after: String,"
    " $sorting: [CompetitorBrandItemSortingInput!]) { competitorBrandItems(brandId: "
    "$brand, filter: $filter,"
    " first: $first, after: $after, sorting: $sorting) { totalCount nodes { %s } "
    "pageInfo { endCursor hasNextPage } } }"
)
LEAN = ITEMS % (
    "id takenAt currentEngagement { impressions earnedMediaValue likes comments shares "
    "} socialProfile { id }"
)
EVERYTHING = ITEMS % (
    "id archivePublicUrl caption currentEngagement { likes linearViralityScore } "
    "externalId hashtags mentions"
    " originalUrl provider takenAt transcriptions { mediaContentId transcript } type"
    " socialProfile { id accountName fullName followers following verified private "
    "proAccount provider originalUrl"
    " avatar email phoneNumbers creator { id } }"
)
MEDIA = (
    "query($ids: [ID!], $items: [ID!]) { mediaContents(competitorBrandItemIds: $ids, "
    "itemIds: $items) {"
    " ... on Image { id mediaItemId type } ... on Video { id mediaItemId type videoDuration } } }"
)


async def brand_id(client: Client, name: str = "Fjordlight", **how: Any) -> str:
    page = await client.ask("{ competitorBrands { nodes { id name } } }", **how)
    found: str = next(brand["id"] for brand in page["nodes"] if brand["name"] == name)
    return found


def window(low: str, high: str) -> Json:
    return {"takenAt": {"from": f"{low}T00:00:00Z", "to": f"{high}T23:59:59Z"}}


YEAR, OCTOBER = window("2026-01-01", "2026-12-31"), window("2026-10-01", "2026-10-31")
BY_MONEY = {"sortKey": "EARNED_MEDIA_VALUE", "sortOrder": "DESC"}


async def posts(client: Client, filter_: Json, query: str = LEAN, **variables: Any) -> list[Json]:
    """All posts, page by page; at least one."""
    found: list[Json] = []
    given = {"brand": await brand_id(client), "filter": filter_, **variables}
    while True:
        page = await client.ask(query, given)
        found += page["nodes"]
        if not page["pageInfo"]["hasNextPage"]:
            assert found
            assert page["totalCount"] == len(found)
            return found
        given["after"] = page["pageInfo"]["endCursor"]


def money(item: Json) -> int | None:
    known = item["currentEngagement"]
    return int(known["earnedMediaValue"]) if known else None


async def test_posts_come_newest_first_and_each_once(shared: Client) -> None:
    found = await posts(shared, YEAR)
    moments = [item["takenAt"] for item in found]
    assert len({item["id"] for item in found}) == len(found) > 100
    assert moments == sorted(moments, reverse=True)


async def test_posts_can_come_oldest_first(shared: Client) -> None:
    oldest = await posts(shared, YEAR, sorting=[{"sortKey": "TAKEN_AT", "sortOrder": "ASC"}])
    assert oldest == (await posts(shared, YEAR))[::-1]


@pytest.mark.parametrize("order", ["DESC", "ASC"])
async def test_money_orders_posts_inside_each_calendar_month(shared: Client, order: str) -> None:
    found = await posts(shared, YEAR, sorting=[{**BY_MONEY, "sortOrder": order}])
    months = [item["takenAt"][:7] for item in found]
    assert months == sorted(months, reverse=order == "DESC")
    for month in set(months):
        values = [money(item) for item in found if item["takenAt"].startswith(month)]
        known = [value for value in values if value is not None]
        assert known == sorted(known, reverse=order == "DESC")
        assert values == known + [None] * (len(values) - len(known))
    assert {item["id"] for item in found} == {item["id"] for item in await posts(shared, YEAR)}


async def test_both_ends_of_the_window_are_part_of_it(shared: Client) -> None:
    october = await posts(shared, OCTOBER)
    ends = {"takenAt": {"from": october[9]["takenAt"], "to": october[4]["takenAt"]}}
    assert await posts(shared, ends) == october[4:10]


@pytest.mark.parametrize(
    "limits",
    [
        {},
        {"from": "2026-10-01T00:00:00Z"},
        {"to": "2026-10-01T00:00:00Z"},
        {"from": None, "to": None},
    ],
)
async def test_both_ends_of_the_window_are_required(shared: Client, limits: Json) -> None:
    given = {"brand": await brand_id(shared), "filter": {"takenAt": limits}}
    assert (await shared.error(LEAN, given))[0] == "filter.takenAt needs both from and to"


async def test_one_order_at_most(shared: Client) -> None:
    given = {"brand": await brand_id(shared), "filter": OCTOBER, "sorting": [BY_MONEY, BY_MONEY]}
    assert (await shared.error(LEAN, given))[0] == "sorting takes at most one entry"


async def test_an_unknown_brand_has_an_empty_page(shared: Client) -> None:
    foreign = await brand_id(shared, "Tarn Supply", workspace=OUTDOOR)
    for brand in ("unknown", foreign, await brand_id(shared, "You")):
        page = await shared.ask(LEAN, {"brand": brand, "filter": OCTOBER})
        assert (page["nodes"], page["totalCount"]) == ([], 0)


async def test_a_bad_cursor_is_an_error(shared: Client) -> None:
    other = (await shared.ask("{ items { pageInfo { endCursor } } }"))["pageInfo"]["endCursor"]
    brand = await brand_id(shared)
    for bad in ("nonsense", other):
        assert (await shared.error(LEAN, {"brand": brand, "filter": OCTOBER, "after": bad}))[
            0
        ] == "Invalid cursor"


async def test_a_cursor_of_another_window_is_stale_and_leads_to_an_empty_page(
    shared: Client,
) -> None:
    brand = await brand_id(shared)
    page = await shared.ask(LEAN, {"brand": brand, "filter": OCTOBER, "first": 3})
    september = window("2026-09-01", "2026-09-30")
    stale = await shared.ask(
        LEAN, {"brand": brand, "filter": september, "after": page["pageInfo"]["endCursor"]}
    )
    assert (stale["nodes"], stale["pageInfo"]["hasNextPage"]) == ([], False)


@pytest.mark.parametrize("first", [0, 101])
async def test_a_page_holds_1_to_100(shared: Client, first: int) -> None:
    given = {"brand": await brand_id(shared), "filter": OCTOBER, "first": first}
    assert "first must be" in (await shared.error(LEAN, given))[0]


@pytest.mark.parametrize(
    ("now", "newest"),
    [
        (datetime(2026, 11, 8, 23, 59, tzinfo=UTC), "2026-09"),
        (datetime(2026, 11, 9, 0, 1, tzinfo=UTC), "2026-10"),
        (datetime(2027, 1, 8, tzinfo=UTC), "2026-11"),
    ],
)
async def test_posts_of_a_month_appear_on_day_9_of_the_next(now: datetime, newest: str) -> None:
    client = Client()
    client.sandbox = Sandbox(clock=client.clock, now=lambda: now)
    found = await posts(client, window("2026-01-01", "2027-12-31"))
    assert found[0]["takenAt"][:7] == newest


async def test_posts_reach_back_eighteen_months(shared: Client) -> None:
    found = await posts(shared, window("2020-01-01", "2026-12-31"))
    assert len({item["takenAt"][:7] for item in found}) == 18
    assert found[-1]["takenAt"][:7] == "2025-05"


async def test_the_metrics_of_a_month_are_sums_over_its_posts(shared: Client) -> None:
    query = (
        'query($id: ID!) { competitorBrand(id: $id, date: "2026-10-15") { postsCount '
        "influencersCount reach"
        " impressions engagementsTotal earnedMediaValue } }"
    )
    metrics = await shared.ask(query, {"id": await brand_id(shared)})
    october = await posts(shared, OCTOBER)
    known = [item["currentEngagement"] for item in october if item["currentEngagement"]]
    assert metrics["postsCount"] == len(october)
    assert metrics["influencersCount"] == len({item["socialProfile"]["id"] for item in october})
    assert metrics["impressions"] == sum(int(e["impressions"]) for e in known)
    engaged = sum(int(e[name] or 0) for e in known for name in ("likes", "comments", "shares"))
    assert metrics["engagementsTotal"] == engaged
    assert metrics["earnedMediaValue"] == pytest.approx(
        sum(int(e["earnedMediaValue"]) for e in known) / 100
    )
    assert 0 < metrics["reach"] < metrics["impressions"]


async def test_posts_have_every_field_and_speak_of_the_competitor(shared: Client) -> None:
    found = await posts(shared, OCTOBER, EVERYTHING)
    assert all("northwind" not in str(item).lower() for item in found)
    assert all(item["socialProfile"]["creator"] is None for item in found)
    assert {item["type"] for item in found} >= {"POST", "REEL"}
    assert {item["provider"] for item in found} == {"INSTAGRAM", "TIKTOK", "YOUTUBE"}
    assert any("Fjordlight" in (item["caption"] or "") for item in found)
    assert any(item["originalUrl"] is None for item in found) == any(
        item["type"] == "STORY" for item in found
    )
    assert any(entry["transcript"] for item in found for entry in item["transcriptions"])


async def test_media_of_posts_are_found_by_their_ids(shared: Client) -> None:
    found = await posts(shared, OCTOBER, EVERYTHING)
    ids = [item["id"] for item in found]
    media = await shared.ask(MEDIA, {"ids": [*ids, "unknown"]})
    assert len({content["mediaItemId"] for content in media}) == len(ids)
    spoken = {entry["mediaContentId"] for item in found for entry in item["transcriptions"]}
    assert spoken <= {content["id"] for content in media}


async def test_posts_and_items_are_never_taken_for_each_other(shared: Client) -> None:
    post = (await posts(shared, OCTOBER))[0]["id"]
    item = (await shared.ask("{ items { nodes { id } } }"))["nodes"][0]["id"]
    assert await shared.ask(MEDIA, {"ids": [item]}) == []
    assert await shared.ask(MEDIA, {"items": [post]}) == []
    outdoor = await shared.ask(MEDIA, {"ids": [post]}, workspace=OUTDOOR)
    assert outdoor == []


async def test_media_of_a_post_that_is_not_visible_yet_are_left_out(shared: Client) -> None:
    client = Client()
    client.sandbox = Sandbox(clock=client.clock, now=lambda: datetime(2026, 11, 5, tzinfo=UTC))
    post = (await posts(shared, OCTOBER))[0]["id"]
    assert await shared.ask(MEDIA, {"ids": [post]}) != []
    assert await client.ask(MEDIA, {"ids": [post]}) == []


async def test_a_post_depends_on_nothing_but_seed_brand_and_month(
    shared: Client, make_client: type[Client]
) -> None:
    assert await posts(shared, OCTOBER, EVERYTHING) == await posts(
        make_client(items=50), OCTOBER, EVERYTHING
    )
    assert await posts(shared, OCTOBER, EVERYTHING) != await posts(
        make_client(seed=8), OCTOBER, EVERYTHING
    )
