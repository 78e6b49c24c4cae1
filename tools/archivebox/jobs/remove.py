"""Deletion of any number of saved pages."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from server.archivebox.context import ArchiveBoxContext
from server.archivebox.endpoints import Workflow
from server.errors import Code, Failure
from server.jobs import Handle, JobRow, NewRecord, RecordRow, RecordState
from server.text import count_noun, show_page
from server.tool.confirmation import Preview
from server.tool.job import Plan, StartChange
from tools.archivebox.jobs.change_work import ChangeWork
from tools.archivebox.jobs.query import PageQuery, Query
from tools.archivebox.removal import delete_page, describe_removal

_DELETE = (
    "DELETE /core/snapshot/{snapshot_id}",
    "0.9",
    "On 0.8.5 {POST /cli/remove} deletes what matches patterns.",
)
_SHOWN = 10

Json = dict[str, Any]


class StartRemove(StartChange[JobRow, ArchiveBoxContext], Workflow[JobRow]):
    """Delete all saved pages of ArchiveBox that fit a query, with their files, for good: any
    number. It shows count and first URLs, and asks the user first. If it takes longer, it returns
    a job id."""

    operation = "remove_snapshots"
    title = "Delete many pages"
    search_hint = (
        "delete many saved pages, delete everything from a domain, remove all bookmarks older "
        "than, bulk delete, mass delete, purge, clean up, clear out all pages with a label, wipe, "
        "free up disk space, delete everything about, all pages from, clear old bookmarks, remove "
        "hundreds, get rid of everything from, delete all with the label, older than two years, "
        "all of facebook, empty my archive, delete all pages I saved from, more than a thousand "
        "pages, all pages, everything saved from a site"
    )
    risk = "removes"
    repeatable = False
    verify = "{list_jobs} shows whether it was started."
    watch = "archive_mcp_get_job shows how it stands."

    query: Query | None = Field(None, description="All conditions must fit.")
    dry_run: bool = Field(False, description="Only report what the job would do.")

    def check(self) -> None:
        # A resumed job has its own arguments.
        if self.resume is None and not self.selection().given():
            raise Failure(
                Code.INVALID_ARGUMENT,
                "Without a `query` every saved page would be deleted.",
                "Say which: by search, tag, domain, since or until.",
            )

    def selection(self) -> PageQuery:
        """Return the filters."""
        return PageQuery.of(self.query)

    async def plan(self, context: ArchiveBoxContext) -> Plan:
        context.description.require(*_DELETE)
        pages = await self.selection().snapshots(context)
        # Exactly the pages that are shown and counted, also where more come to fit meanwhile.
        records = [_make_record(page) for page in pages]
        return Plan(
            f"Deletion of {count_noun(len(records), 'saved page')}",
            len(records),
            requests=len(records),
            credits=0,
            records_known=records,
            preview=_preview(pages, describe_removal(context.description)) if pages else None,
        )

    def work(self, context: ArchiveBoxContext) -> RemoveWork:
        return RemoveWork(context)


class RemoveWork(ChangeWork):
    """Deletes pages, each by its id; those that are gone already are left alone."""

    # 0.9.31 deletes by a command that looks first whether the page is the only one.
    width = 1

    async def change(self, job: Handle, record: RecordRow) -> None:
        api = self._context.background
        page = {**record.detail, "id": record.key}
        # What this process sent before it was interrupted may have been done.
        job.admit([record])
        try:
            done = await delete_page(api, page)
        except Failure as failure:
            # Of 0.9.31's command: no page with that timestamp is there any more.
            if failure.code is not Code.NOT_FOUND:
                raise
            job.mark_skipped(record, "It is not there any more.")
        else:
            queued = bool(done.get("queued_count"))
            job.mark_done(record, {**record.detail, "queued": queued})

    async def finish(self, job: Handle) -> Json:
        """Return how many are deleted, and why others were not."""
        report = await super().finish(job)
        return {"deleted": report.pop("changed"), **report}

    def notes(self, job: Handle) -> list[str]:
        note = describe_removal(self._context.description)
        return [note] if note and job.count(RecordState.DONE) else []


def _make_record(page: Json) -> NewRecord:
    detail = {"url": page["url"], "timestamp": str(page["timestamp"])}
    return NewRecord(str(page["id"]), detail)


def _preview(pages: list[Json], note: str) -> Preview:
    first = [show_page(page["url"], page.get("title")) for page in pages[:_SHOWN]]
    more = ", ..." if len(pages) > 5 else ""
    message = (
        f"Delete {count_noun(len(pages), 'saved page')} with all files: {', '.join(first[:5])}"
        f"{more}?{note and f' {note}'}"
    )
    return Preview(message, {"snapshots": len(pages), "first": first})
