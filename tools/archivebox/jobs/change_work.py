"""The work of changing many saved pages: save again, tag, cancel. What may have moved is looked at
right before."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from typing import Any

from server.archivebox.context import ArchiveBoxContext
from server.archivebox.filters import has_tag
from server.errors import Code, Failure
from server.jobs import (
    Handle,
    NewRecord,
    RecordRow,
    RecordState,
)
from tools.archivebox.cli.add import Add
from tools.archivebox.jobs.query import PageQuery
from tools.archivebox.jobs.save_work import SaveWork, copies, judge_page

CANCELS = (
    "PATCH /core/snapshot/{snapshot_id}",
    "0.9",
    "0.8.5 archives while it is asked: nothing is ever queued.",
)
TAGS = (
    "POST /core/tags/add-to-snapshot/",
    "0.9",
    "On 0.8.5 pages are tagged when they are added ({POST /cli/add}).",
)
_VERIFY = "look at the page again; doing it twice is harmless."
_MOST_SHOWN = 50
_PAGE = 1_000

Json = dict[str, Any]


async def find_failed_pages(context: ArchiveBoxContext, query: PageQuery) -> list[NewRecord]:
    """Return the pages whose newest copy has failed outputs, by URL."""
    failed: dict[str, list[str]] = {}
    for result in await query.find_failed_results(context):
        failed.setdefault(str(result["snapshot_id"]), []).append(
            str(result.get("plugin") or result["extractor"])
        )
    if not failed:
        return []
    # One that was saved again since is not to be saved again for ever.
    newest = {page["url"]: page for page in await PageQuery(since=query.since).snapshots(context)}
    items = [
        NewRecord(
            url,
            {
                "url": url,
                "id": str(page["id"]),
                "tags": page.get("tags") or [],
                "failed": failed[str(page["id"])],
            },
        )
        for url, page in newest.items()
        # 0.8.5 has no status; what is still at work may yet succeed.
        if str(page["id"]) in failed and page.get("status") in (None, "sealed")
    ]
    if context.description.has("GET /crawls/crawls"):
        return items
    # 0.8.5 keeps all outputs of one copy, those that failed at first included.
    return [each for each in items if not await _is_whole(context, each.key)]


async def _is_whole(context: ArchiveBoxContext, url: str) -> bool:
    fared = judge_page((await copies(context, url))[-1])
    return fared is not None and fared["outcome"] == "saved"


async def tag_changes(
    context: ArchiveBoxContext, query: PageQuery, *, add: Sequence[str], remove: Sequence[str]
) -> list[NewRecord]:
    """Return the matching pages whose tags are not yet as they should be, each with what is to be
    changed."""
    context.description.require(*TAGS)
    records = []
    for page in await query.snapshots(context):
        # ArchiveBox keeps a tag as it was written first; `Press` and `press` are the same one.
        tags = page.get("tags") or []
        missing = [name for name in dict.fromkeys(add) if not has_tag(tags, name)]
        present = [name for name in tags if has_tag(remove, name)]
        if missing or present:
            change = {"add": missing, "remove": present}
            records.append(NewRecord(str(page["id"]), {"url": page["url"], **change}))
    return records


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
    result = []
    async for rows in jobs.record_pages(name, (RecordState.DONE,)):
        result += [NewRecord(row.key, {**row.detail, **_reverse(row.detail)}) for row in rows]
    return result


async def find_queued_work(context: ArchiveBoxContext, query: PageQuery) -> list[NewRecord]:
    """Return the queued pages, and without filters the queued crawls too: their pages may not
    exist yet."""
    # Before 0.9.73 a filter by status is ignored without a word, and all pages come.
    more = (
        {"status": "queued"} if context.description.takes("GET /core/snapshots", "status") else {}
    )
    pages = await query.snapshots(context, **more)
    result = [
        NewRecord(f"snapshot:{each['id']}", {"url": each["url"]})
        for each in pages
        if _is_queued(each)
    ]
    if query.given():
        return result
    # Crawls come as one plain list, with neither pages nor filters.
    crawls = [each for each in await context.api.get("/crawls/crawls") if _is_queued(each)]
    return result + [NewRecord(f"crawl:{each['id']}", {"url": _first(each)}) for each in crawls]


class _Change(ABC):
    """One request (or a few) for each page; doing it again is harmless."""

    writes = True
    repeatable = True
    batch = 1
    width = 2

    def __init__(self, context: ArchiveBoxContext) -> None:
        self._context = context

    async def gather(self, job: Handle) -> None:  # noqa: B027  # nothing to gather, for every kind
        """Do nothing: the pages are those that the user confirmed."""

    async def send(self, job: Handle, records: list[RecordRow]) -> None:
        """Change one object."""
        await self.change(job, records[0])

    async def finish(self, job: Handle) -> Json:
        """Return how many were changed, and why others were not."""
        left = job.rows(RecordState.FAILED, RecordState.SKIPPED, RecordState.UNKNOWN, limit=_PAGE)
        return {
            "changed": job.count(RecordState.DONE),
            "leftAlone": job.count(RecordState.SKIPPED),
            "failed": job.count(RecordState.FAILED) + job.count(RecordState.UNKNOWN),
            "reasons": dict(Counter(str(each.reason) for each in left).most_common(_MOST_SHOWN)),
            "notes": self.notes(job),
        }

    @abstractmethod
    async def change(self, job: Handle, record: RecordRow) -> None:
        """Change one."""

    def notes(self, job: Handle) -> list[str]:
        """Return what to do next."""
        return []

    async def post(self, job: Handle, record: RecordRow, method: str, path: str, body: Json) -> Any:
        """Send one change of a record."""
        return await self._context.background.change(
            method, path, body, repeatable=True, verify=_VERIFY, admit=lambda: job.admit([record])
        )


class SaveAgainWork(SaveWork):
    """Saves pages once more: a new copy with the same tags, on 0.8.5 new outputs of the same one.

    Queued again, 0.9.73 runs only what a page has no output of, and what failed stays as it is; the
    update command of 0.8.5 runs nothing again either (both observed on servers of these releases).
    """

    batch = 1

    async def send(self, job: Handle, records: list[RecordRow]) -> None:
        """Save a page again, unless that was done meanwhile."""
        (record,) = records
        pages = await copies(self.context, record.key)
        if pages and str(pages[-1]["id"]) != record.detail["id"]:
            job.mark_skipped(record, "A newer copy is there by now.")
            return
        await super().send(job, records)

    def body(self, records: list[RecordRow]) -> Json:
        tags = ",".join(records[0].detail["tags"])
        takes, has = self.context.description.takes, self.context.description.has
        # By default 0.9.73 skips an address that it has.
        anew = {"only_new": False} if takes(Add.operation, "only_new") else {}
        # 0.8.5 makes no second copy of an address, but new outputs of the one there is.
        anew |= {} if has("GET /crawls/crawls") else {"update": True}
        return self.require_supported(
            {"urls": [records[0].key], "depth": 0, **({"tag": tags} if tags else {}), **anew}
        )


class TagWork(_Change):
    """Puts tags on pages and takes them off; what was changed stays in the record, which makes it
    reversible."""

    async def change(self, job: Handle, record: RecordRow) -> None:
        for what, verb in (("add", "add-to"), ("remove", "remove-from")):
            # The endpoints take one tag a request.
            for name in record.detail[what]:
                body = {"snapshot_id": record.key, "tag_name": name}
                await self.post(job, record, "POST", f"/core/tags/{verb}-snapshot/", body)
        job.mark_done(record)

    def notes(self, job: Handle) -> list[str]:
        return (
            [f'To reverse it: action "tag" with `undo` "{job.row.id}".']
            if job.count(RecordState.DONE)
            else []
        )


class CancelWork(_Change):
    """Cancels what is queued, unless it is not any more."""

    width = 1

    async def change(self, job: Handle, record: RecordRow) -> None:
        kind, _, identity = record.key.partition(":")
        path = f"/core/snapshot/{identity}" if kind == "snapshot" else f"/crawls/crawl/{identity}"
        answer = await self._context.background.get(path)
        if not _is_queued(answer):
            job.mark_skipped(record, f"It is {answer.get('status')} by now.")
            return
        # Before 0.9.73 nothing can be cancelled, only sealed; the pages of a running crawl are then
        # archived all the same, most of them.
        body = (
            {"action": "cancel"}
            if self._context.description.takes(f"PATCH {_pattern(kind)}", "action")
            else {}
        )
        await self.post(job, record, "PATCH", path, body or {"status": "sealed"})
        job.mark_done(record)


def _pattern(kind: str) -> str:
    return "/core/snapshot/{}" if kind == "snapshot" else "/crawls/crawl/{}"


def _is_queued(result: Json) -> bool:
    return bool(result.get("status") == "queued")


def _first(crawl: Json) -> str:
    return next(iter(str(crawl.get("urls") or "").split()), "")


def _reverse(change: Json) -> Json:
    return {"add": change["remove"], "remove": change["add"]}
