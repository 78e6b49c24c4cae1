"""Creators and profiles: Archive docs, creators and social profiles."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from server.sandbox.archive.data.creators import Creator, SocialProfile
from server.sandbox.archive.errors import ensure, make_error
from server.sandbox.archive.filters.conditions import make_tests
from server.sandbox.archive.filters.items import matches_place
from server.sandbox.archive.paging import Page, paginate
from server.sandbox.archive.resolvers.context import Info, Resolver
from server.sandbox.archive.resolvers.views import preset_view, sort_by_levels
from server.sandbox.ids import Kind, mix

_SORT_KEYS: dict[str, Callable[[Creator], Any]] = {
    "ACCOUNT_NAME": lambda creator: creator.social_profiles[0].account_name,
    # Somebody with several accounts counts by the largest one.
    "FOLLOWERS_COUNT": lambda creator: max(
        profile.followers for profile in creator.social_profiles
    ),
}
_ACCOUNT = re.compile(r"[a-z0-9._]{2,30}")


def creators(
    _: None, info: Info, *, first: int | None, after: str | None = None, **arguments: Any
) -> Page:
    """Return people of the CRM.

    A creator view applies its stored conditions and order, but never its stored filters.
    """
    workspace = info.context.workspace
    preset = arguments.get("presetId")
    conditions = arguments.get("customAttributeConditions") or []
    places = (arguments.get("filter") or {}).get("locations") or []
    sort: list[dict[str, str]] = []
    if preset is not None:
        view = preset_view(workspace, Kind.CREATOR_VIEW, preset)
        # The API stores the filters of a creator view and then returns everybody.
        conditions, places, sort = view.custom_attribute_conditions, [], view.sort
    tests = make_tests(workspace, "CREATOR", conditions)
    people = workspace.creators()
    if places:
        people = [person for person in people if matches_place(person.place, places)]
    for test in tests:
        people = [person for person in people if test(person.custom_attributes)]
    return paginate(
        f"creators{workspace.index}",
        [person.number for person in sort_by_levels(people, sort, _SORT_KEYS)],
        workspace.creator,
        first=first,
        after=after,
    )


def creator(_: None, info: Info, **arguments: str) -> Creator:
    """Return one person. Raises GraphQLError for an unknown id, because the answer cannot be
    null."""
    workspace = info.context.workspace
    number = workspace.number_of(Kind.CREATOR, arguments["id"])
    if number is None or number >= workspace.brand.creator_count:
        raise make_error(f"Creator {arguments['id']} not found", "NOT_FOUND")
    return workspace.creator(number)


def social_profile(_: None, info: Info, **arguments: Any) -> SocialProfile | None:
    """Return one profile by id, or by account name and platform.

    Returns None if it is not archived and the caller asks for no fallback.
    """
    workspace = info.context.workspace
    profile_id: Any = arguments.get("id")
    account: Any = arguments.get("accountName")
    provider: Any = arguments.get("provider")
    ensure(
        (profile_id is None) != (account is None),
        "Provide either id or accountName with provider",
    )
    if account is None:
        ensure(provider is None, "provider belongs to accountName, not to id")
        return workspace.profile_by_id(profile_id)
    ensure(provider is not None, "accountName needs provider")
    name = account.lower()
    profile = workspace.profiles_by_account.get((provider, name))
    if profile is None and arguments.get("fallback"):
        return _from_platform(name, provider)
    return profile


def _from_platform(account: str, provider: str) -> SocialProfile | None:
    """Return what the platform itself says about an account that nobody archived yet."""
    if provider == "INTERNAL" or not _ACCOUNT.fullmatch(account):
        return None
    # Drawn from the name: the same account looks the same whenever it is asked for.
    bits = mix(int.from_bytes(account.encode()) ^ len(provider))
    text = f"{bits:016x}{mix(bits):016x}"
    return SocialProfile(
        # No id of `Ids`, so that no other operation takes it for an archived profile.
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
