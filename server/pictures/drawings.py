"""Prepares each kind of chart and the numbers behind it; only `Drawing.draw` draws."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from itertools import count
from typing import Any, Literal

from server.insights.rows import Row, parse_instant, parse_whole_number
from server.insights.summary import Group, group_items, summarize_metrics
from server.pictures.charts import Column, Moment, Panel, Points, draw_bars, draw_over_time

Metric = Literal["likes", "comments", "shares", "views", "impressions", "earnedMediaValue"]

# The most weeks of a chart: two years.
MOST_WEEKS = 104
_LABELS = {
    "likes": "Likes",
    "comments": "Comments",
    "shares": "Shares",
    "views": "Views",
    "impressions": "Impressions",
    "earnedMediaValue": "Earned media value (cents)",
}
# A title is about what is measured, a label also about its unit.
_TITLES = {**_LABELS, "earnedMediaValue": "Earned media value"}
_KINDS = {"POST": "Posts", "REEL": "Reels", "STORY": "Stories", "SHORT": "Shorts"}
# Videos are of type POST on these two.
_OF_VIDEOS = ("TIKTOK", "YOUTUBE")
_PLATFORMS = {"INSTAGRAM": "Instagram", "TIKTOK": "TikTok", "YOUTUBE": "YouTube"}
_DAY, _WEEK = timedelta(days=1), timedelta(days=7)


@dataclass(frozen=True)
class Drawing:
    """A chart that can be drawn, and its numbers as a table."""

    title: str
    columns: list[str]
    rows: list[list[Any]]
    draw: Callable[[], bytes]
    units: Mapping[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    items: list[dict[str, Any]] = field(default_factory=list)
    """The items, in a chart of single items."""

    def to_dict(self) -> dict[str, Any]:
        """Return the table as a result, without units and items where there are none."""
        table: dict[str, Any] = {"title": self.title}
        if self.units:
            table["units"] = dict(self.units)
        if self.items:
            table["items"] = self.items
        return {**table, "columns": self.columns, "rows": self.rows}


def chart_top_creators(rows: Sequence[Row], metric: Metric, most: int) -> Drawing:
    """Return a chart of the creators with the largest totals of a metric.

    Args:
        most: the most creators.
    """
    linked = [row for row in rows if row.creator is not None]
    all_groups = group_items(linked, "creator", metric)
    measured = [group for group in all_groups if _sum(group, metric) is not None]
    groups = measured[:most]
    totals = [_sum(group, metric) for group in groups]
    title = f"Top {len(groups)} creators by {_TITLES[metric].lower()}"
    labels = [_label_creator(group) for group in groups]
    notes = _describe_coverage(rows, metric)
    unlinked = len(rows) - len(linked)
    if unlinked:
        notes.append(f"{unlinked} items of accounts without a creator in the CRM are left out.")
    if len(all_groups) > len(measured):
        unmeasured = len(all_groups) - len(measured)
        notes.append(f"{unmeasured} creators have no known {metric}: left out.")
    table = [
        [group.name["creatorId"], ", ".join(group.name["accountNames"]), len(group.rows), total]
        for group, total in zip(groups, totals, strict=True)
    ]
    columns = [Column(_LABELS[metric], _to_numbers(totals))]
    draw = partial(draw_bars, title, labels, columns, (), _describe_span(rows))
    header = ["creatorId", "accounts", "items", metric]
    return Drawing(title, header, table, draw, _choose_units(metric), notes)


def chart_platform_mix(rows: Sequence[Row], metric: Metric) -> Drawing:
    """Return a chart of items and a metric by platform and type."""
    groups = group_items(rows, "type", metric)
    totals = [_sum(group, metric) for group in groups]
    codes = [str(group.name["provider"]) for group in groups]
    platforms = [_PLATFORMS.get(code, code) for code in codes]
    kinds = [str(group.name["type"]) for group in groups]
    names = [
        f"{_PLATFORMS.get(code, code)} {_name_kind(code, kind)}"
        for code, kind in zip(codes, kinds, strict=True)
    ]
    title = f"Items and {_TITLES[metric].lower()} by platform and type"
    counts = [len(group.rows) for group in groups]
    columns = [Column("Items", counts), Column(_LABELS[metric], _to_numbers(totals))]
    table = [list(row) for row in zip(codes, kinds, counts, totals, strict=True)]
    draw = partial(draw_bars, title, names, columns, platforms, _describe_span(rows))
    header = ["provider", "type", "items", metric]
    notes = _describe_coverage(rows, metric)
    return Drawing(title, header, table, draw, _choose_units(metric), notes)


def _name_kind(platform: str, kind: str) -> str:
    if kind == "POST" and platform in _OF_VIDEOS:
        return "videos"
    return _KINDS.get(kind, kind).lower()


def chart_weeks(rows: Sequence[Row], metric: Metric) -> Drawing:
    """Return a chart of items and a metric by ISO week of posting, in UTC.

    Weeks without items are in it too.
    """
    groups = {
        date.fromisoformat(group.name["monday"]): group
        for group in group_items(rows, "week", metric)
    }
    first, last = min(groups), max(groups)
    weeks = [first + number * _WEEK for number in range((last - first) // _WEEK + 1)]
    notes = [
        *_describe_coverage(rows, metric),
        "The first and the last week may be incomplete.",
    ]
    if len(weeks) > MOST_WEEKS:
        notes.append(f"Of {len(weeks)} weeks the last {MOST_WEEKS} are shown.")
        weeks = weeks[-MOST_WEEKS:]
    # A week without items has none for certain, but an unknown total.
    filled = [groups.get(week, Group({}, [])) for week in weeks]
    counts = [len(group.rows) for group in filled]
    totals = [_sum(group, metric) for group in filled]
    title = f"Items and {_TITLES[metric].lower()} by week"
    # A point in the middle of its week, so that a bar covers the days that it counts.
    middles = [datetime.combine(week, time(12), UTC) + _WEEK / 2 for week in weeks]
    panels = [
        Panel("Items", [("Items", list(zip(middles, counts, strict=True)))], "bars"),
        Panel(_LABELS[metric], [(metric, list(zip(middles, _to_numbers(totals), strict=True)))]),
    ]
    names = map(_label_week, weeks)
    table = [list(row) for row in zip(names, counts, totals, strict=True)]
    draw = partial(draw_over_time, title, panels, "Week of posting (UTC)", _describe_span(rows))
    return Drawing(title, ["week", "items", metric], table, draw, _choose_units(metric), notes)


def chart_engagement(
    rows: Sequence[Row],
    histories: Sequence[Sequence[Mapping[str, Any]]],
    metrics: Sequence[Metric],
) -> Drawing:
    """Return a chart of the snapshots of items: of one by date, of several by days since posting.

    Args:
        histories: for each item its snapshots, in any order.
    """
    is_single = len(rows) == 1
    titles = ", ".join(_TITLES[metric] for metric in metrics)
    title = f"{titles.capitalize()} over time"
    timelines = list(zip(count(1), rows, map(_sort_snapshots, histories), strict=False))
    items = [
        {"number": number, "itemId": row.id, "account": row.account, "takenAt": row.taken_at}
        for number, row, _ in timelines
    ]
    table = [
        [number, entry["at"], *(parse_whole_number(entry[metric]) for metric in metrics)]
        for number, _, snapshots in timelines
        for entry in snapshots
    ]
    names = [_label_item(*timeline, metrics) for timeline in timelines]
    panels = []
    for metric in metrics:
        lines = [_make_line(row, snapshots, metric, is_single) for _, row, snapshots in timelines]
        panels.append(Panel(_LABELS[metric], list(zip(names, lines, strict=True))))
    empty = [str(number) for number, _, snapshots in timelines if not snapshots]
    notes = [f"Items without any snapshot: {', '.join(empty)}."] if empty else []
    subtitle = ""
    if is_single and rows[0].account:
        subtitle = f"@{rows[0].account}, posted {rows[0].moment.date()}"
    x_label = "Date (UTC)" if is_single else "Days since posting"
    draw = partial(draw_over_time, title, panels, x_label, subtitle)
    header = ["number", "at", *metrics]
    return Drawing(title, header, table, draw, _choose_units(*metrics), notes, items)


def _sort_snapshots(snapshots: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return sorted(snapshots, key=lambda entry: parse_instant(entry["at"]))


def _make_line(
    row: Row, snapshots: Sequence[Mapping[str, Any]], metric: Metric, is_single: bool
) -> Points:
    """Return the points of an item: their x is an instant, or the days since posting."""
    points: list[tuple[Moment, float | None]] = []
    for entry in snapshots:
        moment: Moment = parse_instant(entry["at"])
        # Days since posting let items of different dates be compared.
        if not is_single:
            moment = (parse_instant(entry["at"]) - row.moment) / _DAY
        points.append((moment, _to_number(entry[metric])))
    return points


def _label_item(
    number: int, row: Row, snapshots: Sequence[Mapping[str, Any]], metrics: Sequence[Metric]
) -> str:
    name = row.id[:8]
    if row.account:
        name = f"@{row.account}"
    values = [entry[metric] for entry in snapshots for metric in metrics]
    # A line without any point does not show, so the legend has to say why.
    if values.count(None) == len(values):
        name += " (unknown)"
    return f"{number} {name}"


def _label_creator(group: Group) -> str:
    accounts = group.name["accountNames"]
    if accounts:
        return f"@{accounts[0]}"
    return str(group.name["creatorId"])[:8]


def _label_week(monday: date) -> str:
    return f"{monday:%G-W%V}"


def _sum(group: Group, metric: Metric) -> int | float | str | None:
    total: int | float | str | None = summarize_metrics(group.rows)[metric]["total"]
    return total


def _to_numbers(values: Sequence[int | float | str | None]) -> list[float | None]:
    return list(map(_to_number, values))


def _to_number(value: int | float | str | None) -> float | None:
    """Return the value as a number: what is too large to be exact in JSON comes as text."""
    if value is None:
        return None
    return float(value)


def _describe_coverage(rows: Sequence[Row], metric: Metric) -> list[str]:
    unknown = [row.value(metric) for row in rows].count(None)
    if not unknown:
        return []
    return [f"{metric} is unknown for {unknown} of {len(rows)} items; they add nothing."]


def _choose_units(*metrics: Metric) -> dict[str, str]:
    return {"earnedMediaValue": "cents"} if "earnedMediaValue" in metrics else {}


def _describe_span(rows: Sequence[Row]) -> str:
    days = sorted(row.moment.date() for row in rows)
    return f"{len(rows):,} items posted from {days[0]} to {days[-1]} (UTC)"
