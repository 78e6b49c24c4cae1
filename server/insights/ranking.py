"""Items in the order of a metric."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from server.insights.rows import METRICS, Row
from server.insights.summary import shown

RATE = "engagementRatePercent = (likes + comments) / followers x 100, followers as of now; null where one is unknown."


def ranked(rows: Sequence[Row], metric: str, most: int) -> list[dict[str, Any]]:
    """The first items by a metric, largest first, each with its rank; equal values share one.

    Items without the metric come last and have no rank. Those of equal value stay in the order in
    which they came.
    """
    ordered = sorted(rows, key=lambda row: _falling(row.value(metric)))[:most]
    known = [value for row in ordered if (value := row.value(metric)) is not None]
    return [_told(row, _rank(known, row.value(metric))) for row in ordered]


def cuts_a_tie(rows: Sequence[Row], metric: str, most: int) -> bool:
    """Whether an item that is not among the first has the value of the last one among them."""
    values = sorted(
        (value for row in rows if (value := row.value(metric)) is not None), reverse=True
    )
    return len(values) > most > 0 and values[most - 1] == values[most]


def is_ranked(rows: Sequence[Row], metric: str) -> bool:
    """Whether the rows came in the order of the metric, largest first and the unknown ones last."""
    keys = [_falling(row.value(metric)) for row in rows]
    return keys == sorted(keys)


def engagement_rate(row: Row) -> float | None:
    """Likes and comments over followers, in percent with two decimals; None where one of the three
    is unknown."""
    likes, comments = row.value("likes"), row.value("comments")
    if likes is None or comments is None or not row.followers:
        return None
    return round(float(Fraction(100 * (likes + comments), row.followers)), 2)


def _falling(value: int | None) -> tuple[bool, int]:
    return value is None, -(value or 0)


def _rank(known: Sequence[int], value: int | None) -> int | None:
    return None if value is None else 1 + known.index(value)


def _told(row: Row, rank: int | None) -> dict[str, Any]:
    return {
        "rank": rank,
        "id": row.id,
        "accountName": row.account,
        "type": row.kind,
        "takenAt": row.taken_at,
        **{
            name: None if (value := row.value(name)) is None else shown(Fraction(value))
            for name in METRICS
        },
        "followers": row.followers,
        "engagementRatePercent": engagement_rate(row),
        "link": row.link,
    }
