"""The object types of Archive's schema around campaigns, competitors and uploads."""

from __future__ import annotations

from typing import ClassVar

from server.archive.records import Moment, Record, Usd
from tools.archive.schema.objects import (
    Engagement,
    SocialProfile,
    Transcription,
    UserError,
)


class Campaign(Record):
    """A campaign; its `id` goes into the items' filter.campaignsIds."""

    id: str
    name: str
    created_at: Moment


class CompetitorBrand(Record):
    """A brand's metrics of one period; null = not available, never 0. `earnedMediaValue` in US
    dollars. `totalCount` leaves out the own brand (`isOwnBrand`), which the list's first page holds
    in addition."""

    instead: ClassVar[dict[str, str]] = {
        # Short forms that people say, and models then ask for.
        "emv": "Did you mean `earnedMediaValue`?",
        "posts": "Did you mean `postsCount`?",
        "engagements": "Did you mean `engagementsTotal`?",
        "influencers": "Did you mean `influencersCount`?",
        "followers": "Archive has no followers of brands.",
    }

    id: str
    name: str
    is_own_brand: bool
    own_metrics_status: str
    posts_count: int
    influencers_count: int
    reach: float
    impressions: float
    engagements_total: float
    # A float in dollars here, a whole number of (as is assumed) cents for posts: the types keep
    # them apart.
    earned_media_value: Usd


class CompetitorBrandItem(Record):
    """A post about a competitor; `units` names that of `currentEngagement.earnedMediaValue`, which
    is in dollars only for brands."""

    default = (
        "id type provider takenAt caption originalUrl socialProfile.accountName "
        "socialProfile.followers "
        "currentEngagement.likes currentEngagement.comments currentEngagement.shares "
        "currentEngagement.views "
        "currentEngagement.earnedMediaValue"
    )
    instead: ClassVar[dict[str, str]] = {
        # Names that other platforms' APIs have taught models to expect.
        "publishedAt": "Did you mean `takenAt`?",
        "platform": "Did you mean `provider`?",
        "url": "Did you mean `archivePublicUrl` or `originalUrl`?",
        "customAttributes": "Only the workspace's own items have custom attributes.",
        "thumbnailUrl": (
            "Pictures are media contents: pass the ids as competitorBrandItemIds to the tool "
            "for them."
        ),
    }

    id: str
    external_id: str
    type: str
    provider: str
    caption: str
    taken_at: Moment
    original_url: str
    archive_public_url: str
    hashtags: list[str]
    mentions: list[str]
    social_profile: SocialProfile
    current_engagement: Engagement
    transcriptions: list[Transcription]


class UploadPayload(Record):
    """Whether Archive took the link; the item follows some minutes later."""

    success: bool
    user_errors: list[UserError]
