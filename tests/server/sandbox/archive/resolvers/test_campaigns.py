"""Campaigns."""

from __future__ import annotations

from server.sandbox import COFFEE, OUTDOOR
from tests.server.sandbox.archive.conftest import NOW, Client

CAMPAIGNS = (
    "query($first: Int, $after: String) { campaigns(first: $first, after: $after) { totalCount"
    " nodes { id name createdAt } pageInfo { endCursor hasNextPage } } }"
)


async def test_campaigns_come_newest_first_and_all_lie_in_the_past(shared: Client) -> None:
    answer = await shared.ask(CAMPAIGNS, {"first": 20})
    moments = [campaign["createdAt"] for campaign in answer["nodes"]]
    assert [campaign["name"] for campaign in answer["nodes"]] == [
        "Glacier Launch",
        "Summer SPF",
        "Creator Gifting 2026",
    ]
    assert moments == sorted(moments, reverse=True)
    assert moments[0] < NOW.isoformat()
    assert answer["totalCount"] == 3


async def test_campaigns_are_paged(shared: Client) -> None:
    page = await shared.ask(CAMPAIGNS, {"first": 2})
    assert page["pageInfo"]["hasNextPage"]
    rest = await shared.ask(CAMPAIGNS, {"first": 2, "after": page["pageInfo"]["endCursor"]})
    assert ([c["name"] for c in rest["nodes"]], rest["pageInfo"]["hasNextPage"]) == (
        ["Creator Gifting 2026"],
        False,
    )


async def test_a_campaign_narrows_items(shared: Client) -> None:
    campaign = (await shared.ask(CAMPAIGNS, {"first": 1}))["nodes"][0]["id"]
    query = "query($ids: [ID!]) { items(filter: {campaignsIds: $ids}) { totalCount } }"
    assert 0 < (await shared.ask(query, {"ids": [campaign]}))["totalCount"] < 4000


async def test_each_workspace_has_its_own_campaigns(shared: Client) -> None:
    outdoor = await shared.ask(CAMPAIGNS, {"first": 20}, workspace=OUTDOOR)
    assert [campaign["name"] for campaign in outdoor["nodes"]] == ["Trail Week"]
    assert (await shared.ask(CAMPAIGNS, {"first": 20}, workspace=COFFEE))["totalCount"] == 0


async def test_a_page_holds_at_most_a_hundred(shared: Client) -> None:
    assert (await shared.error(CAMPAIGNS, {"first": 101}))[
        0
    ] == "first must be less than or equal to 100"
