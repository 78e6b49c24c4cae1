"""Answers computed over many items or brands: performance, top content, share of voice."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from pydantic import Field

from server import wall_clock
from server.archive.api import Page
from server.archive.context import ArchiveContext
from server.archive.operations import Id, Text, Workflow
from server.archive.pagination import PARTIAL
from server.errors import Code, Failure
from server.insights import brands, ranking, summary
from server.insights.rows import Row, make_row
from server.insights.summary import By
from server.tool.result import (
    BUDGET,
    Result,
    compact,
    whole,
)
from tools.archive.competitors import GetCompetitorBrands, Period
from tools.archive.creators import GetCreator
from tools.archive.insights.base import Computed, SourceItems
from tools.archive.schema.inputs import Day
from tools.archive.schema.market_objects import CompetitorBrand

# Archive gives the EMV of posts in cents and that of brands in dollars: each answer states its
# own.
UNITS = {"earnedMediaValue": "cents"}
BRAND_UNITS = {"earnedMediaValue": "USD"}
_BEST = 5
_MOST_OF = {"creator": summary.MOST_CREATORS}
# Groups are cut no further: fewer of them would no longer be an answer.
_FEWEST = 5
_ROOM = BUDGET - 6_000
"""Characters of a summary, with room for its notes and for the job around it."""


class SummarizePerformance(Computed):
    """Summarise how a view, collection, campaign or search of Archive (archive.com) performed, over
    all its items: totals, means, medians, coverage and best items; earnedMediaValue is in cents.
    Use it instead of adding up search results. Over 1,000 items it becomes a job. Changes
    nothing."""

    operation = "performance"
    title = "Summarise performance"
    always_loaded = True
    search_hint = (
        "performance report, weekly report, monthly report, summary, totals, total reach, total "
        "likes, comments, views, average engagement, average, median, EMV, earned media value, "
        "how did the campaign do, perform, performance, by platform, per month, per week, "
        "compared, reels compared with tiktoks, KPIs, results, numbers, recap, overview, "
        "statistics, stats, engagement rate, how did we do, how are we doing, how well, in total, "
        "altogether, on average, typical, sum, breakdown, split by platform, report for my boss, "
        "board report, month over month, this quarter, year to date, figures, how many likes did "
        "we get, how much media value, best month, best day, average views, by creator, which "
        "platform works best"
    )

    by: list[By] | None = Field(None, description="Break the figures down by these too.")

    def title_of_job(self, items: str) -> str:
        return f"Performance of {items}"

    def paths(self) -> list[str]:
        by_creator = (
            ["creator.id", "socialProfile.accountName"] if "creator" in (self.by or []) else []
        )
        return [*super().paths(), *by_creator]

    def result(self, result: SourceItems) -> dict[str, Any]:
        rows = result.rows
        answer = {
            "items": len(rows),
            "span": summary.find_span(rows),
            "metrics": summary.summarize_metrics(rows),
            "units": UNITS,
            "virality": summary.count_virality(rows),
            "best": summary.select_best(rows, self.metric_name, _BEST),
        }
        groups, notes = self._group(rows, _ROOM - len(compact(answer)))
        return {
            **answer,
            **({"by": groups} if groups else {}),
            "notes": [*self._about(rows), *notes],
        }

    def _group(
        self, rows: list[Row], room: int
    ) -> tuple[dict[By, list[dict[str, Any]]], list[str]]:
        """The groups that were asked for, each kind cut until all fit, and what was cut."""
        # Models repeat themselves; a group is computed once.
        requested = list(dict.fromkeys(self.by or []))
        groups = {by: summary.group_items(rows, by, self.metric_name) for by in requested}
        most = {by: min(len(groups[by]), _MOST_OF.get(by, len(groups[by]))) for by in requested}
        while True:
            visible = {by: _cut(groups[by], by, most[by]) for by in requested}
            # The longest list gives way first, so that short ones stay whole.
            longest = max(requested, key=lambda by: most[by], default=None)
            if longest is None or most[longest] <= _FEWEST or len(compact(visible)) <= room:
                break
            # By a fifth: each try renders all groups, and one by one would take long.
            most[longest] = max(_FEWEST, most[longest] * 4 // 5)
        notes = [
            _cut_note(by, most[by], len(groups[by]))
            for by in requested
            if most[by] < len(groups[by])
        ]
        return visible, notes

    def _about(self, rows: list[Row]) -> list[str]:
        notes = [
            "`unknown` items lack the metric: they are in no mean or median, and not counted as 0."
        ]
        by = self.by or []
        if by:
            notes.append("In groups, items beyond `known` lack the metric; null: all of them do.")
        if "week" in by:
            notes.append("Weeks are ISO weeks, Monday to Sunday, in UTC.")
        if "month" in by:
            notes.append("Months are calendar months in UTC.")
        if rows and all(row.value(self.metric_name) is None for row in rows):
            notes.append(
                f"No item has {self.metric_name}: choose another `metric` to see the best."
            )
        return notes


class GetTopContent(Computed):
    """Rank the top items of a workspace, creator, view, campaign or search in Archive (archive.com)
    by a metric, with engagement rate and links. Unlike archive_search_items it ranks all items of a
    view or collection and all items given by id or link; over 1,000 of those it becomes a job.
    Changes nothing."""

    operation = "top_content"
    title = "Rank top content"
    always_loaded = True
    search_hint = (
        "top posts, best posts, best performing, best five, top ten, top 10, most liked, most "
        "viewed, most commented, highest earned media value, EMV, ranked, ranking, winners, viral "
        "posts, strongest content, hits, best reels, best tiktoks, best videos, worst, which "
        "posts did best, what worked best, the most successful, the best post, highest, greatest "
        "hits, number one, most shared, most engaging, biggest hit, best video of, went viral, "
        "favourite content"
    )

    account_name: Text | None = Field(None, description="Only posts of this account (handle).")
    creator_id: Id | None = Field(None, description="Only posts of this creator (id).")
    limit: int = Field(10, ge=1, le=50, description="Number of items to show.")

    def check(self) -> None:
        if self.search is None and self.item_ids is None and self.urls is None:
            # "The top posts" without more means those of the whole workspace.
            self.search = {}
        super().check()
        if self.account_name is not None:
            self.narrow("accountNames", [self.account_name.removeprefix("@")])
            # Now part of the search: a job that resumes must not add it a second time.
            self.account_name = None
        # Called for its error: the filter itself needs the creator's profiles, which `run` looks
        # up.
        if self.creator_id is not None and not self.is_filtered:
            self.narrow("creatorId", self.creator_id)

    def title_of_job(self, items: str) -> str:
        return f"Top content of {items}"

    def paths(self) -> list[str]:
        return [*super().paths(), "socialProfile.accountName", "socialProfile.followers"]

    async def run(self, context: ArchiveContext) -> Result:
        if self.creator_id is not None:
            await self._narrow_to_creator(context, self.creator_id)
        # One sorted page instead of all items, where Archive sorts at all.
        if self.is_filtered:
            page = await self._is_sorted_by_archive(context)
            if page is not None:
                notes = ["Sorted by Archive.", *([PARTIAL] if page.partial else [])]
                return whole(self._rank(_rows(page), notes))
        return await self.compute(context)

    def result(self, result: SourceItems) -> dict[str, Any]:
        existing = sum(1 for row in result.rows if row.value(self.metric_name) is not None)
        coverage = {
            "items": len(result.rows),
            "known": existing,
            "unknown": len(result.rows) - existing,
        }
        how = f"Ranked here, over all {len(result.rows):,} items."
        return {"coverage": coverage, **self._rank(result.rows, [how])}

    def _rank(self, rows: list[Row], notes: list[str]) -> dict[str, Any]:
        nodes = ranking.rank_items(rows, self.metric_name, self.limit)
        notes = [*notes, ranking.RATE_NOTE]
        if nodes and nodes[0]["rank"] is None:
            notes.append(
                f"No item has {self.metric_name}, which is not 0: choose another `metric`."
            )
        elif any(node["rank"] is None for node in nodes):
            notes.append(
                f"Items without rank have no {self.metric_name}, which is not 0; they come last."
            )
        if ranking.cuts_a_tie(rows, self.metric_name, self.limit):
            notes.append("Items that were left out have the same value as the last one shown.")
        # Stories and feed posts have estimates only (Archive docs, glossary).
        if self.metric == "MERGED_VIEW_PLAY_COUNT":
            notes.append(
                "Ranked by `impressions`: views, plays, or Archive's estimate where there are "
                "neither."
            )
        return {"metric": self.metric_name, "nodes": nodes, "units": UNITS, "notes": notes}

    async def _is_sorted_by_archive(self, context: ArchiveContext) -> Page | None:
        """The first items as Archive sorts them, one more than asked for; None where its order does
        not hold."""
        page = await self._page(context)
        rows = _rows(page)
        if rows and all(row.value(self.metric_name) is None for row in rows):
            # Either none has the metric, or Archive puts those without it first.
            measured = await self._page(context, measured=True)
            page, rows = (measured, _rows(measured)) if measured.records else (page, rows)
        return page if ranking.is_ranked(rows, self.metric_name) else None

    async def _page(self, context: ArchiveContext, *, measured: bool = False) -> Page:
        more: dict[str, Any] = {"sorting": [{"sortKey": self.metric, "sortOrder": "DESC"}]}
        if measured:
            requested = (self.search or {}).get("filter") or {}
            # A range leaves out items without the metric, whatever its bounds.
            ranges = [
                *requested.get("engagement", []),
                {"field": self.metric, "range": {"from": 0}},
            ]
            more["filter"] = {**requested, "engagement": ranges}
        # One more than asked for shows whether a tie is cut.
        return await context.api.read_page(self.query(self.paths(), **more), size=self.limit + 1)

    async def _narrow_to_creator(self, context: ArchiveContext, creator: str) -> None:
        # Items cannot be filtered by creator, only by the profiles of one.
        requested = GetCreator.model_validate({"id": creator, "fields": ["socialProfiles.id"]})
        person, _ = await context.api.read(requested)
        profiles = [profile["id"] for profile in (person or {}).get("socialProfiles") or []]
        if not profiles:
            raise Failure(
                Code.NOT_FOUND, "That creator has no social profile here.", GetCreator.instead
            )
        self.narrow("socialProfileIds", profiles)
        self.creator_id = None


class CompareBrands(Workflow[CompetitorBrand]):
    """Compare the own brand ("You") with tracked competitors in Archive (archive.com) in a month or
    week: share of voice, ranks and, on request, change; earnedMediaValue is in US dollars. For the
    figures alone, use archive_get_competitor_brands. Changes nothing."""

    operation = "brand_comparison"
    title = "Compare share of voice"
    search_hint = (
        "share of voice, us against competitors, us vs them, versus, compare, comparison with "
        "rivals, who gets more mentions, are we ahead, who is winning, market position, rank "
        "among brands, benchmark, over the last months, change since last month, how do we "
        "compare, how do we stack up, versus our rivals, bigger than, behind, ahead of, market "
        "share, our share, who leads, league table, SOV, gap"
    )
    risk = "reads"
    repeatable = True
    forbidden = GetCompetitorBrands.forbidden

    period: Period = Field("MONTH", description="Length of the period.")
    date: Day | None = Field(None, description="Any day of the period, such as 2026-03-01.")
    previous: bool = Field(False, description="Add the change since the period before.")

    async def run(self, context: ArchiveContext) -> Result:
        today = wall_clock.utc_now().date()
        first, last = brands.find_period(
            self.period, date.fromisoformat(self.date) if self.date else today
        )
        now = await self._brands(context, self.date or today.isoformat())
        before, past_partial = None, False
        if self.previous:
            # Any day of a period stands for it (Archive docs, competitor brands).
            past = await self._brands(context, (first - timedelta(days=1)).isoformat())
            before, past_partial = {record["id"]: record for record in past.records}, past.partial
        compared = brands.compare_brands(now.records, before)
        partial = now.partial or past_partial
        answer: dict[str, Any] = {
            "period": {"length": self.period, "from": first.isoformat(), "to": last.isoformat()},
            "sums": brands.sum_metrics(now.records),
            "unavailable": brands.find_missing(now.records),
            "units": BRAND_UNITS,
            **({"partial": True} if partial else {}),
            "notes": self._notes(
                now.records, last.isoformat() if last >= today else None, partial=partial
            ),
        }
        visible = len(compared)
        while visible > _FEWEST and len(compact({**answer, "brands": compared[:visible]})) > _ROOM:
            visible -= 1
        if visible < len(compared):
            answer["notes"].append(
                f"Shown are {visible} of {len(compared)} brands; shares and ranks are over all."
            )
        return whole({"brands": compared[:visible], **answer})

    def _notes(
        self, result: list[dict[str, Any]], open_until: str | None, *, partial: bool
    ) -> list[str]:
        notes = [
            "Shares are of the total of all brands that have the figure; brands under "
            "`unavailable` are not counted.",
            "Reach and influencers of brands overlap: their shares are rough.",
            "earnedMediaValue of brands is in US dollars, that of posts in cents: do not mix them.",
        ]
        if open_until:
            notes.append(f"The period ends on {open_until}: its figures are not final.")
        if any(entry.get("ownMetricsStatus") == "UNAVAILABLE" for entry in result):
            notes.append("Archive has no figures for the own brand.")
        return [*notes, PARTIAL] if partial else notes

    async def _brands(self, context: ArchiveContext, day: str) -> Page:
        request = GetCompetitorBrands.model_validate({"period": self.period, "date": day})
        records: list[dict[str, Any]] = []
        partial = False
        async for page in context.api.read_pages(request):
            # The own brand comes with the first page in addition, and could be there twice.
            existing = {record["id"] for record in records}
            records += [record for record in page.records if record["id"] not in existing]
            partial |= page.partial
        return Page(records, None, False, len(records), partial)


def _rows(page: Page) -> list[Row]:
    return [make_row(record) for record in page.records]


def _cut(groups: list[summary.Group], by: By, most: int) -> list[dict[str, Any]]:
    return [
        group.to_dict()
        for group in summary.limit_groups(groups, most, by_time=by in ("week", "month"))
    ]


def _cut_note(by: By, most: int, groups: int) -> str:
    cached, rest = ("latest", "earlier") if by in ("week", "month") else ("first", "others")
    return f"By {by}: the {cached} {most} of {groups} are shown, the rest together as `{rest}`."
