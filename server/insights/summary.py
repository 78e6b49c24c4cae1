"""Totals, means, medians and coverage of items, overall and by group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Any, Literal

from server.insights.rows import (
    EXACT,
    METRICS,
    RATED,
    Row,
)

By = Literal["platform", "type", "week", "month", "creator"]

CLASSES = ("HIGH", "MEDIUM", "LOW", "NOT_VIRAL")
MOST_CREATORS = 25
_MOST_ACCOUNTS = 3


@dataclass(frozen=True)
class Group:
    """Items that belong together: what to call them, and their rows."""

    name: dict[str, Any]
    rows: list[Row]


def metrics(rows: Sequence[Row]) -> dict[str, dict[str, Any]]:
    """For each metric its total, mean and median over the items that have it, and how many have it
    and have not."""
    found = {name: _known(rows, name) for name in METRICS}
    return {
        name: {**_statistics(each), "unknown": len(rows) - len(each)}
        for name, each in found.items()
    }


def span(rows: Sequence[Row]) -> dict[str, str] | None:
    """The first and the last moment of posting; None without items."""
    if not rows:
        return None
    ordered = sorted((row.moment, row.taken_at) for row in rows)
    return {"from": ordered[0][1], "to": ordered[-1][1]}


def virality(rows: Sequence[Row]) -> dict[str, Any]:
    """How many items are in each class, of the kinds for which there are classes; `unknown` were
    never measured."""
    rated = [row for row in rows if row.kind in RATED]
    counts = Counter(row.virality for row in rated)
    unknown = len(rated) - sum(counts[each] for each in CLASSES)
    return {
        "of": "Reels and TikTok videos only",
        "items": len(rated),
        **{each: counts[each] for each in CLASSES},
        "unknown": unknown,
    }


def grouped(rows: Sequence[Row], by: By, metric: str) -> list[Group]:
    """The items by what they share: time in its order, the rest with the largest total of the
    metric first."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(_KEYS[by](row), []).append(row)
    if by in ("week", "month"):
        return [Group(_named(by, key, found[key]), found[key]) for key in sorted(found)]
    ranked = sorted(found, key=lambda key: _weight(found[key], metric), reverse=True)
    return [Group(_named(by, key, found[key]), found[key]) for key in ranked]


def cut(groups: list[Group], most: int, *, by_time: bool) -> list[Group]:
    """At most so many groups, the rest as one: of times the latest are kept, of others the
    first."""
    if len(groups) <= most:
        return groups
    dropped = groups[: len(groups) - most] if by_time else groups[most:]
    kept = groups[len(groups) - most :] if by_time else groups[:most]
    label = "earlier" if by_time else "others"
    rest = Group({label: len(dropped)}, [row for each in dropped for row in each.rows])
    return [rest, *kept] if by_time else [*kept, rest]


def told(group: Group) -> dict[str, Any]:
    """A group as a result: its metrics without the number of unknown ones, and None for one that no
    item has."""
    found = {name: _known(group.rows, name) for name in METRICS}
    return {
        **group.name,
        "items": len(group.rows),
        **{name: _statistics(known) if known else None for name, known in found.items()},
    }


def best(rows: Sequence[Row], metric: str, most: int) -> list[dict[str, Any]]:
    """The items with the largest values, those of equal value by id; items without the metric are
    left out."""
    known = [(value, row) for row in rows if (value := row.value(metric)) is not None]
    known.sort(key=lambda each: (-each[0], each[1].id))
    return [
        {"id": row.id, "link": row.link, "takenAt": row.taken_at, metric: shown(Fraction(value))}
        for value, row in known[:most]
    ]


def shown(value: Fraction | None) -> int | float | str | None:
    """A figure with two decimals at most; as text where a number would not be exact."""
    if value is None:
        return None
    rounded = round(value, 2)
    if rounded.denominator == 1:
        number = rounded.numerator
        return number if abs(number) <= EXACT else str(number)
    if abs(rounded) <= EXACT // 1000:
        return float(rounded)
    cents = abs(int(rounded * 100))
    return f"{'-' if rounded < 0 else ''}{cents // 100}.{cents % 100:02}"


def week_of(row: Row) -> date:
    """The Monday, in UTC, of the ISO week of posting."""
    day = row.moment.date()
    return day - timedelta(days=day.weekday())


def _known(rows: Sequence[Row], metric: str) -> list[int]:
    place = METRICS.index(metric)
    return sorted(value for row in rows if (value := row.values[place]) is not None)


def _statistics(known: Sequence[int]) -> dict[str, Any]:
    """Figures over sorted values."""
    if not known:
        return {"total": None, "mean": None, "median": None, "known": 0}
    count, total = len(known), sum(known)
    return {
        "total": shown(Fraction(total)),
        "mean": shown(Fraction(total, count)),
        "median": shown(Fraction(known[(count - 1) // 2] + known[count // 2], 2)),
        "known": count,
    }


def _weight(rows: Sequence[Row], metric: str) -> tuple[bool, int, int]:
    known = _known(rows, metric)
    return bool(known), sum(known), len(rows)


_KEYS: dict[By, Callable[[Row], str]] = {
    "platform": lambda row: row.platform,
    "type": lambda row: row.kind,
    "week": lambda row: week_of(row).isoformat(),
    "month": lambda row: row.moment.strftime("%Y-%m"),
    "creator": lambda row: row.creator or "",
}


def _named(by: By, key: str, rows: Sequence[Row]) -> dict[str, Any]:
    if by == "week":
        year, week, _ = date.fromisoformat(key).isocalendar()
        return {"week": f"{year}-W{week:02}", "monday": key}
    if by == "creator":
        accounts = Counter(row.account for row in rows if row.account)
        return {
            "creatorId": key or None,
            "accountNames": [name for name, _ in accounts.most_common(_MOST_ACCOUNTS)],
        }
    return {by: key}
