"""Metrics of a post over time.

Availability by kind of item: Archive help, engagement metrics by platform. Snapshots about 2 hours,
24 hours, 3 days and 7 days after posting, later ones only where a post did well: Archive docs,
engagement history.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from server.sandbox.archive.data.posts import STORY_KINDS, VIDEO_KINDS, Post

_STORY_HOURS = (2, 24)
_HOURS = (*_STORY_HOURS, 72, 168)
_LATE_HOURS = 720
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
    def interactions(self) -> int:
        """Likes and comments, as far as the platform gives them."""
        return (self.likes or 0) + (self.comments or 0)

    @property
    def linear_virality_score(self) -> str:
        """HIGH from 4 times the usual views, MEDIUM from 2, LOW from 1 (Archive docs: glossary)."""
        if self.virality >= 4:
            return "HIGH"
        if self.virality >= 2:
            return "MEDIUM"
        return "LOW" if self.virality >= 1 else "NOT_VIRAL"


def snapshot_moments(post: Post) -> list[datetime]:
    """Return when the post was measured, oldest first.

    The list is empty while the post is too young or if the platform refuses.
    """
    if post.is_unreachable:
        return []
    moments = _schedule(post)
    refresh = post.workspace.changes.refresh_time(post.number)
    if refresh:
        moments.append(refresh)
    return moments


def _schedule(post: Post) -> list[datetime]:
    if post.imported_at is not None:
        # The age of an upload is unknown to the API, so it is measured once, on arrival.
        return [post.imported_at]
    hours: tuple[int, ...] = _HOURS
    if post.kind in STORY_KINDS:
        # A story is gone after a day, and with it whatever could be measured.
        hours = _STORY_HOURS
    elif post.ratio >= 1 and post.kind in VIDEO_KINDS:
        hours = (*_HOURS, _LATE_HOURS)
    delay = timedelta(minutes=post.bits >> 48 & 0x1F)
    moments = [post.taken_at + timedelta(hours=count) + delay for count in hours]
    return [moment for moment in moments if moment <= post.workspace.anchor]


def measure(post: Post, at: datetime) -> Engagement:
    """Return the snapshot of a moment; its figures grow with time and never shrink."""
    bits, kind = post.measures, post.kind
    # Saturates: half of what a post will ever reach, it reaches on its first day.
    growth = 1 - math.exp(-(at - post.taken_at).total_seconds() / 3600 / _GROWTH_HOURS)
    followers = post.social_profile.followers
    is_video, is_story = kind in VIDEO_KINDS, kind in STORY_KINDS
    reach = post.ratio * 0.3 if is_video else 0.05 + 0.4 * (bits & 0xFFFF) / _SIZE
    if is_story:
        reach *= 0.25
    impressions = int(followers * reach * growth)
    # Everything follows from the impressions, or a post could have more likes than viewers.
    like_count = int(impressions * (0.03 + 0.09 * (bits >> 16 & 0xFFFF) / _SIZE))
    comment_count = int(like_count * (0.01 + 0.05 * (bits >> 32 & 0xFFFF) / _SIZE))
    share_count = int(impressions * 0.02 * (bits >> 48) / _SIZE)
    likes = None if is_story and post.provider != "TIKTOK" else like_count
    comments = None if is_story else comment_count
    shares = share_count if kind == "TIKTOK" else None
    cents = int(impressions * 0.9) + 5 * (likes or 0) + 30 * (comments or 0) + 12 * (shares or 0)
    return Engagement(
        at=at,
        likes=likes,
        comments=comments,
        shares=shares,
        views=impressions if is_video or kind == "TIKTOK_STORY" else None,
        impressions=impressions,
        earned_media_value=cents if post.workspace.brand.has_earned_media_value else None,
        followers=_follower_count(post, at, followers),
        virality=post.ratio * growth if kind in {"REEL", "TIKTOK"} else 0.0,
    )


def _follower_count(post: Post, at: datetime, followers: int) -> int:
    days = max(0.0, (post.workspace.anchor - at).total_seconds() / 86_400)
    return int(followers / (1 + 0.0004 * days))
