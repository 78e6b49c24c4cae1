"""Answers computed over all items of a source: in the call where they are few, else by a job that
only reads."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Annotated, Any, ClassVar, Literal

from anyio import to_thread
from pydantic import BeforeValidator, Field

from server.archive.context import ArchiveContext
from server.archive.operations import Workflow
from server.archive.selection import select
from server.archive.walk import describe_repeats
from server.errors import Code, Failure
from server.insights.money import DOLLARS, VALUE, Money
from server.insights.rows import METRICS, Row, make_row
from server.jobs import (
    Handle,
    JobRow,
    NewRecord,
    RecordRow,
)
from server.tool.job import Plan, read_by_job
from server.tool.result import Result, drop_empty, select_notes, whole
from tools.archive.content.fitting import describe_misfits
from tools.archive.content.items import estimate_page
from tools.archive.content.lookups import GetItemIdsByUrl
from tools.archive.items_source import AT_ONCE, Batch
from tools.archive.items_window import WindowedSource
from tools.archive.schema.objects import Item

SortKey = Literal[
    "EARNED_MEDIA_VALUE", "LIKE_COUNT", "COMMENT_COUNT", "SHARE_COUNT", "MERGED_VIEW_PLAY_COUNT"
]

FIELD_OF: dict[SortKey, str] = {
    "EARNED_MEDIA_VALUE": "earnedMediaValue",
    "LIKE_COUNT": "likes",
    "COMMENT_COUNT": "comments",
    "SHARE_COUNT": "shares",
    "MERGED_VIEW_PLAY_COUNT": "impressions",
}
"""Sort key -> metric. `impressions` are views, plays or, where there are neither, estimates
(Archive docs, schema)."""

_KEY_OF = {name: key for key, name in FIELD_OF.items()} | {"views": "MERGED_VIEW_PLAY_COUNT"}


def _to_sort_key(value: Any) -> Any:
    # The names of answers and charts say the same, and are what a model has seen last.
    if not isinstance(value, str):
        return value
    return _KEY_OF.get(value, value)


Metric = Annotated[SortKey, BeforeValidator(_to_sort_key)]

# Ten pages at five requests a second: a client still waits for that within one call.
AT_HAND = 1_000
"""The most items that a call reads without a job."""
# Links are the caller's text, of any length, and are journalled with every page.
_MOST_NAMED, _LONGEST_LINK = 20, 200
_ROWS = 1_000
_ABOUT_ITEM = (
    "id",
    "type",
    "provider",
    "takenAt",
    "archivePublicUrl",
    "originalUrl",
    "socialProfile.accountName",
    *map("currentEngagement.{}".format, METRICS),
    "currentEngagement.linearViralityScore",
)


@dataclass
class SourceItems:
    """The items of a source; `missing` counts links that lead to none, `unknown` ids that name
    none, `partial` pages with values left out, `misfits` items that came although they do not fit
    parts of the filter."""

    rows: list[Row] = field(default_factory=list)
    missing: int = 0
    unknown: int = 0
    named: list[str] = field(default_factory=list)
    partial: int = 0
    repeats: int = 0
    misfits: int = 0
    broken: list[str] = field(default_factory=list)

    def add(self, batch: Batch) -> None:
        """Take a batch; an item that links or moving pages brought already is taken once."""
        # Posts that arrive while pages are read push others onto the next page.
        rows = {row.id: row for row in self.rows}
        for row in map(make_row, batch.items):
            rows.setdefault(row.id, row)
        self.repeats += len(self.rows) + len(batch.items) - len(rows)
        self.rows = list(rows.values())
        self.count(batch)

    def count(self, batch: Batch) -> None:
        """Take what there is to say about a batch, without its items."""
        links = batch.describe_missing(_LONGEST_LINK)
        self.missing += len(links)
        self.unknown += len(batch.unknown)
        self.named = [*self.named, *links][:_MOST_NAMED]
        self.partial += batch.partial
        self.repeats += batch.repeats
        self.misfits += batch.misfits
        self.broken = list(dict.fromkeys([*self.broken, *batch.broken]))


@dataclass
class Start:
    """How many items there are (links: at most; None: nobody says), the first of them, and where to
    go on."""

    total: int | None
    items: SourceItems = field(default_factory=SourceItems)
    after: str | None = None

    @property
    def is_large(self) -> bool:
        """Whether reading them takes a job."""
        return self.total is None or self.total > AT_HAND


class Computed(WindowedSource, Workflow[JobRow]):
    """Base of the answers that are computed over items."""

    risk = "reads"
    repeatable = True
    watch: ClassVar[str] = (
        "archive_mcp_get_job with {call} returns the result once the job has ended."
    )

    metric: Metric = Field("EARNED_MEDIA_VALUE", description="Metric that ranks items.")

    def check(self) -> None:
        self.require_source()
        if self.search is not None:
            # The answer counts all items, whatever their order; a sorted preset would be read
            # whole first.
            self.search = dict(self.search)
            self.search.pop("sorting", None)
        self.narrow_by_time()

    @property
    def metric_name(self) -> str:
        """The metric's name in results."""
        return FIELD_OF[self.metric]

    def paths(self) -> list[str]:
        """What is asked of each item."""
        return list(_ABOUT_ITEM)

    @abstractmethod
    def title_of_job(self, items: str) -> str:
        """What the job is called; `items` as in "14,000 items"."""

    @abstractmethod
    def result(self, result: SourceItems) -> dict[str, Any]:
        """The answer. It may take a while, and is called in a thread."""

    async def run(self, context: ArchiveContext) -> Result:
        return await self.compute(context)

    def work(self, context: ArchiveContext) -> ComputeWork:
        """The job's work."""
        return ComputeWork(self, context)

    async def compute(self, context: ArchiveContext) -> Result:
        """Read the items, here or by a job, and compute the answer."""
        start = await self._start(context)
        if start.is_large:
            return await read_by_job(self, context, self._plan(start.total))
        return whole(await self._compute_from(context, start))

    async def compute_here(self, context: ArchiveContext) -> dict[str, Any]:
        """Return the answer without a job.

        Raises:
            Failure: `INVALID_ARGUMENT` where there are too many items for that.
        """
        start = await self._start(context)
        if start.is_large:
            raise Failure(
                Code.INVALID_ARGUMENT,
                f"{start.total or 'Unknown'} items are too many to rank in this call.",
                "Narrow the search, for example by a shorter `takenAt`.",
            )
        return await self._compute_from(context, start)

    async def _compute_from(self, context: ArchiveContext, start: Start) -> dict[str, Any]:
        result = start.items
        if start.after is not None or self.search is None:
            async for batch in self.batches(context.api, start.after, self.paths()):
                result.add(batch)
        doubts = await self.find_doubts(context, context.api, start.total)
        return await self.complete(result, context.money, doubts)

    async def complete(
        self, result: SourceItems, money: Money, doubts: Sequence[str] = ()
    ) -> dict[str, Any]:
        """The answer, with what there is to say about how the items were found."""
        # Medians over many thousand rows would hold up the other calls of the server.
        answer = await to_thread.run_sync(lambda: self.result(result))
        notes = [*answer.pop("notes", []), *describe_items(self, result), *doubts]
        answer = {**answer, **drop_empty({"missing": result.named}), "notes": notes}
        return show_money(answer, money)

    async def _start(self, context: ArchiveContext) -> Start:
        if self.search is None:
            return Start(await self.total(context.api))
        # The first page brings the count with it: small sources cost no request more.
        page = await context.api.read_page(self.query([*self.paths(), *self.own_paths]))
        result = SourceItems()
        result.add(self.make_batch(Batch.of(page)))
        if not page.has_next:
            return Start(len(page.records), result)
        return Start(page.total, result, page.end)

    def _plan(self, total: int | None) -> Plan:
        # Nobody may know how many there are: then nothing can be said of the work.
        pages = ceil((total or 0) / AT_ONCE)
        requests, credits = pages, pages * estimate_page(select(Item, self.paths()))
        # Each page of links is looked up first.
        if self.urls:
            requests += pages
            credits += pages * GetItemIdsByUrl.cost
        items = "items" if total is None else f"{total:,} items"
        return Plan(self.title_of_job(items), total, requests, credits)


class ComputeWork:
    """Reads the items into the journal, one row each, and computes the answer from there: a crash
    costs one page."""

    writes = False
    repeatable = True
    batch = _ROWS
    width = 1

    def __init__(self, request: Computed, context: ArchiveContext) -> None:
        self._request = request
        self._context = context

    async def gather(self, job: Handle) -> None:
        """Journal page after page, each with the place behind it."""
        place: dict[str, Any] = job.cursor or {}
        # A resumed job that had read all of it: reading again would count late posts as well.
        if place.get("over"):
            return
        request, report = self._request, _report(place)
        gathered: int = job.counters.get("gathered", 0)
        async for batch in request.batches(
            self._context.background, place.get("page"), request.paths()
        ):
            report.count(batch)
            place = {
                "page": batch.cursor,
                "over": batch.cursor is None,
                "missing": report.missing,
                "unknown": report.unknown,
                "named": report.named,
                "partial": report.partial,
                "repeats": report.repeats,
                "misfits": report.misfits,
                "broken": report.broken,
            }
            # Links may lead to one item twice, and a key of the journal is unique.
            rows = _once(map(make_row, batch.items))
            gathered += len(rows)
            await job.add([NewRecord(row.id, row.pack()) for row in rows], place, gathered=gathered)
            job.set_message(f"{gathered:,} items read")
            if place["over"]:
                break
        await job.checkpoint({**place, "over": True})

    async def send(self, job: Handle, records: list[RecordRow]) -> None:
        """Nothing is sent: what was read is all there is to do about an item."""
        for record in records:
            job.mark_done(record)

    async def finish(self, job: Handle) -> dict[str, Any]:
        """The answer over all rows."""
        job.set_message("computing")
        result = _report(job.cursor or {})
        result.rows += [Row.unpack(record.key, record.detail) async for record in job.all_rows()]
        api = self._context.background
        doubts = await self._request.find_doubts(self._context, api, len(result.rows))
        return await self._request.complete(result, self._context.money, doubts)


def _report(place: dict[str, Any]) -> SourceItems:
    report = SourceItems()
    # A journal of an earlier version lacks what was added since.
    for name in ("missing", "unknown", "named", "partial", "repeats", "misfits", "broken"):
        setattr(report, name, place.get(name, getattr(report, name)))
    return report


def _once(rows: Any) -> Sequence[Row]:
    return list({row.id: row for row in rows}.values())


def show_money(answer: dict[str, Any], money: Money) -> dict[str, Any]:
    """Return an answer with its earned media value in dollars, and what is to be said of those."""
    dollars: dict[str, Any] = money.show_dollars(answer)
    if dollars == answer:
        return answer
    if dollars.get("metric") == VALUE:
        dollars["metric"] = DOLLARS
    return {**dollars, "units": money.units, "notes": [*dollars["notes"], *money.notes]}


def describe_items(source: WindowedSource, result: SourceItems) -> list[str]:
    """Return what is to be said about how the items of a source were found."""
    query = source.query()
    notes = query.notes()
    if not result.rows:
        notes += query.notes_if_empty()
    notes += describe_misfits(result.misfits, result.broken)
    notes += select_notes(
        (source.taken_at is not None, "`takenAt` was applied here, after reading all items."),
        (
            result.partial,
            f"Archive could not compute some values of {result.partial} pages now; they "
            "count as unknown.",
        ),
    )
    # Two links to one post are the caller's, and no list that moved.
    if source.urls is None:
        notes += describe_repeats(result.repeats)
    missing, unknown = result.missing, result.unknown
    return notes + select_notes(
        (missing, f"{missing} links lead to no item; `missing` names the first of them."),
        (unknown, f"{unknown} of the ids name no item in this workspace."),
    )
