"""Items as the calculations need them: one small row for each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

METRICS = ("likes", "comments", "shares", "views", "impressions", "earnedMediaValue")
"""Names of the metrics in the API, in the order of `Row.values`."""

EXACT = 2**53 - 1
"""The largest number that every reader of JSON holds exactly: most read numbers as doubles."""

# Platform and type of what virality classes mean something for: a TikTok video is a POST to the
# API (Archive docs, glossary).
_RATED = frozenset({("INSTAGRAM", "REEL"), ("TIKTOK", "POST")})


@dataclass(frozen=True, slots=True)
class Row:
    """One item.

    `kind` is the API's type, which only together with `platform` says what the item is: a TikTok
    video is a POST. `values` has the order of `METRICS`; `virality` is None where the item was
    never measured. `link` is Archive's own, `original_link` the platform's, which stories lack.
    """

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
    original_link: str | None = None

    @property
    def is_rated(self) -> bool:
        """Whether its virality class means something: Instagram reels and TikTok videos."""
        return (self.platform, self.kind) in _RATED

    @property
    def moment(self) -> datetime:
        """The time of posting, in UTC."""
        return parse_instant(self.taken_at)

    def value(self, metric: str) -> int | None:
        """Return a metric by its name in the API."""
        return self.values[METRICS.index(metric)]

    def pack(self) -> list[Any]:
        """Return the row without its id, JSON-ready."""
        # A list and not an object: a journal holds one for each of many thousand items.
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
            self.original_link,
        ]

    @classmethod
    def unpack(cls, item_id: str, data: list[Any]) -> Row:
        """Return the row of an item from what `pack` returned."""
        platform, kind, taken_at, values, *rest = data
        return cls(item_id, platform, kind, taken_at, tuple(values), *rest)


def make_row(item: dict[str, Any]) -> Row:
    """Return the row of an item as Archive sends it; fields that are missing are unknown."""
    engagement = item.get("currentEngagement") or {}
    profile = item.get("socialProfile") or {}
    return Row(
        id=item["id"],
        platform=item["provider"],
        kind=item["type"],
        taken_at=item["takenAt"],
        values=tuple(parse_whole_number(engagement.get(name)) for name in METRICS),
        virality=engagement.get("linearViralityScore"),
        link=item.get("archivePublicUrl") or item.get("originalUrl"),
        creator=(item.get("creator") or {}).get("id"),
        account=profile.get("accountName"),
        followers=parse_whole_number(profile.get("followers")),
        original_link=item.get("originalUrl"),
    )


def parse_whole_number(value: Any) -> int | None:
    """Return a whole number that may come as text, None for anything else."""
    # A BigInt comes as text, because JSON does not hold every large number exactly.
    if isinstance(value, str) and value.removeprefix("-").isdecimal():
        return int(value)
    # `type` and not `isinstance`: a bool is an int too.
    return value if type(value) is int else None


def parse_instant(text: str) -> datetime:
    """Return an instant as Archive writes it, in UTC."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC)
