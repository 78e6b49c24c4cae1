"""Metrics of an item over time.

Availability by kind of item: Archive help, engagement metrics by platform. Snapshots about 2 hours,
24 hours, 3 days and 7 days after posting, later ones only where a post did well: Archive docs,
engagement history.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from server.sandbox.archive.data.items import Item

STORY_KINDS = frozenset({"STORY", "TIKTOK_STORY"})
VIDEO_KINDS = frozenset({"REEL", "TIKTOK", "YOUTUBE", "YOUTUBE_SHORT"})
_HOURS = (2, 24, 72, 168)
_LATER = 720
_GROWTH_HOURS = 36
_SIZE = 1 << 16


@dataclass(frozen=True)
class Engagement:
    """Metrics at one moment. None means that the platform does not give the figure; EMV is in US
    cents."""

    at: datetime
    likes: int | None
    comments: int | None
    shares: int | None
    views: int | None
    impressions: int | None
    earned_media_value: int | None
    followers: int
    virality: float

    @property
    def linear_virality_score(self) -> str:
        """HIGH from 4 times the usual views, MEDIUM from 2, LOW from 1 (Archive docs: glossary)."""
        return virality_score(self.virality)


def virality_score(ratio: float) -> str:
    """The name of a virality ratio."""
    if ratio >= 4:
        return "HIGH"
    if ratio >= 2:
        return "MEDIUM"
    return "LOW" if ratio >= 1 else "NOT_VIRAL"


def snapshot_moments(item: Item) -> list[datetime]:
    """When the item was measured, oldest first; empty while it is too young or if the platform
    refuses."""
    if item.unreachable:
        return []
    refreshed = item.home.changes.refreshed_at(item.number)
    return [*_by_schedule(item), refreshed] if refreshed else _by_schedule(item)


def _by_schedule(item: Item) -> list[datetime]:
    if item.imported_at is not None:
        return [item.imported_at]
    hours = _HOURS[:2] if item.kind in STORY_KINDS else _HOURS
    if item.ratio >= 1 and item.kind in VIDEO_KINDS:
        hours = (*hours, _LATER)
    late = timedelta(minutes=item.bits >> 48 & 0x1F)
    moments = [item.taken_at + timedelta(hours=h) + late for h in hours]
    return [moment for moment in moments if moment <= item.home.anchor]


def measure(item: Item, at: datetime) -> Engagement:
    """What a snapshot at this moment says; grows with time and never shrinks."""
    bits, kind = item.measures, item.kind
    grown = 1 - math.exp(-(at - item.taken_at).total_seconds() / 3600 / _GROWTH_HOURS)
    followers = item.social_profile.followers
    video, story = kind in VIDEO_KINDS, kind in STORY_KINDS
    reach = item.ratio * 0.3 if video else 0.05 + 0.4 * (bits & 0xFFFF) / _SIZE
    shown = int(followers * (reach * 0.25 if story else reach) * grown)
    liked = int(shown * (0.03 + 0.09 * (bits >> 16 & 0xFFFF) / _SIZE))
    said = int(liked * (0.01 + 0.05 * (bits >> 32 & 0xFFFF) / _SIZE))
    passed = int(shown * 0.02 * (bits >> 48) / _SIZE)
    tiktok = item.provider == "TIKTOK"
    likes = liked if not story or tiktok else None
    comments = said if not story else None
    shares = passed if kind == "TIKTOK" else None
    cents = int(shown * 0.9) + 5 * (likes or 0) + 30 * (comments or 0) + 12 * (shares or 0)
    return Engagement(
        at=at,
        likes=likes,
        comments=comments,
        shares=shares,
        views=shown if video or kind == "TIKTOK_STORY" else None,
        impressions=shown,
        earned_media_value=cents if item.home.brand.money else None,
        followers=_followers_then(item, at, followers),
        virality=item.ratio * grown if kind in {"REEL", "TIKTOK"} else 0.0,
    )


def _followers_then(item: Item, at: datetime, followers: int) -> int:
    days = max(0.0, (item.home.anchor - at).total_seconds() / 86_400)
    return int(followers / (1 + 0.0004 * days))
