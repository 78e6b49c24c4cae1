from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from server.archive.backend import ArchiveBackend
from server.archive.client import Call
from server.archive.pagination import PARTIAL, Lists
from server.errors import Code
from server.shared_state.tokens import MemoryTokens
from server.tool.confirmation import Confirmations
from server.tool.context import Caller
from server.tool.elicitation import Nobody
from tests.support.archive.home import HOME
from tests.support.doubles import IdleProcess, ScriptedArchive
from tests.support.tools.calling import parsed, refused, sent
from tests.support.tools.through_sandbox import Desk, desk
from tools.archive.competitors import (
    GetCompetitorBrand,
    GetCompetitorBrandItems,
    GetCompetitorBrands,
    describe_absence,
    last_covered_day,
)
from tools.archive.content.lookups import GetMediaContents

Json = dict[str, Any]
COFFEE = "Bluebird Coffee"
UNKNOWN = "11111111-1111-4111-8111-111111111111"
OCTOBER = {"from": "2026-10-01", "to": "2026-10-31"}


class Brands:
    """An API whose first page holds the own brand beside the competitors that were asked for."""

    def __init__(self, count: int, *, own_first: bool) -> None:
        self.names = [f"Brand {n}" for n in range(count)]
        self.archive = ScriptedArchive(self._respond)
        self.lists = Lists(self.archive)
        self._own_first = own_first

    def _respond(self, call: Call) -> Json:
        start = int(call.variables.get("after", "0"))
        stop = min(start + call.variables["first"], len(self.names))
        nodes = [{"id": name, "name": name} for name in self.names[start:stop]]
        if "after" not in call.variables:
            nodes.insert(0 if self._own_first else len(nodes), {"id": "own", "name": "You"})
        end = str(stop) if stop > start else None
        info = {"endCursor": end, "hasNextPage": stop < len(self.names)}
        return {"nodes": nodes, "pageInfo": info, "totalCount": len(self.names)}

    async def page(self, limit: int, after: str | None) -> Json:
        request = parsed(GetCompetitorBrands, fields=["name"], limit=limit, after=after)
        assert isinstance(request, GetCompetitorBrands)
        return (await self.lists.read(request, "w", self.archive.now() + 45)).structured

    async def all(self, limit: int, *, forget: bool) -> list[str]:
        """Every name, cursor by cursor; with `forget` no page is kept in between."""
        found: list[str] = []
        after: str | None = None
        while True:
            answer = await self.page(limit, after)
            assert 0 < len(answer["nodes"]) <= limit
            assert answer["totalCount"] == len(self.names)
            found += [each["name"] for each in answer["nodes"]]
            after = answer["nextCursor"]
            if after is None:
                return found
            if forget:
                self.lists.forget()


@pytest.mark.parametrize("forget", [True, False])
@pytest.mark.parametrize("own_first", [True, False])
@pytest.mark.parametrize("limit", [1, 2, 3, 99, 100, 101, 1000])
@pytest.mark.parametrize("count", [0, 1, 2, 100, 101, 230])
async def test_the_own_brand_is_given_once_and_no_competitor_is_lost(
    count: int, limit: int, own_first: bool, forget: bool
) -> None:
    brands = Brands(count, own_first=own_first)

    found = await brands.all(limit, forget=forget)

    assert sorted(found) == sorted(["You", *brands.names])
    assert [each for each in found if each != "You"] == brands.names


@pytest.mark.parametrize("limit", [1, 2, 100])
async def test_the_sandboxs_brands_come_with_the_own_one(limit: int) -> None:
    async with desk() as at:
        found = await everything(at, GetCompetitorBrands, limit=limit)

    assert len(found) == 9
    assert [each["isOwnBrand"] for each in found] == [True] + [False] * 8
    assert len({each["id"] for each in found}) == 9


async def everything(at: Desk, request: Any, **raw: Any) -> list[Json]:
    """All records, cursor by cursor."""
    answer = await at.call(request, **raw)
    found: list[Json] = list(answer["nodes"])
    while answer["nextCursor"]:
        answer = await at.call(request, after=answer["nextCursor"], **raw)
        found += answer["nodes"]
    return found


OWN: Json = {"name": "You", "isOwnBrand": True, "postsCount": 3}
OTHER: Json = {"name": "Brand", "isOwnBrand": False, "postsCount": None}


@pytest.mark.parametrize(
    ("brands", "total", "said"),
    [
        ([], 0, "names no brand, not even the own one"),
        ([], None, "plan lacks Competitor Insights"),
        ([OWN], None, "No competitors are tracked"),
        ([{"name": "You"}], 0, "No competitors are tracked"),
        ([OWN, OTHER], 1, "no figures for this period: try an earlier `date`"),
    ],
)
def test_no_competitors_or_no_figures_of_them_have_a_reason(
    brands: list[Json], total: int | None, said: str
) -> None:
    (note,) = describe_absence(brands, total)

    assert said in note


@pytest.mark.parametrize(
    "brands",
    [[OWN, {**OTHER, "postsCount": 0}], [OWN, {"name": "Brand"}], [{"name": "Brand"}], [OWN]],
)
def test_competitors_with_figures_need_no_reason(brands: list[Json]) -> None:
    assert describe_absence(brands, 1) == []


async def test_a_list_without_competitors_says_why() -> None:
    class Answer(Brands):
        def _respond(self, call: Call) -> Json:
            return {"nodes": [], "pageInfo": {"hasNextPage": False}, "totalCount": 0}

    archive = Answer(0, own_first=True).archive
    backend = ArchiveBackend(
        archive, HOME, Confirmations("ask", MemoryTokens(archive.clock)), IdleProcess()
    )
    answer = await backend.run(parsed(GetCompetitorBrands), Caller(Nobody(), archive.now() + 45))

    assert answer.structured["nodes"] == []
    assert "no competitors are tracked" in answer.structured["notes"][0]


async def test_brands_that_could_not_be_measured_are_kept_and_flagged() -> None:
    async with desk() as at:
        answer = await at.call(GetCompetitorBrands)
        (unknown,) = [each for each in answer["nodes"] if each["name"] == "Nine Petals"]
        one = await at.call(GetCompetitorBrand, id=unknown["id"])
        known = await at.call(GetCompetitorBrand, id=answer["nodes"][1]["id"])

    assert answer["partial"]
    assert PARTIAL in answer["notes"]
    assert answer["units"] == {"earnedMediaValue": "USD"}
    assert answer["nodes"][1]["earnedMediaValue"] > 0
    assert unknown["earnedMediaValue"] is None
    assert (one["partial"], one["notes"], one["name"]) == (True, [PARTIAL], "Nine Petals")
    assert not {"partial", "notes"} & known.keys()
    assert known["units"] == {"earnedMediaValue": "USD"}


async def test_a_period_is_named_by_a_day_in_it() -> None:
    async with desk() as at:
        brand = (await at.call(GetCompetitorBrands, limit=2))["nodes"][1]["id"]
        month = await at.call(GetCompetitorBrand, id=brand, date="2026-10-05")
        week = await at.call(GetCompetitorBrand, id=brand, date=" 2026-10-05 ", period="WEEK")

    assert 0 < week["postsCount"] < month["postsCount"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("2026-03-01T00:00:00Z", "`date`: '2026-03-01T00:00:00Z' is not a plain day"),
        ("March", "is not a plain day: write it as 2026-03-01"),
        ("2026-02-30", "'2026-02-30' is not a day of the calendar."),
    ],
)
@pytest.mark.parametrize(
    ("request_type", "raw"), [(GetCompetitorBrands, {}), (GetCompetitorBrand, {"id": "1"})]
)
def test_a_date_of_metrics_is_a_plain_day(
    request_type: Any, raw: Json, given: str, words: str
) -> None:
    assert words in refused(request_type, date=given, **raw).message
    assert sent(request_type, date=" 2026-03-01", **raw) == {"date": "2026-03-01", **raw}


async def test_a_brand_that_is_not_tracked_is_told_with_where_to_look() -> None:
    async with desk() as at:
        failure = await at.refused(GetCompetitorBrand, id=UNKNOWN)

    assert (failure.code, failure.message) == (
        Code.NOT_FOUND,
        "No tracked brand has that id in this workspace.",
    )
    assert "{competitorBrands}" in failure.hint


@pytest.mark.parametrize(
    ("request_type", "raw"),
    [
        (GetCompetitorBrands, {}),
        (GetCompetitorBrand, {"id": "1"}),
        (GetCompetitorBrandItems, {"brandId": "1", "filter": {"takenAt": OCTOBER}}),
    ],
)
async def test_a_plan_without_competitor_insights_is_told_so(request_type: Any, raw: Json) -> None:
    async with desk() as at:
        failure = await at.refused(request_type, workspace=COFFEE, **raw)

    assert failure.code is Code.FORBIDDEN
    assert "needs a plan with Competitor Insights" in failure.hint
    assert "{workspaces}" in failure.hint


async def test_a_competitors_posts_come_from_inside_the_window_newest_first() -> None:
    async with desk() as at:
        brand = (await at.call(GetCompetitorBrands, limit=2))["nodes"][1]["id"]
        answer = await at.call(
            GetCompetitorBrandItems, brandId=brand, filter={"takenAt": OCTOBER}, limit=100
        )
        pictures = await at.call(
            GetMediaContents, competitorBrandItemIds=[answer["nodes"][0]["id"]]
        )

    taken = [each["takenAt"] for each in answer["nodes"]]
    assert len(taken) == answer["totalCount"] > 10
    assert taken == sorted(taken, reverse=True)
    assert all("2026-10-01T00:00:00Z" <= each <= "2026-10-31T23:59:59Z" for each in taken)
    assert answer["units"] == {"earnedMediaValue": "cents, assumed"}
    assert isinstance(answer["nodes"][0]["currentEngagement"]["likes"], int)
    assert pictures["nodes"]


async def test_posts_by_value_say_that_the_order_is_per_month() -> None:
    window = {"from": "2026-08-01", "to": "2026-10-31"}
    sorting = {"sortKey": "EARNED_MEDIA_VALUE", "sortOrder": "DESC"}
    call: Json = {"filter": {"takenAt": window}, "sorting": sorting, "fields": ["id", "takenAt"]}
    async with desk() as at:
        brand = (await at.call(GetCompetitorBrands, limit=2))["nodes"][1]["id"]
        answer = await at.call(GetCompetitorBrandItems, brandId=brand, limit=1000, **call)
        found = await everything(at, GetCompetitorBrandItems, brandId=brand, limit=7, **call)

    assert any("within each calendar month" in each for each in answer["notes"])
    months = [each["takenAt"][:7] for each in answer["nodes"]]
    assert months == sorted(months, reverse=True)
    assert len(set(months)) == 3
    assert [each["id"] for each in found] == [each["id"] for each in answer["nodes"]]


async def test_an_unknown_brand_has_no_posts_and_the_answer_says_that_it_may_be_unknown() -> None:
    async with desk() as at:
        answer = await at.call(
            GetCompetitorBrandItems, brandId=UNKNOWN, filter={"takenAt": OCTOBER}
        )

    assert answer["nodes"] == []
    assert "unknown brandId" in answer["notes"][-1]


@pytest.mark.parametrize(
    ("window", "missing"),
    [({"from": "2026-03-01"}, "`filter.takenAt.to`"), ({"to": "2026-03-01"}, "takenAt.from`")],
)
def test_a_window_needs_both_bounds(window: Json, missing: str) -> None:
    assert (
        missing in refused(GetCompetitorBrandItems, brandId="1", filter={"takenAt": window}).message
    )


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({"filter": {"takenAt": {}}}, "give `from`, `to` or both."),
        ({"filter": {}}, "`filter.takenAt` is required."),
        ({}, "`filter` is required."),
        (
            {
                "filter": {"takenAt": OCTOBER},
                "sorting": [
                    {"sortKey": "TAKEN_AT", "sortOrder": "ASC"},
                    {"sortKey": "EARNED_MEDIA_VALUE", "sortOrder": "ASC"},
                ],
            },
            "`sorting` takes at most 1 entries; got 2.",
        ),
    ],
)
def test_posts_of_no_window_or_in_two_orders_are_refused(raw: Json, words: str) -> None:
    assert words in refused(GetCompetitorBrandItems, brandId="1", **raw).message


@pytest.mark.parametrize(
    ("today", "last"),
    [
        (date(2026, 11, 21), date(2026, 10, 31)),
        (date(2026, 11, 9), date(2026, 10, 31)),
        (date(2026, 11, 8), date(2026, 9, 30)),
        (date(2026, 1, 8), date(2025, 11, 30)),
        (date(2026, 3, 31), date(2026, 2, 28)),
    ],
)
def test_a_months_posts_are_there_from_day_nine_of_the_next(today: date, last: date) -> None:
    assert last_covered_day(today) == last


@pytest.mark.parametrize(("to", "told"), [("2020-03-31", False), ("2999-03-31", True)])
def test_a_window_that_reaches_later_than_the_posts_says_so(to: str, told: bool) -> None:
    request = parsed(
        GetCompetitorBrandItems, brandId="1", filter={"takenAt": {"from": "2020-01-01", "to": to}}
    )
    assert isinstance(request, GetCompetitorBrandItems)

    assert any("are not there yet" in each for each in request.notes()) is told
