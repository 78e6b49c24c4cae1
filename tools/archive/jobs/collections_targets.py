"""The collections that a job is about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from server.archive.api import Api
from server.archive.pagination import ROW_CAP
from server.errors import Code, Failure
from server.jobs import JobRow
from server.tool.names import find_matches, match_one
from server.tool.result import drop_nulls
from tools.archive.collections import GetCollections, find_similar_name

Row = dict[str, Any]


@dataclass(frozen=True)
class Target:
    """A collection; without an id it is still to be created. `near` is the existing name that may
    be meant instead."""

    name: str
    id: str | None = None
    items: int = 0
    near: str | None = None

    @property
    def key(self) -> str:
        """What tells it from other collections."""
        return self.id or self.name

    def to_dict(self) -> Row:
        """Return the collection as a preview shows it."""
        if self.id is not None:
            return {"name": self.name, "id": self.id, "itemCount": self.items}
        return drop_nulls({"name": self.name, "willBeCreated": True, "similar": self.near})


async def list_collections(api: Api) -> list[Row]:
    """Return the collections of the workspace."""
    return (await api.read_whole(GetCollections(fields=["id", "name", "itemCount"]))).records


def match_targets(
    names: list[str] | None,
    ids: list[str] | None,
    rows: list[Row],
    *,
    auto_create: bool,
    partial: bool,
) -> list[Target]:
    """Return the collections that are meant, each once.

    Args:
        partial: whether a part of a name will do; not for a job that takes items out.

    Raises:
        Failure: there is none of that name or id, and it is not to be created; or several fit.
    """
    find = _find_or_create if auto_create else _find_by_name
    # In a list that Archive cut, a part that seems unique may fit a collection beyond the cut.
    partial = partial and not _is_cut(rows)
    # A name and an id may mean the same collection: then it must be changed once.
    targets: dict[str, Target] = {}
    for name in names or []:
        target = find(name, rows, partial=partial)
        targets[target.key] = target
    for identity in ids or []:
        target = _find_by_id(identity, rows)
        targets[target.key] = target
    return list(targets.values())


def resolve_names(names: list[str], rows: list[Row]) -> list[str]:
    """Return the full names of the collections that items are put into.

    Raises:
        Failure: none has that name, or several fit.
    """
    # In a list that Archive cut, a name that is missing may still exist: Archive judges it.
    if _is_cut(rows):
        return list(dict.fromkeys(names))
    targets = match_targets(names, None, rows, auto_create=False, partial=True)
    return [target.name for target in targets]


def find_targets(job: JobRow, rows: list[Row]) -> list[Target]:
    """Return the collections of a job that still exist, whatever they are called now."""
    # The id comes first: somebody may have renamed the collection since.
    by_id = {row["id"]: row for row in rows}
    by_name = {row["name"]: row for row in rows}
    targets: list[Target] = []
    for entry in job.counters.get("targets", []):
        # One that the job created may have got its id after the last thing that was journalled.
        row = by_id.get(entry["id"]) if entry["id"] else by_name.get(entry["name"])
        if row is not None:
            targets.append(_existing(row))
    return targets


def _find_or_create(name: str, rows: list[Row], *, partial: bool) -> Target:
    # A part never counts here: `autoCreate` asks for a collection of exactly this name.
    if find_matches(name, rows, name=_name, identity=_identity, partial=False):
        return _find_by_name(name, rows, partial=False)
    near = find_similar_name(name, rows)
    # Not refused although a similar name exists: the preview asks the user about it.
    return Target(name, near=near["name"] if near else None)


def _find_by_name(name: str, rows: list[Row], *, partial: bool) -> Target:
    matches = find_matches(name, rows, name=_name, identity=_identity, partial=partial)
    if not matches and _is_cut(rows):
        raise Failure(
            Code.NOT_FOUND,
            f"'{name}' is not among the {ROW_CAP:,} collections that Archive lists.",
            "Pass its id in `collectionIds`.",
        )
    match = match_one(
        name,
        rows,
        kind="collection",
        name=_name,
        identity=_identity,
        partial=partial,
        remedy="{collections} lists them; `autoCreate` makes new ones.",
    )
    return _existing(match)


def _name(row: Row) -> str:
    return str(row["name"])


def _identity(row: Row) -> str:
    return str(row["id"])


def _find_by_id(text: str, rows: list[Row]) -> Target:
    for row in rows:
        if row["id"] == text:
            return _existing(row)
    # An id beyond the cut may well exist.
    if _is_cut(rows):
        return Target(text, text)
    raise Failure(
        Code.NOT_FOUND,
        f"No collection of this workspace has the id {text}.",
        "{collections} lists them.",
    )


def _is_cut(rows: list[Row]) -> bool:
    """Whether Archive may have ended the list early, which it does without a word."""
    return len(rows) >= ROW_CAP


def _existing(row: Row) -> Target:
    return Target(row["name"], row["id"], row["itemCount"])
