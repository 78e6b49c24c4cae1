"""The work of an import: each link is uploaded once, then waited for, then put into the
collections."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

import anyio

from server.archive.api import Api
from server.archive.context import ArchiveContext
from server.errors import Code, Failure
from server.jobs import (
    Handle,
    NewRecord,
    RecordRow,
    RecordState,
)
from server.tool.arguments import parse_in_utc
from server.tool.result import select_notes
from tools.archive.collections import AddItemToCollections
from tools.archive.content.lookups import GetItemIdsByUrl
from tools.archive.content.uploads import UploadItemFromUrl
from tools.archive.items_source import AT_ONCE
from tools.archive.jobs.collections_targets import list_collections, resolve_names
from tools.archive.jobs.imports_queue import ImportQueue
from tools.archive.jobs.outcomes import read_detail

FIRST_PAUSE, LONGEST_PAUSE = 2.0, 30.0
"""The first and the longest pause between two checks for arrived posts, in seconds."""
# A result lands in a model's context: thousands of links there would crowd out the rest.
_MOST_SHOWN = 100
_MOST_REASONS = 50
_NO_MORE = (Code.REJECTED, Code.NOT_FOUND, Code.INVALID_ARGUMENT)
"""Refusals of one item that say nothing about the next."""

Lookup = dict[str, dict[str, Any]]
T = TypeVar("T")


class ImportWork:
    """Uploads the links of a request. Uploading twice is not the same as once; looking up before
    and after makes up for it: what was under way in a crash is not sent again, and known as soon as
    it arrives."""

    writes = True
    repeatable = False
    # An upload takes one link, and one failure must not make others doubtful.
    batch = 1
    width = 4

    def __init__(
        self,
        context: ArchiveContext,
        *,
        tool: str,
        links: Sequence[str],
        collections: Mapping[str, Any],
        wait_minutes: int,
    ) -> None:
        self._context = context
        self._links = links
        self._collections = collections
        self._wait_minutes = wait_minutes
        self._queue = ImportQueue(context, tool, frozenset(links))
        # Records are sent side by side; without it each would look up the same hundred links.
        self._lock = anyio.Lock()
        self._elsewhere: dict[str, str] | None = None
        self._known: Lookup = {}
        self._arrived: dict[int, str] = {}

    async def gather(self, job: Handle) -> None:
        """The links are known from the start."""
        await job.add([NewRecord(link) for link in self._links])

    async def send(self, job: Handle, records: list[RecordRow]) -> None:
        """Upload one link, unless a look just now shows that there is no need."""
        (record,) = records
        result, elsewhere = await self._look(job, record)
        # Looked up in the moment of sending: somebody may have added the post since the plan.
        if result["status"] == "FOUND":
            detail = {"itemId": result["itemId"]}
            job.mark_skipped(record, "It is in Archive already.", detail=detail)
        elif result["status"] == "INVALID_URL":
            reason = "Archive does not take this for a link."
            job.mark_failed(record, reason, code=Code.INVALID_ARGUMENT)
        elif elsewhere:
            reason = f"{elsewhere} uploaded it a short while ago."
            job.mark_skipped(record, reason, detail={"by": elsewhere})
        else:
            upload = parse_in_utc(UploadItemFromUrl, {"input": {"url": record.key}})
            # Called for its check: `success` may be false without any user error.
            upload.present_payload(
                await self._context.background.apply(upload, admit=lambda: job.admit(records))
            )
            job.mark_done(record)

    async def finish(self, job: Handle) -> dict[str, Any]:
        """Wait for what was uploaded, put it into the collections, and tell what became of each
        link."""
        if not job.cursor:
            await self._wait(job)
            arrived = [[number, item] for number, item in sorted(self._arrived.items())]
            await job.checkpoint(arrived or None)
        items = await _list_items(job)
        result = await self._report(job, items)
        if not self._collections:
            return result
        await self._file(job, [items[number] for number in sorted(items)])
        return {**result, **await self._describe_collections(job, len(items))}

    async def _look(self, job: Handle, record: RecordRow) -> tuple[dict[str, Any], str | None]:
        """Return whether the link is there, and which other import uploaded it."""
        async with self._lock:
            if self._elsewhere is None:
                self._elsewhere = await self._begin(job)
            if record.key not in self._known:
                await self._look_up_from(job, record)
            return self._known[record.key], self._elsewhere.get(record.key)

    async def _begin(self, job: Handle) -> dict[str, str]:
        """Wait for this job's turn, and return the links that other imports uploaded."""
        await self._queue.wait_for_turn(job)
        # Where failed ones are sent again, what follows begins anew.
        if job.cursor or job.counters.get("waited"):
            await job.checkpoint([], waited=0, filed=0, unfiled=[])
        return await self._queue.find_uploads(job)

    async def _look_up_from(self, job: Handle, record: RecordRow) -> None:
        """Look up a link and those that follow, since one request takes a hundred."""
        following = await job.rows(RecordState.PENDING, after=record.number - 1, limit=AT_ONCE)
        links = dict.fromkeys([record.key, *(row.key for row in following)])
        self._known |= await look_up(self._context.background, list(links)[:AT_ONCE])

    async def _wait(self, job: Handle) -> None:
        """Look up what was uploaded, with growing pauses, until all has arrived or the time is
        over."""
        away: dict[int, RecordRow] = {}
        async for row in job.all_rows():
            if _is_awaited(row) and row.number not in self._arrived:
                away[row.number] = row
        looks = job.poll(
            first=FIRST_PAUSE,
            longest=LONGEST_PAUSE,
            limit=self._wait_minutes * 60,
            counter="waited",
        )
        async for _ in looks:
            for rows in cut(list(away.values())):
                await self._look_for(job, rows, away)
            if not away:
                return
            job.set_message(f"waits for {len(away):,} of the posts to arrive")

    async def _look_for(
        self, job: Handle, rows: Sequence[RecordRow], away: dict[int, RecordRow]
    ) -> None:
        result = await look_up(self._context.background, [row.key for row in rows])
        existing = []
        for row in rows:
            if result[row.key]["status"] != "FOUND":
                continue
            item = self._arrived[row.number] = result[row.key]["itemId"]
            del away[row.number]
            # The item is there, so the upload whose answer was lost had reached Archive.
            if row.state is RecordState.UNKNOWN:
                job.mark_done(row, {"itemId": item})
                existing.append(row)
        await job.journal_marks(existing)

    async def _find_collections(self, job: Handle) -> dict[str, Any]:
        """Return the collections as arguments for Archive, which takes only full names."""
        arguments = dict(self._collections)
        names = arguments.get("collectionNames")
        if not names:
            return arguments
        # Journalled, so that a job that resumes fills the same collections after a new one appears.
        if "intoNames" not in job.counters:
            rows = await list_collections(self._context.background)
            try:
                names = resolve_names(names, rows)
            except Failure as failure:
                # One that vanished since the plan is reported item by item, as Archive refuses it.
                if failure.code is not Code.NOT_FOUND:
                    raise
            await job.checkpoint(intoNames=names)
        return {**arguments, "collectionNames": job.counters["intoNames"]}

    async def _file(self, job: Handle, items: list[str]) -> None:
        """Put the items into the collections, going on after the last one journalled; twice is the
        same as once."""
        collections = await self._find_collections(job)
        unfiled = list(job.counters.get("unfiled", []))
        for number in range(int(job.counters.get("filed", 0)), len(items)):
            requested = {"itemId": items[number], **collections}
            try:
                await self._context.background.apply(
                    parse_in_utc(AddItemToCollections, requested),
                    admit=lambda: job.admit([]),
                )
            except Failure as failure:
                # Anything else (limits, an outage) would meet every item that follows: the job
                # pauses.
                if failure.code not in _NO_MORE:
                    raise
                unfiled.append({"itemId": items[number], "reason": failure.message[:200]})
            job.set_message(f"{number + 1:,} of {len(items):,} put into collections")
            # After each item: adding twice is harmless, but starting over would cost 55 credits an
            # item.
            await job.checkpoint(filed=number + 1, unfiled=unfiled)

    async def _describe_collections(self, job: Handle, items: int) -> dict[str, Any]:
        """Return what was put in, what was not and why, and how much the collections hold now."""
        unfiled = job.counters.get("unfiled", [])
        names = job.counters.get("intoNames", ())
        ids = self._collections.get("collectionIds", ())
        rows = await list_collections(self._context.background)
        return {
            "inCollections": items - len(unfiled),
            "notPutIn": unfiled[:_MOST_REASONS],
            "collections": [row for row in rows if row["name"] in names or row["id"] in ids],
        }

    async def _report(self, job: Handle, items: dict[int, str]) -> dict[str, Any]:
        rows = [row async for row in job.all_rows()]
        there, arrived, missing, refused = _part(rows, items)
        unsure = sum(row.state is RecordState.UNKNOWN for row in missing)
        return {
            "arrivedCount": len(arrived),
            "alreadyThereCount": len(there),
            "notArrivedCount": len(missing),
            "refusedCount": len(refused),
            "arrived": _name_items(arrived[:_MOST_SHOWN], items),
            "alreadyThere": _name_items(there[:_MOST_REASONS], items),
            "notArrived": [row.key for row in missing[:_MOST_SHOWN]],
            "refused": [{"url": row.key, "reason": row.reason} for row in refused[:_MOST_REASONS]],
            "notes": _notes(len(missing), unsure, len(arrived), len(refused)),
        }


async def _list_items(job: Handle) -> dict[int, str]:
    """Return the items that are there, by the number of their link."""
    items = {int(number): str(item) for number, item in job.cursor or []}
    async for row in job.all_rows():
        if _has(row, "itemId"):
            items[row.number] = row.detail["itemId"]
    return items


def _part(
    rows: list[RecordRow], items: dict[int, str]
) -> tuple[list[RecordRow], list[RecordRow], list[RecordRow], list[RecordRow]]:
    """Return the links that were there before, that arrived, that did not, and those refused."""
    there: list[RecordRow] = []
    arrived: list[RecordRow] = []
    missing: list[RecordRow] = []
    refused: list[RecordRow] = []
    for row in rows:
        if row.state is RecordState.FAILED:
            refused.append(row)
        elif row.state is RecordState.SKIPPED and _has(row, "itemId"):
            there.append(row)
        elif row.number in items:
            arrived.append(row)
        elif _is_awaited(row):
            missing.append(row)
    return there, arrived, missing, refused


def _name_items(rows: list[RecordRow], items: dict[int, str]) -> list[dict[str, Any]]:
    return [{"url": row.key, "itemId": items[row.number]} for row in rows]


async def look_up(api: Api, urls: list[str]) -> Lookup:
    """Return for each link (at most 100) its `status` (FOUND, NOT_FOUND, INVALID_URL) and
    `itemId`."""
    page = await api.read_whole(GetItemIdsByUrl.model_validate({"urls": urls}))
    # A link that the answer leaves out must not be missing here: callers index by link.
    result: Lookup = {url: {"status": "NOT_FOUND"} for url in urls}
    for record in page.records:
        result[record["url"]] = record
    return result


def _notes(missing: int, unsure: int, arrived: int, refused: int) -> list[str]:
    is_cut = max(arrived, missing) > _MOST_SHOWN or refused > _MOST_REASONS
    return select_notes(
        (
            missing,
            f"{missing} did not arrive yet: look later with archive_get_item_ids_by_url. What "
            "is private, deleted or "
            "of another kind never arrives. Import it again only if it is not there an hour later.",
        ),
        (unsure, f"For {unsure} of these it is unknown whether the upload reached Archive."),
        (
            is_cut,
            "The lists are cut; archive_get_item_ids_by_url finds the items of all links, 100 "
            "at a time.",
        ),
    )


def cut(entries: list[T]) -> Iterator[list[T]]:
    """Yield so many entries as one request takes, until all came."""
    for start in range(0, len(entries), AT_ONCE):
        yield entries[start : start + AT_ONCE]


def _is_awaited(row: RecordRow) -> bool:
    """Whether the link was uploaded, or may have been, by this import or another, and its item is
    not known yet."""
    if row.state is RecordState.SKIPPED:
        return _has(row, "by")
    return row.state in (RecordState.DONE, RecordState.UNKNOWN) and not _has(row, "itemId")


def _has(row: RecordRow, name: str) -> bool:
    return name in read_detail(row)
