"""The object types of Archive's schema, with the fields that are returned when nobody asks for
others."""

from __future__ import annotations

from typing import ClassVar

from server.archive.records import (
    BigInt,
    Cents,
    CreatorAttributes,
    ItemAttributes,
    Moment,
    Record,
)

_IN_ATTRIBUTES = (
    "Names and e-mails are in `customAttributes`; {customAttributeSchemas} lists the keys."
)


class Tag(Record):
    """A tracked hashtag or mention."""

    id: str
    name: str
    provider: str
    type: str


class Keyword(Record):
    """A tracked keyword."""

    id: str
    name: str
    provider: str


class Integration(Record):
    """A connected social account; broken connections are listed too."""

    id: str
    handle: str
    provider: str
    status: str
    connected_at: Moment


class Workspace(Record):
    """A workspace: `id`, `name`, what it tracks and the accounts connected to it."""

    # Keywords and integrations are left out: each relation makes the answer dearer and longer.
    default = "id name hashtags.name hashtags.provider mentions.name mentions.provider"

    id: str
    name: str
    hashtags: list[Tag]
    mentions: list[Tag]
    keywords: list[Keyword]
    integrations: list[Integration]


class AttributeOption(Record):
    """An option of a select attribute."""

    id: str
    name: str


class AttributeSchema(Record):
    """A custom attribute: `key` and `type` for conditions, and the `options` of a select with their
    ids."""

    default = "key name type aiGenerated options.id options.name"

    key: str
    name: str
    type: str
    options: list[AttributeOption]
    ai_generated: bool


class FilterPreset(Record):
    """A content view (`MEDIA_DECK`, dynamic) or a collection (`COLLECTIONS`, static)."""

    id: str
    name: str
    accessor: str


class Engagement(Record):
    """Current metrics; null = not available, never 0. `units` names that of `earnedMediaValue`."""

    instead: ClassVar[dict[str, str]] = {
        # Fields that integrations in public code ask for and Archive does not have.
        "saves": "Archive has no saves; `likes`, `comments`, `shares` and `views` exist.",
        "plays": "Did you mean `currentEngagement.views`?",
        "emv": "Did you mean `currentEngagement.earnedMediaValue`?",
    }

    likes: BigInt
    comments: BigInt
    shares: BigInt
    views: BigInt
    impressions: BigInt
    earned_media_value: Cents
    linear_virality_score: str


class EngagementEntry(Record):
    """Metrics at one moment (`at`); null = not available. `units` names that of
    `earnedMediaValue`."""

    instead: ClassVar[dict[str, str]] = {
        # The filter says `capturedAt`, the snapshot itself `at`.
        "capturedAt": "Did you mean `at`?",
        "saves": "Archive has no saves.",
    }

    at: Moment
    likes: BigInt
    comments: BigInt
    shares: BigInt
    views: BigInt
    impressions: BigInt
    earned_media_value: Cents
    followers: BigInt
    linear_virality_score: str


class SocialProfile(Record):
    """An account on a platform; `creator` is null where it has no person in the workspace's CRM."""

    default = (
        "id accountName fullName provider followers following verified private originalUrl "
        "creator.id"
    )
    instead: ClassVar[dict[str, str]] = {
        "platform": "Did you mean `provider`?",
        "username": "Did you mean `accountName`?",
        "handle": "Did you mean `accountName`?",
        "url": "Did you mean `originalUrl`?",
        "bio": "Archive has no biography.",
    }

    id: str
    account_name: str
    full_name: str
    followers: int
    following: int
    verified: bool
    pro_account: bool
    private: bool
    avatar: str
    original_url: str
    email: str
    phone_numbers: list[str]
    provider: str
    creator: Creator


class Creator(Record):
    """A person in the workspace's CRM: `customAttributes` (e-mails, labels, ...) and their
    `socialProfiles`."""

    default = (
        "id customAttributes socialProfiles.id socialProfiles.accountName socialProfiles.provider "
        "socialProfiles.followers socialProfiles.verified"
    )
    instead: ClassVar[dict[str, str]] = {
        "email": _IN_ATTRIBUTES,
        "emails": _IN_ATTRIBUTES,
        "name": _IN_ATTRIBUTES,
        "followers": "Did you mean `socialProfiles.followers`?",
    }

    id: str
    custom_attributes: CreatorAttributes
    social_profiles: list[SocialProfile]


class Location(Record):
    """Where a post was tagged."""

    name: str
    formatted: str
    city: str
    state: str
    country: str


class Transcription(Record):
    """What is said in one video, by `mediaContentId`; `transcript` is null while there is none."""

    media_content_id: str
    transcript: str


class AiFilterReason(Record):
    """Why an AI attribute was set."""

    key: str
    reason: str


class Item(Record):
    """A post, reel, story or video; `socialProfile` posted it, `creator` is the person in the
    CRM."""

    default = (
        "id type provider takenAt caption archivePublicUrl originalUrl socialProfile.accountName "
        "socialProfile.followers currentEngagement.likes currentEngagement.comments "
        "currentEngagement.shares "
        "currentEngagement.views currentEngagement.impressions currentEngagement.earnedMediaValue "
        "currentEngagement.linearViralityScore"
    )
    instead: ClassVar[dict[str, str]] = {
        # Public integrations have asked for some of these by mistake: a hint saves the second try.
        "publishedAt": "Did you mean `takenAt`?",
        "createdAt": "Did you mean `takenAt`?",
        "postedAt": "Did you mean `takenAt`?",
        "platform": "Did you mean `provider`?",
        "url": "Did you mean `archivePublicUrl` (permanent) or `originalUrl` (null for stories)?",
        "permalink": "Did you mean `archivePublicUrl`?",
        "text": "Did you mean `caption`?",
        "engagement": "Did you mean `currentEngagement`?",
        "saves": "Archive has no saves.",
        "collections": (
            "Archive does not tell an item's collections; search with filter.collectionsIds."
        ),
        "thumbnailUrl": "Pictures are media contents: pass the item's id to the tool for them.",
    }

    id: str
    external_id: str
    media_item_id: str
    type: str
    provider: str
    caption: str
    taken_at: Moment
    original_url: str
    archive_public_url: str
    hashtags: list[str]
    mentions: list[str]
    location: Location
    custom_attributes: ItemAttributes
    ai_filter_reasons: list[AiFilterReason]
    social_profile: SocialProfile
    creator: Creator
    # Nullable in the schema: an item may have no metrics at all.
    current_engagement: Engagement
    transcriptions: list[Transcription]


class Image(Record):
    """A picture of an item."""

    id: str
    media_item_id: str
    type: str
    file_url: str
    thumbnail_url: str
    width: int
    height: int
    deleted: bool


class Video(Record):
    """A video of an item; `videoDuration` in seconds."""

    id: str
    media_item_id: str
    type: str
    file_url: str
    thumbnail_url: str
    width: int
    height: int
    deleted: bool
    video_duration: int


class MediaContent(Record):
    """An image or video; `mediaItemId` groups a carousel's frames. `fileUrl` is dead where
    `deleted`."""

    # A union in Archive's schema: the fields are asked for per type.
    variants = (Image, Video)


class UrlLookup(Record):
    """A link with its `status` (FOUND, NOT_FOUND, INVALID_URL) and `itemId`."""

    url: str
    status: str
    # null unless the link was found.
    item_id: str


class OperationSummary(Record):
    """A background operation: `operationType`, `status`, `total`."""

    id: str
    operation_type: str
    status: str
    total: int
    created_at: Moment


class Operation(Record):
    """A background operation with its progress and the ids of the items that succeeded, failed or
    wait."""

    id: str
    operation_type: str
    status: str
    total: int
    processed: int
    created_at: Moment
    # null until the operation has ended.
    completed_at: Moment
    succeeded_item_ids: list[str]
    failed_item_ids: list[str]
    pending_item_ids: list[str]


class UserError(Record):
    """Why a mutation was refused."""

    field: list[str]
    message: str


class ItemPayload(Record):
    """The item whose collections were changed."""

    item: Item
    user_errors: list[UserError]


class RefetchPayload(Record):
    """The refresh that was started: `operationId` (null = nothing to do) and what it covers."""

    # null is no error: no item needed a refresh.
    operation_id: str
    processed_count: int
    # Only items in an active refresh; stories and foreign ids are dropped without a word.
    skipped_item_ids: list[str]
    user_errors: list[UserError]
