"""What items can be narrowed and sorted by, under the names of Archive's schema."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from server.archive.operations import Id, Text
from server.errors import Code, Failure
from server.tool.request import ApiType, Input
from tools.archive.schema.inputs import (
    FilterDateRangeInput,
    FilterIntegerRangeInput,
    LocationCanonicalInput,
    Provider,
    SortOrder,
)

ContractStatus = Annotated[
    Literal["APPROVED", "EXPIRED", "IN_QUEUE", "REJECTED", "REQUESTED"],
    ApiType("FilterContractStatus"),
]


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
        description="Words to search for; none for a picture.",
    )
    similar_media_content_id: Id | None = None
    image_url: Text | None = None
    file_name: Text | None = None


class ItemFilterInput(Input):
    """What items must be like; all given parts must hold."""

    taken_at: FilterDateRangeInput | None = Field(None, description="When it was posted.")
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
    ) = Field(None, description="Answers show TIKTOK and YOUTUBE as POST, YOUTUBE_SHORT as SHORT.")
    content_types: (
        list[Annotated[Literal["IMAGE", "VIDEO"], ApiType("MediaContentType")]] | None
    ) = None
    account_names: list[Text] | None = None
    tags_names: list[Text] | None = Field(None, description="Hashtags and mentions.")
    super_search: FilterSuperSearchInput | None = Field(
        None,
        description="By words or picture; FUZZY: words in any order, similar ones too.",
    )
    engagement: list[FilterEngagementRangeInput] | None = Field(
        None, description="Ranges of metrics; EARNED_MEDIA_VALUE in cents (assumed)."
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
        None, description="Places by exact, canonical names."
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
    usage_rights_status: list[ContractStatus] | None = Field(
        None, description="Status of the rights request."
    )
    tiktok_spark_code_status: list[ContractStatus] | None = None
    instagram_whitelisting_status: list[ContractStatus] | None = None
    tiktok_whitelisting_eligibility: (
        Annotated[Literal["ALL"], ApiType("FilterTikTokWhitelistingEligibility")] | None
    ) = None
    import_type: Annotated[Literal["AUTOMATIC", "MANUAL"], ApiType("FilterImportType")] | None = (
        None
    )
    ids: list[Id] | None = None
    collections_ids: list[Id] | None = Field(
        None, description="Ids or names; with `ids`: which of these are in it."
    )
    campaigns_ids: list[Id] | None = Field(None, description="Ids or names.")
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


# What the filter calls the types of these platforms' items (Archive docs, schema), by what answers
# call them.
_TYPES_OF: dict[str, dict[str, str]] = {
    "TIKTOK": {"POST": "TIKTOK", "STORY": "TIKTOK_STORY"},
    "YOUTUBE": {"POST": "YOUTUBE"},
}


def find_types(parts: dict[str, Any]) -> dict[str, str]:
    """Return the filter's names for requested types that the platform's items only show.

    Args:
        parts: the filter, under the API's names.
    """
    names = _TYPES_OF.get(parts.get("provider", ""), {})
    requested = parts.get("itemTypes") or []
    return {
        shown: meant
        for shown, meant in names.items()
        if shown in requested and meant not in requested
    }


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
    if choice.super_search is not None:
        _check_words(choice.super_search, name)


def _check_words(search: FilterSuperSearchInput, name: str) -> None:
    """Refuse a search by words or by picture that has none, or both."""
    by_picture = [search.similar_media_content_id, search.image_url, search.file_name]
    requested = list(filter(None, [search.search_query, *by_picture]))
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
