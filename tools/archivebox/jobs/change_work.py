"""The work of changing many saved pages, one by one, and of tagging them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from weakref import WeakValueDictionary

import anyio

from server.archivebox.context import ArchiveBoxContext
from server.archivebox.filters import has_tag
from server.archivebox.pagination import LARGEST_SERVED
from server.errors import Code, Failure
from server.jobs import (
    Handle,
    NewRecord,
    RecordRow,
    RecordState,
)
from tools.archivebox.jobs.query import PageQuery
from tools.archivebox.jobs.shared_pages import find_shared
from tools.archivebox.known import missing_tags
from tools.archivebox.snapshots.lookup import read_snapshot

TAGS = (
    "POST /core/tags/add-to-snapshot/",
    "0.9",
    "On 0.8.5 pages are tagged when they are added ({POST /cli/add}).",
)
_VERIFY = "look at the page again; doing it twice is harmless."
_SHARED = "Another job changed it at the same time, and counts it."
_MOST_SHOWN = 50
_PAGE = 1_000
# A lock is gone with the last job that uses it.
_locks: WeakValueDictionary[tuple[str, str], anyio.Lock] = WeakValueDictionary()

Json = dict[str, Any]


@dataclass(frozen=True)
class TagChange:
    """Which tags pages get, and which are taken off."""

    add: Sequence[str] = ()
    remove: Sequence[str] = ()

    def make_record(self, page: Json) -> NewRecord | None:
        """Return what is to be changed of a page; None where its tags are as they should be."""
        # ArchiveBox keeps a tag as it was written first; `Press` and `press` are the same one.
        present = filter(partial(has_tag, self.remove), page.get("tags") or ())
        change = {"add": missing_tags(page, self.add), "remove": list(present)}
        if not any(change.values()):
            return None
        return NewRecord(str(page["id"]), {"url": page["url"], **change})


async def undo_changes(context: ArchiveBoxContext, name: str, tool: str) -> list[NewRecord]:
    """Return the changes that reverse a tagging job."""
    context.description.require(*TAGS)
    jobs = await context.jobs()
    row = await jobs.get(name)
    place = context.scope
    # A job's records are ids of one server: elsewhere they would be other pages, or none.
    if (row.tool, row.origin, row.account, row.arguments.get("action")) != (
        tool,
        place.origin,
        place.account,
        "tag",
    ):
        raise Failure(
            Code.INVALID_ARGUMENT, f"{name} tagged nothing here.", "{list_jobs} lists the jobs."
        )
    # Its records are not final yet: an undo would miss some.
    if row.owned:
        raise Failure(
            Code.INVALID_ARGUMENT,
            f"{name} still runs.",
            "Stop it with {cancel_job}, or let it end.",
        )
    # What another job has put on is that one's to take off.
    shared = await find_shared(jobs, row)
    result = []
    async for rows in jobs.record_pages(name, (RecordState.DONE,)):
        own = [row for row in rows if row.key not in shared]
        result += [NewRecord(row.key, {**row.detail, **_reverse(row.detail)}) for row in own]
    return result


class ChangeWork(ABC):
    """One request (or a few) for each page; doing it again is harmless."""

    writes = True
    repeatable = True
    batch = 1
    width = 2

    def __init__(self, context: ArchiveBoxContext, query: PageQuery) -> None:
        self._context = context
        self._query = query

    def make_record(self, page: Json) -> NewRecord | None:
        """Return a page that fits as it is journalled; None where it is to be left alone."""
        raise TypeError(f"{type(self).__name__} is told what to change")

    async def gather(self, job: Handle) -> None:
        """Journal the pages that fit, where they were too many to be read for the question.

        Raises:
            Failure: `REJECTED` where more fit by now than were confirmed.
        """
        # Interrupted after that, it is not counted once more: the total is another then.
        if job.cursor:
            return
        pages, records = 0, list[NewRecord]()
        async for batch in self._query.batches(self._context, 0, size=LARGEST_SERVED):
            pages += len(batch.pages)
            records += filter(None, map(self.make_record, batch.pages))
            job.set_message(f"{pages:,} pages found")
        confirmed = job.row.total
        if confirmed is not None and pages > confirmed:
            raise Failure(
                Code.REJECTED,
                f"{pages:,} pages fit by now, and {confirmed:,} were confirmed. Nothing was "
                "changed.",
                "Start it again, to see and confirm what fits now.",
            )
        for start in range(0, len(records), LARGEST_SERVED):
            await job.add(records[start : start + LARGEST_SERVED])
        await job.checkpoint({"pages": pages}, total=len(records))

    async def send(self, job: Handle, records: list[RecordRow]) -> None:
        """Change one object."""
        await self.change(job, records[0])

    async def finish(self, job: Handle) -> Json:
        """Return how many were changed, and why others were not."""
        left = await job.rows(
            RecordState.FAILED, RecordState.SKIPPED, RecordState.UNKNOWN, limit=_PAGE
        )
        return {
            "changed": await job.count(RecordState.DONE),
            "leftAlone": await job.count(RecordState.SKIPPED),
            "failed": await job.count(RecordState.FAILED) + await job.count(RecordState.UNKNOWN),
            "reasons": dict(Counter(str(each.reason) for each in left).most_common(_MOST_SHOWN)),
            "notes": await self.notes(job),
        }

    @abstractmethod
    async def change(self, job: Handle, record: RecordRow) -> None:
        """Change one."""

    async def notes(self, job: Handle) -> list[str]:
        """Return what to do next."""
        return []

    async def post(self, job: Handle, record: RecordRow, method: str, path: str, body: Json) -> Any:
        """Send one change of a record."""
        return await self._context.background.change(
            method, path, body, repeatable=True, verify=_VERIFY, admit=lambda: job.admit([record])
        )


class TagWork(ChangeWork):
    """Puts tags on pages and takes them off; what was changed stays in the record, which makes it
    reversible."""

    def __init__(self, context: ArchiveBoxContext, query: PageQuery, change: TagChange) -> None:
        super().__init__(context, query)
        self._change = change

    def make_record(self, page: Json) -> NewRecord | None:
        return self._change.make_record(page)

    async def change(self, job: Handle, record: RecordRow) -> None:
        async with _lock_page(self._context.scope.origin, record.key):
            change = record.detail
            # What this process sent before it was interrupted is its own change.
            if record.sends == 0:
                change = await self._look_again(record)
            if change is None:
                job.mark_skipped(record, "Its tags are so already: somebody else changed them.")
                return
            for what, verb in (("add", "add-to"), ("remove", "remove-from")):
                # The endpoints take one tag a request.
                for name in change[what]:
                    body = {"snapshot_id": record.key, "tag_name": name}
                    await self.post(job, record, "POST", f"/core/tags/{verb}-snapshot/", body)
            job.mark_done(record, change)

    async def _look_again(self, record: RecordRow) -> Json | None:
        """Return what is still to be changed of a page; None where nothing is.

        The server answers a tag that is there already as it answers a new one, and an undo would
        take off what somebody else has put on.
        """
        page = await read_snapshot(self._context.background, record.key, with_archiveresults=False)
        change = TagChange(record.detail["add"], record.detail["remove"]).make_record(page)
        return change.detail if change else None

    async def finish(self, job: Handle) -> Json:
        """Return what every change does, each page counted by one job."""
        result = await super().finish(job)
        if count := len(await find_shared(await self._context.jobs(), job.row)):
            result["changed"] -= count
            result["leftAlone"] += count
            result["reasons"][_SHARED] = count
        return result

    async def notes(self, job: Handle) -> list[str]:
        return (
            [f'To reverse it: action "tag" with `undo` "{job.row.id}".']
            if await job.count(RecordState.DONE)
            else []
        )


def _lock_page(origin: str, identifier: str) -> anyio.Lock:
    """Return the lock of a page, which the jobs of this process share."""
    return _locks.setdefault((origin, identifier), anyio.Lock())


def _reverse(change: Json) -> Json:
    return {"add": change["remove"], "remove": change["add"]}
