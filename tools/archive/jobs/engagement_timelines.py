"""The work of engagement timelines: the snapshots of many items, several items a request, in one
file."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from server.archive.api import make_page
from server.archive.batching import BatchReader
from server.archive.context import ArchiveContext
from server.archive.failures import Answer
from server.archive.flatten import (
    choose_shape,
    list_columns,
    list_types,
    list_units,
    make_row,
)
from server.archive.records import Selection
from server.archive.selection import select
from server.archive.walk import Walk
from server.errors import Code, Failure
from server.exports import Export, Format, Layout
from server.exports.columns import Column, Kind
from server.exports.job_file import JobFile
from server.jobs import (
    Handle,
    NewRecord,
    RecordRow,
    RecordState,
)
from server.text import count_noun
from server.tool.arguments import parse_in_utc
from server.tool.result import drop_empty, drop_nulls, select_notes
from tools.archive.content.fitting import add_misfits, describe_counted_misfits
from tools.archive.content.lookups import GetEngagementHistory
from tools.archive.items_source import Batch, ItemSource, read_account
from tools.archive.jobs.outcomes import MOST_NAMED, NO_ITEM, UNKNOWN_ID, Outcome, OutcomeList
from tools.archive.schema.objects import EngagementEntry

# So few rows fit into a model's context and spare it the reading of the file.
MOST_INLINE, MOST_INLINE_ROWS = 20, 100
"""The most items and rows that a result repeats from its file."""
# Rows of all items share one file: without these columns nobody could tell them apart.
_OF_ITEM = ("itemId", "accountName", "takenAt")
_TYPES_OF_ITEM = {
    "itemId": Column("itemId", Kind.TEXT),
    "accountName": Column("accountName", Kind.TEXT),
    "takenAt": Column("takenAt", Kind.TEXT | Kind.MOMENT),
}
_FIELDS = ["id", "takenAt", "socialProfile.accountName"]
_AT_ONCE = 200
_REFUSALS = (Code.NOT_FOUND, Code.REJECTED, Code.INVALID_ARGUMENT)
"""Failures that concern a single item and not the next one."""


@dataclass
class Summary:
    """What the file tells: items read, their snapshots, items without any, and those that
    failed."""

    items: int = 0
    snapshots: int = 0
    without_history: int = 0
    partial: int = 0

    def count(self, record: RecordRow) -> None:
        """Count an item that was read."""
        snapshots = record.detail["rows"]
        self.items += 1
        self.snapshots += len(snapshots)
        # A new post has no snapshot for about two hours (Archive docs, engagement history).
        self.without_history += not snapshots
        self.partial += "partial" in record.detail

    def to_dict(self, failed: int) -> dict[str, Any]:
        """Return the summary as a result has it."""
        summary = {
            "items": self.items,
            "snapshots": self.snapshots,
            "itemsWithoutHistory": self.without_history,
        }
        if failed:
            summary["itemsFailed"] = failed
        return summary


@dataclass(frozen=True)
class FileName:
    """The file that the user asked for: its name, if any, and its format."""

    name: str | None
    format: Format


@dataclass(frozen=True)
class Span:
    """From when to when snapshots are read, as instants; None for no bound."""

    start: str | None
    end: str | None

    @property
    def window(self) -> dict[str, str]:
        """The bounds that there are, as the API takes them."""
        return drop_nulls({"from": self.start, "to": self.end})

    def history(self, item: str) -> GetEngagementHistory:
        """Return the request for one item's timeline."""
        arguments: dict[str, Any] = {"itemId": item}
        if self.window:
            arguments["filter"] = {"capturedAt": self.window}
        return parse_in_utc(GetEngagementHistory, arguments)


class TimelineWork:
    """Reads timelines; a record is an item, and its snapshots are journalled as its detail."""

    writes = False
    repeatable = True
    width = 4

    def __init__(
        self, context: ArchiveContext, source: ItemSource, span: Span, file: FileName
    ) -> None:
        self._context = context
        self._source = source
        self._span = span
        self._file_name = file
        self._selection: Selection = select(EngagementEntry, None)
        self._shape = choose_shape(file.format, context.money)
        self._reader = BatchReader(context.background, GetEngagementHistory)

    @property
    def batch(self) -> int:
        """As many as travel in one request now."""
        # The reader learns from the answers how many timelines are worth sending together.
        return self._reader.size

    async def gather(self, job: Handle) -> None:
        """Journal the items, each with its account and when it was posted."""
        # Chosen once and journalled: a job that resumes must not write a second file.
        await self._file(job).choose(self._file_name.name, "timelines")
        async for batch in self._source.batches(self._context.background, job.cursor, _FIELDS):
            absent = [entry["url"] for entry in batch.missing]
            existing = job.counters.get("absent", [])
            gathered = await job.add(
                _records(batch),
                batch.cursor,
                absent=[*existing, *absent][:MOST_NAMED],
                **add_misfits(job.counters, batch.misfits, batch.broken),
            )
            job.set_message(f"{job.row.total or gathered:,} items")
        # Links may lead to the same item or to none: the estimate was an upper bound.
        await job.set_total(await job.count(RecordState.PENDING))

    async def send(self, job: Handle, records: list[RecordRow]) -> None:
        """Read the timelines of some items with one request, or as few as the API allows."""
        # Failed items may be read again after a file was built: that file lacks them.
        await self._file(job).forget()
        job.set_message("reading timelines")
        requests = [self._span.history(record.key) for record in records]
        # Raised only at the end: answers of the same request that did arrive are not thrown away.
        trouble: Failure | None = None
        async for place, answer in self._reader.read(requests, lambda: job.admit(records)):
            failure = await self._take(job, records[place], requests[place], answer)
            trouble = trouble or failure
        if trouble is not None:
            raise trouble

    async def finish(self, job: Handle) -> dict[str, Any]:
        """Write the file."""
        file = self._file(job)
        export = await file.find_finished()
        if export is None:
            job.set_message("writing the file")
            tally = Summary()
            columns = (*_OF_ITEM, *list_columns(self._selection, EngagementEntry, self._shape))
            types = list_types(self._selection, EngagementEntry, self._shape)
            layout = Layout(columns, {**_TYPES_OF_ITEM, **types})
            export = await file.write(layout, self._pieces(job, tally), lambda: asdict(tally))
        return await self._report(job, file, export)

    async def _take(
        self,
        job: Handle,
        record: RecordRow,
        request: GetEngagementHistory,
        answer: Answer | Failure,
    ) -> Failure | None:
        """Mark what is known of an item; a failure that is not the item's own is given back."""
        try:
            if isinstance(answer, Failure):
                raise answer
            nodes, partial = await self._read_rest(request, answer)
        except Failure as failure:
            # A missing workspace answers NOT_FOUND too, but would fail every item.
            if failure.code not in _REFUSALS or failure.details.get("unknown_workspace"):
                return failure
            job.mark_failed(record, failure.message, code=str(failure.code))
            return None
        # Archive gives the newest first; a chart or a sheet reads forward in time. Lists without
        # names keep the journal small.
        rows = [list(map(node.get, self._selection)) for node in reversed(nodes)]
        detail = {**record.detail, "rows": rows}
        if partial:
            detail["partial"] = True
        job.mark_done(record, detail)
        return None

    async def _read_rest(
        self, request: GetEngagementHistory, answer: Answer
    ) -> tuple[list[dict[str, Any]], bool]:
        """Return the snapshots of an item, the newest first, and whether some lack values.

        Args:
            answer: the first page, of a hundred snapshots: few histories are longer.
        """
        page = make_page(answer.data, answer.partial)
        walk = Walk()
        nodes = list(filter(walk.take, page.records))
        partial = page.partial
        while page.has_next:
            walk.step(page.end, page.total)
            page = await self._context.background.read_page(request, page.end)
            nodes += filter(walk.take, page.records)
            partial |= page.partial
        return nodes, partial

    def _file(self, job: Handle) -> JobFile:
        return JobFile(self._context.exports(), job, self._file_name.format)

    async def _pieces(self, job: Handle, tally: Summary) -> AsyncIterator[list[dict[str, Any]]]:
        """The rows of the file, some items at a time, oldest first within an item."""
        async for records in job.row_pages(RecordState.DONE, size=_AT_ONCE):
            rows: list[dict[str, Any]] = []
            for record in records:
                rows += self._rows(record)
                tally.count(record)
            yield rows

    def _rows(self, record: RecordRow) -> Iterator[dict[str, Any]]:
        names, detail = list(self._selection), record.detail
        item = dict(zip(_OF_ITEM, (record.key, detail["account"], detail["takenAt"]), strict=True))
        for values in detail["rows"]:
            entry = dict(zip(names, values, strict=True))
            yield {**item, **make_row(entry, EngagementEntry, self._selection, self._shape)}

    async def _report(self, job: Handle, file: JobFile, export: Export) -> dict[str, Any]:
        # From the journal, for the file may have been built before an interruption.
        tally = Summary(**job.counters["summary"])
        failed = await job.count(RecordState.FAILED)
        rows: list[dict[str, Any]] = []
        if tally.items <= MOST_INLINE and export.rows <= MOST_INLINE_ROWS:
            async for piece in self._pieces(job, Summary()):
                rows += piece
        outcomes = await OutcomeList.read(self._list_outcomes(job))
        return {
            "mode": "timelines",
            "summary": tally.to_dict(failed),
            **file.to_dict(export),
            "units": list_units(self._selection, EngagementEntry, self._shape),
            **drop_empty({"timelines": rows}),
            **outcomes.to_dict(),
            "notes": [
                *describe_counted_misfits(job.counters),
                *self._notes(tally, failed),
                *file.notes(export),
            ],
        }

    def _notes(self, tally: Summary, failed: int) -> list[str]:
        return select_notes(
            (
                tally.partial,
                f"Archive could not compute some values of {count_noun(tally.partial, 'item')}: "
                "null there.",
            ),
            (
                failed,
                f"{count_noun(failed, 'item')} failed: `resume` with this job's id tries again.",
            ),
        )

    async def _list_outcomes(self, job: Handle) -> AsyncIterator[Outcome]:
        """Yield the items that are in no row of the file, and why."""
        # Archive leaves out unknown ids silently: only the difference shows them.
        unknown = dict.fromkeys(self._source.item_ids or [])
        async for record in job.all_rows():
            unknown.pop(record.key, None)
            if outcome := self._find_trouble(record):
                yield outcome
        for item in unknown:
            yield Outcome("leftOutItems", item, None, UNKNOWN_ID)
        for link in job.counters.get("absent", ()):
            yield Outcome("leftOutItems", link, None, NO_ITEM)

    def _find_trouble(self, record: RecordRow) -> Outcome | None:
        """Return why an item is in no row of the file; None where it is in some."""
        if record.state is RecordState.FAILED:
            return Outcome.of("failedItems", record)
        if record.detail.get("rows"):
            return None
        silent = "No snapshot in that time." if self._span.window else "No snapshot yet."
        return replace(Outcome.of("withoutHistoryItems", record), reason=silent)


def _records(batch: Batch) -> list[NewRecord]:
    records = []
    for item in batch.items:
        detail = {"account": read_account(item), "takenAt": item.get("takenAt")}
        records.append(NewRecord(item["id"], detail))
    return records
