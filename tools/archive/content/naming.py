"""Views and collections by the names that people know them by, in place of ids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from server.archive.context import ArchiveContext
from server.archive.operations import Listing
from server.archive.workspaces import ID
from server.errors import Code, Failure
from server.tool.names import find_matches, suggest
from tools.archive.by_name import find_ids
from tools.archive.campaigns import GetCampaigns
from tools.archive.content.filters import ItemFilterInput
from tools.archive.views.creators import GetCreatorViews
from tools.archive.views.social_profiles import GetSocialProfileViews
from tools.archive.workspace import GetFilterPresets

Accessor = Literal["MEDIA_DECK", "COLLECTIONS"]
Preset = dict[str, Any]

_ABOUT = ("id", "name", "accessor")


@dataclass(frozen=True)
class Kind:
    """What a name stands for.

    Args:
        listing: the tool that lists them.
        singular, plural: what messages call one of them, and several.
    """

    listing: type[Listing[Any]]
    singular: str
    plural: str


PRESETS = Kind(GetFilterPresets, "view or collection", "views or collections")
CREATOR_VIEWS = Kind(GetCreatorViews, "creator view", "creator views")
PROFILE_VIEWS = Kind(GetSocialProfileViews, "social profile view", "social profile views")


async def find_preset_ids(
    context: ArchiveContext,
    names: list[str],
    accessor: Accessor | None = None,
    kind: Kind = PRESETS,
) -> list[str]:
    """Return ids for the names of views and collections; what is an id stays as it is.

    Args:
        accessor: the kind of preset that is meant; None means both.

    Raises:
        Failure: `AMBIGUOUS` for a name that several have, `INVALID_ARGUMENT` for a typo.
    """
    # Ids need no look-up, and cost no request.
    if all(map(ID.match, names)):
        return names
    presets = (await context.api.read_whole(kind.listing())).records
    if accessor is not None:
        presets = [preset for preset in presets if preset["accessor"] == accessor]
    return [_find_one(name, presets, kind) for name in names]


async def take_ids_of_names(context: ArchiveContext, choice: ItemFilterInput | None) -> None:
    """Put ids in place of the names of collections and campaigns in a filter.

    Raises:
        Failure: `AMBIGUOUS`, `INVALID_ARGUMENT` or `NOT_FOUND`, with the names that are meant.
    """
    if choice is None:
        return
    if choice.collections_ids:
        choice.collections_ids = await find_preset_ids(
            context, choice.collections_ids, "COLLECTIONS"
        )
    if choice.campaigns_ids:
        # Never by a part of a name, which could be another one's.
        choice.campaigns_ids = await find_ids(
            context,
            choice.campaigns_ids,
            GetCampaigns,
            "campaign",
            remedy="{campaigns} lists the campaigns.",
            partial=False,
        )


def _find_one(name: str, presets: list[Preset], kind: Kind) -> str:
    matches = find_matches(
        name,
        presets,
        name=lambda preset: str(preset["name"]),
        identity=lambda preset: str(preset["id"]),
        # A part of a name could be another one's.
        partial=False,
    )
    if not matches:
        return _refuse_typo(name, presets, kind)
    if len(matches) > 1:
        raise Failure(
            Code.AMBIGUOUS,
            f"{len(matches)} {kind.plural} are called {name!r}.",
            "Repeat the call with the id of the one that is meant.",
            candidates=[{key: entry[key] for key in _ABOUT if key in entry} for entry in matches],
        )
    return str(matches[0]["id"])


def _refuse_typo(name: str, presets: list[Preset], kind: Kind) -> str:
    """Return what resembles no name: it may be an id of another form, which Archive knows."""
    suggestion = suggest(name, [str(preset["name"]) for preset in presets])
    if not suggestion:
        return name
    raise Failure(
        Code.INVALID_ARGUMENT,
        f"There is no {kind.singular} {name!r}.{suggestion}",
        f"{{{kind.listing.operation}}} lists the {kind.plural.replace(' or ', ' and ')}.",
    )
