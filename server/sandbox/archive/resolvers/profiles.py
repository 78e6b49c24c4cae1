"""Archived profiles: Archive docs, social profiles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from server.sandbox.archive.data.creators import SLOTS, SocialProfile
from server.sandbox.archive.filters.conditions import make_tests
from server.sandbox.archive.paging import Page, paginate
from server.sandbox.archive.resolvers.context import Info, Resolver
from server.sandbox.archive.resolvers.views import preset_view, sort_by_levels
from server.sandbox.ids import Kind

# Profiles are sorted together with their numbers.
_SORT_KEYS: dict[str, Callable[[tuple[int, SocialProfile]], Any]] = {
    "FOLLOWERS_COUNT": lambda row: row[1].followers,
    "ACCOUNT_NAME": lambda row: row[1].account_name,
}


def social_profiles(
    _: None, info: Info, *, first: int | None, after: str | None, **arguments: Any
) -> Page:
    """Return profiles of the CRM's people, in the order of `creators`.

    A view applies its stored conditions to the profile's owner, and its stored order, but never its
    stored filters; a platform beside it is ignored. Only `pageInfo.endCursor` can be paged from,
    the cursors of edges cannot.
    """
    workspace = info.context.workspace
    preset = arguments.get("presetId")
    platform = (arguments.get("filter") or {}).get("platform")
    people = workspace.creators()
    sort: list[dict[str, str]] = []
    if preset is not None:
        view = preset_view(workspace, Kind.PROFILE_VIEW, preset)
        platform, sort = None, view.sort
        for test in make_tests(workspace, "CREATOR", view.custom_attribute_conditions):
            people = [person for person in people if test(person.custom_attributes)]
    profiles = {
        person.number * SLOTS + slot: profile
        for person in people
        for slot, profile in enumerate(person.social_profiles)
        if platform is None or profile.provider == platform
    }
    rows = sort_by_levels(list(profiles.items()), sort, _SORT_KEYS)
    return paginate(
        f"profiles{workspace.index}",
        [number for number, _ in rows],
        profiles.__getitem__,
        first=first,
        after=after,
        # As in the API, where only the cursor of the page resumes the list.
        edge_name=f"profiles{workspace.index}-edge",
    )


TABLE: dict[str, Resolver] = {"socialProfiles": social_profiles}
