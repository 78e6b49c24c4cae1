"""Prepares each kind of chart and the numbers behind it; only `Drawing.draw` draws."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from itertools import chain
from typing import Any

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
from server.pictures.measures import ITEMS, Measure, PostCount, join_titles
from server.pictures.timelines import (
    Snapshot,
    Timeline,
    describe_empty,
    make_panel,
    make_timelines,
)
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
_NO_POSTS = Group({}, [])
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
        units = {measure.column: measure.unit for measure in self.measures if measure.unit}
        table = {"title": self.heading.title, "posts": self.heading.lines[0]}
        details = {"units": units, "items": self.items}
        present = {name: value for name, value in details.items() if value}
        return {**table, **present, "columns": self.columns, "rows": self.rows}

    def list_notes(self) -> list[str]:
        """Return what is to be said about the numbers."""
        return [*self.notes, *chain.from_iterable(measure.notes for measure in self.measures)]


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
    heading = subject.make_heading(
        f"Top {len(groups)} creators by {ranking.title.lower()}", _describe_span(rows)
    )
    notes = _describe_coverage(rows, measures)
    unlinked = len(rows) - len(linked)
    if unlinked:
        notes.append(f"{unlinked} items of accounts without a creator in the CRM are left out.")
    unmeasured = len(all_groups) - len(measured)
    if unmeasured:
        notes.append(f"{unmeasured} creators have no known {ranking.metric}: left out.")
    names = list(map(_label_creator, groups))
    bars = _make_bars(groups, measures)
    draw = partial(draw_side_by_side, heading, names, bars)
    keys = {
        "creatorId": [group.name["creatorId"] for group in groups],
        "accounts": [", ".join(group.name["accountNames"]) for group in groups],
    }
    return Drawing(heading, *_make_table(keys, groups, measures), draw, measures, notes)


def chart_platform_mix(
    rows: Sequence[Row], measures: Sequence[Measure], subject: Subject
) -> Drawing:
    """Return a chart of the measures by platform and type."""
    groups = _group(rows, "type", measures[0])
    title = f"{join_titles(measures)} by platform and type"
    heading = subject.make_heading(title, _describe_span(rows))
    providers = [str(group.name["provider"]) for group in groups]
    types = [str(group.name["type"]) for group in groups]
    platforms = list(map(_name_platform, providers))
    kinds = map(_name_kind, providers, types)
    names = list(map(" ".join, zip(platforms, kinds, strict=True)))
    bars = _make_bars(groups, measures)
    draw = partial(draw_side_by_side, heading, names, bars, platforms)
    table = _make_table({"provider": providers, "type": types}, groups, measures)
    notes = _describe_coverage(rows, measures)
    return Drawing(heading, *table, draw, measures, notes)


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
    title = f"{join_titles(measures)} by week"
    heading = subject.make_heading(title, _describe_span(rows))
    by_monday = {group.name["monday"]: group for group in group_items(rows, "week", "likes")}
    all_weeks = list_weeks(list(map(date.fromisoformat, by_monday)), period, today)
    weeks = all_weeks[-MOST_WEEKS:]
    notes = _describe_coverage(rows, measures)
    if len(weeks) < len(all_weeks):
        notes.append(f"Of {len(all_weeks)} weeks the last {MOST_WEEKS} are shown.")
    partial_weeks = name_partial_weeks(weeks)
    if partial_weeks:
        notes.append(f"Partial weeks: {partial_weeks}.")
    groups = [by_monday.get(str(week.monday), _NO_POSTS) for week in weeks]
    hatched = [week.is_partial for week in weeks]
    slots = Slots(render_weeks(weeks), hatched, f"Hatched, partial weeks: {partial_weeks}")
    draw = partial(draw_upright, heading, slots, _make_bars(groups, measures, "?"), _WEEK_LABEL)
    keys = {
        "week": [week.name for week in weeks],
        "from": [str(week.first) for week in weeks],
        "to": [str(week.last) for week in weeks],
    }
    return Drawing(heading, *_make_table(keys, groups, measures), draw, measures, notes)


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
    notes = describe_empty(timelines)
    lines = chain.from_iterable(timeline.list_lines(measures) for timeline in timelines)
    panels = [make_panel(timelines, measure, by_date=is_single) for measure in measures]
    subtitle, x_label = "", "Days since posting"
    if is_single:
        subtitle, x_label = timelines[0].title, "Date (UTC)"
    heading = subject.make_heading(f"{join_titles(measures)} over time", subtitle)
    draw = partial(draw_over_time, heading, panels, x_label, by_date=is_single)
    header = ["number", "at", *(measure.column for measure in measures)]
    items = list(map(Timeline.to_dict, timelines))
    return Drawing(heading, header, list(lines), draw, measures, notes, items)


def _group(rows: Sequence[Row], by: By, ranking: Measure) -> list[Group]:
    """Return the items by what they share, the groups with the most of a measure first."""
    if isinstance(ranking, PostCount):
        groups = group_items(rows, by, "likes")
        return sorted(groups, key=lambda group: len(group.rows), reverse=True)
    return group_items(rows, by, ranking.metric)


def _make_table(
    keys: Mapping[str, Sequence[str | None]],
    groups: Sequence[Group],
    measures: Sequence[Measure],
) -> tuple[list[str], list[list[Any]]]:
    """Return the header and the lines: the keys of each group, its items, and its totals."""
    columns: dict[str, Sequence[Any]] = dict(keys)
    # The number of items says how much a total rests on, whether or not it is drawn.
    columns[ITEMS] = [len(group.rows) for group in groups]
    for measure in measures:
        columns[measure.column] = measure.list_totals(groups)
    lines = zip(*columns.values(), strict=True)
    return list(columns), list(map(list, lines))


def _make_bars(
    groups: Sequence[Group], measures: Sequence[Measure], unknown: str = "unknown"
) -> list[Bars]:
    return [measure.make_bars(groups, unknown) for measure in measures]


def _name_platform(code: str) -> str:
    return PLATFORMS.get(code, code)


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
