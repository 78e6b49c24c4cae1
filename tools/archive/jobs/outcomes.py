"""What became of the items of a job, by name: a few in the result, and all of them in a file where
there are more."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass
from typing import Any, Self

from server.errors import Failure
from server.exports import ExportFolder, Layout
from server.exports.job_file import JobFile, resource
from server.jobs import Handle, RecordRow

MOST_NAMED = 50
"""The most items of one kind that a result names."""
UNKNOWN_ID = "No item of this workspace has that id."
NO_ITEM = "This link leads to no item of the workspace."
_COLUMNS = ("outcome", "item", "account", "reason")
# Rows of the file in one piece.
_AT_ONCE = 500


@dataclass(frozen=True)
class Outcome:
    """What became of one item: the result's key for it, the item's id (or a link that leads to
    none), whose it is, and why."""

    key: str
    item: str
    account: str | None = None
    reason: str = ""

    @classmethod
    def of(cls, key: str, record: RecordRow) -> Self:
        """Return what became of the item of a record."""
        account = read_detail(record).get("account")
        return cls(key, record.key, account, record.reason or "")

    def to_dict(self) -> dict[str, Any]:
        """Return the item as a result names it."""
        if self.account is None:
            return {"id": self.item}
        return {"id": self.item, "account": self.account}

    def to_row(self) -> dict[str, Any]:
        """Return the row of the file."""
        return dict(zip(_COLUMNS, (self.key, self.item, self.account, self.reason), strict=True))


def read_detail(record: RecordRow) -> dict[str, Any]:
    """Return what is journalled of an item; nothing for a record without detail."""
    return record.detail or {}


class OutcomeList:
    """The outcomes of a job's items, counted, and the first of each kind and reason kept."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self._first: defaultdict[str, list[Outcome]] = defaultdict(list)

    @classmethod
    async def read(cls, outcomes: AsyncIterable[Outcome]) -> Self:
        """Return the list of these outcomes."""
        result = cls()
        async for outcome in outcomes:
            result.add(outcome)
        return result

    def add(self, outcome: Outcome) -> None:
        """Count an outcome, and keep it if it is one of the first of its kind."""
        self.counts[outcome.key, outcome.reason] += 1
        if len(self._first[outcome.key]) < MOST_NAMED:
            self._first[outcome.key].append(outcome)

    @property
    def is_cut(self) -> bool:
        """Whether some items are not named."""
        return self.counts.total() > sum(map(len, self._first.values()))

    def count(self, key: str) -> int:
        """Return how many items are of that kind."""
        return sum(count for (kind, _), count in self.counts.items() if kind == key)

    def to_dict(self) -> dict[str, Any]:
        """Return the outcomes as a result: those with a reason by reason, the others as a list."""
        result: dict[str, Any] = {}
        for key, items in self._first.items():
            groups: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
            for item in items:
                groups[item.reason].append(item.to_dict())
            if set(groups) != {""}:
                result[key] = [self._describe(key, *group) for group in groups.items()]
            # A few of many that fared alike tell nothing that their number does not.
            elif self.count(key) <= MOST_NAMED:
                result[key] = groups[""]
        return result

    def _describe(self, key: str, reason: str, items: list[dict[str, Any]]) -> dict[str, Any]:
        return {"reason": reason, "count": self.counts[key, reason], "items": items}


class OutcomeFile:
    """The file that holds what the result of a job has no room for."""

    def __init__(self, folder: ExportFolder, job: Handle, name: str) -> None:
        self._file = JobFile(folder, job, "csv")
        self._name = name

    async def forget(self) -> None:
        """Forget a file that was written before more items were sent."""
        await self._file.forget()

    async def add_to(
        self, result: dict[str, Any], listed: OutcomeList, outcomes: AsyncIterator[Outcome]
    ) -> dict[str, Any]:
        """Return the result with the items by name and, where those are not all, with a file.

        Args:
            listed: the outcomes, counted.
            outcomes: the same once more, for the file.
        """
        lists = listed.to_dict()
        answer = {**result, **lists}
        if not listed.is_cut:
            return answer
        try:
            export = await self._file.find_finished()
            if export is None:
                await self._file.choose(None, self._name)
                export = await self._file.write(Layout(_COLUMNS), _make_pieces(outcomes), dict)
        except Failure as failure:
            # The work is done; that its list cannot be written does not undo it.
            note = f"Not all items are named, and the list could not be written: {failure.message}"
            return {**answer, "notes": [*result["notes"], note]}
        note = f"All {export.rows:,} items are in `file`"
        note += f"; at most {MOST_NAMED} of a kind are named here." if lists else "."
        return {
            **answer,
            "file": export.path,
            "resource": resource(export),
            "notes": [*result["notes"], note],
        }


async def _make_pieces(outcomes: AsyncIterator[Outcome]) -> AsyncIterator[list[dict[str, Any]]]:
    piece: list[dict[str, Any]] = []
    async for outcome in outcomes:
        piece.append(outcome.to_row())
        if len(piece) == _AT_ONCE:
            yield piece
            piece = []
    if piece:
        yield piece
