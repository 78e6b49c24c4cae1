"""Computes totals, means, medians and coverage of items, overall and by group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Any, Literal

from server.insights.rows import EXACT, METRICS, Row

By = Literal["platform", "type", "week", "month", "creator", "account"]

CLASSES = ("HIGH", "MEDIUM", "LOW", "NOT_VIRAL")
_MOST_ACCOUNTS = 3


@dataclass(frozen=True)
class Group:
    """Items that belong together: the keys and values that identify them, and their rows."""

    name: dict[str, Any]
    rows: list[Row]

    def to_dict(self, metrics: Sequence[str] = METRICS) -> dict[str, Any]:
        """Return the group with these metrics, each None that no item has."""
        group = {**self.name, "items": len(self.rows)}
        for name in metrics:
            values = list_values(self.rows, name)
            # The number of unknown values is left out: `items` less `known` gives it.
            group[name] = _compute_statistics(values) if values else None
        return group


def summarize_metrics(
    rows: Sequence[Row], metrics: Sequence[str] = METRICS
) -> dict[str, dict[str, Any]]:
    """Return for each of the metrics its total, mean and median over the items that have it.

    `known` and `unknown` count the items with and without it.
    """
    summary: dict[str, dict[str, Any]] = {}
    for name in metrics:
        values = list_values(rows, name)
        summary[name] = {**_compute_statistics(values), "unknown": len(rows) - len(values)}
    return summary


def find_span(rows: Sequence[Row]) -> dict[str, str] | None:
    """Return the first and the last time of posting, None without items."""
    if not rows:
        return None
    # Sorted as instants: texts with different offsets do not sort by time.
    times = sorted((row.moment, row.taken_at) for row in rows)
    return {"from": times[0][1], "to": times[-1][1]}


def count_virality(rows: Sequence[Row]) -> dict[str, Any]:
    """Return the number of items in each virality class, of the kinds that have classes.

    `unknown` counts those that were never measured.
    """
    classes = [row.virality for row in rows if row.is_rated]
    counts = Counter(classes)
    by_class = {name: counts[name] for name in CLASSES}
    return {
        "of": "Instagram reels and TikTok videos only",
        "items": len(classes),
        **by_class,
        "unknown": len(classes) - sum(by_class.values()),
    }


def group_items(rows: Sequence[Row], by: By, metric: str) -> list[Group]:
    """Return the items by what they share.

    Weeks and months come in their order, other groups by their total of the metric, largest first.
    """
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(_KEYS[by](row), []).append(row)
    if by in ("week", "month"):
        keys = sorted(groups)
    else:
        keys = sorted(groups, key=lambda key: _weigh(groups[key], metric), reverse=True)
    return [Group(_make_name(by, key, groups[key]), groups[key]) for key in keys]


def limit_groups(groups: list[Group], most: int, *, by_time: bool) -> list[Group]:
    """Return at most `most` groups and one more that holds the rest.

    Args:
        by_time: the latest groups are kept instead of the first.
    """
    if len(groups) <= most:
        return groups
    if by_time:
        cut = len(groups) - most
        return [_merge("earlier", groups[:cut]), *groups[cut:]]
    return [*groups[:most], _merge("others", groups[most:])]


def select_best(rows: Sequence[Row], metric: str, most: int) -> list[dict[str, Any]]:
    """Return the items with the largest values, those of equal value by id.

    Items without the metric are left out.
    """
    pairs = [(value, row) for row in rows if (value := row.value(metric)) is not None]
    pairs.sort(key=lambda pair: (-pair[0], pair[1].id))
    return [
        {
            **describe_item(row),
            metric: round_figure(value),
        }
        for value, row in pairs[:most]
    ]


def describe_item(row: Row) -> dict[str, Any]:
    """Return what an item is, whose it is, and where it can be seen."""
    return {
        "id": row.id,
        "provider": row.platform,
        "type": row.kind,
        "accountName": row.account,
        "takenAt": row.taken_at,
        "link": row.link,
        "originalUrl": row.original_link,
    }


def round_figure(value: Fraction | int | None) -> int | float | str | None:
    """Return a figure with two decimals at most, as text where a number would not be exact."""
    if value is None:
        return None
    rounded = round(Fraction(value), 2)
    if rounded.denominator == 1:
        number = rounded.numerator
        return number if abs(number) <= EXACT else str(number)
    # A thousandth, so that a double still has the two decimals to spare.
    if abs(rounded) <= EXACT // 1000:
        return float(rounded)
    cents = abs(int(rounded * 100))
    sign = "-" if rounded < 0 else ""
    return f"{sign}{cents // 100}.{cents % 100:02}"


def find_monday(row: Row) -> date:
    """Return the Monday, in UTC, of the ISO week of posting."""
    day = row.moment.date()
    return day - timedelta(days=day.weekday())


def list_values(rows: Sequence[Row], metric: str) -> list[int]:
    """Return the values of a metric, smallest first; items without it are left out."""
    position = METRICS.index(metric)
    return sorted(value for row in rows if (value := row.values[position]) is not None)


def _compute_statistics(values: Sequence[int]) -> dict[str, Any]:
    """Return the figures over sorted values."""
    if not values:
        return {"total": None, "mean": None, "median": None, "known": 0}
    count, total = len(values), sum(values)
    # Fractions, because the module `statistics` returns floats, which are not exact for BigInts.
    return {
        "total": round_figure(total),
        "mean": round_figure(Fraction(total, count)),
        "median": round_figure(Fraction(values[(count - 1) // 2] + values[count // 2], 2)),
        "known": count,
    }


def _merge(label: str, groups: Sequence[Group]) -> Group:
    rows = [row for group in groups for row in group.rows]
    return Group({label: len(groups)}, rows)


def _weigh(rows: Sequence[Row], metric: str) -> tuple[bool, int, int]:
    """Return the sort key of a group: groups without any value come after a total of 0."""
    values = list_values(rows, metric)
    return bool(values), sum(values), len(rows)


_KEYS: dict[By, Callable[[Row], tuple[str, ...]]] = {
    "platform": lambda row: (row.platform,),
    # A type alone says too little: both Instagram's and TikTok's stories are a STORY.
    "type": lambda row: (row.platform, row.kind),
    "week": lambda row: (find_monday(row).isoformat(),),
    "month": lambda row: (row.moment.strftime("%Y-%m"),),
    "creator": lambda row: (row.creator or "",),
    # The same handle may be somebody else's on another platform.
    "account": lambda row: (row.platform, row.account or ""),
}


def _make_name(by: By, key: tuple[str, ...], rows: Sequence[Row]) -> dict[str, Any]:
    if by == "week":
        return _name_week(key[0])
    if by == "creator":
        return _name_creator(key[0], rows)
    # What an item lacks is null in the name too.
    return dict(zip(_NAMES[by], (part or None for part in key), strict=True))


_NAMES: dict[By, tuple[str, ...]] = {
    "platform": ("platform",),
    "type": ("provider", "type"),
    "month": ("month",),
    "account": ("provider", "accountName"),
}


def _name_week(monday: str) -> dict[str, Any]:
    year, week, _ = date.fromisoformat(monday).isocalendar()
    return {"week": f"{year}-W{week:02}", "monday": monday}


def _name_creator(creator: str, rows: Sequence[Row]) -> dict[str, Any]:
    # A creator may post from several accounts; the most used ones say best who it is.
    accounts = Counter(row.account for row in rows if row.account)
    names = [name for name, _ in accounts.most_common(_MOST_ACCOUNTS)]
    return {"creatorId": creator or None, "accountNames": names}
