"""What `items` can be narrowed by: Archive docs, items. Parts are checked for each item, cheap ones
first."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from graphql import GraphQLError

from server.sandbox.archive.data.items import FRAMES_EACH, Item
from server.sandbox.archive.data.workspace import Workspace
from server.sandbox.ids import Kind, mix
from server.sandbox.words import Place

Test = Callable[[Item], bool]
Filter = dict[str, Any]

_PICTURE_SOURCES = ("searchQuery", "similarMediaContentId", "imageUrl", "fileName")


def metric(item: Item, name: str) -> float | None:
    """A metric by the name that ranges and sort keys use; None if it is not available."""
    if name == "FOLLOWERS_COUNT":
        return item.social_profile.followers
    known = item.current_engagement
    if known is None:
        return None
    followers = max(1, item.social_profile.followers)
    rates: dict[str, Callable[[], float | None]] = {
        "LIKE_COUNT": lambda: known.likes,
        "COMMENT_COUNT": lambda: known.comments,
        "SHARE_COUNT": lambda: known.shares,
        "EARNED_MEDIA_VALUE": lambda: known.earned_media_value,
        "MERGED_VIEW_PLAY_COUNT": lambda: known.impressions,
        "ENGAGEMENTS_RATE": lambda: 100 * ((known.likes or 0) + (known.comments or 0)) / followers,
        "IMPRESSIONS_RATE": lambda: 100 * (known.impressions or 0) / followers,
        "LINEAR_VIRALITY": lambda: known.virality,
        "EXPONENTIAL_VIRALITY": lambda: known.virality**2 / (1 + known.virality),
    }
    return rates[name]()


def item_tests(home: Workspace, given: Filter | None) -> list[Test]:
    """One test per part of the filter. Raises GraphQLError for parts that the API refuses.

    `ids` and `takenAt` are not among them: they choose the items that are looked at in the first
    place.
    """
    wanted = given or {}
    if "NOT_VIRAL" in (wanted.get("viralityScore") or ()):
        raise GraphQLError(
            "Argument 'viralityScore' on InputObject 'ItemFilterInput' has an invalid value "
            "(NOT_VIRAL)",
            extensions={"code": "argumentLiteralsIncompatible"},
        )
    made: list[Test] = []
    for name, build in _PARTS.items():
        value = wanted.get(name)
        if value is not None and value != []:
            made.append(build(home, value))
    return made


def within(value: float | None, limits: dict[str, Any]) -> bool:
    """Whether a figure lies in a {from, to} range; an unavailable one never does."""
    low, high = limits.get("from"), limits.get("to")
    return value is not None and (low is None or value >= low) and (high is None or value <= high)


def matches_place(place: Place, wanted: list[dict[str, str]]) -> bool:
    """Whether a place fits any of the entries; within an entry every part given must be equal."""
    return any(
        all(getattr(place, part) == name for part, name in entry.items() if name)
        for entry in wanted
    )


def _one_of(read: Callable[[Item], Any]) -> Callable[[Workspace, Any], Test]:
    return lambda _, value: lambda item: read(item) in value


def _account_names(_: Workspace, names: list[str]) -> Test:
    lowered = {name.lower().removeprefix("@") for name in names}
    return lambda item: item.social_profile.account_name in lowered


def _account_types(_: Workspace, types: list[str]) -> Test:
    return lambda item: item.provider == "INSTAGRAM" and item.social_profile.account_type in types


def _collections(home: Workspace, ids: list[str]) -> Test:
    known = [home.saved.collections.find(text) for text in ids]
    numbers = [collection.number for collection in known if collection is not None]
    return lambda item: any(home.holds(number, item.number) for number in numbers)


def _campaigns(home: Workspace, ids: list[str]) -> Test:
    places = {n for n, campaign in enumerate(home.campaigns) if campaign.id in ids}
    return lambda item: item.flags >> 56 & 0xF in places


def _sources(home: Workspace, ids: list[str]) -> Test:
    return lambda item: home.sources[(item.flags >> 50 & 0x3F) % len(home.sources)] in ids


def _products(home: Workspace, ids: list[str]) -> Test:
    products = home.brand.theme.products
    return lambda item: str(8_000_000_100 + products.index(item.product)) in ids


def _tags(_: Workspace, names: list[str]) -> Test:
    lowered = {name.lower().lstrip("#@") for name in names}
    return lambda item: not lowered.isdisjoint([*item.hashtags, *item.mentions])


def _creator_locations(_: Workspace, places: list[dict[str, str]]) -> Test:
    return lambda item: matches_place(item.creator.place, places)


def _ugc_locations(_: Workspace, places: list[dict[str, str]]) -> Test:
    return lambda item: item.location is not None and matches_place(item.place, places)


def _engagement(_: Workspace, ranges: list[dict[str, Any]]) -> Test:
    return lambda item: all(within(metric(item, r["field"]), r["range"]) for r in ranges)


def _virality(_: Workspace, scores: list[str]) -> Test:
    def test(item: Item) -> bool:
        known = item.current_engagement
        return known is not None and known.linear_virality_score in scores

    return test


def _contract(place: int) -> Callable[[Workspace, Any], Test]:
    return lambda _, states: lambda item: item.contract(place) in states


def _super_search(home: Workspace, search: dict[str, Any]) -> Test:
    mode = search.get("mode")
    given = [name for name in _PICTURE_SOURCES if search.get(name)]
    if mode is None:
        raise GraphQLError("superSearch needs a mode")
    if mode == "EMBEDDING_CONTENT":
        if len(given) != 1:
            raise GraphQLError(
                f"EMBEDDING_CONTENT takes exactly one of {', '.join(_PICTURE_SOURCES)}"
            )
        return _looks_like(home, given[0], search[given[0]])
    if given != ["searchQuery"]:
        raise GraphQLError(f"{mode} takes searchQuery and nothing else")
    words = _words(search["searchQuery"])
    if not words:
        raise GraphQLError("searchQuery must not be blank")
    return lambda item: words <= _words(_searched(item, mode))


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text.lower()))


def _searched(item: Item, mode: str) -> str:
    if mode == "FUZZY_CAPTION":
        return item.caption or ""
    return " ".join(t.transcript or "" for t in item.transcriptions)


def _looks_like(home: Workspace, source: str, value: str) -> Test:
    """Pictures are not looked at: the product of a post stands for what it shows."""
    products = home.brand.theme.products
    if source == "searchQuery":
        words = _words(value)
        return lambda item: bool(
            words & _words(f"{item.product} {item.place.city} {' '.join(item.frames)}")
        )
    if source == "similarMediaContentId":
        number = home.number_of(Kind.MEDIA_CONTENT, value)
        if number is None or number // FRAMES_EACH not in home.numbers:
            raise GraphQLError(f"Media content {value} not found", extensions={"code": "NOT_FOUND"})
        product = home.item(number // FRAMES_EACH).product
    else:
        product = products[mix(sum(value.encode())) % len(products)]
    return lambda item: item.product == product


_PARTS: dict[str, Callable[[Workspace, Any], Test]] = {
    "provider": lambda _, value: lambda item: item.provider == value,
    "itemTypes": _one_of(lambda item: item.kind),
    "accountNames": _account_names,
    "socialProfileIds": _one_of(lambda item: item.social_profile.id),
    "socialProfileAccountTypes": _account_types,
    "verified": _one_of(lambda item: item.social_profile.verified),
    "followersCount": lambda _, limits: lambda item: within(item.social_profile.followers, limits),
    "creatorLocations": _creator_locations,
    "campaignsIds": _campaigns,
    "sourcesIds": _sources,
    "usageRightsStatus": _contract(0),
    "tiktokSparkCodeStatus": _contract(1),
    "instagramWhitelistingStatus": _contract(2),
    "tiktokWhitelistingEligibility": lambda _, __: (
        lambda item: item.kind == "TIKTOK" and bool(item.flags >> 62)
    ),
    "importType": lambda _, value: lambda item: item.added_by_hand == (value == "MANUAL"),
    "contentTypes": lambda _, types: lambda item: not set(types).isdisjoint(item.frames),
    "shopifyProductsIds": _products,
    "ugcLocations": _ugc_locations,
    "tagsNames": _tags,
    "collectionsIds": _collections,
    "engagement": _engagement,
    "viralityScore": _virality,
    "superSearch": _super_search,
}
