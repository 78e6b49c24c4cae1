"""Deletion of any number of saved pages."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from server.archivebox.context import ArchiveBoxContext
from server.archivebox.endpoints import Workflow
from server.errors import Code, Failure, allow_failure
from server.jobs import Handle, JobRow, NewRecord, RecordRow, RecordState
from server.text import show_page
from server.tool.confirmation import Preview
from server.tool.job import Plan, StartChange
from tools.archivebox.jobs.change_work import ChangeWork
from tools.archivebox.jobs.query import PageQuery, Query, Survey
from tools.archivebox.removal import delete_page, describe_removal, require_deletion

# In the question itself; the details have more.
_SHOWN = 5

Json = dict[str, Any]


class StartRemove(StartChange[JobRow, ArchiveBoxContext], Workflow[JobRow]):
    """Delete all saved pages of ArchiveBox that fit a query, with their files, for good: any
    number. It shows count and first URLs, and asks the user first. If it takes longer, it returns
    a job id."""

    operation = "remove_snapshots"
    title = "Delete many pages"
    search_hint = (
        "delete everything from a domain, bulk delete, mass delete, purge, clean up, clear out "
        "all pages with a label, wipe, free up disk space, clear old bookmarks, remove hundreds, "
        "get rid of everything from, older than two years, all of facebook, empty my archive, "
        "more than a thousand pages, everything saved from a site, wipe every stored page, throw "
        "out all copies tagged, in one go, tell me first how many, trash, bulk, all pages from a "
        "site"
    )
    risk = "removes"
    requires_person = True
    repeatable = False
    verify = "{list_jobs} shows whether it was started."
    watch = "archive_mcp_get_job with {call} shows how it stands."

    query: Query | None = Field(None, description="All conditions must fit.")
    dry_run: bool = Field(False, description="Only report what the job would do at most.")

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
        require_deletion(context.description)
        survey = await self.selection().survey(context)
        # Few are deleted exactly as they are shown, also where more come to fit meanwhile; more
        # are found by the job, which refuses if there are more than were confirmed.
        records = None if survey.pages is None else list(map(_make_record, survey.pages))
        preview = _preview(survey, describe_removal(context.description))
        return Plan(
            f"Deletion of {survey.describe()}",
            survey.count,
            requests=survey.count,
            credits=0,
            records_known=records,
            preview=preview if survey.count else None,
        )

    def work(self, context: ArchiveBoxContext) -> RemoveWork:
        return RemoveWork(context, self.selection())


class RemoveWork(ChangeWork):
    """Deletes pages, each by its id; those that are gone already are left alone."""

    # 0.9.31 deletes by a command that looks first whether the page is the only one.
    width = 1

    def make_record(self, page: Json) -> NewRecord:
        return _make_record(page)

    async def change(self, job: Handle, record: RecordRow) -> None:
        api = self._context.background
        page = {**record.detail, "id": record.key}
        # What this process sent before it was interrupted may have been done.
        await job.admit([record])
        done = await allow_failure(delete_page(api, page), Code.NOT_FOUND)
        # Of 0.9.31's command: no page with that timestamp is there any more.
        if done is None:
            job.mark_skipped(record, "It is not there any more.")
        else:
            queued = bool(done.get("queued_count"))
            job.mark_done(record, {**record.detail, "queued": queued})

    async def finish(self, job: Handle) -> Json:
        """Return how many are deleted, and why others were not."""
        report = await super().finish(job)
        return {"deleted": report.pop("changed"), **report}

    async def notes(self, job: Handle) -> list[str]:
        note = describe_removal(self._context.description)
        return [note] if note and await job.count(RecordState.DONE) else []


def _make_record(page: Json) -> NewRecord:
    detail = {"url": page["url"], "timestamp": str(page["timestamp"])}
    return NewRecord(str(page["id"]), detail)


def _preview(survey: Survey, note: str) -> Preview:
    first = [show_page(page["url"], page.get("title")) for page in survey.first]
    more = ", ..." if survey.count > _SHOWN else ""
    message = (
        f"Delete {survey.describe()} with all files: {', '.join(first[:_SHOWN])}{more}? {note}"
    )
    return Preview(message.rstrip(), {"snapshots": survey.count, "first": first})
