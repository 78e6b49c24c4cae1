"""Views and collections by the names that people know them by, in place of ids."""

from __future__ import annotations

from typing import Any, Literal

from server.archive.context import ArchiveContext
from server.archive.workspaces import ID
from server.errors import Code, Failure
from server.tool.names import find_matches, suggest
from tools.archive.workspace import GetFilterPresets

Accessor = Literal["MEDIA_DECK", "COLLECTIONS"]
Preset = dict[str, Any]


async def find_preset_ids(
    context: ArchiveContext, names: list[str], accessor: Accessor | None = None
) -> list[str]:
    """Return ids for the names of views and collections; what is an id stays as it is.

    Args:
        accessor: the kind that is meant; None means both.

    Raises:
        Failure: `AMBIGUOUS` for a name that several have, `INVALID_ARGUMENT` for a typo.
    """
    # Ids need no look-up, and cost no request.
    if all(map(ID.match, names)):
        return names
    presets = await _list_presets(context, accessor)
    return [_find_one(name, presets) for name in names]


async def _list_presets(context: ArchiveContext, accessor: Accessor | None) -> list[Preset]:
    page = await context.api.read_whole(GetFilterPresets())
    if accessor is None:
        return page.records
    return [preset for preset in page.records if preset["accessor"] == accessor]


def _find_one(name: str, presets: list[Preset]) -> str:
    matches = find_matches(
        name,
        presets,
        name=lambda preset: str(preset["name"]),
        identity=lambda preset: str(preset["id"]),
        # A part of a name could be another one's.
        partial=False,
    )
    if not matches:
        return _refuse_typo(name, presets)
    if len(matches) > 1:
        raise Failure(
            Code.AMBIGUOUS,
            f"{len(matches)} views or collections are called {name!r}.",
            "Repeat the call with the id of the one that is meant.",
            candidates=[
                {key: entry[key] for key in ("id", "name", "accessor")} for entry in matches
            ],
        )
    return str(matches[0]["id"])


def _refuse_typo(name: str, presets: list[Preset]) -> str:
    """Return what resembles no name: it may be an id of another form, which Archive knows."""
    suggestion = suggest(name, [str(preset["name"]) for preset in presets])
    if not suggestion:
        return name
    raise Failure(
        Code.INVALID_ARGUMENT,
        f"There is no view or collection {name!r}.{suggestion}",
        "{filterPresets} lists the views and collections.",
    )
