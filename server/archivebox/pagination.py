"""Reading lists by offset, the one thing to rely on: `page` is answered wrongly, and some lists
have no pages."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from operator import itemgetter
from typing import Any, Generic, TypeVar

from pydantic import Field

from server.archivebox.api import ArchiveBoxApi
from server.archivebox.context import ArchiveBoxContext
from server.archivebox.endpoints import Many
from server.errors import Code, Failure
from server.text import count_noun
from server.tool.cursor import Cursor, decode, scope_of
from server.tool.result import RecordList, Result

R = TypeVar("R")

LARGEST_PAGE = 200
"""Records asked for at once; the server clamps at 500, and answers in seconds what is that
large."""
LARGEST_SERVED = 500
"""Records of one request at most: for jobs, where nobody waits for a single one."""
# A page of a search takes up to 7 s on a busy 0.9.73: with less time left, the list ends here.
_RESERVE_SECONDS = 8.0

# By these a person or a model tells records apart.
_NAMING = ("id", "url", "title", "name", "bookmarked_at")
_MOST_CANDIDATES = 10
# 100 requests, still within one call.
_MOST_DISTINCT = 20_000

Record = dict[str, Any]
Fetch = Callable[[int, int], Awaitable[tuple[list[Record], int]]]
"""(offset, count) -> the records from there on, and how many there are in all."""
Keep = Callable[[Record], bool]


class Paged(Many[R], Generic[R]):
    """A list that the server pages."""

    async def run(self, context: ArchiveBoxContext) -> Result:
        params = self.require_supported(context.description, self.request_values())

        async def fetch(offset: int, count: int) -> tuple[list[Record], int]:
            # Never `page`: beyond the end it is answered wrongly, and `offset` wins over it anyway.
            answer = await context.api.get(self.path(), **params, limit=count, offset=offset)
            return answer["items"], int(answer["total_items"])

        return await read(self, context.api, fetch)


class Unpaged(Many[R], Generic[R]):
    """A list that the server sends whole; it is cut here."""

    limit: int = Field(20, ge=1, le=1000, description="Most records to return.")

    async def run(self, context: ArchiveBoxContext) -> Result:
        return await read(self, context.api, whole_list(await self.everything(context.api)))

    async def everything(self, api: ArchiveBoxApi) -> list[Record]:
        """Return all records."""
        answer = await api.get(
            self.path(), **self.require_supported(api.description, self.request_values())
        )
        # 0.9.31 sends personas as a plain list, 0.9.73 under `items`.
        return answer if isinstance(answer, list) else answer["items"]


def whole_list(records: list[Record]) -> Fetch:
    """Return a reader that serves a complete list in pages."""

    async def fetch(offset: int, count: int) -> tuple[list[Record], int]:
        return records[offset : offset + count], len(records)

    return fetch


def chain(fetches: Sequence[Fetch]) -> Fetch:
    """Return a reader of several lists as one, one after another."""
    if len(fetches) == 1:
        return fetches[0]

    async def fetch(offset: int, count: int) -> tuple[list[Record], int]:
        records: list[Record] = []
        total = 0
        for part in fetches:
            # At least one is asked for: only an answer says how many there are.
            rest = max(1, count - len(records))
            items, size = await part(max(0, offset - total), rest)
            records += items[: count - len(records)]
            total += size
        return records, total

    return fetch


def distinct(fetch: Fetch) -> Fetch:
    """Return a reader of a list in which records may come twice, each once; the list is read whole
    with the first page."""
    records: dict[str, Record] = {}

    async def fetch_distinct(offset: int, count: int) -> tuple[list[Record], int]:
        if not records:
            result, _ = await every(fetch, _MOST_DISTINCT)
            records.update((str(record["id"]), record) for record in result)
        return list(records.values())[offset : offset + count], len(records)

    return fetch_distinct


def keep_all(record: Record) -> bool:
    """Return True: the server filters, or nothing is filtered."""
    return True


async def read(
    request: Many[Any],
    api: ArchiveBoxApi,
    fetch: Fetch,
    *,
    keep: Keep = keep_all,
    page: int = LARGEST_PAGE,
    is_counted: Callable[[], bool] = lambda: True,
) -> Result:
    """Return as many records as `limit` and the size budget allow, from `after` or `offset` on.

    Args: keep: which records count, where the server cannot filter: the list is then gone through
        until enough are found, or the time is used up, and its total is not known.
        page: records asked for at once.
        is_counted: whether the last total that was fetched is the true one.
    """
    # `limit` is not part of the scope: a caller may go on with another one.
    scope = scope_of(request.operation, request.request_values())
    offset = _get_start(request, scope)
    collected = _Collection(request, keep)
    is_filtered = keep is not keep_all
    more, total, cut = True, 0, ""
    while not (collected.full or cut) and more:
        # A filter here may drop most of a page, so whole pages are read; else not one record too
        # many.
        count = page if is_filtered else min(page, collected.missing)
        records, total = await fetch(offset, count)
        taken = collected.take(records)
        # Records that the filter drops count too; one that did not fit is the first of the next
        # call.
        offset += taken
        # Pages deleted meanwhile leave the list shorter than its total: an empty page ends it.
        more = len(records) > 0 and offset < total
        cut = _find_cut(api, taken < len(records))
    # Only now: some notes are about what was read.
    notes = request.notes(api.description) + collected.notes()
    if cut and more and not collected.full:
        notes.append(f"Cut after {collected.count} records to {cut}: go on with `nextCursor`.")
    is_exact = is_counted() and not is_filtered
    following = offset if more else None
    return _result(collected.records, following, total if is_exact else None, notes, scope)


def _get_start(request: Many[Any], scope: str) -> int:
    if request.after:
        return decode(request.after, scope).skip
    return request.offset or 0


def _find_cut(api: ArchiveBoxApi, left_some: bool) -> str:
    """Return why a list has to end here; empty where it may go on."""
    if left_some:
        return "fit"
    return "answer in time" if api.deadline - api.client.now() < _RESERVE_SECONDS else ""


class _Collection:
    """The records of a call that its filter keeps, each once: a page that is saved while a list is
    read pushes others onto the next page."""

    def __init__(self, request: Many[Any], keep: Keep) -> None:
        self.records = RecordList(request.limit)
        self._request = request
        self._keep = keep
        self._ids: set[str] = set()
        self._repeats = 0

    @property
    def full(self) -> bool:
        return self.records.full

    @property
    def count(self) -> int:
        return len(self.records.records)

    @property
    def missing(self) -> int:
        return self._request.limit - self.count

    def take(self, records: list[Record]) -> int:
        """Take records as long as they fit, and return how many were gone through."""
        for place, record in enumerate(records):
            is_kept = self._keep(record) and self._is_new(record)
            if is_kept and not self.records.add(self._request.show(record)):
                return place
        return len(records)

    def notes(self) -> list[str]:
        """Return what there is to say about records that came again."""
        count = count_noun(self._repeats, "record")
        moved = f"{count} came twice, as the list moved while it was read; each is counted once."
        return [moved] * bool(self._repeats)

    def _is_new(self, record: Record) -> bool:
        # Of what has no id nothing is known.
        identity = str(record.get("id") or id(record))
        is_new = identity not in self._ids
        self._ids.add(identity)
        self._repeats += not is_new
        return is_new


async def read_on(fetch: Fetch, start: int, size: int) -> AsyncIterator[tuple[list[Record], int]]:
    """Yield a list from a place on to its end, page by page, each with the place behind it.

    What is deleted meanwhile moves what follows to the front: as many records are read again, and
    those that came already are left out.

    Args:
        size: records of one request.
    """
    recent: deque[str] = deque(maxlen=4 * size)
    repeated: set[str] = set()
    offset, expected = start, -1
    while True:
        records, total = await fetch(offset, size)
        missing, expected = expected - total, total
        if missing > 0 and offset > 0:
            offset, repeated = max(0, offset - missing), set(recent)
            continue
        offset += len(records)
        fresh = list(filter(lambda record: record["id"] not in repeated, records))
        recent.extend(map(itemgetter("id"), fresh))
        if fresh:
            yield fresh, offset
        if not records or offset >= total:
            return


async def every(fetch: Fetch, most: int, page: int = LARGEST_PAGE) -> tuple[list[Record], int]:
    """Return the first `most` records of a list, and how many there are in all."""
    records: list[Record] = []
    total = most
    while len(records) < min(most, total):
        result, total = await fetch(len(records), min(page, most - len(records)))
        # Pages deleted meanwhile leave the list shorter than its total: the loop would not end.
        if not result:
            break
        records += result
    return records, total


def refuse_ambiguous(candidates: list[Record], what: str) -> None:
    """Raise `AMBIGUOUS` with the candidates, when there are several."""
    if len(candidates) > 1:
        visible = list(map(_name_candidate, candidates[:_MOST_CANDIDATES]))
        raise Failure(
            Code.AMBIGUOUS,
            f"That fits {len(candidates)} {what}.",
            "Repeat the call with the whole id of the one you mean.",
            candidates=visible,
        )


def _name_candidate(candidate: Record) -> Record:
    """Return what tells a record from others."""
    return {name: candidate[name] for name in _NAMING if name in candidate}


def _result(
    collected: RecordList, more: int | None, total: int | None, notes: list[str], scope: str
) -> Result:
    cursor = Cursor(None, more).encode(scope) if more is not None else None
    envelope: dict[str, Any] = {"totalCount": total, "nextCursor": cursor}
    if notes:
        envelope["notes"] = notes
    return collected.result(envelope)
