"""Archived posts: search, pictures, transcripts, metrics over time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from server.archive.operations import (
    Connection,
    Id,
    Lookup,
    NamesOptions,
    Text,
)
from server.errors import Code, Failure
from server.tool.request import ApiType, Input
from tools.archive.content.sorting import SORT_PATHS, sorter
from tools.archive.schema.inputs import (
    NO_SUCH_PLACE,
    Conditions,
    FilterDateRangeInput,
    FilterIntegerRangeInput,
    LocationCanonicalInput,
    Provider,
    SortOrder,
    TakesConditions,
    is_narrow,
)
from tools.archive.schema.objects import (
    EngagementEntry,
    Item,
    MediaContent,
    Transcription,
    UrlLookup,
)

ContractStatus = Annotated[
    Literal["APPROVED", "EXPIRED", "IN_QUEUE", "REJECTED", "REQUESTED"],
    ApiType("FilterContractStatus"),
]
# A hundred is Archive's limit for pages and for the lookup of media (Archive docs, media).
ItemIds = Annotated[list[Id], Field(min_length=1, max_length=100)]

_NO_SUCH_ID = (
    "Archive answers an unknown id of a collection or campaign with nothing too; "
    "archive_get_filter_presets and "
    "archive_get_campaigns have the ids."
)


class FilterEngagementRangeInput(Input):
    """A range of a metric."""

    field: Annotated[
        Literal[
            "LIKE_COUNT",
            "COMMENT_COUNT",
            "SHARE_COUNT",
            "MERGED_VIEW_PLAY_COUNT",
            "EARNED_MEDIA_VALUE",
            "ENGAGEMENTS_RATE",
            "IMPRESSIONS_RATE",
        ],
        ApiType("FilterEngagementField"),
    ]
    range: FilterIntegerRangeInput


class FilterSuperSearchInput(Input):
    """Search in what posts say or show."""

    mode: Annotated[
        # Nullable in the schema, but Archive's guide for agents requires the mode.
        Literal["FUZZY_CAPTION", "FUZZY_TRANSCRIPTION", "EMBEDDING_CONTENT"],
        ApiType("FilterSuperSearchMode"),
    ]
    search_query: Text | None = Field(
        None,
        description="Words to search for; needed unless EMBEDDING_CONTENT searches by picture.",
    )
    similar_media_content_id: Id | None = None
    image_url: Text | None = None
    file_name: Text | None = None


class ItemFilterInput(Input):
    """What items must be like; all given parts must hold."""

    taken_at: FilterDateRangeInput | None = Field(
        None, description="When it was posted: days (2026-03-01) or instants with zone."
    )
    # A single value in Archive's schema, unlike the lists around it.
    provider: Provider | None = None
    # More values than items answer with: a TikTok video comes back as POST, a Short as SHORT.
    item_types: (
        list[
            Annotated[
                Literal[
                    "POST", "REEL", "STORY", "TIKTOK", "TIKTOK_STORY", "YOUTUBE", "YOUTUBE_SHORT"
                ],
                ApiType("FilterItemType"),
            ]
        ]
        | None
    ) = None
    content_types: (
        list[Annotated[Literal["IMAGE", "VIDEO"], ApiType("MediaContentType")]] | None
    ) = None
    account_names: list[Text] | None = None
    tags_names: list[Text] | None = Field(None, description="Hashtags and mentions.")
    super_search: FilterSuperSearchInput | None = Field(
        None, description="Search in the content by words or by picture."
    )
    engagement: list[FilterEngagementRangeInput] | None = Field(
        None, description="Ranges of metrics; EARNED_MEDIA_VALUE is in cents."
    )
    virality_score: (
        list[
            Annotated[Literal["HIGH", "MEDIUM", "LOW", "NOT_VIRAL"], ApiType("FilterViralityScore")]
        ]
        | None
    ) = Field(None, description="Archive refuses NOT_VIRAL.")
    followers_count: FilterIntegerRangeInput | None = None
    verified: list[bool] | None = None
    creator_locations: list[LocationCanonicalInput] | None = Field(
        None, description="Places by their exact, canonical names."
    )
    ugc_locations: list[LocationCanonicalInput] | None = None
    social_profile_account_types: (
        list[
            Annotated[
                Literal["BUSINESS", "CREATOR", "PERSONAL"], ApiType("SocialProfileAccountType")
            ]
        ]
        | None
    ) = Field(None, description="Instagram only.")
    usage_rights_status: list[ContractStatus] | None = None
    tiktok_spark_code_status: list[ContractStatus] | None = None
    instagram_whitelisting_status: list[ContractStatus] | None = None
    tiktok_whitelisting_eligibility: (
        Annotated[Literal["ALL"], ApiType("FilterTikTokWhitelistingEligibility")] | None
    ) = None
    import_type: Annotated[Literal["AUTOMATIC", "MANUAL"], ApiType("FilterImportType")] | None = (
        None
    )
    ids: list[Id] | None = None
    collections_ids: list[Id] | None = None
    campaigns_ids: list[Id] | None = None
    social_profile_ids: list[Id] | None = None
    sources_ids: list[Id] | None = None
    shopify_products_ids: list[Text] | None = None


class ItemSortingInput(Input):
    """A sort key with its direction."""

    sort_key: Annotated[
        Literal[
            "TAKEN_AT",
            "EARNED_MEDIA_VALUE",
            "LIKE_COUNT",
            "COMMENT_COUNT",
            "SHARE_COUNT",
            "MERGED_VIEW_PLAY_COUNT",
            "FOLLOWERS_COUNT",
            "ACCOUNT_NAME",
            "LINEAR_VIRALITY",
            "EXPONENTIAL_VIRALITY",
        ],
        ApiType("ItemSortKey"),
    ]
    sort_order: SortOrder


class SearchItems(TakesConditions, NamesOptions, Connection[Item]):
    """Search archived posts, reels, stories and videos in Archive (archive.com), with current
    engagement. Use it for "top posts", "posts of last month", "posts by @x", or the content of a
    view or collection (`presetId`). Default order: newest first. For post links use
    archive_get_item_ids_by_url; for metrics over time archive_get_engagement_history. Null metrics
    are unavailable, not 0; earnedMediaValue is in cents."""

    operation = "items"
    title = "Search Archive content"
    always_loaded = True
    search_hint = (
        "find posts, find every post, reels, reel, tiktoks, tiktok, stories, story, shorts, "
        "videos, video, UGC, content, photos, mentioning, mention, hashtag, caption text, "
        "keyword, posted last week, last month, today, yesterday, by @account, by influencer, "
        "usage rights approved, spark code, whitelisting, verified, location, similar picture, "
        "about a product, somebody wearing, unboxing, showing, in a folder, in a campaign, "
        "newest, latest posts, likes above, how many posts, show me, find content, tagged us, "
        "mentions us, with more than views, since, between, from Berlin, from Germany, verified "
        "accounts, small accounts, micro influencers, gifted, unpaid, paid partnership, rights "
        "expired, rights requested, pending rights, ad code, similar to this picture, looks like, "
        "carousel, selfie, product in the picture, untagged, without, posts of one creator, how "
        "many stories, has anybody, anybody complained, complaints, complaining, negative, "
        "shipping, on instagram, on tiktok, since monday, praise, reviews, feedback, saying about "
        "us, everything with the hashtag"
    )
    core = True
    # A page without relations (Archive docs, rate limiting).
    cost: ClassVar[float] = 60
    conditions_on = "ITEM"

    filter: ItemFilterInput | None = Field(None, description="An item must meet all conditions.")
    sorting: list[ItemSortingInput] | None = Field(
        None, min_length=1, description="Sort keys, the most important first."
    )
    custom_attribute_conditions: Conditions | None = None
    preset_id: Id | None = Field(
        None, description="Content view or collection id, instead of `filter` and conditions."
    )

    def check(self) -> None:
        # Archive ignores both without a word, and a model would report the whole view as the
        # selection.
        if self.preset_id and (is_narrow(self.filter) or self.custom_attribute_conditions):
            raise Failure(
                Code.INVALID_ARGUMENT,
                "Archive ignores `filter` and `customAttributeConditions` beside `presetId`.",
                "For a collection use filter.collectionsIds with the other filters; for a view "
                "drop the filters.",
            )
        if self.filter:
            check_filter(self.filter, "filter")

    def order(self) -> Callable[[list[dict[str, Any]]], list[dict[str, Any]]] | None:
        # Archive ignores `sorting` beside a preset too: then all pages are read and sorted here.
        if not (self.preset_id and self.sorting):
            return None
        return sorter([(entry.sort_key, entry.sort_order) for entry in self.sorting])

    def extra_paths(self) -> list[str]:
        # Sorting here needs the values, even where the caller does not ask for them.
        return [SORT_PATHS[entry.sort_key] for entry in self.sorting or []] if self.order() else []

    def notes(self) -> list[str]:
        return ["The preset's own filters decide what is in it."] if self.preset_id else []

    def notes_if_empty(self) -> list[str]:
        if self.filter is None:
            return []
        by_place = self.filter.creator_locations or self.filter.ugc_locations
        by_id = self.filter.collections_ids or self.filter.campaigns_ids
        return [*([NO_SUCH_PLACE] if by_place else []), *([_NO_SUCH_ID] if by_id else [])]


def check_filter(choice: ItemFilterInput, name: str) -> None:
    """Refuse what Archive would, and write account names as it does; `name` is the argument's.

    Raises:
        Failure: `INVALID_ARGUMENT`, with what to send instead.
    """
    if choice.account_names:
        # People write @name; Archive stores the handle without it and would find nothing.
        choice.account_names = [entry.removeprefix("@") for entry in choice.account_names]
    # In the schema, yet refused according to Archive's error page of the same day.
    if "NOT_VIRAL" in (choice.virality_score or []):
        raise Failure(
            Code.INVALID_ARGUMENT,
            f"Archive does not accept NOT_VIRAL in {name}.viralityScore.",
            "Leave it out and keep the records whose currentEngagement.linearViralityScore is "
            "NOT_VIRAL.",
        )
    search = choice.super_search
    if search is None:
        return
    by_picture = [search.similar_media_content_id, search.image_url, search.file_name]
    requested = [entry for entry in [search.search_query, *by_picture] if entry]
    if search.mode != "EMBEDDING_CONTENT" and (not search.search_query or any(by_picture)):
        raise Failure(
            Code.INVALID_ARGUMENT,
            f"{name}.superSearch: {search.mode} takes `searchQuery` and nothing else.",
            "To search by picture use mode EMBEDDING_CONTENT.",
        )
    if len(requested) != 1:
        raise Failure(
            Code.INVALID_ARGUMENT,
            f"{name}.superSearch takes one of searchQuery, similarMediaContentId, imageUrl and "
            "fileName.",
            "Keep the one that you mean.",
        )


class GetMediaContents(Lookup[MediaContent]):
    """Get the images and videos of items, with file and thumbnail URLs. Join them to items by
    `mediaItemId` (ask archive_search_items for it), and skip those that are `deleted`. Pass exactly
    one kind of id."""

    operation = "mediaContents"
    title = "Get pictures and videos"
    search_hint = (
        "download links, download link, original file, image files, video file, media files, mp4, "
        "jpg, carousel images, pictures of a post, high resolution, source file, url of the "
        "video, thumbnail url, assets for the ad team, raw footage, photo files, picture files, "
        "high-res, save the pictures, get me the clip, clips, all slides of a carousel, media of "
        "this post"
    )

    item_ids: ItemIds | None = Field(None, description="Up to 100 item ids.")
    competitor_brand_item_ids: ItemIds | None = Field(
        None, description="Up to 100 competitor item ids, instead of item ids."
    )

    def check(self) -> None:
        # Both or neither is a server error of Archive, though its schema marks both optional.
        _exactly_one(self, "item_ids", "competitor_brand_item_ids")


class GetTranscriptions(Lookup[Transcription]):
    """Get what is said in videos. Transcripts are keyed by media content: to get them beside their
    items, ask archive_search_items for `fields` ["*", "transcriptions.transcript"] instead."""

    operation = "transcriptions"
    title = "Get transcripts"
    most_characters = 200_000
    search_hint = (
        "transcript, transcripts, spoken words, what is said, says in the video, out loud, "
        "subtitles, quote, voice over, speech, speech to text, captions of a video, mention our "
        "name aloud, talks about, talk, script, word for word, what did she say, what does he "
        "say, exact words, text of the video, audio, in German, spoken, mentioned verbally, read "
        "me"
    )

    # The limits are of different size: 1,000 items, but only 20 media (Archive docs,
    # transcriptions).
    item_ids: Annotated[list[Id], Field(min_length=1, max_length=1000)] | None = Field(
        None, description="Up to 1,000 item ids."
    )
    media_content_ids: Annotated[list[Id], Field(min_length=1, max_length=20)] | None = Field(
        None, description="Up to 20 media content ids, instead of item ids."
    )

    def check(self) -> None:
        # What Archive answers to neither is not documented.
        _exactly_one(self, "item_ids", "media_content_ids")


class GetItemIdsByUrl(Lookup[UrlLookup]):
    """Find the items behind post links: Instagram posts and reels, TikTok, YouTube and Shorts.
    Stories have no permanent link, and short links are not resolved. Send all links in one call."""

    operation = "itemIdsByUrl"
    title = "Find items by link"
    search_hint = (
        "do we have this post already, look up a post by its link, url, links, instagram.com, "
        "tiktok.com, youtube.com, https, is this link in our library, archived already, id of a "
        "post, check these links, which of these links are missing, find by link, have we got "
        "this, is it in there, already in our library, pasted link, ids for these links, "
        "recognise these urls"
    )
    core = True

    urls: list[Text] = Field(min_length=1, max_length=100, description="Up to 100 post links.")


class EngagementHistoryFilterInput(Input):
    """Which snapshots."""

    captured_at: FilterDateRangeInput | None = Field(
        None, description="Days or instants with zone."
    )


class GetEngagementHistory(Connection[EngagementEntry]):
    """Get one item's metrics over time, newest first. Snapshots are taken about 2 h, 24 h, 3 days
    and 7 days after posting, later only while a post still grows. For current metrics
    archive_search_items is enough."""

    operation = "engagementHistory"
    title = "Get engagement over time"
    search_hint = (
        "how a post grew, developed, growth over time, likes per day, views day by day, history "
        "of likes, first week, first 24 hours, curve, trend of one post, went viral when, "
        "measurements, timeline, evolution, still growing, since it was posted, over the first "
        "days, how did likes change, gain, gained, per hour, plateau, peak, before and after, "
        "when did it take off, momentum, over time, kept growing, progress of a post"
    )
    cost: ClassVar[float] = 6

    item_id: Id = Field(description="Item id.")
    filter: EngagementHistoryFilterInput | None = Field(
        None, description="Narrows the history to a time window."
    )


def _exactly_one(request: Any, *names: str) -> None:
    fields = type(request).model_fields
    requested = [fields[name].alias or name for name in names if getattr(request, name)]
    if len(requested) != 1:
        existing = " or ".join(f"`{fields[name].alias or name}`" for name in names)
        raise Failure(
            Code.INVALID_ARGUMENT,
            f"Give exactly one of {existing}; got {'both' if requested else 'neither'}.",
            "Make two calls to look up both kinds." if requested else "Pass the ids you have.",
        )
