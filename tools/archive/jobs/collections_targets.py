"""The collections that a job is about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from server.archive.pagination import ROW_CAP
from server.errors import Code, Failure
from server.jobs import JobRow
from tools.archive.collections import GetCollections, slip_of

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
    names: list[str] | None, ids: list[str] | None, rows: list[Row], *, auto_create: bool
) -> list[Target]:
    """Return the collections that are meant, each once.

    Raises:
        Failure: there is none of that name or id, and it is not to be created.
    """
    targets = [_by_name(name, rows, auto_create=auto_create) for name in dict.fromkeys(names or [])]
    # A name and an id may mean the same collection: then it must be changed once.
    targets += [_by_id(identity, rows) for identity in dict.fromkeys(ids or [])]
    return list({target.id or target.name: target for target in targets}.values())


def find_targets(job: JobRow, rows: list[Row]) -> list[Target]:
    """Return the collections of a job that still exist, whatever they are called now."""
    # The id comes first: somebody may have renamed the collection since.
    by_id, by_name = {row["id"]: row for row in rows}, {row["name"]: row for row in rows}
    journalled = job.counters.get("targets", [])
    # One that the job created may have got its id after the last thing that was journalled.
    result = [
        by_id.get(entry["id"]) if entry["id"] else by_name.get(entry["name"])
        for entry in journalled
    ]
    return [_existing(entry) for entry in result if entry]


def _by_name(name: str, rows: list[Row], *, auto_create: bool) -> Target:
    if existing := next((row for row in rows if row["name"] == name), None):
        return _existing(existing)
    near = slip_of(name, rows)
    # Not refused although a similar name exists: the preview asks the user about it.
    if auto_create:
        return Target(name, near=near["name"] if near else None)
    if len(rows) >= ROW_CAP:
        raise Failure(
            Code.NOT_FOUND,
            f"'{name}' is not among the {ROW_CAP:,} collections that Archive lists.",
            "Pass its id in `collectionIds`.",
        )
    suggestion = f" Did you mean '{near['name']}'?" if near else ""
    raise Failure(
        Code.NOT_FOUND,
        f"There is no collection '{name}'.{suggestion}",
        "{collections} lists them; `autoCreate` makes new ones.",
    )


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
