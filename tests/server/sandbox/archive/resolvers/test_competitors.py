"""Competitors and their metrics."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from server.sandbox import (
    COFFEE,
    MAIN,
    OUTDOOR,
    Sandbox,
)
from tests.server.sandbox.archive.conftest import Client, Json

METRICS = "postsCount influencersCount reach impressions engagementsTotal earnedMediaValue"
BRAND = "id name isOwnBrand ownMetricsStatus"
LIST = (
    "query($first: Int = 20, $after: String, $period: CompetitorBrandStatsPeriod = "
    "MONTH, $date: DateWithZone) {"
    " competitorBrands(first: $first, after: $after, period: $period, date: $date) { "
    "totalCount nodes { %s }"
    " edges { cursor node { id } } pageInfo { endCursor hasNextPage } } }"
)
ONE = (
    "query($id: ID!, $period: CompetitorBrandStatsPeriod = MONTH, $date: DateWithZone) {"
    " competitorBrand(id: $id, period: $period, date: $date) { %s } }"
)
NAMES, FULL = LIST % BRAND, LIST % f"{BRAND} {METRICS}"
ONE_FULL = ONE % f"{BRAND} {METRICS}"


async def brands(
    client: Client, query: str = NAMES, workspace: str = MAIN, **variables: Any
) -> list[Json]:
    body = await client.body(query, variables, workspace=workspace)
    found: list[Json] = body["data"]["competitorBrands"]["nodes"]
    return found


async def by_name(client: Client, name: str, **how: Any) -> Json:
    return next(brand for brand in await brands(client, FULL, **how) if brand["name"] == name)


def figures(brand: Json) -> list[float | None]:
    return [brand[name] for name in METRICS.split()]


async def test_the_first_page_holds_the_own_brand_beside_as_many_competitors_as_asked_for(
    shared: Client,
) -> None:
    page = await shared.ask(NAMES, {"first": 3})
    assert [brand["isOwnBrand"] for brand in page["nodes"]] == [True, False, False, False]
    assert page["nodes"][0]["name"] == "You"
    assert page["totalCount"] == 8
    assert [edge["node"]["id"] for edge in page["edges"]] == [
        brand["id"] for brand in page["nodes"]
    ]


async def test_the_own_brand_is_on_the_first_page_only(shared: Client) -> None:
    first = await shared.ask(NAMES, {"first": 5})
    second = await shared.ask(NAMES, {"first": 5, "after": first["pageInfo"]["endCursor"]})
    everybody = [brand["name"] for brand in first["nodes"] + second["nodes"]]
    assert (len(second["nodes"]), second["pageInfo"]["hasNextPage"], second["totalCount"]) == (
        3,
        False,
        8,
    )
    assert (len(everybody), everybody.count("You")) == (9, 1)


async def test_paging_from_the_own_brand_is_refused(shared: Client) -> None:
    own = (await shared.ask(NAMES))["edges"][0]["cursor"]
    assert (await shared.error(NAMES, {"after": own}))[0] == "Invalid cursor"


async def test_each_workspace_tracks_its_own_competitors(shared: Client) -> None:
    outdoor = await shared.ask(NAMES, workspace=OUTDOOR)
    assert (outdoor["totalCount"], len(outdoor["nodes"])) == (3, 4)
    skincare = {brand["id"] for brand in await brands(shared)}
    assert skincare.isdisjoint(brand["id"] for brand in outdoor["nodes"])


async def test_only_the_own_brand_has_a_status_of_its_metrics(shared: Client) -> None:
    assert [b["ownMetricsStatus"] for b in await brands(shared)] == ["AVAILABLE"] + [None] * 8


async def test_own_metrics_that_are_unavailable_are_null_without_an_error(shared: Client) -> None:
    page = await shared.ask(FULL, workspace=OUTDOOR)
    own, *others = page["nodes"]
    assert (own["ownMetricsStatus"], set(figures(own))) == ("UNAVAILABLE", {None})
    assert all(None not in figures(brand) for brand in others)


async def test_one_brand_without_metrics_leaves_the_others_intact(shared: Client) -> None:
    body = await shared.body(FULL)
    (error,) = body["errors"]
    assert error["extensions"] == {"code": "SERVICE_UNAVAILABLE"}
    lost = [brand for brand in body["data"]["competitorBrands"]["nodes"] if None in figures(brand)]
    assert [(brand["name"], set(figures(brand))) for brand in lost] == [("Nine Petals", {None})]
    assert error["path"][:3] == ["competitorBrands", "nodes", 6]
    assert len(body["data"]["competitorBrands"]["nodes"]) == 9


async def test_nothing_is_missed_where_no_metrics_are_asked_for(shared: Client) -> None:
    assert "Nine Petals" in {brand["name"] for brand in (await shared.ask(NAMES))["nodes"]}


async def test_a_brand_is_found_by_id_with_the_same_metrics(shared: Client) -> None:
    for brand in await brands(shared, FULL):
        body = await shared.body(ONE_FULL, {"id": brand["id"]})
        assert body["data"]["competitorBrand"] == brand
        codes = [error["extensions"]["code"] for error in body.get("errors", [])]
        assert codes == (["SERVICE_UNAVAILABLE"] if brand["name"] == "Nine Petals" else [])


async def test_an_unknown_or_foreign_brand_is_null(shared: Client) -> None:
    foreign = (await brands(shared, workspace=OUTDOOR))[1]["id"]
    for missing in ("unknown", foreign, MAIN):
        assert await shared.ask(ONE_FULL, {"id": missing}) is None


async def test_metrics_depend_on_period_and_date(shared: Client) -> None:
    windows: list[Json] = [
        {},
        {"period": "WEEK"},
        {"date": "2026-10-10"},
        {"period": "WEEK", "date": "2026-10-10"},
    ]
    found = [figures(await by_name(shared, "Fjordlight", **window)) for window in windows]
    assert all(None not in line for line in found)
    assert len({tuple(line) for line in found}) == 4


@pytest.mark.parametrize(
    ("period", "same", "other"),
    [
        ("MONTH", ("2026-10-01", "2026-10-31"), "2026-09-30"),
        ("WEEK", ("2026-10-05", "2026-10-11"), "2026-10-04"),
    ],
)
async def test_a_date_stands_for_the_whole_period_that_holds_it(
    shared: Client, period: str, same: tuple[str, str], other: str
) -> None:
    for name in ("You", "Fjordlight"):
        first, last, before = [
            await by_name(shared, name, period=period, date=day) for day in (*same, other)
        ]
        assert first == last != before


async def test_today_is_the_default_date(shared: Client) -> None:
    assert await by_name(shared, "Fjordlight") == await by_name(
        shared, "Fjordlight", date="2026-11-21"
    )


@pytest.mark.parametrize("date", ["2027-03-01", "2019-03-01"])
async def test_metrics_of_a_time_without_posts_are_null(shared: Client, date: str) -> None:
    page = await brands(shared, FULL, date=date)
    assert {value for brand in page for value in figures(brand)} == {None}


async def test_the_running_month_counts_only_what_has_been_posted(shared: Client) -> None:
    home = shared.sandbox.world.workspaces[0]
    assert (await by_name(shared, "Fjordlight"))["postsCount"] == 36
    later = Client()
    later.sandbox = Sandbox(clock=later.clock, now=lambda: home.anchor.replace(day=30))
    assert (await by_name(later, "Fjordlight"))["postsCount"] > 36


async def test_the_own_metrics_are_sums_over_the_own_archive(shared: Client) -> None:
    window = {"from": "2026-10-01T00:00:00Z", "to": "2026-10-31T23:59:59Z"}
    items = await shared.every(
        "items",
        "socialProfile { id } currentEngagement { impressions earnedMediaValue }",
        f', filter: {{takenAt: {{from: "{window["from"]}", to: "{window["to"]}"}}}}',
    )
    own = await by_name(shared, "You", date="2026-10-15")
    known = [item["currentEngagement"] for item in items if item["currentEngagement"]]
    assert own["postsCount"] == len(items) > 0
    assert own["influencersCount"] == len({item["socialProfile"]["id"] for item in items})
    assert own["impressions"] == sum(int(e["impressions"] or 0) for e in known)
    assert own["earnedMediaValue"] == pytest.approx(
        sum(int(e["earnedMediaValue"] or 0) for e in known) / 100
    )


async def test_own_metrics_of_a_large_archive_are_extended_from_a_part(
    make_client: type[Client],
) -> None:
    client = make_client(items=60_000)
    own = await by_name(client, "You", date="2026-10-15")
    assert own["postsCount"] > 2_000
    assert own["impressions"] > own["postsCount"] * 1_000


async def test_another_seed_has_other_metrics(shared: Client, make_client: type[Client]) -> None:
    other = make_client(seed=8)
    assert figures(await by_name(shared, "Fjordlight")) != figures(
        await by_name(other, "Fjordlight")
    )
    again = make_client(items=50)
    assert figures(await by_name(shared, "Fjordlight")) == figures(
        await by_name(again, "Fjordlight")
    )


ITEMS = (
    'query($filter: CompetitorBrandItemFilterInput = {takenAt: {from: "2026-10-01T00:00:00Z",'
    ' to: "2026-11-01T00:00:00Z"}}) { competitorBrandItems(brandId: "x", filter: '
    "$filter) { totalCount } }"
)
MEDIA = '{ mediaContents(competitorBrandItemIds: ["x"]) { __typename } }'


@pytest.mark.parametrize(
    "query",
    [NAMES, '{ competitorBrand(id: "x") { id } }', ITEMS, MEDIA],
    ids=["brands", "brand", "items", "media"],
)
async def test_a_plan_without_competitor_insights_is_refused(shared: Client, query: str) -> None:
    assert (await shared.error(query, workspace=COFFEE))[1] == "UNAUTHORIZED"
    assert "errors" not in await shared.body(query)


@pytest.mark.parametrize("first", [0, 101])
async def test_a_page_of_brands_holds_1_to_100(shared: Client, first: int) -> None:
    assert "first must be" in (await shared.error(NAMES, {"first": first}))[0]


@pytest.mark.parametrize("date", ["2026-10-01T00:00:00Z", "01.10.2026", "2026-13-01"])
async def test_a_date_is_a_plain_day(shared: Client, date: str) -> None:
    answer = await shared.send(NAMES, {"date": date})
    assert "Cannot coerce" in json.loads(answer.body)["errors"][0]["message"]


async def test_an_hour_around_midnight_belongs_to_the_day_in_utc() -> None:
    client = Client()
    client.sandbox = Sandbox(
        clock=client.clock, now=lambda: datetime(2026, 11, 1, 0, 30, tzinfo=UTC)
    )
    assert await by_name(client, "You") == await by_name(client, "You", date="2026-11-01")


@pytest.mark.parametrize(
    ("query", "credits"),
    [
        ("{ competitorBrands(first: 100) { totalCount } }", 60),
        (ITEMS.replace('brandId: "x"', 'brandId: "x", first: 100'), 60),
        ('{ competitorBrand(id: "x") { id } }', 5),
        ("{ campaigns(first: 100) { totalCount } }", 10),
        ('mutation { uploadItemFromUrl(input: {url: ""}) { success } }', 55),
    ],
)
async def test_calls_cost_their_credits(
    make_client: type[Client], query: str, credits: int
) -> None:
    client = make_client(items=50, plan="startup")
    left = (await client.send(query)).headers["ratelimit"].split("r=")[1].split(";")[0]
    assert 5000 - int(left) == credits
