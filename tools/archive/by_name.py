"""Reading one record by its name: people and models have names, and ids only after a list."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from server.archive.context import ArchiveContext
from server.archive.operations import Id, Query, ReadMany
from server.archive.pagination import ROW_CAP
from server.archive.selection import select
from server.archive.workspaces import ID
from server.tool.names import find_matches, match_one

R = TypeVar("R")
Row = dict[str, Any]

# Archive sends no more in one page, and one request more is what a name may cost.
_PAGE = 100
# An id of another form than today's: no blank, and a digit.
_MAY_BE_ID = re.compile(r"(?=.*\d)[\w-]+")


class QueryByName(Query[R], Generic[R]):
    """Reads one record by its id, or by its name at the price of one list. `kind` is what people
    call it, `lists` the tool that has the names."""

    kind: ClassVar[str]
    lists: ClassVar[type[ReadMany[Any]]]

    id: Id

    async def prepare(self, context: ArchiveContext) -> None:
        await super().prepare(context)
        self.id = await find_id(context, self.id, self.lists, self.kind, remedy=self.instead)


async def find_id(
    context: ArchiveContext, text: str, lists: type[ReadMany[Any]], kind: str, *, remedy: str
) -> str:
    """Return the id of what a text means; an id stays as it is and costs no request.

    Args:
        kind: what messages call it: `collection`.
        remedy: the hint where nothing fits.

    Raises:
        Failure: `NOT_FOUND` with the closest name, `AMBIGUOUS` with the candidates.
    """
    (match,) = await find_ids(context, [text], lists, kind, remedy=remedy)
    return match


async def find_ids(
    context: ArchiveContext,
    texts: list[str],
    lists: type[ReadMany[Any]],
    kind: str,
    *,
    remedy: str,
    partial: bool = True,
) -> list[str]:
    """Return the ids of what several texts mean, after one list at most.

    Args:
        kind, remedy: as of `find_id`.
        partial: whether a part of a name will do.

    Raises:
        Failure: as `find_id`.
    """
    if all(map(ID.match, texts)):
        return texts
    names = await _list_names(context, lists)
    return [names.find(text, kind, remedy, partial=partial) for text in texts]


@dataclass(frozen=True)
class _Names:
    """Ids and names of records; `cut` where more may exist than are listed."""

    rows: list[Row]
    cut: bool

    def find(self, text: str, kind: str, remedy: str, *, partial: bool) -> str:
        """Return the id of what a text means."""
        # In a list that was cut, a part that seems unique may fit one beyond the cut.
        partial = partial and not self.cut
        matches = find_matches(text, self.rows, name=_name, identity=_identity, partial=partial)
        if not matches and (self.cut or _MAY_BE_ID.fullmatch(text)):
            return text
        match = match_one(
            text,
            self.rows,
            kind=kind,
            remedy=remedy,
            name=_name,
            identity=_identity,
            partial=partial,
        )
        return str(match["id"])


async def _list_names(context: ArchiveContext, lists: type[ReadMany[Any]]) -> _Names:
    request = lists()
    selection = select(request.record(), ["id", "name"])
    if not request.paged:
        rows = (await context.api.read_whole(request, selection)).records
        return _Names(rows, len(rows) >= ROW_CAP)
    page = (await context.api.read(request, selection, first=_PAGE)).data
    return _Names(page["nodes"], page["pageInfo"]["hasNextPage"])


def _name(row: Row) -> str:
    return str(row["name"])


def _identity(row: Row) -> str:
    return str(row["id"])
