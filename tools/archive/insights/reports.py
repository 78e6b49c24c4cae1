"""Answers computed over many items: performance and top content."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter, itemgetter
from typing import Any, Literal

from pydantic import Field

from server import wall_clock
from server.archive.api import Page
from server.archive.context import ArchiveContext
from server.archive.operations import Id, Text
from server.archive.pagination import PARTIAL
from server.errors import Code, Failure
from server.insights import ranking, summary
from server.insights.rows import METRICS, Row, make_row
from server.insights.summary import By
from server.pictures.weeks import list_weeks, name_partial_weeks
from server.tool.arguments import list_once
from server.tool.result import (
    BUDGET,
    Result,
    compact,
    drop_empty,
    select_notes,
    whole,
)
from tools.archive.content.fitting import drop_misfits
from tools.archive.creators import GetCreator
from tools.archive.insights.base import Computed, SourceItems, show_money
from tools.archive.insights.chart_words import find_period

_ALL = 100_000
# The most groups where nobody says how many: people are many, and weeks or platforms are few.
_MOST_GROUPS: dict[By, int] = {"creator": 25, "account": 25}
# Groups are cut no further: fewer of them would no longer be an answer.
_FEWEST = 5
_ABOUT_GROUPS = {
    "week": "Weeks are ISO weeks, Monday to Sunday, in UTC.",
    "month": "Months are calendar months in UTC.",
}
_TIMES = tuple(_ABOUT_GROUPS)
_ROOM = BUDGET - 6_000
"""Characters of a summary, with room for its notes and for the job around it."""


Figure = Literal["likes", "comments", "shares", "views", "impressions", "earnedMediaValue"]


@dataclass
class _GroupList:
    """The groups of a kind, of which at most so many are shown, and the rest together."""

    by: By
    groups: list[summary.Group]
    most: int

    def __post_init__(self) -> None:
        self.most = min(self.most, len(self.groups))

    @property
    def is_cut(self) -> bool:
        """Whether some groups are shown together."""
        return self.most < len(self.groups)

    def to_dicts(self, figures: Sequence[str]) -> list[dict[str, Any]]:
        """Return the groups as a result shows them."""
        visible = summary.limit_groups(self.groups, self.most, by_time=self.by in _TIMES)
        return [group.to_dict(figures) for group in visible]

    def describe_cut(self) -> str:
        """Return which groups are shown and which are together."""
        first, rest = "first", "others"
        if self.by in _TIMES:
            first, rest = "latest", "earlier"
        return (
            f"By {self.by}: the {first} {self.most} of {len(self.groups)} are shown, the rest "
            f"together as `{rest}`."
        )


class SummarizePerformance(Computed):
    """Summarise how a workspace, view, collection, campaign or search of Archive (archive.com)
    performed, over all its items: totals, means, medians, coverage (how many items have the figure)
    and best items; money is in dollars. Use it instead of adding up search results, also for the
    accounts or creators with the most. Over 1,000 items it becomes a job. Changes nothing."""

    operation = "performance"
    title = "Summarise performance"
    always_loaded = True
    search_hint = (
        "weekly report, monthly report, summary, total reach, comments, views, average "
        "engagement, median, EMV, earned media value, how did the campaign do, perform, per week, "
        "reels compared with tiktoks, KPIs, results, numbers, recap, overview, statistics, stats, "
        "engagement rate, how are we doing, how well, altogether, typical, sum, breakdown, split "
        "by platform, report for my boss, board report, month over month, this quarter, year to "
        "date, figures, how many likes did we get, how much media value, best day, by creator, "
        "which platform works best, overall, how did the campaign do overall, median number of "
        "views, number of posts, by network, value, compared to last month, client recap, posts "
        "did we get, aggregate, roundup, wrap-up, ROI, each month, busiest, which month, quarter, "
        "metrics, totals, influencers' total, quarterly, KPI, impressions"
    )

    by: list[By] | None = Field(None, description="Break the figures down by these too.")
    metrics: list[Figure] | None = Field(
        None, min_length=1, description="Return only these figures; the first one ranks."
    )
    top: int | None = Field(
        None, ge=1, le=200, description="Most groups of each kind; the rest are added up."
    )
    limit: int = Field(5, ge=0, le=50, description="Best items to show; 0 for figures alone.")

    @property
    def metric_name(self) -> str:
        """The metric that ranks: the one that was chosen, or else the first of the figures."""
        if self.metrics and "metric" not in self.model_fields_set:
            return self.metrics[0]
        return super().metric_name

    @property
    def figures(self) -> tuple[str, ...]:
        """The figures to return, each once."""
        return tuple(dict.fromkeys(self.metrics or METRICS))

    def title_of_job(self, items: str) -> str:
        return f"Performance of {items}"

    def paths(self) -> list[str]:
        paths = super().paths()
        if "creator" in self._kinds:
            paths.append("creator.id")
        return paths

    @property
    def _kinds(self) -> list[By]:
        """The kinds of groups to return."""
        return list_once(self.by)

    def result(self, result: SourceItems) -> dict[str, Any]:
        rows = result.rows
        answer: dict[str, Any] = {
            "items": len(rows),
            "span": summary.find_span(rows),
            "metrics": summary.summarize_metrics(rows, self.figures),
        }
        # Whoever chose the figures did not ask for this one.
        if self.metrics is None:
            answer["virality"] = summary.count_virality(rows)
        if self.limit:
            answer["best"] = summary.select_best(rows, self.metric_name, self.limit)
        groups, notes = self._group(rows, _ROOM - len(compact(answer)))
        return {**answer, **drop_empty({"by": groups}), "notes": [*self._about(rows), *notes]}

    def _group(
        self, rows: list[Row], room: int
    ) -> tuple[dict[By, list[dict[str, Any]]], list[str]]:
        """The groups that were asked for, each kind cut until all fit, and what was cut."""
        lists: list[_GroupList] = []
        for by in self._kinds:
            groups = summary.group_items(rows, by, self.metric_name)
            lists.append(_GroupList(by, groups, self._find_most(by)))

        def show() -> dict[By, list[dict[str, Any]]]:
            return {entry.by: entry.to_dicts(self.figures) for entry in lists}

        visible = show()
        while len(compact(visible)) > room:
            # The longest list gives way first, so that short ones stay whole.
            longest = max(lists, key=attrgetter("most"))
            if longest.most <= _FEWEST:
                break
            # By a fifth: each try renders all groups, and one by one would take long.
            longest.most = max(_FEWEST, longest.most * 4 // 5)
            visible = show()
        return visible, [entry.describe_cut() for entry in lists if entry.is_cut]

    def _find_most(self, by: By) -> int:
        """Return the most groups of a kind."""
        if self.top is not None:
            return self.top
        return _MOST_GROUPS.get(by, _ALL)

    def _about(self, rows: list[Row]) -> list[str]:
        notes = [
            "`unknown` items lack the metric: they are in no mean or median, and not counted as 0."
        ]
        if self.by:
            notes.append("In groups, items beyond `known` lack the metric; null: all of them do.")
        notes += [note for by, note in _ABOUT_GROUPS.items() if by in self._kinds]
        if "week" in self._kinds and rows:
            notes += self._name_partial_weeks(rows)
        if _lack(rows, self.metric_name):
            notes.append(
                f"No item has {self.metric_name}: choose another `metric` to see the best."
            )
        return notes

    def _name_partial_weeks(self, rows: list[Row]) -> list[str]:
        """Return which weeks the period cuts, in the words of a chart by week."""
        mondays = sorted(set(map(summary.find_monday, rows)))
        weeks = list_weeks(mondays, find_period(self), wall_clock.utc_now().date())
        names = name_partial_weeks([week for week in weeks if week.monday in mondays])
        return [f"Partial weeks: {names}."] if names else []


class GetTopContent(Computed):
    """Rank the top items of a workspace, creator, view, campaign or search in Archive (archive.com)
    by a metric, with account, engagement rate, links and the number of all items. Unlike
    archive_search_items it ranks all items of a view or collection and all items given by id or
    link; over 1,000 of those it becomes a job. Changes nothing."""

    operation = "top_content"
    title = "Rank top content"
    always_loaded = True
    search_hint = (
        "top posts, best performing, best five, top ten, top 10, most liked, most viewed, most "
        "commented, highest earned media value, EMV, ranked, ranking, winners, strongest content, "
        "best reels, best tiktoks, best videos, worst, what worked best, the most successful, "
        "greatest hits, number one, most shared, most engaging, biggest hit, went viral, "
        "favourite content, going viral, most valuable, which reel got the most, performed best, "
        "rank the people, brought the most value, standout, biggest, hits, highest, best "
        "performer, most played, loved, most saved"
    )

    account_name: Text | None = Field(None, description="Only posts of this account (handle).")
    creator_id: Id | None = Field(None, description="Only posts of this creator (id).")
    limit: int = Field(10, ge=1, le=50, description="Number of items to show.")

    def check(self) -> None:
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
        return [*super().paths(), "socialProfile.followers"]

    async def run(self, context: ArchiveContext) -> Result:
        if self.creator_id is not None:
            await self._narrow_to_creator(context, self.creator_id)
        answer = await self.rank_by_archive(context)
        if answer is not None:
            return whole(answer)
        return await self.compute(context)

    async def rank_by_archive(self, context: ArchiveContext) -> dict[str, Any] | None:
        """Return the answer from one sorted page instead of all items; None where Archive does not
        sort, or sends what does not fit."""
        # What is dropped here of a sorted page would be missing among the first.
        if not self.is_filtered or self.own_paths:
            return None
        page = await self._read_sorted(context)
        if page is None:
            return None
        notes = ["Sorted by Archive."]
        if page.partial:
            notes.append(PARTIAL)
        if not page.records:
            notes += self.query().notes_if_empty()
        notes += await self.find_doubts(context, context.api, page.total)
        answer = {"items": page.total, **self._rank(_rows(page), notes)}
        return show_money(answer, context.money)

    def result(self, result: SourceItems) -> dict[str, Any]:
        values = _list_values(result.rows, self.metric_name)
        unknown = values.count(None)
        coverage = {
            "items": len(values),
            "known": len(values) - unknown,
            "unknown": unknown,
        }
        how = f"Ranked here, over all {len(result.rows):,} items."
        ranking = self._rank(result.rows, [how])
        return {"items": len(result.rows), "coverage": coverage, **ranking}

    def _rank(self, rows: list[Row], notes: list[str]) -> dict[str, Any]:
        nodes = ranking.rank_items(rows, self.metric_name, self.limit)
        notes = [*notes, ranking.RATE_NOTE]
        ranks = list(map(itemgetter("rank"), nodes))
        if set(ranks) == {None}:
            notes.append(
                f"No item has {self.metric_name}, which is not 0: choose another `metric`."
            )
        elif None in ranks:
            notes.append(
                f"Items without rank have no {self.metric_name}, which is not 0; they come last."
            )
        notes += select_notes(
            (
                ranking.cuts_a_tie(rows, self.metric_name, self.limit),
                "Items that were left out have the same value as the last one shown.",
            ),
            # Stories and feed posts have estimates only (Archive docs, glossary).
            (
                self.metric == "MERGED_VIEW_PLAY_COUNT",
                "Ranked by `impressions`: views, plays, or Archive's estimate where there are "
                "neither.",
            ),
        )
        return {"metric": self.metric_name, "nodes": nodes, "notes": notes}

    async def _read_sorted(self, context: ArchiveContext) -> Page | None:
        """Return the first items as Archive sorts them, one more than asked for; None where its
        order does not hold."""
        page = await self._page(context)
        _, broken = drop_misfits(self.query().parts, page.records)
        # What does not fit the filter stands where the best ones should be.
        if broken:
            return None
        if _lack(_rows(page), self.metric_name):
            # Either none has the metric, or Archive puts those without it first.
            measured = await self._page(context, measured=True)
            if measured.records:
                page = measured
        if ranking.is_ranked(_rows(page), self.metric_name):
            return page
        return None

    async def _page(self, context: ArchiveContext, *, measured: bool = False) -> Page:
        more: dict[str, Any] = {"sorting": [{"sortKey": self.metric, "sortOrder": "DESC"}]}
        if measured:
            requested = self.search_filter
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
        profiles = list(map(itemgetter("id"), (person or {}).get("socialProfiles") or []))
        if not profiles:
            raise Failure(
                Code.NOT_FOUND, "That creator has no social profile here.", GetCreator.instead
            )
        self.narrow("socialProfileIds", profiles)
        self.creator_id = None


def _lack(rows: list[Row], metric: str) -> bool:
    """Return whether there are rows, and none has the metric."""
    return set(_list_values(rows, metric)) == {None}


def _list_values(rows: list[Row], metric: str) -> list[float | None]:
    return [row.value(metric) for row in rows]


def _rows(page: Page) -> list[Row]:
    return list(map(make_row, page.records))
