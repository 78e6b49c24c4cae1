"""Orders items by a metric."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from server.insights.rows import METRICS, Row
from server.insights.summary import describe_item, list_values, round_figure

RATE_NOTE = (
    "engagementRatePercent = (likes + comments) / followers x 100, "
    "followers as of now; null where one is unknown."
)


def rank_items(rows: Sequence[Row], metric: str, most: int) -> list[dict[str, Any]]:
    """Return the first items by a metric, largest first, each with its rank.

    Equal values share a rank and keep their order. Items without the metric come last and have no
    rank.

    Args:
        most: the most items.
    """
    values = list_values(rows, metric)
    return [_describe(row, values, metric) for row in _sort_rows(rows, metric)[:most]]


def cuts_a_tie(rows: Sequence[Row], metric: str, most: int) -> bool:
    """Return whether an item after the first `most` has the same value as the last of them."""
    values = list_values(rows, metric)
    return len(values) > most > 0 and values[-most] == values[-most - 1]


def is_ranked(rows: Sequence[Row], metric: str) -> bool:
    """Return whether the rows are in the order of the metric, largest first, unknown ones last."""
    # Sorting is stable, so rows in order come out as they went in.
    return list(rows) == _sort_rows(rows, metric)


def compute_engagement_rate(row: Row) -> float | None:
    """Return likes and comments over followers, in percent with two decimals.

    It is None where one of the three is unknown, or nobody follows.
    """
    likes, comments = row.value("likes"), row.value("comments")
    if likes is None or comments is None or not row.followers:
        return None
    # A fraction, because a float would be rounded twice.
    return round(float(Fraction(100 * (likes + comments), row.followers)), 2)


def _sort_rows(rows: Sequence[Row], metric: str) -> list[Row]:
    def sort_key(row: Row) -> tuple[bool, int]:
        value = row.value(metric)
        return value is None, -(value or 0)

    return sorted(rows, key=sort_key)


def _describe(row: Row, values: Sequence[int], metric: str) -> dict[str, Any]:
    value, rank = row.value(metric), None
    if value is not None:
        # The values rise, so that those behind the last equal one are the larger ones.
        rank = 1 + len(values) - bisect_right(values, value)
    figures = dict(zip(METRICS, map(round_figure, row.values), strict=True))
    return {
        "rank": rank,
        **describe_item(row),
        **figures,
        "followers": row.followers,
        "engagementRatePercent": compute_engagement_rate(row),
    }
