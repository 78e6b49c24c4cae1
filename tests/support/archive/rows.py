"""A made-up list behind a strict API, for the tests of reading."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from server.archive.client import Call
from server.archive.failures import Answer
from server.archive.operations import (
    Connection,
    Listing,
    Lookup,
    ReadMany,
)
from server.archive.pagination import Lists
from server.archive.records import BigInt, Cents, Record
from server.tool.result import compact
from tests.support.doubles import ScriptedArchive

Json = dict[str, Any]
WORKSPACE = "workspace-1"


class Row(Record):
    """A row."""

    default = "id text"

    id: str
    text: str
    likes: BigInt
    value: Cents


class Rows(Connection[Row]):
    """Rows that come in pages."""

    operation = "rows"
    title = "Rows"
    cost: ClassVar[float] = 7

    query: str | None = None


class Ordered(Connection[Row]):
    """Rows that are sorted here, most likes first."""

    operation = "rows"
    title = "Rows"

    def order(self) -> Callable[[list[Json]], list[Json]]:
        return lambda records: sorted(records, key=lambda each: -each["likes"])

    def extra_paths(self) -> list[str]:
        return ["likes"]

    def notes(self) -> list[str]:
        return ["Says what was applied."]


class Whole(Listing[Row]):
    """Rows that come whole."""

    operation = "rows"
    title = "Rows"
    capped = True


class Looked(Lookup[Row]):
    """Rows that belong to ids."""

    operation = "rows"
    title = "Rows"


class Api:
    """Pages of rows behind cursors of its own; refuses what the real one refuses."""

    def __init__(
        self, count: int, *, text: str = "x", partial_from: int = 10**9, seconds: float = 0.0
    ) -> None:
        self.rows = [
            {"id": str(n), "text": text, "likes": str(n * 7 % 1009), "value": None}
            for n in range(count)
        ]
        self.archive = ScriptedArchive(self.answer)
        self.lists = Lists(self.archive)
        self._partial_from = partial_from
        self._seconds = seconds

    def answer(self, call: Call) -> Any:
        assert call.operation == "rows"
        assert call.workspace == WORKSPACE
        self.archive.clock.now += self._seconds
        if "pageInfo" not in call.document:
            assert not {"first", "after"} & call.variables.keys()
            return [self._shown(row, call) for row in self.rows]
        first, after = call.variables["first"], call.variables.get("after")
        assert 1 <= first <= 100
        start = 0 if after is None else int(after.removeprefix("end-of-"))
        assert after is None or 0 < start < len(self.rows), "a cursor from nowhere"
        stop = min(start + first, len(self.rows))
        page = {
            "nodes": [self._shown(row, call) for row in self.rows[start:stop]],
            "pageInfo": {
                "endCursor": f"end-of-{stop}" if stop else None,
                "hasNextPage": stop < len(self.rows),
            },
            "totalCount": len(self.rows),
        }
        return Answer(page, partial=stop > self._partial_from)

    @property
    def asked(self) -> list[tuple[int | None, str | None]]:
        return [
            (call.variables.get("first"), call.variables.get("after"))
            for call in self.archive.calls
        ]

    async def read(self, request: ReadMany[Any], *, seconds: float = 45.0) -> Json:
        result = await self.lists.read(request, WORKSPACE, self.archive.now() + seconds)
        assert result.text == compact(result.structured)
        return result.structured

    @staticmethod
    def _shown(row: Json, call: Call) -> Json:
        return {name: value for name, value in row.items() if f" {name}" in call.document}


def rows(kind: type[ReadMany[Any]] = Rows, **arguments: Any) -> ReadMany[Any]:
    return kind.model_validate(arguments)


def ids(answer: Json) -> list[int]:
    return [int(each["id"]) for each in answer["nodes"]]


async def everything(
    api: Api, kind: type[ReadMany[Any]], limit: int, **arguments: Any
) -> list[int]:
    """All records, cursor by cursor."""
    found: list[int] = []
    after: str | None = None
    while True:
        more = {"after": after} if after else {}
        answer = await api.read(rows(kind, limit=limit, **arguments, **more))
        assert answer["nodes"] or not found, "an empty answer before the end"
        found += ids(answer)
        after = answer["nextCursor"]
        if after is None:
            return found
