"""Creators and profiles: Archive docs, creators and social profiles."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from server.sandbox.archive.data.creators import Creator, SocialProfile
from server.sandbox.archive.data.workspace import Workspace
from server.sandbox.archive.filters import matches_place
from server.sandbox.archive.paging import Page, page
from server.sandbox.archive.resolvers import conditions as attribute_conditions
from server.sandbox.archive.resolvers.context import Info, Resolver, refused
from server.sandbox.archive.resolvers.views import preset_view
from server.sandbox.ids import Kind, mix

_SORT: dict[str, Callable[[Creator], Any]] = {
    "ACCOUNT_NAME": lambda creator: creator.social_profiles[0].account_name,
    "FOLLOWERS_COUNT": lambda creator: max(
        profile.followers for profile in creator.social_profiles
    ),
}
_ACCOUNT = re.compile(r"[a-z0-9._]{2,30}")


def creators(
    _: None, info: Info, *, first: int | None, after: str | None = None, **given: Any
) -> Page:
    """People of the CRM. A creator view applies its stored conditions, but never its stored
    filters."""
    home = info.context.workspace
    preset = given.get("presetId")
    conditions = given.get("customAttributeConditions") or []
    places = (given.get("filter") or {}).get("locations") or []
    sort: list[dict[str, str]] = []
    if preset is not None:
        view = preset_view(home, Kind.CREATOR_VIEW, preset)
        conditions, places, sort = view.custom_attribute_conditions, [], view.sort
    tests = attribute_conditions.tests(home, "CREATOR", conditions)
    numbers = [
        number
        for number in range(home.brand.creators)
        if _fits(home.creator(number), tests, places)
    ]
    numbers = _sorted(home, numbers, sort)
    return page(f"creators{home.index}", numbers, home.creator, first=first, after=after)


def _fits(
    creator: Creator, tests: list[attribute_conditions.Test], places: list[dict[str, str]]
) -> bool:
    if places and not matches_place(creator.place, places):
        return False
    return all(test(creator.custom_attributes) for test in tests)


def _sorted(home: Workspace, numbers: list[int], sort: list[dict[str, str]]) -> list[int]:
    for level in reversed(sort):
        value = _SORT[level["sortKey"]]
        numbers = sorted(
            numbers, key=lambda n: value(home.creator(n)), reverse=level["sortOrder"] == "DESC"
        )
    return numbers


def creator(_: None, info: Info, **given: str) -> Creator:
    """One person; a miss is an error, because the answer cannot be null."""
    home = info.context.workspace
    number = home.number_of(Kind.CREATOR, given["id"])
    if number is None or number >= home.brand.creators:
        raise refused(f"Creator {given['id']} not found", "NOT_FOUND")
    return home.creator(number)


def social_profile(_: None, info: Info, **given: Any) -> SocialProfile | None:
    """One profile by id, or by account name and platform; null if it is not archived and no
    fallback is asked for."""
    home = info.context.workspace
    wanted, account, provider = given.get("id"), given.get("accountName"), given.get("provider")
    if (wanted is None) == (account is None):
        raise refused("Provide either id or accountName with provider")
    if wanted is not None:
        if provider is not None:
            raise refused("provider belongs to accountName, not to id")
        return home.profile_by_id(wanted)
    if account is None or provider is None:
        raise refused("accountName needs provider")
    name = account.lower()
    known = home.profiles_by_account.get((provider, name))
    if known is not None or not given.get("fallback"):
        return known
    return _from_platform(name, provider)


def _from_platform(account: str, provider: str) -> SocialProfile | None:
    """What the platform itself would say about an account that nobody archived yet."""
    if provider == "INTERNAL" or not _ACCOUNT.fullmatch(account):
        return None
    bits = mix(int.from_bytes(account.encode()) ^ len(provider))
    text = f"{bits:016x}{mix(bits):016x}"
    return SocialProfile(
        id=f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}",
        account_name=account,
        full_name=re.sub(r"[._]+", " ", account).title(),
        provider=provider,
        followers=500 + bits % 90_000,
        following=80 + bits % 700,
        verified=False,
        pro_account=False,
        private=False,
        account_type="PERSONAL",
        email=None,
        phone_numbers=None,
        creator=None,
    )


TABLE: dict[str, Resolver] = {
    "creators": creators,
    "creator": creator,
    "socialProfile": social_profile,
}
