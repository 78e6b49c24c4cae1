"""Archived profiles: Archive docs, social profiles."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from server.sandbox.archive.data.creators import SLOTS, SocialProfile
from server.sandbox.archive.data.saved import SavedView
from server.sandbox.archive.data.workspace import Workspace
from server.sandbox.archive.paging import Page, page
from server.sandbox.archive.resolvers import conditions as attribute_conditions
from server.sandbox.archive.resolvers.context import Info, Resolver
from server.sandbox.archive.resolvers.views import preset_view
from server.sandbox.ids import Kind

_SORT: dict[str, Callable[[SocialProfile], Any]] = {
    "FOLLOWERS_COUNT": lambda profile: profile.followers,
    "ACCOUNT_NAME": lambda profile: profile.account_name,
}


def social_profiles(
    _: None, info: Info, *, first: int | None, after: str | None, **given: Any
) -> Page:
    """Profiles of the CRM's people, in the order of `creators`.

    A view applies its stored conditions to the profile's owner, and its stored order, but never its
    stored filters; a platform given beside it is ignored. Only `pageInfo.endCursor` can be paged
    from, the cursors of edges cannot.
    """
    home = info.context.workspace
    preset = given.get("presetId")
    platform = (given.get("filter") or {}).get("platform")
    read = partial(_profile, home)
    numbers = _everybody(home)
    if preset is not None:
        numbers = _of_view(home, preset_view(home, Kind.PROFILE_VIEW, preset), numbers)
    elif platform is not None:
        numbers = [number for number in numbers if read(number).provider == platform]
    name = f"profiles{home.index}"
    return page(name, numbers, read, first=first, after=after, edge_name=f"{name}-edge")


def _everybody(home: Workspace) -> list[int]:
    people = range(home.brand.creators)
    return [
        n * SLOTS + slot for n in people for slot in range(len(home.creator(n).social_profiles))
    ]


def _profile(home: Workspace, number: int) -> SocialProfile:
    return home.creator(number // SLOTS).social_profiles[number % SLOTS]


def _of_view(home: Workspace, view: SavedView, numbers: list[int]) -> list[int]:
    tests = attribute_conditions.tests(home, "CREATOR", view.custom_attribute_conditions)
    kept = [
        n
        for n in numbers
        if all(test(home.creator(n // SLOTS).custom_attributes) for test in tests)
    ]
    for level in reversed(view.sort):
        read = _SORT[level["sortKey"]]
        values = {number: read(_profile(home, number)) for number in kept}
        kept.sort(key=values.__getitem__, reverse=level["sortOrder"] == "DESC")
    return kept


TABLE: dict[str, Resolver] = {"socialProfiles": social_profiles}
