"""Brands of one period beside each other: share of voice, ranks, change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from math import fsum
from typing import Any, Literal

METRICS = (
    "postsCount",
    "influencersCount",
    "reach",
    "impressions",
    "engagementsTotal",
    "earnedMediaValue",
)
"""Names of a brand's metrics in the API; `earnedMediaValue` is in US dollars."""

Brand = Mapping[str, Any]


def compared(
    brands: Sequence[Brand], before: Mapping[str, Brand] | None = None
) -> list[dict[str, Any]]:
    """The brands, the own one first and the others by share of earned media value, each with its
    metrics.

    Args:
        before: the brands of the period before, by id; None where no change is asked for.
    """
    totals = sums(brands)
    result = [_told(brand, brands, totals, before) for brand in brands]
    return sorted(
        result,
        key=lambda each: (not each["isOwnBrand"], _last(each["earnedMediaValue"]), each["name"]),
    )


def sums(brands: Sequence[Brand]) -> dict[str, float | None]:
    """For each metric the sum over the brands that have it; None where none has."""
    return {name: _sum(_known(brands, name)) for name in METRICS}


def unavailable(brands: Sequence[Brand]) -> dict[str, list[str]]:
    """The names of the brands that lack a metric, by metric; of those that lack all under
    `everything`."""
    empty = [
        str(each["name"]) for each in brands if all(each.get(name) is None for name in METRICS)
    ]
    found = {"everything": empty}
    for name in METRICS:
        found[name] = [
            str(each["name"])
            for each in brands
            if each.get(name) is None and str(each["name"]) not in empty
        ]
    return {name: lacking for name, lacking in found.items() if lacking}


def period_of(length: Literal["MONTH", "WEEK"], day: date) -> tuple[date, date]:
    """First and last day of the calendar month, or of the week from Monday to Sunday, that holds a
    day."""
    if length == "WEEK":
        monday = day - timedelta(days=day.weekday())
        return monday, monday + timedelta(days=6)
    following = (day.replace(day=28) + timedelta(days=4)).replace(day=1)
    return day.replace(day=1), following - timedelta(days=1)


def _told(
    brand: Brand,
    brands: Sequence[Brand],
    totals: Mapping[str, float | None],
    before: Mapping[str, Brand] | None,
) -> dict[str, Any]:
    head = {"id": brand["id"], "name": brand["name"], "isOwnBrand": bool(brand.get("isOwnBrand"))}
    figures: dict[str, dict[str, Any] | None] = {}
    for name in METRICS:
        value, total = brand.get(name), totals[name]
        if value is None:
            figures[name] = None
            continue
        higher = sum(1 for each in _known(brands, name) if each > value)
        share = round(100 * value / total, 2) if total else None
        past = {} if before is None else _change(value, before.get(brand["id"], {}).get(name))
        figures[name] = {"value": value, "sharePercent": share, "rank": 1 + higher, **past}
    return {**head, **figures}


def _change(value: float, past: float | None) -> dict[str, Any]:
    percent = round(100 * (value - past) / past, 2) if past else None
    return {"previous": past, "changePercent": percent}


def _sum(known: Sequence[float]) -> float | None:
    if not known:
        return None
    return sum(known) if all(isinstance(each, int) for each in known) else round(fsum(known), 2)


def _known(brands: Sequence[Brand], name: str) -> list[float]:
    return [value for each in brands if (value := each.get(name)) is not None]


def _last(figure: dict[str, Any] | None) -> tuple[bool, float]:
    return figure is None, -(figure["value"] if figure else 0.0)
