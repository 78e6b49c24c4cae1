"""Reading lists: as many pages as `limit` takes, cut between records, with a cursor to resume."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Protocol

from server.archive.api import PAGE, Api, Page, Query
from server.archive.attributes import OptionNames, name_options
from server.archive.client import Archive
from server.archive.records import Record, Selection, fields_of
from server.archive.selection import select, units
from server.archive.walk import IDENTITIES, Walk, describe_repeats
from server.insights.money import ASSUMED_CENTS, Money
from server.tool.cursor import Cursor, decode, scope_of
from server.tool.result import RecordList, Result

ROW_CAP = 1000
"""Rows after which Archive ends a list that has no pages, without a word (Archive docs, collections
and views)."""
MOST_SORTED = 1000
"""The largest number of records that are fetched to sort them here."""
PARTIAL = "Archive could not compute some values now; those are null. Try again later."
# Seconds before the deadline without which no further page is started: an answer too late is lost
# with all its records; a cursor in time loses nothing.
_RESERVE_SECONDS = 8.0
# A page holds up to a hundred records; a few cover the lists that one conversation reads.
_STORED_PAGES = 4


class ListQuery(Query, Protocol):
    """A query that answers with a list."""

    paged: ClassVar[bool]
    capped: ClassVar[bool]

    @property
    def limit(self) -> int:
        """The most records to return."""

    @property
    def after(self) -> str | None:
        """The cursor to go on from."""

    def order(self) -> Callable[[list[dict[str, Any]]], list[dict[str, Any]]] | None:
        """Return what sorts the records here; None where the API does."""

    def notes(self) -> list[str]:
        """Return what the result must say about how the arguments were applied."""

    def notes_if_empty(self) -> list[str]:
        """Return why there may be nothing."""

    def extra_paths(self) -> list[str]:
        """Return the paths that the query itself needs."""


@dataclass
class Lists:
    """Reads the lists of one Archive.

    It keeps the pages that were cut, so that the rest of one costs no second request.
    """

    archive: Archive
    money: Money = ASSUMED_CENTS
    totals: dict[tuple[str, str], int | None] = field(default_factory=dict)
    """How many records there are by workspace and filter: for comparing, not for reporting."""
    _pages: OrderedDict[tuple[str, str | None], Page] = field(default_factory=OrderedDict)

    def forget(self) -> None:
        """Drop the stored pages, because something was changed."""
        # All of them: which lists a change touches cannot be told from the change.
        self._pages.clear()
        self.totals.clear()

    async def read(
        self,
        request: ListQuery,
        workspace: str | None,
        deadline: float,
        names: OptionNames | None = None,
    ) -> Result:
        """Return the records that the request asks for; with `names`, options by name.

        Raises:
            Failure: as `Archive.execute`; `INVALID_ARGUMENT` for a cursor that does not belong to
                this call.
        """
        selection = request.default_selection()
        for path in request.extra_paths():
            # Added to the caller's: the request itself needs these, whatever `fields` says.
            _merge(selection, select(request.record(), [path]))
        reader = _ListReader(self, request, selection, workspace, deadline, names)
        return await reader.run()

    def find_page(self, scope: str, cursor: Cursor) -> Page | None:
        """Return the stored page that a cursor points into; None for the start of a page."""
        return self._pages.get((scope, cursor.page)) if cursor.skip else None

    def store_page(self, scope: str, cursor: Cursor, page: Page) -> None:
        """Store a page that was cut, and drop all but the last few."""
        self._pages[scope, cursor.page] = page
        self._pages.move_to_end((scope, cursor.page))
        while len(self._pages) > _STORED_PAGES:
            self._pages.popitem(last=False)


class _ListReader:
    """Reads a list for one call."""

    def __init__(
        self,
        lists: Lists,
        request: ListQuery,
        selection: Selection,
        workspace: str | None,
        deadline: float,
        names: OptionNames | None,
    ) -> None:
        self._lists = lists
        self._request = request
        # Asked for in any case: without it a record that comes twice cannot be told from two.
        self._hidden = _find_identity(request.record()) - selection.keys()
        self._selection = {**selection, **{name: {} for name in self._hidden}}
        self._deadline = deadline
        self._api = Api(lists.archive, workspace, deadline=deadline)
        self._names = names
        # Stored pages hold names or ids: a cursor of the one must not lead into the other.
        marks = [] if names is None else ["optionNames"]
        self._scope = scope_of(
            request.operation,
            request.document(self._selection),
            request.variables(),
            workspace,
            *marks,
        )
        self._records = RecordList(request.limit)
        self._notes = request.notes()
        self._cut_reason = "fit"
        self._partial = False
        self._walk = Walk()

    async def run(self) -> Result:
        cursor = decode(self._request.after, self._scope)
        # A list sorted here is read whole first, else only each page would be in order.
        comes_whole = not self._request.paged or self._request.order() is not None
        following, total = await (
            self._whole(cursor) if comes_whole and cursor.page is None else self._read_pages(cursor)
        )
        return self._make_result(following, total)

    async def _read_pages(self, cursor: Cursor) -> tuple[Cursor | None, int | None]:
        while True:
            page = self._lists.find_page(self._scope, cursor) or await self._page(cursor)
            if rest := self._take(page, cursor):
                return rest, page.total
            if not page.has_next:
                return None, page.total
            self._walk.step(page.end, page.total)
            cursor = Cursor(page.end)
            # Checked after the page's end, so that a full page leads on by Archive's own cursor.
            if self._records.full:
                return cursor, page.total
            if self._deadline - self._lists.archive.now() < _RESERVE_SECONDS:
                self._cut_reason = "answer in time"
                return cursor, page.total

    async def _whole(self, cursor: Cursor) -> tuple[Cursor | None, int | None]:
        """Take records of a list that must be read whole, or that is sorted here."""
        page = self._lists.find_page(self._scope, cursor) or await self._all()
        following = Cursor(page.end) if page.has_next else None
        return self._take(page, cursor) or following, page.total

    async def _all(self) -> Page:
        order = self._request.order()
        if order is None:
            return await self._list()
        # Largest pages: all of them are needed, and a request costs a turn whatever its size.
        page = whole = await self._page(Cursor(), PAGE)
        walk = Walk()
        whole = replace(whole, records=[record for record in whole.records if walk.take(record)])
        while page.has_next and len(whole.records) < MOST_SORTED:
            walk.step(page.end, page.total)
            page = await self._page(Cursor(page.end), PAGE)
            fresh = [record for record in page.records if walk.take(record)]
            whole = Page(
                whole.records + fresh,
                page.end,
                page.has_next,
                page.total,
                whole.partial or page.partial,
                whole.repeats + page.repeats + len(page.records) - len(fresh),
            )
        # The order over a part would look like the order over all, so none is given.
        if whole.has_next:
            self._notes.append(
                f"Not sorted: there are more than {MOST_SORTED} records, given in Archive's order."
            )
            return whole
        self._notes.append(f"Sorted here, over all {len(whole.records)} records.")
        return replace(whole, records=order(whole.records))

    async def _page(self, cursor: Cursor, size: int = 0) -> Page:
        missing = self._request.limit - len(self._records.records)
        # If its page is no longer stored, the cursor counts into one of the full size.
        first = size or (PAGE if cursor.skip else min(PAGE, missing))
        return self._name_options(
            await self._api.read_page(self._request, cursor.page, first, self._selection)
        )

    async def _list(self) -> Page:
        page = self._name_options(await self._api.read_whole(self._request, self._selection))
        # Archive gives no sign that rows are missing: exactly the cap is the only hint.
        if self._request.capped and len(page.records) == ROW_CAP:
            self._notes.append(
                f"Archive ends this list at {ROW_CAP} rows without saying so: there may be more."
            )
        return page

    def _name_options(self, page: Page) -> Page:
        if self._names is not None:
            name_options(page.records, self._request.record(), self._selection, self._names)
        return page

    def _take(self, page: Page, cursor: Cursor) -> Cursor | None:
        """Take records of a page from the cursor on; return the cursor of the first left over."""
        self._partial |= page.partial
        self._walk.repeats += page.repeats
        for place, record in enumerate(page.records[cursor.skip :], cursor.skip):
            if not self._walk.take(record):
                continue
            if not self._records.add(self._show(record)):
                rest = Cursor(cursor.page, place)
                # The page is stored, because Archive has cursors only for the ends of pages.
                self._lists.store_page(self._scope, rest, page)
                return rest
        return None

    def _show(self, record: dict[str, Any]) -> dict[str, Any]:
        """Return the record without the identity that the caller did not ask for."""
        return {name: value for name, value in record.items() if name not in self._hidden}

    def _make_result(self, following: Cursor | None, total: int | None) -> Result:
        envelope: dict[str, Any] = {
            "totalCount": total,
            "nextCursor": following.encode(self._scope) if following else None,
        }
        # Without this a model takes a result below its `limit` for the whole list.
        if following and not self._records.full:
            self._notes.append(
                f"Cut after {len(self._records.records)} records to {self._cut_reason}: "
                "go on with `nextCursor` (fewer `fields` make more fit)."
            )
        # A cut or an end reached by cursor is no empty list, and needs no explanation.
        if not self._records.records and not total:
            self._notes += self._request.notes_if_empty()
        if by_field := units(self._selection, self._request.record()):
            envelope["units"] = self._lists.money.restate_units(by_field)
        self._notes += describe_repeats(self._walk.repeats)
        if self._partial:
            envelope["partial"] = True
            self._notes.append(PARTIAL)
        if self._notes:
            envelope["notes"] = self._notes
        return self._records.result(envelope)


def _find_identity(record: type[Record]) -> set[str]:
    """Return the field that tells records of a type apart, if there is one."""
    return set([name for name in IDENTITIES if name in fields_of(record)][:1])


def _merge(into: Selection, other: Selection) -> None:
    for name, inner in other.items():
        _merge(into.setdefault(name, {}), inner)
