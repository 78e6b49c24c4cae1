"""The work of an export of saved pages: they are gathered into a spool, which becomes the file in
one step at the end."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from operator import or_
from typing import TYPE_CHECKING, Any

import anyio

from server.archivebox.context import ArchiveBoxContext
from server.archivebox.pages.outputs import list_texts
from server.archivebox.pages.text import read_page
from server.errors import Code, Failure
from server.exports import Draft, Export, Format, Layout, Spool, Target, build, discard
from server.exports.job_file import (
    LOST_ROWS,
    finish_draft,
    on_disk,
    open_spool,
    publish_once,
    remove_abandoned,
    resource,
)
from server.jobs import Handle, RecordRow, Stopped
from tools.archivebox import records
from tools.archivebox.jobs.query import PageQuery

if TYPE_CHECKING:
    from server.exports import ExportFolder

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
class Place:
    """Where an export stands, as it is journalled: the file, the place in the list, the spool's
    length in bytes, the rows."""

    name: str
    listed: int = 0
    offset: int = 0
    rows: int = 0
    over: bool = False
    draft: Json | None = None
    restarts: int = 0

    @property
    def spool(self) -> str:
        """What the spool is for: rows of another run, on a machine that the job comes back to, are
        never taken for those of this one."""
        return f"{self.name}~{self.restarts}" if self.restarts else self.name

    def restart(self) -> Place:
        """Return the same export at its beginning, because its rows are lost."""
        # The name stays: the user was told it when the job began.
        return Place(self.name, restarts=self.restarts + 1)


class ExportWork:
    """Writes saved pages; everything that a crash must not lose is in the job's cursor."""

    writes = False
    repeatable = True
    batch = 1
    # The list is read by offset, in order, so there is nothing to read side by side.
    width = 1

    def __init__(self, context: ArchiveBoxContext, query: PageQuery, rows: ExportRows) -> None:
        self._context = context
        self._query = query
        self._rows = rows

    @property
    def _folder(self) -> ExportFolder:
        return self._context.exports()

    async def gather(self, job: Handle) -> None:
        """Append page after page to the spool, each journalled with the place behind it."""
        place = Place(**job.cursor) if job.cursor else await self._begin(job)
        if place.over:
            return
        async with open_spool(self._folder, job, place.spool, place.offset) as spool:
            if spool.offset == place.offset:
                place = await self._gather_rows(job, spool, place)
                await job.checkpoint(
                    asdict(replace(place, over=True)), total=place.rows, gathered=place.rows
                )
                return
        await self._restart(job, place)

    async def send(self, job: Handle, records: list[RecordRow]) -> None:
        """Refuse: an export has nothing to send."""
        raise TypeError(f"{job.row.id} has no records")

    async def finish(self, job: Handle) -> Json:
        """Build the file and give it its name, which happens once however often this is called."""
        job.set_message("writing the file")
        place = Place(**job.cursor)
        export = None
        if place.draft is not None:
            export = await finish_draft(self._folder, Draft.from_dict(place.draft))
        if export is None:
            export = await self._build(job, place)
        # Of a file that was published before a crash the spool is still there.
        await on_disk(lambda: discard(self._folder, job.row.id))
        return self._report(export, place)

    async def _begin(self, job: Handle) -> Place:
        # At the start of the next export, since a process that crashed could not do it.
        await remove_abandoned(self._folder, await self._context.jobs(), job.row.id)
        rows = self._rows
        target = await on_disk(
            lambda: self._folder.choose_target(
                rows.name, rows.format, what=f"archivebox {rows.what}"
            )
        )
        place = Place(target.name)
        await self._reach(job, place)
        return place

    async def _gather_rows(self, job: Handle, spool: Spool, place: Place) -> Place:
        # After a restart the links of the run before are in the spool only.
        existing = await self._read_links(spool)
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
            # The rows are on disk before the journal says so: a crash between the two only cuts
            # the spool again.
            await self._reach(job, place)
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

    async def _reach(self, job: Handle, place: Place) -> None:
        await job.checkpoint(asdict(place), gathered=place.rows)
        job.set_message(f"{place.rows:,} rows")

    async def _restart(self, job: Handle, place: Place) -> None:
        """Gather all rows again: the spool is shorter than the journal says (a full disk, a removed
        file), or on another machine."""
        await on_disk(lambda: discard(self._folder, job.row.id))
        await job.checkpoint(asdict(place.restart()))
        await self.gather(job)

    async def _build(self, job: Handle, place: Place) -> Export:
        # Building runs in a thread that cannot be cancelled: it asks between pieces.
        def tick() -> None:
            if job.stopping:
                raise Stopped(job.row.id)

        async with open_spool(self._folder, job, place.spool, place.offset) as spool:
            if spool.offset == place.offset:
                target = Target(place.name, self._rows.format)
                layout = Layout(self._rows.all_columns())
                draft = await on_disk(lambda: build(self._folder, spool, target, layout, tick))
                journalled = job.checkpoint(asdict(replace(place, draft=draft.to_dict())))
                return await publish_once(self._folder, draft, journalled)
        await self._restart(job, place)
        return await self._build(job, Place(**job.cursor))

    async def _read_links(self, spool: Spool) -> set[int] | None:
        """Return the links that were written, as hashes; None where a link may come again."""
        if self._rows.what != "links":
            return None
        return await on_disk(
            lambda: {hash(row["url"]) for rows in spool.batches(500, 1 << 17) for row in rows}
        )

    def _report(self, export: Export, place: Place) -> Json:
        notes = []
        # Another job may have taken the name since this one chose it; files are never overwritten.
        if export.name != place.name:
            notes.append(f"{place.name} was taken: the file is {export.name}.")
        if place.restarts:
            notes.append(LOST_ROWS)
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
