"""Competitors, their metrics and their posts: Archive docs, competitor brands and competitor brand
items."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from server.sandbox.archive.data.brand_metrics import (
    CompetitorBrand,
    Figures,
    Window,
    of_competitor,
    of_own,
)
from server.sandbox.archive.data.brands import Insights
from server.sandbox.archive.data.competitors import Competitor, competitors, month_of
from server.sandbox.archive.data.workspace import Workspace
from server.sandbox.archive.paging import (
    Edge,
    Page,
    page,
    write,
)
from server.sandbox.archive.resolvers.context import Info, Resolver, refused
from server.sandbox.ids import Kind

# The own brand's number among the competitors.
_OWN = 1_000
Sorting = list[dict[str, str]]


def insights_of(home: Workspace) -> Insights:
    """What the plan shows of competitors. Raises GraphQLError where it shows nothing."""
    if home.brand.insights is None:
        raise refused("Competitor Insights are not part of this workspace's plan", "UNAUTHORIZED")
    return home.brand.insights


class _WithOwn:
    """The first page: the own brand beside as many competitors as were asked for, and not counted
    with them."""

    def __init__(self, home: Workspace, competitors_page: Page, own: CompetitorBrand) -> None:
        self.total_count = competitors_page.total_count
        self.page_info = competitors_page.page_info
        self.nodes = [own, *competitors_page.nodes]
        self.edges = [Edge(write(f"own{home.index}", 0, _OWN), own), *competitors_page.edges]


def competitor_brands(
    _: None, info: Info, *, first: int | None, after: str | None, **given: Any
) -> Page | _WithOwn:
    """Competitors in the order in which they were set up, with the metrics of the period that holds
    the date."""
    home = info.context.workspace
    insights = insights_of(home)
    brands = competitors(home)
    window = _window(home, given)

    def make(place: int) -> CompetitorBrand:
        return _competitor(insights, brands[place], window)

    found = page(f"competitors{home.index}", range(len(brands)), make, first=first, after=after)
    return found if after is not None else _WithOwn(home, found, _own(home, insights, window))


def competitor_brand(_: None, info: Info, **given: Any) -> CompetitorBrand | None:
    """One competitor, or the own brand; null for an unknown id."""
    home = info.context.workspace
    insights = insights_of(home)
    number = home.number_of(Kind.COMPETITOR, given["id"])
    if number is None:
        return None
    window = _window(home, given)
    if number == _OWN:
        return _own(home, insights, window)
    return _competitor(insights, competitors(home)[number], window)


def _window(home: Workspace, given: dict[str, Any]) -> Window:
    day: date = given.get("date") or home.anchor.date()
    return Window.around(given.get("period") or "MONTH", day)


def _competitor(insights: Insights, brand: Competitor, window: Window) -> CompetitorBrand:
    return CompetitorBrand(
        brand.brand_id,
        brand.name,
        lambda: of_competitor(brand, window),
        unavailable=brand.name == insights.unavailable,
    )


def _own(home: Workspace, insights: Insights, window: Window) -> CompetitorBrand:
    return CompetitorBrand(
        home.id_of(Kind.COMPETITOR, _OWN),
        "You",
        lambda: of_own(home, window) if insights.own else Figures(),
        own_metrics_status="AVAILABLE" if insights.own else "UNAVAILABLE",
    )


def competitor_brand_items(
    _: None, info: Info, *, first: int | None, after: str | None, **given: Any
) -> Page:
    """Posts about one competitor inside a window whose two ends are given; an unknown brand has
    none."""
    home = info.context.workspace
    insights_of(home)
    limits = given["filter"]["takenAt"]
    low, high = limits.get("from"), limits.get("to")
    if low is None or high is None:
        raise refused("filter.takenAt needs both from and to")
    sorting: Sorting = given.get("sorting") or []
    if len(sorting) > 1:
        raise refused("sorting takes at most one entry")
    place = home.number_of(Kind.COMPETITOR, given["brandId"])
    brand = next((b for b in competitors(home) if b.place == place), None)
    name = f"competitorItems{home.index}-{place}"
    if brand is None:
        return page(name, (), home.item, first=first, after=after)
    return page(name, _posts(brand, low, high, sorting), brand.item, first=first, after=after)


def _posts(brand: Competitor, low: datetime, high: datetime, sorting: Sorting) -> Sequence[int]:
    """Numbers of the visible posts of the window; money orders them inside each calendar month
    only."""
    down = not sorting or sorting[0]["sortOrder"] == "DESC"
    by_money = bool(sorting) and sorting[0]["sortKey"] == "EARNED_MEDIA_VALUE"
    found: list[int] = []
    for month in brand.months if down else reversed(brand.months):
        if not month_of(low) <= month <= month_of(high):
            continue
        posts = [number for number in brand.posts(month) if low <= brand.taken_at(number) <= high]
        if by_money:
            found += _by_money(brand, posts, down=down)
        else:
            found += posts if down else reversed(posts)
    return found


def _by_money(brand: Competitor, posts: list[int], *, down: bool) -> list[int]:
    """Posts without the figure come last."""
    values: dict[int, int] = {}
    for number in posts:
        known = brand.item(number).current_engagement
        if known is not None and known.earned_media_value is not None:
            values[number] = known.earned_media_value
    ordered = sorted(values, key=values.__getitem__, reverse=down)
    return ordered + [number for number in posts if number not in values]


TABLE: dict[str, Resolver] = {
    "competitorBrands": competitor_brands,
    "competitorBrand": competitor_brand,
    "competitorBrandItems": competitor_brand_items,
}
