"""Share of voice: the own brand beside the tracked competitors."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Literal

from pydantic import Field

from server import wall_clock
from server.archive.api import Page
from server.archive.context import ArchiveContext
from server.archive.operations import Workflow
from server.archive.pagination import PARTIAL
from server.insights import brands
from server.tool.result import BUDGET, Result, compact, whole
from tools.archive.competitors import GetCompetitorBrands, Period, describe_absence
from tools.archive.schema.inputs import Day
from tools.archive.schema.market_objects import CompetitorBrand

# Archive gives the EMV of posts in cents (assumed) and that of brands in dollars: each answer
# states its own.
BRAND_UNITS = {"earnedMediaValue": "USD"}
# Brands are cut no further: fewer of them would no longer be a comparison.
_FEWEST = 5
_ROOM = BUDGET - 6_000
"""Characters of the brands, with room for the notes."""


Figure = Literal[
    "postsCount",
    "influencersCount",
    "reach",
    "impressions",
    "engagementsTotal",
    "earnedMediaValue",
]


class CompareBrands(Workflow[CompetitorBrand]):
    """Compare the own brand ("You") with tracked competitors in Archive (archive.com) in a month or
    week: share of voice (`sharePercent` of posts or another figure), ranks and, on request, change;
    earnedMediaValue is in US dollars. For the figures alone, use archive_get_competitor_brands.
    Changes nothing."""

    operation = "brand_comparison"
    title = "Compare share of voice"
    search_hint = (
        "us against competitors, us vs them, versus, comparison with rivals, who gets more "
        "mentions, are we ahead, who is winning, market position, rank among brands, benchmark, "
        "over the last months, change since last month, how do we stack up, bigger than, behind, "
        "who leads, league table, SOV, gap, losing ground, gaining, slice of the conversation, "
        "market, catch up, overtake, how far ahead, per brand, half year, outperform, who's "
        "ahead, standing, position, dominate, who is talked about more, do creators post more "
        "about them than us, fewer"
    )
    risk = "reads"
    repeatable = True
    forbidden = GetCompetitorBrands.forbidden

    period: Period = Field("MONTH", description="Length of the period.")
    date: Day | None = Field(
        None, description="Any day of the period, such as 2026-03-01; default today."
    )
    previous: bool = Field(False, description="Add the change since the period before.")
    metrics: list[Figure] | None = Field(
        None, min_length=1, description="Return only these figures."
    )

    async def run(self, context: ArchiveContext) -> Result:
        today = wall_clock.utc_now().date()
        day = self.date or today.isoformat()
        first, last = brands.find_period(self.period, date.fromisoformat(day))
        page = await self._brands(context, day)
        now, partial = page.records, page.partial
        before: dict[str, dict[str, Any]] | None = None
        if self.previous:
            # Any day of a period stands for it (Archive docs, competitor brands).
            earlier = await self._brands(context, (first - timedelta(days=1)).isoformat())
            before = {record["id"]: record for record in earlier.records}
            partial |= earlier.partial
        figures = self.metrics or brands.METRICS
        answer: dict[str, Any] = {
            "period": {"length": self.period, "from": first.isoformat(), "to": last.isoformat()},
            "sums": brands.sum_metrics(now, figures),
            "unavailable": brands.find_missing(now, figures),
            "units": BRAND_UNITS,
        }
        if partial:
            answer["partial"] = True
        answer["notes"] = self._notes(now, partial=partial)
        if last >= today:
            answer["notes"].append(f"The period ends on {last}: its figures are not final.")
        # Compared over all figures, as the order follows the earned media value.
        compared = brands.compare_brands(now, before)
        rest = set(brands.METRICS).difference(figures)
        return whole(_fit([_without(brand, rest) for brand in compared], answer))

    def _notes(self, result: list[dict[str, Any]], *, partial: bool) -> list[str]:
        notes = [
            "Shares are of the total of all brands that have the figure; brands under "
            "`unavailable` are not counted.",
            "Reach and influencers of brands overlap: their shares are rough.",
            "earnedMediaValue of brands is in US dollars, that of posts in what their `units` say: "
            "do not mix them.",
        ]
        if any(entry.get("ownMetricsStatus") == "UNAVAILABLE" for entry in result):
            notes.append("Archive has no figures for the own brand.")
        notes += describe_absence(result, None)
        if partial:
            notes.append(PARTIAL)
        return notes

    async def _brands(self, context: ArchiveContext, day: str) -> Page:
        request = GetCompetitorBrands.model_validate({"period": self.period, "date": day})
        records: dict[str, dict[str, Any]] = {}
        partial = False
        async for page in context.api.read_pages(request):
            # The own brand comes with the first page in addition, and could be there twice.
            for record in page.records:
                records.setdefault(record["id"], record)
            partial |= page.partial
        return Page(list(records.values()), None, False, len(records), partial)


def _fit(compared: list[dict[str, Any]], answer: dict[str, Any]) -> dict[str, Any]:
    """Return the answer with as many brands before it as fit."""
    visible = len(compared)
    while visible > _FEWEST and len(compact({**answer, "brands": compared[:visible]})) > _ROOM:
        visible -= 1
    if visible < len(compared):
        answer["notes"].append(
            f"Shown are {visible} of {len(compared)} brands; shares and ranks are over all."
        )
    return {"brands": compared[:visible], **answer}


def _without(brand: dict[str, Any], names: set[str]) -> dict[str, Any]:
    rest = dict(brand)
    for name in names & rest.keys():
        del rest[name]
    return rest
