from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from fractions import Fraction

import pytest

from server.errors import Code
from server.sandbox.archive.data.brand_metrics import (
    Figures,
    Window,
    measure_competitor,
    measure_own_brand,
)
from server.sandbox.archive.data.competitors import competitors
from tests.support.tools.insights_shop import (
    COFFEE,
    MAIN,
    OUTDOOR,
    Json,
    Shop,
    shop,
)

METRICS = {
    "postsCount": "posts_count",
    "influencersCount": "influencers_count",
    "reach": "reach",
    "impressions": "impressions",
    "engagementsTotal": "engagements_total",
    "earnedMediaValue": "earned_media_value",
}
HIDDEN = "Nine Petals"
"""The competitor whose figures the sandbox does not have now."""


@pytest.fixture
async def there() -> AsyncIterator[Shop]:
    """A read-only server over a sandbox of 400 items."""
    async with shop() as found:
        yield found


def figures(there: Shop, name: str, period: str, day: date) -> dict[str, Figures]:
    """What the sandbox's records say of each brand."""
    home, window = there.home(name), Window.around(period, day)
    found = {each.brand.name: measure_competitor(each, window) for each in competitors(home)}
    found["You"] = measure_own_brand(home, window)
    return {brand: Figures() if brand == HIDDEN else each for brand, each in found.items()}


def by_name(found: Json) -> dict[str, Json]:
    return {each["name"]: each for each in found["brands"]}


@pytest.mark.parametrize(
    ("period", "day", "before"),
    [("MONTH", "2026-10-05", "2026-09-30"), ("WEEK", "2026-10-14", "2026-10-11")],
)
async def test_shares_ranks_and_change_are_what_the_records_themselves_say(
    there: Shop, period: str, day: str, before: str
) -> None:
    found = await there.brands(period=period, date=day, previous=True)
    now = figures(there, MAIN, period, date.fromisoformat(day))
    past = figures(there, MAIN, period, date.fromisoformat(before))

    assert by_name(found).keys() == now.keys()
    for metric, attribute in METRICS.items():
        values = {brand: getattr(each, attribute) for brand, each in now.items()}
        known = [Fraction(str(each)) for each in values.values() if each is not None]
        for brand, told in by_name(found).items():
            if values[brand] is None:
                assert told[metric] is None
                continue
            earlier = getattr(past[brand], attribute)
            assert told[metric]["value"] == values[brand]
            assert told[metric]["sharePercent"] == pytest.approx(
                float(100 * Fraction(str(values[brand])) / sum(known)), abs=0.006
            )
            assert (
                told[metric]["rank"]
                == sorted(known, reverse=True).index(Fraction(str(values[brand]))) + 1
            )
            assert told[metric]["previous"] == earlier
            change = None if not earlier else 100 * (values[brand] / earlier - 1)
            assert told[metric]["changePercent"] == (
                None if change is None else pytest.approx(change, abs=0.006)
            )


async def test_the_own_brand_comes_first_and_the_period_is_told(there: Shop) -> None:
    found = await there.brands(period="WEEK", date="2026-10-14")

    assert (found["brands"][0]["name"], found["brands"][0]["isOwnBrand"]) == ("You", True)
    assert found["period"] == {"length": "WEEK", "from": "2026-10-12", "to": "2026-10-18"}
    assert "previous" not in found["brands"][0]["postsCount"]


async def test_a_brand_without_figures_is_unavailable_and_the_answer_partial(there: Shop) -> None:
    found = await there.brands(date="2026-10-05")

    assert found["partial"] is True
    assert found["unavailable"] == {"everything": [HIDDEN]}
    assert by_name(found)[HIDDEN]["earnedMediaValue"] is None
    assert by_name(found)["You"]["earnedMediaValue"]["sharePercent"] > 0


async def test_an_own_brand_without_figures_has_no_share(there: Shop) -> None:
    found = await there.brands(OUTDOOR, date="2026-10-05")

    assert found["brands"][0]["name"] == "You"
    assert found["brands"][0]["postsCount"] is None
    assert found["unavailable"] == {"everything": ["You"]}
    assert "Archive has no figures for the own brand." in found["notes"]
    assert sum(each["postsCount"]["sharePercent"] for each in found["brands"][1:]) == pytest.approx(
        100, abs=0.05
    )


async def test_earned_media_value_of_brands_is_told_in_dollars(there: Shop) -> None:
    found = await there.brands(date="2026-10-05")
    own = measure_own_brand(there.home(), Window.around("MONTH", date(2026, 10, 5)))

    assert found["units"] == {"earnedMediaValue": "USD"}
    assert found["brands"][0]["earnedMediaValue"]["value"] == own.earned_media_value
    assert any("do not mix" in note for note in found["notes"])


async def test_the_period_before_takes_one_more_request(there: Shop) -> None:
    await there.brands(date="2026-10-05", previous=True)
    dates = [
        each["variables"]["date"]
        for each in there.sandbox.asked
        if "GetCompetitorBrands" in each["query"]
    ]

    assert dates == ["2026-10-05", "2026-09-30"]


async def test_a_plan_without_competitor_insights_says_what_to_ask_for(there: Shop) -> None:
    failure = await there.refused("archive_compare_brands", workspace=COFFEE)

    assert failure.code is Code.FORBIDDEN
    assert "Competitor Insights" in failure.hint


async def test_only_the_chosen_figures_are_compared(there: Shop) -> None:
    found = await there.result("archive_compare_brands", metrics=["postsCount"])
    whole = await there.result("archive_compare_brands")

    assert list(found.structured["sums"]) == ["postsCount"]
    about = {"id", "name", "isOwnBrand", "postsCount"}
    assert all(brand.keys() == about for brand in found.structured["brands"])
    order = [brand["id"] for brand in whole.structured["brands"]]
    assert [brand["id"] for brand in found.structured["brands"]] == order
    assert len(found.text) < len(whole.text) / 2
