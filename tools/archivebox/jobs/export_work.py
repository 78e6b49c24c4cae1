"""The work of an export of saved pages: they are gathered into a spool, which becomes the file in
one step at the end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from operator import or_
from typing import Any

import anyio

from server.archivebox.context import ArchiveBoxContext
from server.archivebox.pages.outputs import list_texts
from server.archivebox.pages.text import read_page
from server.errors import Code, Failure
from server.exports import Export, ExportFolder, Format, Layout, Spool
from server.exports.job_file import on_disk, resource
from server.exports.spooled import SpoolPlace, SpoolWork, describe_file, read_keys
from server.jobs import Handle
from tools.archivebox import records
from tools.archivebox.jobs.query import PageQuery

# The server clamps at 500. Larger pages save little: it takes about 3 ms for each record.
PAGES_AT_ONCE = 500
"""Saved pages that one request lists."""
# With their outputs they have 7 kB each, and their texts are in memory together.
_TEXTS_AT_ONCE = 20
_TEXT_COLUMNS = ("source", "characters", "text", "notes", "problem")

Json = dict[str, Any]


@dataclass(frozen=True)
class ExportRows:
    """What a file holds: a row for each of snapshots, links or texts, and its columns."""

    what: str
    columns: tuple[str, ...]
    format: Format
    name: str | None

    def all_columns(self) -> tuple[str, ...]:
        """Return the columns, with those of the texts."""
        return (*self.columns, *_TEXT_COLUMNS) if self.what == "texts" else self.columns


@dataclass(frozen=True)
class Place(SpoolPlace):
    """How far an export of saved pages is; `listed` is the place in the list."""

    listed: int = 0


class ExportWork(SpoolWork[Place]):
    """Writes saved pages."""

    def __init__(self, context: ArchiveBoxContext, query: PageQuery, rows: ExportRows) -> None:
        super().__init__(context, Place, rows.format)
        self._context = context
        self._query = query
        self._rows = rows

    def choose_place(self, job: Handle, folder: ExportFolder) -> Place:
        rows = self._rows
        target = folder.choose_target(rows.name, rows.format, what=f"archivebox {rows.what}")
        return Place(target.name)

    async def make_layout(self) -> Layout:
        return Layout(self._rows.all_columns())

    async def gather_rows(self, job: Handle, spool: Spool, place: Place) -> Place:
        # None where a link may come again.
        existing: set[int] | None = None
        if self._rows.what == "links":
            existing = await read_keys(spool, lambda row: hash(row["url"]))
        with_texts = self._rows.what == "texts"
        batches = self._query.batches(
            self._context,
            place.listed,
            size=_TEXTS_AT_ONCE if with_texts else PAGES_AT_ONCE,
            with_archiveresults=with_texts,
        )
        async for batch in batches:
            pages = _drop_known(batch.pages, existing)
            rows = await self._make_rows(pages)
            # A default argument binds the rows of this round.
            offset = await on_disk(lambda rows=rows: spool.append(rows))  # type: ignore[misc]
            place = replace(place, listed=batch.end, offset=offset, rows=place.rows + len(rows))
            await self.reach(job, place)
        return place

    async def _make_rows(self, pages: list[Json]) -> list[Json]:
        columns = self._rows.columns
        rows = [_select(records.snapshot(page), columns) for page in pages]
        if self._rows.what != "texts":
            return rows
        texts: list[Json] = list(pages)

        async def read(number: int) -> None:
            texts[number] = await _read_text(self._context, pages[number])

        # All at once: the limiter lets four requests through at a time.
        async with anyio.create_task_group() as group:
            for number in range(len(pages)):
                group.start_soon(read, number)
        return list(map(or_, rows, texts))

    async def report(self, export: Export, place: Place) -> Json:
        notes = describe_file(export, place)
        if self._rows.what == "links":
            notes.append(f"Each URL stands there once; {place.listed:,} snapshots have them.")
        return {**export.to_dict(), "notes": notes, "resource": resource(export)}


async def _read_text(context: ArchiveBoxContext, snapshot: Json) -> Json:
    """Return the columns of a page's text; where there is none, the reason."""
    empty: Json = dict.fromkeys(_TEXT_COLUMNS)
    if not list_texts(snapshot):
        return {**empty, "problem": "None of its outputs is a text."}
    try:
        page = await read_page(context.background, snapshot)
    except Failure as failure:
        # One page's trouble; what concerns all of them ends the job, to be resumed.
        if failure.code not in (Code.FORBIDDEN, Code.NOT_FOUND, Code.REJECTED):
            raise
        return {**empty, "problem": failure.message}
    notes = " ".join(page.notes) or None
    if not page.text:
        return {**empty, "source": page.source, "problem": notes}
    return {
        **empty,
        "source": page.source,
        "characters": len(page.text),
        "text": page.text,
        "notes": notes,
    }


def _drop_known(pages: list[Json], existing: set[int] | None) -> list[Json]:
    """Return the pages whose link is not yet in the file."""
    if existing is None:
        return pages
    fresh = []
    for page in pages:
        link = hash(page["url"])
        if link not in existing:
            existing.add(link)
            fresh.append(page)
    return fresh


def _select(page: Json, columns: tuple[str, ...]) -> Json:
    return {name: page.get(name) for name in columns}
