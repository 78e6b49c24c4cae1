"""The collections that a job is about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from server.archive.pagination import ROW_CAP
from server.errors import Code, Failure
from server.jobs import JobRow
from server.tool.names import find_matches, match_one
from tools.archive.collections import GetCollections, find_similar_name

if TYPE_CHECKING:
    from server.archive.api import Api

Row = dict[str, Any]


@dataclass(frozen=True)
class Target:
    """A collection; without an id it is still to be created. `near` is the existing name that may
    be meant instead."""

    name: str
    id: str | None = None
    items: int = 0
    near: str | None = None

    def to_dict(self) -> Row:
        """For the preview."""
        if self.id is not None:
            return {"name": self.name, "id": self.id, "itemCount": self.items}
        return {
            "name": self.name,
            "willBeCreated": True,
            **({"similar": self.near} if self.near else {}),
        }


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
    partial = partial and len(rows) < ROW_CAP
    targets = [find(name, rows, partial=partial) for name in dict.fromkeys(names or [])]
    # A name and an id may mean the same collection: then it must be changed once.
    targets += [_by_id(identity, rows) for identity in dict.fromkeys(ids or [])]
    return list({target.id or target.name: target for target in targets}.values())


def resolve_names(names: list[str], rows: list[Row]) -> list[str]:
    """Return the full names of the collections that items are put into.

    Raises:
        Failure: none has that name, or several fit.
    """
    if len(rows) < ROW_CAP:
        targets = match_targets(names, None, rows, auto_create=False, partial=True)
        return [target.name for target in targets]
    # In a list that Archive cut, a name that is missing may still exist: Archive judges it.
    return list(dict.fromkeys(names))


def find_targets(job: JobRow, rows: list[Row]) -> list[Target]:
    """Return the collections of a job that still exist, whatever they are called now."""
    # The id comes first: somebody may have renamed the collection since.
    by_id = {row["id"]: row for row in rows}
    by_name = {row["name"]: row for row in rows}
    targets: list[Target] = []
    for entry in job.counters.get("targets", []):
        row = by_id.get(entry["id"])
        # One that the job created may have got its id after the last thing that was journalled.
        if not entry["id"]:
            row = by_name.get(entry["name"])
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
    capped = len(rows) >= ROW_CAP
    if capped and not find_matches(name, rows, name=_name, identity=_identity, partial=partial):
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


def _by_id(text: str, rows: list[Row]) -> Target:
    if existing := next((row for row in rows if row["id"] == text), None):
        return _existing(existing)
    if len(rows) >= ROW_CAP:
        # Archive cuts the list at 1,000 rows without a word: an id beyond them may well exist.
        return Target(text, text)
    raise Failure(
        Code.NOT_FOUND,
        f"No collection of this workspace has the id {text}.",
        "{collections} lists them.",
    )


def _existing(row: Row) -> Target:
    return Target(row["name"], row["id"], row["itemCount"])
