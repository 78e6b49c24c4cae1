"""Competitor Insights: tracked brands, their metrics and the posts about them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from server import wall_clock
from server.archive.context import ArchiveContext
from server.archive.operations import Connection, Id
from server.errors import Code, Failure
from server.insights.brands import METRICS
from server.tool.request import ApiType, Input
from server.tool.result import Result
from tools.archive.by_name import QueryByName, find_id
from tools.archive.schema.inputs import Day, FilterDateRangeInput, SortOrder
from tools.archive.schema.market_objects import CompetitorBrand, CompetitorBrandItem

Period = Annotated[Literal["MONTH", "WEEK"], ApiType("CompetitorBrandStatsPeriod")]

PUBLISHED_ON = 9
"""Day of a month from which on the posts of the month before are there (Archive docs, competitor
brands)."""

_NO_ACCESS = (
    "Competitor data needs a plan with Competitor Insights: the user can ask Archive for it. Or "
    "the token may not use "
    "this workspace ({workspaces} lists those it may)."
)


_BRANDS = "{competitorBrands} lists the brands with their ids."
_NONE_TRACKED = (
    "No competitors are tracked in this workspace: they are added in Archive under Competitor "
    "Insights."
)
_NOTHING = (
    "Archive names no brand, not even the own one: either no competitors are tracked, or the "
    "workspace's plan lacks Competitor Insights. Archive's settings show which."
)
_NO_DATA = (
    "Competitors are tracked, but Archive has no figures for this period: try an earlier `date`."
)


class GetCompetitorBrands(Connection[CompetitorBrand]):
    """List the tracked competitors with posts, influencers, reach, engagements and EMV of a month
    or week. The first page adds the own brand ("You", isOwnBrand). earnedMediaValue is in US
    dollars here, that of posts in what `units` says: do not mix them. Null means that there is no
    data. Needs a plan with Competitor Insights."""

    operation = "competitorBrands"
    title = "Compare competitor brands"
    search_hint = (
        "competition, which brands are we tracking, how do they perform, reach and posts of each "
        "competitor, benchmark, market, ranking of brands, own brand against others, other brands "
        "in our space, tracked brands, how are the others doing, industry overview, EMV of "
        "rivals, earned media of each competitor next to ours, peers, rivals' numbers, all brands"
    )
    cost: ClassVar[float] = 60
    forbidden = _NO_ACCESS

    period: Period = Field("MONTH", description="Length of the period.")
    date: Day | None = Field(None, description="Any day of the period, such as 2026-03-01.")

    async def run(self, context: ArchiveContext) -> Result:
        result = await super().run(context)
        # A later page is no place to judge the whole list from.
        if self.after:
            return result
        answer = result.structured
        return result.with_notes(describe_absence(answer["nodes"], answer["totalCount"]))


class GetCompetitorBrand(QueryByName[CompetitorBrand]):
    """Get one tracked competitor's metrics of a month or week, as archive_get_competitor_brands
    lists them. For a trend call it with several dates."""

    operation = "competitorBrand"
    title = "Get a competitor brand"
    search_hint = (
        "how is one competitor doing, posts and reach of a competitor, numbers for a competing "
        "brand, lately, is this brand growing, trend of a rival, how is Nike doing, brand's reach "
        "in march, last month of a rival, engagement of a competitor, losing ground, numbers for "
        "one brand only, brand we follow, compared to last year, single rival, one brand"
    )
    cost: ClassVar[float] = 60
    forbidden = _NO_ACCESS
    missing = "No tracked brand has that id in this workspace."
    instead = _BRANDS
    kind = "tracked brand"
    lists = GetCompetitorBrands

    id: Id = Field(description="Brand id or name.")
    period: Period = Field("MONTH", description="Length of the period.")
    date: Day | None = Field(None, description="Any day of the period, such as 2026-03-01.")


class CompetitorBrandItemFilterInput(Input):
    """Which posts."""

    taken_at: FilterDateRangeInput = Field(
        description="Needs both bounds: days or instants with zone."
    )


class CompetitorBrandItemSortingInput(Input):
    """A sort key with its direction."""

    sort_key: Annotated[
        Literal["TAKEN_AT", "EARNED_MEDIA_VALUE"], ApiType("CompetitorBrandItemSortKey")
    ]
    sort_order: SortOrder


class GetCompetitorBrandItems(Connection[CompetitorBrandItem]):
    """Get the posts about one competitor in a time window, newest first. The posts of a month
    appear on day 9 of the next month. To search your own content, use archive_search_items."""

    operation = "competitorBrandItems"
    title = "Get a competitor's posts"
    search_hint = (
        "what are people posting about the rival, competitor's content, competitor's best posts, "
        "UGC of another brand, influencers of a competitor, videos mentioning them, competitor's "
        "top reels, posts that mention the competitor, what are rivals up to, show me their "
        "videos, inspiration, which creators worked with them, influencers who post for the "
        "rival, their campaign, partners, rival's content, their tiktoks, their influencers"
    )
    cost: ClassVar[float] = 60
    forbidden = _NO_ACCESS

    brand_id: Id = Field(description="Brand id or name.")
    filter: CompetitorBrandItemFilterInput = Field(description="Time window of the posts.")
    sorting: list[CompetitorBrandItemSortingInput] | None = Field(
        None, max_length=1, description="One sort key; EMV sorts within each month."
    )

    def check(self) -> None:
        window = self.filter.taken_at
        # Archive requires both, though the range that it shares with other filters marks them
        # optional.
        if not (window.from_ and window.to):
            missing = "to" if window.from_ else "from"
            raise Failure(
                Code.INVALID_ARGUMENT,
                f"`filter.takenAt.{missing}` is required: competitor posts are read inside a "
                "closed window.",
                'Give both bounds, for example {"from": "2026-03-01", "to": "2026-03-31"}.',
            )

    async def prepare(self, context: ArchiveContext) -> None:
        await super().prepare(context)
        self.brand_id = await find_id(
            context, self.brand_id, GetCompetitorBrands, "tracked brand", remedy=_BRANDS
        )

    def notes(self) -> list[str]:
        result = []
        # The first node of a longer window is then not the best one, which a model would take it
        # for.
        if any(entry.sort_key == "EARNED_MEDIA_VALUE" for entry in self.sorting or []):
            result.append(
                "Archive orders by EARNED_MEDIA_VALUE within each calendar month, not over the "
                "whole window."
            )
        # An empty end of a window would look like a competitor who stopped posting.
        covered = last_covered_day(wall_clock.utc_now().date())
        end = self.filter.taken_at.to
        if end and datetime.fromisoformat(end).date() > covered:
            result.append(
                f"Posts after {covered} are not there yet: a month's posts appear on day "
                f"{PUBLISHED_ON} of the next."
            )
        return result

    def notes_if_empty(self) -> list[str]:
        return [
            "Archive answers an unknown brandId with nothing too; archive_get_competitor_brands "
            "has the ids."
        ]


def describe_absence(brands: list[dict[str, Any]], total: int | None) -> list[str]:
    """Return why there are no competitors, or no figures of them; nothing where there are.

    Args:
        brands: the own brand too, where Archive sends it.
        total: how many competitors Archive counts.
    """
    if not brands:
        return [_NOTHING]
    competitors = [brand for brand in brands if not brand.get("isOwnBrand")]
    # Without `isOwnBrand` among the `fields` only the count tells; without a count only the brands.
    # A short page may hold the own brand alone, though there are others.
    count = len(competitors) if total is None else total
    if count == 0:
        return [_NONE_TRACKED]
    values: set[Any] = set()
    for brand in competitors:
        values.update(map(brand.get, brand.keys() & set(METRICS)))
    # No values at all means that the call did not ask for any.
    return [_NO_DATA] if values == {None} else []


def last_covered_day(today: date) -> date:
    """Return the last day whose posts are published, seen from `today`."""
    this_month = today.replace(day=1)
    if today.day >= PUBLISHED_ON:
        return this_month - timedelta(days=1)
    return (this_month - timedelta(days=1)).replace(day=1) - timedelta(days=1)
