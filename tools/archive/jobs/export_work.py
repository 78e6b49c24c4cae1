"""The work of an export: pages are gathered into a spool, which becomes the file in one step at the
end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from operator import itemgetter
from typing import Any

from server.archive.api import JOB_SECONDS
from server.archive.attributes import OptionNames, name_options
from server.archive.context import ArchiveContext
from server.archive.flatten import (
    Shape,
    choose_shape,
    list_columns,
    list_types,
    list_units,
    make_row,
)
from server.archive.walk import describe_repeats
from server.exports import Export, ExportFolder, Layout, Spool
from server.exports.job_file import on_disk, resource
from server.exports.spooled import SpoolPlace, SpoolWork, describe_file, read_keys
from server.insights.money import DOLLARS
from server.jobs import Handle
from server.text import count_noun
from server.tool.result import drop_empty, select_notes
from tools.archive.content.fitting import describe_misfits
from tools.archive.items_source import Batch
from tools.archive.jobs.export_query import ExportQuery
from tools.archive.jobs.outcomes import MOST_NAMED


@dataclass(frozen=True)
class Place(SpoolPlace):
    """How far an export of Archive is; `expected` are the rows that Archive counted at the start,
    `page` is the page that follows."""

    expected: int | None = None
    page: Any = None
    partial: int = 0
    missing: int = 0
    misfits: int = 0
    broken: list[str] = field(default_factory=list)
    named: list[str] = field(default_factory=list)
    repeats: int = 0

    def rewind(self) -> Place:
        return replace(super().rewind(), expected=self.expected)

    def after(self, batch: Batch, rows: int, offset: int) -> Place:
        """Return the place behind a batch that brought so many rows."""
        absent = [*batch.describe_missing(), *batch.unknown]
        return replace(
            self,
            page=batch.cursor,
            offset=offset,
            rows=self.rows + rows,
            repeats=self.repeats + batch.repeats + len(batch.items) - rows,
            partial=self.partial + batch.partial,
            missing=self.missing + len(absent),
            misfits=self.misfits + batch.misfits,
            broken=list(dict.fromkeys([*self.broken, *batch.broken])),
            named=[*self.named, *absent][:MOST_NAMED],
            # Nothing to go on from: this was the last one.
            over=batch.cursor is None,
        )


class ExportWork(SpoolWork[Place]):
    """Writes what a request asks for."""

    def __init__(self, context: ArchiveContext, query: ExportQuery) -> None:
        super().__init__(context, Place, query.format)
        self._context = context
        self._query = query

    def choose_place(self, job: Handle, folder: ExportFolder) -> Place:
        query = self._query
        target = folder.choose_target(query.name, query.format, what=query.what)
        return Place(target.name, expected=job.row.total)

    async def gather_rows(self, job: Handle, spool: Spool, place: Place) -> Place:
        # Links may lead to the same item twice, and lists move.
        existing = await read_keys(spool, itemgetter("id"))
        names = await self._option_names()
        began = place.page
        async for batch in self._query.read_batches(self._context.background, place.page):
            # Only the first page of a run can meet a cursor from before the interruption.
            if place.page is began and self._is_stale(place, batch):
                await on_disk(lambda: spool.truncate(0))
                return await self.gather_rows(job, spool, place.rewind())
            rows = self._rows(batch, names, existing)
            # A default argument binds the rows of this round.
            offset = await on_disk(lambda rows=rows: spool.append(rows))  # type: ignore[misc]
            place = place.after(batch, len(rows), offset)
            await self.reach(job, place)
            if place.over:
                break
        return place

    def _is_stale(self, place: Place, batch: Batch) -> bool:
        """Whether a page after an interruption is empty although more was to come: Archive answers
        old cursors so."""
        if batch.items or place.page is None or place.expected is None:
            return False
        return not self._query.names and place.rows < place.expected

    @property
    def _shape(self) -> Shape:
        return choose_shape(self._query.format, self._context.money)

    async def make_layout(self) -> Layout:
        selection, record = self._query.selection(), self._query.record
        context = self._context
        attributes = await context.attributes.all_schemas(
            selection, record, context.workspace, context.now() + JOB_SECONDS
        )
        columns = list_columns(selection, record, self._shape)
        types = list_types(selection, record, self._shape, attributes)
        # Only there must two files have the same columns; people would wade through empty ones.
        if self._query.format == "parquet":
            columns = (*types, *columns)
        return Layout(columns, types, self._query.delimiter_character)

    async def _option_names(self) -> OptionNames | None:
        context, query = self._context, self._query.request()
        if not query.option_names:
            return None
        # The job outlives the deadline of the call that started it.
        return await context.attributes.option_names(
            query.default_selection(),
            query.record(),
            context.workspace,
            context.now() + JOB_SECONDS,
        )

    def _rows(
        self, batch: Batch, names: OptionNames | None, existing: set[str]
    ) -> list[dict[str, Any]]:
        request, selection = self._query, self._query.selection()
        if names is not None:
            name_options(batch.items, request.record, selection, names)
        rows = []
        for item in batch.items:
            if item["id"] not in existing:
                existing.add(item["id"])
                rows.append(make_row(item, request.record, selection, self._shape))
        return rows

    async def report(self, export: Export, place: Place) -> dict[str, Any]:
        query = self._query.request()
        # A narrow filter that wrote everything would pass for the right file.
        doubts = await query.find_doubts(self._context, self._context.background, export.rows)
        units = list_units(self._query.selection(), self._query.record, self._shape)
        details = {"units": units, "missing": place.named}
        return {
            **export.to_dict(),
            "columns": _tell_apart(export.columns),
            **drop_empty(details),
            "notes": [*self._notes(export, place), *doubts],
            "resource": resource(export),
        }

    def _notes(self, export: Export, place: Place) -> list[str]:
        request = self._query
        query = request.request()
        notes = query.notes()
        if not export.rows:
            notes += query.notes_if_empty()
        # A search sorts presets itself after reading them; a file is written page by page.
        is_unsorted = request.preset and request.search_argument("sorting")
        notes += select_notes(
            (is_unsorted, "Archive does not sort a preset: the rows are in its own order."),
            (
                place.partial,
                f"Archive could not compute some values of {place.partial} pages: those cells "
                "are empty.",
            ),
        )
        # Two links to one post are the caller's, and no list that moved.
        if request.urls is None:
            notes += describe_repeats(place.repeats)
        notes += describe_misfits(place.misfits, place.broken)
        if place.missing:
            notes.append(
                f"{count_noun(place.missing, 'link or id', 'links or ids')} without an item: "
                "`missing` names the first of them."
            )
        # Posts come and go while an export runs: a difference is reported, not hidden.
        if not request.names and place.expected not in (None, export.rows):
            notes.append(
                f"Archive counted {place.expected:,} at the start but returned {export.rows:,}."
            )
        return [*notes, *describe_file(export, place), *self._describe_amounts()]

    def _describe_amounts(self) -> list[str]:
        """Return what is to be said about the columns in dollars, where there are any."""
        columns = list_columns(self._query.selection(), self._query.record, self._shape)
        has_amounts = any(column.endswith(DOLLARS) for column in columns)
        return self._context.money.notes if has_amounts else []


def _tell_apart(names: Sequence[str]) -> list[str]:
    """The columns without those inside another: a list of records in JSON Lines is one."""
    existing = set(names)
    return [name for name in names if existing.isdisjoint(_list_outer(name))]


def _list_outer(name: str) -> Iterator[str]:
    """Yield the columns that a dotted column would lie inside."""
    return accumulate(name.split(".")[:-1], "{}.{}".format)
