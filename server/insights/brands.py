"""Compares the brands of one period: share of voice, ranks, change."""

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


def compare_brands(
    brands: Sequence[Brand], before: Mapping[str, Brand] | None = None
) -> list[dict[str, Any]]:
    """Return the brands with their metrics, the own one first, then by earned media value.

    Args:
        before: the brands of the period before, by id; None leaves the changes out.
    """
    totals = sum_metrics(brands)
    entries = [_describe(brand, brands, totals, before) for brand in brands]
    return sorted(
        entries,
        key=lambda entry: (
            not entry["isOwnBrand"],
            _sort_largest_first(entry["earnedMediaValue"]),
            entry["name"],
        ),
    )


def sum_metrics(
    brands: Sequence[Brand], metrics: Sequence[str] = METRICS
) -> dict[str, float | None]:
    """Return for each metric the sum over the brands that have it; None where none has."""
    return {name: _sum(_list_values(brands, name)) for name in metrics}


def find_missing(brands: Sequence[Brand], metrics: Sequence[str] = METRICS) -> dict[str, list[str]]:
    """Return the names of the brands that lack a metric, by metric.

    Brands that lack every metric are listed once, under `everything`.
    """
    missing: dict[str, list[str]] = {name: [] for name in ("everything", *metrics)}
    for brand in brands:
        lacking = [name for name in metrics if brand.get(name) is None]
        if len(lacking) == len(metrics):
            lacking = ["everything"]
        for name in lacking:
            missing[name].append(str(brand["name"]))
    return {name: names for name, names in missing.items() if names}


def find_period(length: Literal["MONTH", "WEEK"], day: date) -> tuple[date, date]:
    """Return the first and last day of the period that holds a day.

    Args:
        length: a calendar month, or a week from Monday to Sunday.
    """
    if length == "WEEK":
        monday = day - timedelta(days=day.weekday())
        return monday, monday + timedelta(days=6)
    # Four days after the 28th is in the next month, whatever the length of this one.
    next_month = (day.replace(day=28) + timedelta(days=4)).replace(day=1)
    return day.replace(day=1), next_month - timedelta(days=1)


def _describe(
    brand: Brand,
    brands: Sequence[Brand],
    totals: Mapping[str, float | None],
    before: Mapping[str, Brand] | None,
) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "id": brand["id"],
        "name": brand["name"],
        "isOwnBrand": bool(brand.get("isOwnBrand")),
    }
    for name in METRICS:
        value, total = brand.get(name), totals[name]
        if value is None:
            entry[name] = None
            continue
        # Equal values share a rank, and the next one skips as many.
        rank = 1 + sum(other > value for other in _list_values(brands, name))
        share = round(100 * value / total, 2) if total else None
        entry[name] = {"value": value, "sharePercent": share, "rank": rank}
        if before is not None:
            entry[name] |= _describe_change(value, before.get(brand["id"], {}).get(name))
    return entry


def _describe_change(value: float, previous: float | None) -> dict[str, Any]:
    # From nothing there is no percentage, however large the growth.
    percent = round(100 * (value - previous) / previous, 2) if previous else None
    return {"previous": previous, "changePercent": percent}


def _sum(values: Sequence[float]) -> float | None:
    if not values:
        return None
    if all(isinstance(value, int) for value in values):
        return sum(values)
    # Exact before the one rounding: adding dollars one by one would leave odd fractions of a cent.
    return round(fsum(values), 2)


def _list_values(brands: Sequence[Brand], name: str) -> list[float]:
    return [brand[name] for brand in brands if brand.get(name) is not None]


def _sort_largest_first(figure: dict[str, Any] | None) -> tuple[bool, float]:
    return figure is None, -(figure["value"] if figure else 0.0)
