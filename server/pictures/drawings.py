"""What each kind of chart shows, and the numbers behind it. Nothing is drawn before
`Drawing.draw`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any, Literal

from server.insights.rows import Row, instant_of, whole_number
from server.insights.summary import Group, grouped, metrics
from server.pictures.charts import (
    Column,
    Panel,
    bars,
    over_time,
)

Metric = Literal["likes", "comments", "shares", "views", "impressions", "earnedMediaValue"]

MOST_WEEKS = 104
_LABELS = {
    "likes": "Likes",
    "comments": "Comments",
    "shares": "Shares",
    "views": "Views",
    "impressions": "Impressions",
    "earnedMediaValue": "Earned media value (cents)",
}
_TITLES = {**_LABELS, "earnedMediaValue": "Earned media value"}
_KINDS = {
    "POST": "Posts",
    "REEL": "Reels",
    "STORY": "Stories",
    "TIKTOK": "Videos",
    "TIKTOK_STORY": "Stories",
    "YOUTUBE": "Videos",
    "YOUTUBE_SHORT": "Shorts",
}
_PLATFORMS = {"INSTAGRAM": "Instagram", "TIKTOK": "TikTok", "YOUTUBE": "YouTube"}
_WEEK = timedelta(days=7)


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
    """Of a chart of single items: which they are."""

    def about(self) -> dict[str, Any]:
        """The table as a result."""
        units = {"units": dict(self.units)} if self.units else {}
        items = {"items": self.items} if self.items else {}
        return {"title": self.title, **units, **items, "columns": self.columns, "rows": self.rows}


def top_creators(rows: Sequence[Row], metric: Metric, most: int) -> Drawing:
    """Creators with the largest totals of a metric."""
    strangers = [row for row in rows if row.creator is None]
    ranked = grouped([row for row in rows if row.creator is not None], "creator", metric)
    known = [group for group in ranked if _total(group, metric) is not None]
    shown = known[:most]
    totals = [_total(group, metric) for group in shown]
    title = f"Top {len(shown)} creators by {_TITLES[metric].lower()}"
    labels = [_account(group) for group in shown]
    notes = _coverage(rows, metric)
    if strangers:
        notes.append(
            f"{len(strangers)} items of accounts without a creator in the CRM are left out."
        )
    if len(ranked) > len(known):
        notes.append(f"{len(ranked) - len(known)} creators have no known {metric}: left out.")
    table = [
        [group.name["creatorId"], ", ".join(group.name["accountNames"]), len(group.rows), total]
        for group, total in zip(shown, totals, strict=True)
    ]
    draw = partial(
        bars, title, labels, [Column(_LABELS[metric], _numbers(totals))], (), _span_of(rows)
    )
    return Drawing(
        title, ["creatorId", "accounts", "items", metric], table, draw, _units(metric), notes
    )


def platform_mix(rows: Sequence[Row], metric: Metric) -> Drawing:
    """Items and a metric by platform and type."""
    groups = grouped(rows, "type", metric)
    totals = [_total(group, metric) for group in groups]
    platforms = [_PLATFORMS.get(group.rows[0].platform, group.rows[0].platform) for group in groups]
    kinds = [str(group.name["type"]) for group in groups]
    names = [
        f"{platform} {_KINDS.get(kind, kind).lower()}"
        for platform, kind in zip(platforms, kinds, strict=True)
    ]
    title = f"Items and {_TITLES[metric].lower()} by platform and type"
    columns = [
        Column("Items", [len(group.rows) for group in groups]),
        Column(_LABELS[metric], _numbers(totals)),
    ]
    table = [
        [group.rows[0].platform, kind, len(group.rows), total]
        for group, kind, total in zip(groups, kinds, totals, strict=True)
    ]
    draw = partial(bars, title, names, columns, platforms, _span_of(rows))
    names_of_columns = ["platform", "type", "items", metric]
    return Drawing(title, names_of_columns, table, draw, _units(metric), _coverage(rows, metric))


def weekly(rows: Sequence[Row], metric: Metric) -> Drawing:
    """Items and a metric by ISO week of posting, in UTC; weeks without items too."""
    groups = {
        date.fromisoformat(group.name["monday"]): group for group in grouped(rows, "week", metric)
    }
    first, last = min(groups), max(groups)
    weeks = [first + place * _WEEK for place in range((last - first) // _WEEK + 1)]
    notes = [*_coverage(rows, metric), "The first and the last week may be incomplete."]
    if len(weeks) > MOST_WEEKS:
        notes.append(f"Of {len(weeks)} weeks the last {MOST_WEEKS} are shown.")
        weeks = weeks[-MOST_WEEKS:]
    counts = [len(groups[week].rows) if week in groups else 0 for week in weeks]
    totals = [_total(groups[week], metric) if week in groups else None for week in weeks]
    title = f"Items and {_TITLES[metric].lower()} by week"
    middles = [datetime.combine(week, time(12), UTC) + _WEEK / 2 for week in weeks]
    panels = [
        Panel("Items", [("Items", list(zip(middles, counts, strict=True)))], "bars"),
        Panel(_LABELS[metric], [(metric, list(zip(middles, _numbers(totals), strict=True)))]),
    ]
    table = [
        [_named(week), count, total]
        for week, count, total in zip(weeks, counts, totals, strict=True)
    ]
    draw = partial(over_time, title, panels, "Week of posting (UTC)", _span_of(rows))
    return Drawing(title, ["week", "items", metric], table, draw, _units(metric), notes)


def engagement_over_time(
    rows: Sequence[Row], histories: Sequence[Sequence[Mapping[str, Any]]], chosen: Sequence[Metric]
) -> Drawing:
    """Snapshots of items: of one by date, of several by days since posting."""
    alone = len(rows) == 1
    title = f"{', '.join(_TITLES[each] for each in chosen).capitalize()} over time"
    panels = []
    for metric in chosen:
        lines = [
            (
                _post(row, place, history, chosen),
                [
                    (_when(entry, row, alone), _number(entry[metric]))
                    for entry in sorted(history, key=lambda entry: instant_of(entry["at"]))
                ],
            )
            for place, (row, history) in enumerate(zip(rows, histories, strict=True), 1)
        ]
        panels.append(Panel(_LABELS[metric], lines))
    table = [
        [place, entry["at"], *(whole_number(entry[metric]) for metric in chosen)]
        for place, history in enumerate(histories, 1)
        for entry in sorted(history, key=lambda entry: instant_of(entry["at"]))
    ]
    items = [
        {"number": place, "itemId": row.id, "account": row.account, "takenAt": row.taken_at}
        for place, row in enumerate(rows, 1)
    ]
    bare = [str(place) for place, history in enumerate(histories, 1) if not history]
    notes = [f"Items without any snapshot: {', '.join(bare)}."] if bare else []
    about = (
        f"@{rows[0].account}, posted {rows[0].moment.date()}" if alone and rows[0].account else ""
    )
    draw = partial(over_time, title, panels, "Date (UTC)" if alone else "Days since posting", about)
    return Drawing(title, ["number", "at", *chosen], table, draw, _units(*chosen), notes, items)


def _when(entry: Mapping[str, Any], row: Row, alone: bool) -> datetime | float:
    at = instant_of(entry["at"])
    return at if alone else (at - row.moment).total_seconds() / 86_400


def _post(
    row: Row, place: int, history: Sequence[Mapping[str, Any]], chosen: Sequence[Metric]
) -> str:
    name = f"{place} @{row.account}" if row.account else f"{place} {row.id[:8]}"
    known = any(entry[metric] is not None for entry in history for metric in chosen)
    return name if known else f"{name} (unknown)"


def _account(group: Group) -> str:
    accounts = group.name["accountNames"]
    return f"@{accounts[0]}" if accounts else str(group.name["creatorId"])[:8]


def _named(monday: date) -> str:
    year, week, _ = monday.isocalendar()
    return f"{year}-W{week:02}"


def _total(group: Group, metric: Metric) -> int | float | str | None:
    total: int | float | str | None = metrics(group.rows)[metric]["total"]
    return total


def _numbers(values: Sequence[int | float | str | None]) -> list[float | None]:
    """As numbers: what is too large to be exact in JSON comes as text."""
    return [_number(each) for each in values]


def _number(value: float | str | None) -> float | None:
    return None if value is None else float(value)


def _coverage(rows: Sequence[Row], metric: Metric) -> list[str]:
    unknown = sum(1 for row in rows if row.value(metric) is None)
    return (
        [f"{metric} is unknown for {unknown} of {len(rows)} items; they add nothing."]
        if unknown
        else []
    )


def _units(*chosen: Metric) -> dict[str, str]:
    return {"earnedMediaValue": "cents"} if "earnedMediaValue" in chosen else {}


def _span_of(rows: Sequence[Row]) -> str:
    days = sorted(row.moment.date() for row in rows)
    return f"{len(rows):,} items posted from {days[0]} to {days[-1]} (UTC)"
