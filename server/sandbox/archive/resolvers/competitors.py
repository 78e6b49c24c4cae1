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
    measure_competitor,
    measure_own_brand,
)
from server.sandbox.archive.data.brands import Insights
from server.sandbox.archive.data.competitors import Competitor, competitors, month_of
from server.sandbox.archive.data.workspace import Workspace
from server.sandbox.archive.errors import ensure, make_error
from server.sandbox.archive.paging import Edge, Page, encode_cursor, paginate
from server.sandbox.archive.resolvers.context import Info, Resolver
from server.sandbox.ids import Kind

# The own brand's number among the competitors, which no competitor ever reaches.
_OWN = 1_000
Sorting = list[dict[str, str]]


def insights_of(workspace: Workspace) -> Insights:
    """Return what the plan shows of competitors. Raises GraphQLError where it shows nothing."""
    if workspace.brand.insights is None:
        raise make_error(
            "Competitor Insights are not part of this workspace's plan",
            "UNAUTHORIZED",
        )
    return workspace.brand.insights


class FirstPage:
    """The first page: the own brand beside a page of competitors, and not counted with them."""

    def __init__(self, workspace: Workspace, page: Page, own: CompetitorBrand) -> None:
        self.total_count = page.total_count
        self.page_info = page.page_info
        self.nodes = [own, *page.nodes]
        self.edges = [
            Edge(encode_cursor(f"own{workspace.index}", 0, _OWN), own),
            *page.edges,
        ]


def competitor_brands(
    _: None, info: Info, *, first: int | None, after: str | None, **arguments: Any
) -> Page | FirstPage:
    """Return competitors in the order of their setup, with the metrics of one period.

    The period is the one that holds the date, by default the current month.
    """
    workspace = info.context.workspace
    insights = insights_of(workspace)
    brands = competitors(workspace)
    window = _window(workspace, arguments)

    def make(place: int) -> CompetitorBrand:
        return _competitor(insights, brands[place], window)

    page = paginate(
        f"competitors{workspace.index}",
        range(len(brands)),
        make,
        first=first,
        after=after,
    )
    # With a cursor it is a later page, where the own brand is not repeated.
    if after is not None:
        return page
    return FirstPage(workspace, page, _own_brand(workspace, insights, window))


def competitor_brand(_: None, info: Info, **arguments: Any) -> CompetitorBrand | None:
    """Return one competitor, or the own brand; None for an unknown id."""
    workspace = info.context.workspace
    insights = insights_of(workspace)
    number = workspace.number_of(Kind.COMPETITOR, arguments["id"])
    if number is None:
        return None
    window = _window(workspace, arguments)
    if number == _OWN:
        return _own_brand(workspace, insights, window)
    return _competitor(insights, competitors(workspace)[number], window)


def _window(workspace: Workspace, arguments: dict[str, Any]) -> Window:
    day: date = arguments.get("date") or workspace.anchor.date()
    return Window.around(arguments.get("period") or "MONTH", day)


def _competitor(insights: Insights, brand: Competitor, window: Window) -> CompetitorBrand:
    # Measured when a metric is read: a query for names must not add up a month of posts.
    return CompetitorBrand(
        brand.brand_id,
        brand.name,
        lambda: measure_competitor(brand, window),
        unavailable=brand.name == insights.unavailable,
    )


def _own_brand(workspace: Workspace, insights: Insights, window: Window) -> CompetitorBrand:
    def measure() -> Figures:
        return measure_own_brand(workspace, window) if insights.has_own_metrics else Figures()

    return CompetitorBrand(
        workspace.id_of(Kind.COMPETITOR, _OWN),
        "You",
        measure,
        own_metrics_status="AVAILABLE" if insights.has_own_metrics else "UNAVAILABLE",
    )


def competitor_brand_items(
    _: None, info: Info, *, first: int | None, after: str | None, **arguments: Any
) -> Page:
    """Return posts about one competitor inside a window with two ends; an unknown brand has
    none."""
    workspace = info.context.workspace
    # For its error alone: posts of competitors need the plan too.
    insights_of(workspace)
    limits = arguments["filter"]["takenAt"]
    low, high = limits.get("from"), limits.get("to")
    ensure(low and high, "filter.takenAt needs both from and to")
    sorting: Sorting = arguments.get("sorting") or []
    ensure(len(sorting) <= 1, "sorting takes at most one entry")
    place = workspace.number_of(Kind.COMPETITOR, arguments["brandId"])
    name = f"competitorItems{workspace.index}-{place}"
    for brand in competitors(workspace):
        if brand.place == place:
            posts = _list_posts(brand, low, high, sorting)
            return paginate(name, posts, brand.item, first=first, after=after)
    return paginate(name, (), workspace.item, first=first, after=after)


def _list_posts(
    brand: Competitor, low: datetime, high: datetime, sorting: Sorting
) -> Sequence[int]:
    """Return the numbers of the visible posts of the window, newest first unless sorted."""
    order = sorting[0] if sorting else {"sortKey": "TAKEN_AT", "sortOrder": "DESC"}
    is_descending = order["sortOrder"] == "DESC"
    is_by_value = order["sortKey"] == "EARNED_MEDIA_VALUE"
    months = [month for month in brand.months if month_of(low) <= month <= month_of(high)]
    numbers: list[int] = []
    # Value orders the posts inside each calendar month only (Archive docs: competitor brand items).
    for month in sorted(months, reverse=is_descending):
        posts = [number for number in brand.posts(month) if low <= brand.time_of(number) <= high]
        if is_by_value:
            posts = _sort_by_value(brand, posts, is_descending=is_descending)
        elif not is_descending:
            posts.reverse()
        numbers += posts
    return numbers


def _sort_by_value(brand: Competitor, posts: list[int], *, is_descending: bool) -> list[int]:
    """Return the posts in the order of their value; posts without the figure come last."""
    values: dict[int, int] = {}
    for number in posts:
        engagement = brand.item(number).current_engagement
        if engagement is not None and engagement.earned_media_value is not None:
            values[number] = engagement.earned_media_value
    ordered = sorted(values, key=values.__getitem__, reverse=is_descending)
    return ordered + [number for number in posts if number not in values]


TABLE: dict[str, Resolver] = {
    "competitorBrands": competitor_brands,
    "competitorBrand": competitor_brand,
    "competitorBrandItems": competitor_brand_items,
}
