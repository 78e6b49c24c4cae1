"""Prepares each kind of chart and the numbers behind it; only `Drawing.draw` draws."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from typing import Any

from server.insights.money import Money
from server.insights.rows import Row
from server.insights.summary import By, Group, group_items
from server.pictures.charts import (
    Bars,
    Heading,
    Slots,
    draw_over_time,
    draw_side_by_side,
    draw_upright,
)
from server.pictures.measures import ITEMS, Measure, join_titles
from server.pictures.timelines import Snapshot, make_panel, make_timelines
from server.pictures.weeks import (
    MOST_WEEKS,
    Period,
    list_weeks,
    name_partial_weeks,
    render_weeks,
)

_KINDS = {"POST": "Posts", "REEL": "Reels", "STORY": "Stories", "SHORT": "Shorts"}
# Videos are of type POST on these two.
_OF_VIDEOS = ("TIKTOK", "YOUTUBE")
PLATFORMS = {"INSTAGRAM": "Instagram", "TIKTOK": "TikTok", "YOUTUBE": "YouTube"}
_WEEK_LABEL = "Week of posting by its first day, Monday to Sunday (UTC)"


@dataclass(frozen=True)
class Subject:
    """What the posts of a chart have in common: the workspace, and the filter in words."""

    workspace: str
    filter: str

    def make_heading(self, title: str, *lines: str) -> Heading:
        """Return the heading of a chart of these posts."""
        return Heading(f"{self.workspace}: {title[:1].lower()}{title[1:]}", (self.filter, *lines))


@dataclass(frozen=True)
class Drawing:
    """A chart that can be drawn, and its numbers as a table."""

    heading: Heading
    columns: list[str]
    rows: list[list[Any]]
    draw: Callable[[], bytes]
    measures: Sequence[Measure]
    notes: list[str] = field(default_factory=list)
    items: list[dict[str, Any]] = field(default_factory=list)
    """The items, in a chart of single items."""

    def to_dict(self) -> dict[str, Any]:
        """Return the table as a result, without units and items where there are none."""
        table: dict[str, Any] = {"title": self.heading.title, "posts": self.heading.lines[0]}
        if self._money is not None:
            table["units"] = self._money.units
        if self.items:
            table["items"] = self.items
        return {**table, "columns": self.columns, "rows": self.rows}

    def list_notes(self) -> list[str]:
        """Return what is to be said about the numbers."""
        assumption = [] if self._money is None else self._money.notes
        return [*self.notes, *assumption]

    @property
    def _money(self) -> Money | None:
        """What converted the amounts, where there are any."""
        amounts = [measure.money for measure in self.measures if measure.is_money]
        return amounts[0] if amounts else None


def chart_top_creators(
    rows: Sequence[Row], measures: Sequence[Measure], most: int, subject: Subject
) -> Drawing:
    """Return a chart of the creators with the largest totals of the first measure.

    Args:
        most: the most creators.
    """
    ranking = measures[0]
    linked = [row for row in rows if row.creator is not None]
    all_groups = _group(linked, "creator", ranking)
    measured = [group for group in all_groups if ranking.total(group.rows) is not None]
    groups = measured[:most]
    notes = _describe_coverage(rows, measures)
    unlinked = len(rows) - len(linked)
    if unlinked:
        notes.append(f"{unlinked} items of accounts without a creator in the CRM are left out.")
    unmeasured = len(all_groups) - len(measured)
    if unmeasured:
        notes.append(f"{unmeasured} creators have no known {ranking.metric}: left out.")
    title = f"Top {len(groups)} creators by {ranking.title.lower()}"
    heading = subject.make_heading(title, _describe_span(rows))
    names = list(map(_label_creator, groups))
    draw = partial(draw_side_by_side, heading, names, _make_all_bars(groups, measures))
    keys = [(group.name["creatorId"], ", ".join(group.name["accountNames"])) for group in groups]
    header, table = _make_table(("creatorId", "accounts"), keys, groups, measures)
    return Drawing(heading, header, table, draw, measures, notes)


def chart_platform_mix(
    rows: Sequence[Row], measures: Sequence[Measure], subject: Subject
) -> Drawing:
    """Return a chart of the measures by platform and type."""
    groups = _group(rows, "type", measures[0])
    keys = [(str(group.name["provider"]), str(group.name["type"])) for group in groups]
    platforms = [PLATFORMS.get(code, code) for code, _ in keys]
    names = [f"{PLATFORMS.get(code, code)} {_name_kind(code, kind)}" for code, kind in keys]
    title = f"{join_titles(measures)} by platform and type"
    heading = subject.make_heading(title, _describe_span(rows))
    bars = _make_all_bars(groups, measures)
    draw = partial(draw_side_by_side, heading, names, bars, platforms)
    header, table = _make_table(("provider", "type"), keys, groups, measures)
    notes = _describe_coverage(rows, measures)
    return Drawing(heading, header, table, draw, measures, notes)


def chart_weeks(
    rows: Sequence[Row],
    measures: Sequence[Measure],
    period: Period,
    today: date,
    subject: Subject,
) -> Drawing:
    """Return a chart of the measures by ISO week of posting, in UTC.

    Weeks without items are in it too.

    Args:
        period: the days that posts can be from; weeks that it cuts are called partial.
        today: the last day that can have posts.
    """
    by_monday = {
        date.fromisoformat(group.name["monday"]): group for group in _group(rows, "week", None)
    }
    weeks = list_weeks(list(by_monday), period, today)
    notes = _describe_coverage(rows, measures)
    if len(weeks) > MOST_WEEKS:
        notes.append(f"Of {len(weeks)} weeks the last {MOST_WEEKS} are shown.")
        weeks = weeks[-MOST_WEEKS:]
    partial_weeks = name_partial_weeks(weeks)
    if partial_weeks:
        notes.append(f"Partial weeks: {partial_weeks}.")
    # A week without items has none for certain, but an unknown total.
    groups = [by_monday.get(week.monday, Group({}, [])) for week in weeks]
    title = f"{join_titles(measures)} by week"
    heading = subject.make_heading(title, _describe_span(rows))
    hatched = [week.is_partial for week in weeks]
    slots = Slots(render_weeks(weeks), hatched, f"Hatched, partial weeks: {partial_weeks}")
    draw = partial(draw_upright, heading, slots, _make_week_bars(groups, measures), _WEEK_LABEL)
    keys = [(week.name, str(week.first), str(week.last)) for week in weeks]
    header, table = _make_table(("week", "from", "to"), keys, groups, measures)
    return Drawing(heading, header, table, draw, measures, notes)


def chart_engagement(
    rows: Sequence[Row],
    histories: Sequence[Sequence[Snapshot]],
    measures: Sequence[Measure],
    subject: Subject,
) -> Drawing:
    """Return a chart of the snapshots of items: of one by date, of several by days since posting.

    Args:
        histories: for each item its snapshots, in any order.
        measures: metrics that snapshots have.
    """
    is_single = len(rows) == 1
    timelines = make_timelines(rows, histories)
    items = [timeline.to_dict() for timeline in timelines]
    table = [line for timeline in timelines for line in timeline.list_lines(measures)]
    panels = [make_panel(timelines, measure, by_date=is_single) for measure in measures]
    empty = [str(timeline.number) for timeline in timelines if not timeline.snapshots]
    notes = [f"Items without any snapshot: {', '.join(empty)}."] if empty else []
    subtitle = ""
    if is_single and rows[0].account:
        subtitle = f"@{rows[0].account}, posted {rows[0].moment.date()}"
    x_label = "Date (UTC)" if is_single else "Days since posting"
    heading = subject.make_heading(f"{join_titles(measures)} over time", subtitle)
    draw = partial(draw_over_time, heading, panels, x_label)
    header = ["number", "at", *_name_columns(measures)]
    return Drawing(heading, header, table, draw, measures, notes, items)


def _group(rows: Sequence[Row], by: By, ranking: Measure | None) -> list[Group]:
    """Return the items by what they share, the groups with the most of a measure first."""
    if ranking is None or ranking.metric != ITEMS:
        return group_items(rows, by, ranking.metric if ranking else "likes")
    groups = group_items(rows, by, "likes")
    return sorted(groups, key=lambda group: len(group.rows), reverse=True)


def _make_table(
    names: Sequence[str],
    keys: Sequence[Sequence[str | None]],
    groups: Sequence[Group],
    measures: Sequence[Measure],
) -> tuple[list[str], list[list[Any]]]:
    """Return the header and the lines: the keys of each group, its items, and its totals."""
    # The number of items says how much a total rests on, whether or not it is drawn.
    totals = [measure for measure in measures if measure.metric != ITEMS]
    lines = [
        [*key, len(group.rows), *(measure.total(group.rows) for measure in totals)]
        for key, group in zip(keys, groups, strict=True)
    ]
    return [*names, ITEMS, *_name_columns(totals)], lines


def _name_columns(measures: Sequence[Measure]) -> list[str]:
    return [measure.column for measure in measures]


def _make_all_bars(groups: Sequence[Group], measures: Sequence[Measure]) -> list[Bars]:
    return [
        measure.make_bars([measure.total(group.rows) for group in groups]) for measure in measures
    ]


def _make_week_bars(groups: Sequence[Group], measures: Sequence[Measure]) -> list[Bars]:
    """Return the bars of weeks; one without posts has no text where there is nothing to add up."""
    panels = []
    for measure in measures:
        bars = measure.make_bars([measure.total(group.rows) for group in groups], unknown="?")
        texts = [
            text if group.rows or measure.metric == ITEMS else ""
            for text, group in zip(bars.texts, groups, strict=True)
        ]
        panels.append(replace(bars, texts=texts))
    return panels


def _name_kind(platform: str, kind: str) -> str:
    if kind == "POST" and platform in _OF_VIDEOS:
        return "videos"
    return _KINDS.get(kind, kind).lower()


def _label_creator(group: Group) -> str:
    accounts = group.name["accountNames"]
    if accounts:
        return f"@{accounts[0]}"
    return str(group.name["creatorId"])[:8]


def _describe_coverage(rows: Sequence[Row], measures: Sequence[Measure]) -> list[str]:
    unknown = {measure.metric: measure.count_unknown(rows) for measure in measures}
    return [
        f"{metric} is unknown for {number} of {len(rows)} items; they add nothing."
        for metric, number in unknown.items()
        if number
    ]


def _describe_span(rows: Sequence[Row]) -> str:
    days = sorted(row.moment.date() for row in rows)
    return f"{len(rows):,} posts from {days[0]} to {days[-1]} (UTC)"
