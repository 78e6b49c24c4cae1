"""The work of an export: pages are gathered into a spool, which becomes the file in one step at the
end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import accumulate
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
from server.exports import (
    Draft,
    Export,
    ExportFolder,
    Layout,
    Spool,
    Target,
    build,
    discard,
)
from server.exports.job_file import (
    LOST_ROWS,
    finish_draft,
    on_disk,
    open_spool,
    publish_once,
    remove_abandoned,
    resource,
)
from server.insights.money import DOLLARS
from server.jobs import Handle, RecordRow, Stopped
from server.text import count_noun
from tools.archive.content.fitting import describe_misfits
from tools.archive.items_source import AT_ONCE, Batch
from tools.archive.jobs.export_query import ExportQuery
from tools.archive.jobs.outcomes import MOST_NAMED


@dataclass(frozen=True)
class Place:
    """Where an export stands, as it is journalled: the file, the rows that Archive counted at the
    start, the page that follows, the spool's length in bytes."""

    name: str
    expected: int | None = None
    page: Any = None
    offset: int = 0
    rows: int = 0
    partial: int = 0
    missing: int = 0
    misfits: int = 0
    broken: list[str] = field(default_factory=list)
    named: list[str] = field(default_factory=list)
    over: bool = False
    draft: dict[str, Any] | None = None
    repeats: int = 0
    restarts: int = 0

    def anew(self) -> Place:
        """The same export at its beginning."""
        # The name stays: the user was told it when the job began.
        return Place(self.name, self.expected, restarts=self.restarts)

    @property
    def spool(self) -> str:
        """What the spool is for: rows of another run, on a machine that the job comes back to, are
        never taken for those of this one."""
        return f"{self.name}~{self.restarts}" if self.restarts else self.name

    def restart(self) -> Place:
        """The same export at its beginning, because its rows are lost."""
        return replace(self.anew(), restarts=self.restarts + 1)

    def after(self, batch: Batch, rows: int, offset: int, absent: list[str]) -> Place:
        """The place behind a batch that brought so many rows; `absent` is what led to none."""
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


class ExportWork:
    """Writes what a request asks for; everything that a crash must not lose is in the job's
    cursor."""

    writes = False
    repeatable = True
    batch = 1
    # Pages follow each other by cursor, so there is nothing to read side by side.
    width = 1

    def __init__(self, context: ArchiveContext, query: ExportQuery) -> None:
        self._context = context
        self._query = query

    @property
    def _folder(self) -> ExportFolder:
        return self._context.exports()

    @property
    def _is_searched(self) -> bool:
        return self._query.item_ids is None and self._query.urls is None

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
        """An export has nothing to send."""
        raise TypeError(f"{job.row.id} has no records")

    async def finish(self, job: Handle) -> dict[str, Any]:
        """Build the file and give it its name, which happens once however often this is called."""
        job.set_message("writing the file")
        place = Place(**job.cursor)
        export = (
            None
            if place.draft is None
            else await finish_draft(self._folder, Draft.from_dict(place.draft))
        )
        if export is None:
            place, export = await self._build(job, place)
        # Of a file that was published before a crash the spool is still there.
        await on_disk(lambda: discard(self._folder, job.row.id))
        report = self._report(export, place)
        # A narrow filter that wrote everything would pass for the right file.
        report["notes"] += await self._query.request().find_doubts(
            self._context, self._context.background, export.rows
        )
        return report

    async def _gather_rows(self, job: Handle, spool: Spool, place: Place) -> Place:
        # After a restart the rows of the run before are in the spool only.
        existing = await self._read_ids(spool)
        names = await self._option_names()
        began = place.page
        async for batch in self._query.read_batches(self._context.background, place.page):
            # Only the first page of a run can meet a cursor from before the interruption.
            if place.page is began and self._is_stale(place, batch):
                await on_disk(lambda: spool.truncate(0))
                return await self._gather_rows(job, spool, place.anew())
            rows = self._rows(batch, names, existing)
            # A default argument binds the rows of this round.
            offset = await on_disk(lambda rows=rows: spool.append(rows))  # type: ignore[misc]
            place = place.after(batch, len(rows), offset, self._list_absent(place, batch))
            # The rows are on disk before the journal says so: a crash between the two only cuts
            # the spool again.
            await self._reach(job, place)
            if place.over:
                break
        return place

    def _list_absent(self, place: Place, batch: Batch) -> list[str]:
        """Return the links and ids of a batch that lead to no item."""
        if self._query.item_ids is None:
            return [f"{entry['url']} ({entry['status']})" for entry in batch.missing]
        # Archive leaves out unknown ids silently: only the difference shows them.
        start = int(place.page or 0)
        requested = list(dict.fromkeys(self._query.item_ids))[start : start + AT_ONCE]
        present = {item["id"] for item in batch.items}
        return [item for item in requested if item not in present]

    def _is_stale(self, place: Place, batch: Batch) -> bool:
        """Whether a page after an interruption is empty although more was to come: Archive answers
        old cursors so."""
        if batch.items or place.page is None:
            return False
        return self._is_searched and place.rows < (place.expected or 0)

    async def _begin(self, job: Handle) -> Place:
        # At the start of the next export, since a process that crashed could not do it.
        await remove_abandoned(self._folder, await self._context.jobs(), job.row.id)
        request = self._query
        target = await on_disk(
            lambda: self._folder.choose_target(request.name, request.format, what=request.what)
        )
        place = Place(target.name, job.row.total)
        await self._reach(job, place)
        return place

    async def _reach(self, job: Handle, place: Place) -> None:
        await job.checkpoint(asdict(place), gathered=place.rows)
        job.set_message(f"{place.rows:,} rows")

    async def _restart(self, job: Handle, place: Place) -> None:
        """Gather all rows again: the spool is shorter than the journal says (a full disk, a removed
        file), or on another machine."""
        await on_disk(lambda: discard(self._folder, job.row.id))
        await job.checkpoint(asdict(place.restart()))
        await self.gather(job)

    async def _build(self, job: Handle, place: Place) -> tuple[Place, Export]:
        # Building runs in a thread that cannot be cancelled: it asks between pieces.
        def tick() -> None:
            if job.stopping:
                raise Stopped(job.row.id)

        async with open_spool(self._folder, job, place.spool, place.offset) as spool:
            if spool.offset == place.offset:
                target = Target(place.name, self._query.format)
                layout = await self._layout()
                draft = await on_disk(lambda: build(self._folder, spool, target, layout, tick))
                journalled = job.checkpoint(asdict(replace(place, draft=draft.to_dict())))
                return place, await publish_once(self._folder, draft, journalled)
        await self._restart(job, place)
        return await self._build(job, Place(**job.cursor))

    @property
    def _shape(self) -> Shape:
        return choose_shape(self._query.format, self._context.money)

    async def _layout(self) -> Layout:
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

    async def _read_ids(self, spool: Spool) -> set[str]:
        """The ids that were written: links may lead to the same item twice, and lists move."""
        return await on_disk(
            lambda: {entry["id"] for rows in spool.batches(500, 1 << 17) for entry in rows}
        )

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
        items = [item for item in batch.items if item["id"] not in existing]
        existing.update(item["id"] for item in items)
        return [make_row(item, request.record, selection, self._shape) for item in items]

    def _report(self, export: Export, place: Place) -> dict[str, Any]:
        units = list_units(self._query.selection(), self._query.record, self._shape)
        details = {"units": units, "missing": place.named}
        return {
            **export.to_dict(),
            "columns": _tell_apart(export.columns),
            **{name: value for name, value in details.items() if value},
            "notes": self._notes(export, place),
            "resource": resource(export),
        }

    def _notes(self, export: Export, place: Place) -> list[str]:
        request = self._query
        query = request.request()
        notes = query.notes() + ([] if export.rows else query.notes_if_empty())
        # A search sorts presets itself after reading them; a file is written page by page.
        if query.preset_id and request.search and request.search.get("sorting"):
            notes.append("Archive does not sort a preset: the rows are in its own order.")
        if place.partial:
            notes.append(
                f"Archive could not compute some values of {place.partial} pages: those cells "
                "are empty."
            )
        # Two links to one post are the caller's, and no list that moved.
        if query_repeats := place.repeats if self._query.urls is None else 0:
            notes += describe_repeats(query_repeats)
        notes += describe_misfits(place.misfits, place.broken)
        if place.missing:
            notes.append(
                f"{count_noun(place.missing, 'link or id', 'links or ids')} without an item: "
                "`missing` names the first of them."
            )
        # Posts come and go while an export runs: a difference is reported, not hidden.
        if self._is_searched and place.expected not in (None, export.rows):
            notes.append(
                f"Archive counted {place.expected:,} at the start but returned {export.rows:,}."
            )
        if place.restarts:
            notes.append(LOST_ROWS)
        # Another job may have taken the name since this one chose it; files are never overwritten.
        if export.name != place.name:
            notes.append(f"{place.name} was taken: the file is {export.name}.")
        return [*notes, *self._describe_amounts()]

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
