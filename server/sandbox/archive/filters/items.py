"""What `items` can be narrowed by: Archive docs, items. Parts are checked for each item, cheap ones
first."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from server.sandbox.archive.data.items import FRAMES_EACH, Item
from server.sandbox.archive.data.metrics import Engagement
from server.sandbox.archive.data.workspace import Workspace
from server.sandbox.archive.errors import ensure, make_error
from server.sandbox.ids import Kind, mix
from server.sandbox.words import Place

Test = Callable[[Item], bool]
Filter = dict[str, Any]

_PICTURE_SOURCES = ("searchQuery", "similarMediaContentId", "imageUrl", "fileName")
_FIRST_PRODUCT_ID = 8_000_000_100
# Metrics by the names that ranges and sort keys use, from an engagement and the followers.
_METRICS: dict[str, Callable[[Engagement, int], float | None]] = {
    "LIKE_COUNT": lambda engagement, _: engagement.likes,
    "COMMENT_COUNT": lambda engagement, _: engagement.comments,
    "SHARE_COUNT": lambda engagement, _: engagement.shares,
    "EARNED_MEDIA_VALUE": lambda engagement, _: engagement.earned_media_value,
    "MERGED_VIEW_PLAY_COUNT": lambda engagement, _: engagement.impressions,
    "ENGAGEMENTS_RATE": lambda engagement, followers: 100 * engagement.interactions / followers,
    "IMPRESSIONS_RATE": lambda engagement, followers: (
        100 * (engagement.impressions or 0) / followers
    ),
    "LINEAR_VIRALITY": lambda engagement, _: engagement.virality,
    "EXPONENTIAL_VIRALITY": lambda engagement, _: (
        engagement.virality**2 / (1 + engagement.virality)
    ),
}


def metric(item: Item, name: str) -> float | None:
    """Return a metric by the name that ranges and sort keys use, or None if there is no figure."""
    followers = item.social_profile.followers
    if name == "FOLLOWERS_COUNT":
        return followers
    engagement = item.current_engagement
    if engagement is None:
        return None
    # Rates of an account without followers are those of an account with one.
    return _METRICS[name](engagement, max(1, followers))


def item_tests(workspace: Workspace, parts: Filter | None) -> list[Test]:
    """Return one test per part of the filter.

    `ids` and `takenAt` are not among them: they choose the items that are tested in the first
    place.

    Raises GraphQLError for parts that the API refuses.
    """
    values = parts or {}
    # The schema lists this score, yet the API refuses to filter by it.
    ensure(
        "NOT_VIRAL" not in (values.get("viralityScore") or ()),
        "Argument 'viralityScore' on InputObject 'ItemFilterInput' "
        "has an invalid value (NOT_VIRAL)",
        "argumentLiteralsIncompatible",
    )
    tests: list[Test] = []
    for name, build in _PARTS.items():
        value = values.get(name)
        if value is not None and value != []:
            tests.append(build(workspace, value))
    return tests


def is_within(value: Any, limits: dict[str, Any]) -> bool:
    """Return whether a figure or a moment lies in a {from, to} range; a missing one never does."""
    low, high = limits.get("from"), limits.get("to")
    if value is None:
        return False
    is_too_low = low is not None and value < low
    is_too_high = high is not None and value > high
    return not (is_too_low or is_too_high)


def matches_place(place: Place, entries: list[dict[str, str]]) -> bool:
    """Return whether a place fits any of the entries, in all the parts that the entry names."""
    for entry in entries:
        differences = [
            part for part, name in entry.items() if name and getattr(place, part) != name
        ]
        if not differences:
            return True
    return False


def _one_of(read: Callable[[Item], Any]) -> Callable[[Workspace, Any], Test]:
    return lambda _, values: lambda item: read(item) in values


def _account_names(_: Workspace, names: list[str]) -> Test:
    accounts = {name.lower().removeprefix("@") for name in names}
    return lambda item: item.social_profile.account_name in accounts


def _collections(workspace: Workspace, ids: list[str]) -> Test:
    library = workspace.library
    collections = filter(None, map(library.collections.find, ids))
    numbers = [collection.number for collection in collections]
    contains = library.membership.contains
    return lambda item: any(contains(number, item.number) for number in numbers)


def _campaigns(workspace: Workspace, ids: list[str]) -> Test:
    places = {n for n, campaign in enumerate(workspace.campaigns) if campaign.id in ids}
    # Bits of their own, or campaigns and sources would always go together.
    return lambda item: item.flags >> 56 & 0xF in places


def _sources(workspace: Workspace, ids: list[str]) -> Test:
    sources = workspace.source_ids
    return lambda item: sources[(item.flags >> 50 & 0x3F) % len(sources)] in ids


def _products(workspace: Workspace, ids: list[str]) -> Test:
    products = workspace.brand.theme.products
    return lambda item: str(_FIRST_PRODUCT_ID + products.index(item.product)) in ids


def _tags(_: Workspace, names: list[str]) -> Test:
    tags = {name.lower().lstrip("#@") for name in names}
    return lambda item: not tags.isdisjoint([*item.hashtags, *item.mentions])


def _super_search(workspace: Workspace, search: dict[str, Any]) -> Test:
    mode = search.get("mode")
    sources = [name for name in _PICTURE_SOURCES if search.get(name)]
    ensure(mode is not None, "superSearch needs a mode")
    if mode == "EMBEDDING_CONTENT":
        choices = ", ".join(_PICTURE_SOURCES)
        ensure(len(sources) == 1, f"EMBEDDING_CONTENT takes exactly one of {choices}")
        return _looks_like(workspace, sources[0], search[sources[0]])
    ensure(sources == ["searchQuery"], f"{mode} takes searchQuery and nothing else")
    words = _split_words(search["searchQuery"])
    ensure(words, "searchQuery must not be blank")
    if mode == "FUZZY_CAPTION":
        return lambda item: words <= _split_words(item.caption or "")
    return lambda item: words <= _split_words(_speech(item))


def _split_words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text.lower()))


def _speech(item: Item) -> str:
    return " ".join(entry.transcript or "" for entry in item.transcriptions)


def _looks_like(workspace: Workspace, source: str, value: str) -> Test:
    # Nobody looks at the pictures: the product of a post stands for what they show.
    if source == "searchQuery":
        words = _split_words(value)
        return lambda item: not words.isdisjoint(_split_words(_scene(item)))
    product = _product_shown(workspace, source, value)
    return lambda item: item.product == product


def _scene(item: Item) -> str:
    return f"{item.product} {item.place.city} {' '.join(item.frames)}"


def _product_shown(workspace: Workspace, source: str, value: str) -> str:
    products: Sequence[str] = workspace.brand.theme.products
    if source != "similarMediaContentId":
        # Pictures from elsewhere show any product, but the same picture always the same one.
        return products[mix(sum(value.encode())) % len(products)]
    number = workspace.number_of(Kind.MEDIA_CONTENT, value)
    if number is None or number // FRAMES_EACH not in workspace.numbers:
        raise make_error(f"Media content {value} not found", "NOT_FOUND")
    return workspace.item(number // FRAMES_EACH).product


_PARTS: dict[str, Callable[[Workspace, Any], Test]] = {
    "provider": lambda _, value: lambda item: item.provider == value,
    "itemTypes": _one_of(lambda item: item.kind),
    "accountNames": _account_names,
    "socialProfileIds": _one_of(lambda item: item.social_profile.id),
    # Only Instagram tells its account types apart.
    "socialProfileAccountTypes": lambda _, types: (
        lambda item: item.provider == "INSTAGRAM" and item.social_profile.account_type in types
    ),
    "verified": _one_of(lambda item: item.social_profile.verified),
    "followersCount": lambda _, limits: (
        lambda item: is_within(item.social_profile.followers, limits)
    ),
    "creatorLocations": lambda _, places: lambda item: matches_place(item.creator.place, places),
    "campaignsIds": _campaigns,
    "sourcesIds": _sources,
    "usageRightsStatus": _one_of(lambda item: item.contract(0)),
    "tiktokSparkCodeStatus": _one_of(lambda item: item.contract(1)),
    "instagramWhitelistingStatus": _one_of(lambda item: item.contract(2)),
    "tiktokWhitelistingEligibility": lambda _, __: (
        lambda item: item.kind == "TIKTOK" and bool(item.flags >> 62)
    ),
    "importType": lambda _, value: lambda item: item.is_manual == (value == "MANUAL"),
    "contentTypes": lambda _, types: lambda item: not set(types).isdisjoint(item.frames),
    "shopifyProductsIds": _products,
    "ugcLocations": lambda _, places: (
        lambda item: item.location is not None and matches_place(item.place, places)
    ),
    "tagsNames": _tags,
    "collectionsIds": _collections,
    "engagement": lambda _, ranges: (
        lambda item: all(is_within(metric(item, row["field"]), row["range"]) for row in ranges)
    ),
    "viralityScore": _one_of(
        lambda item: item.current_engagement and item.current_engagement.linear_virality_score
    ),
    "superSearch": _super_search,
}
