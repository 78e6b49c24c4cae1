"""Items as the calculations need them: one small row each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

METRICS = ("likes", "comments", "shares", "views", "impressions", "earnedMediaValue")
"""Names of the metrics in the API, in the order of `Row.values`."""

EXACT = 2**53 - 1
"""The largest number that every reader of JSON holds exactly."""

RATED = ("REEL", "TIKTOK")
"""Kinds whose virality class means something (Archive docs, glossary)."""

_KINDS = {
    ("TIKTOK", "POST"): "TIKTOK",
    ("TIKTOK", "STORY"): "TIKTOK_STORY",
    ("YOUTUBE", "POST"): "YOUTUBE",
    ("YOUTUBE", "SHORT"): "YOUTUBE_SHORT",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One item. `kind` is named as in `filter.itemTypes`; `virality` is None where the item was
    never measured."""

    id: str
    platform: str
    kind: str
    taken_at: str
    values: tuple[int | None, ...]
    virality: str | None = None
    link: str | None = None
    creator: str | None = None
    account: str | None = None
    followers: int | None = None

    @property
    def moment(self) -> datetime:
        """When it was posted, in UTC."""
        return instant_of(self.taken_at)

    def value(self, metric: str) -> int | None:
        """A metric, by its name in the API."""
        return self.values[METRICS.index(metric)]

    def packed(self) -> list[Any]:
        """The row without its id, JSON-ready."""
        return [
            self.platform,
            self.kind,
            self.taken_at,
            self.values,
            self.virality,
            self.link,
            self.creator,
            self.account,
            self.followers,
        ]

    @classmethod
    def unpacked(cls, name: str, packed: list[Any]) -> Row:
        """The row with that id that was packed so."""
        platform, kind, taken_at, values, *rest = packed
        return cls(name, platform, kind, taken_at, tuple(values), *rest)


def row_of(item: dict[str, Any]) -> Row:
    """An item as Archive sends it; whatever was not asked for is unknown."""
    engagement = item.get("currentEngagement") or {}
    profile = item.get("socialProfile") or {}
    return Row(
        id=item["id"],
        platform=item["provider"],
        kind=_KINDS.get((item["provider"], item["type"]), item["type"]),
        taken_at=item["takenAt"],
        values=tuple(whole_number(engagement.get(name)) for name in METRICS),
        virality=engagement.get("linearViralityScore"),
        link=item.get("archivePublicUrl") or item.get("originalUrl"),
        creator=(item.get("creator") or {}).get("id"),
        account=profile.get("accountName"),
        followers=whole_number(profile.get("followers")),
    )


def whole_number(value: Any) -> int | None:
    """A number that may have come as text, because JSON does not hold it exactly; None for anything
    else."""
    if isinstance(value, str):
        return int(value) if value.removeprefix("-").isdecimal() else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def instant_of(text: str) -> datetime:
    """An instant as Archive writes it, in UTC."""
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def within(rows: list[Row], first: str | None, last: str | None) -> list[Row]:
    """The rows posted between two instants, both included; None leaves a side open."""
    low, high = (instant_of(each) if each else None for each in (first, last))
    return [
        row
        for row in rows
        if (low is None or row.moment >= low) and (high is None or row.moment <= high)
    ]
