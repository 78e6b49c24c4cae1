"""Export of items and creators to a file."""

from __future__ import annotations

from math import ceil
from typing import Any

from anyio import to_thread
from pydantic import ValidationInfo, field_validator

from server.archive.context import ArchiveContext
from server.archive.operations import Workflow
from server.errors import Code, Failure
from server.exports import check_file
from server.jobs import JobRow
from server.tool.job import Plan, StartJob
from tools.archive.creators import SearchCreators
from tools.archive.items_source import AT_ONCE, parse_search
from tools.archive.jobs.export_query import ExportQuery, dump_query
from tools.archive.jobs.export_work import ExportWork

# Paging and fields are the export's own business, and creators cannot be sorted.
_CREATORS_BY = ("filter", "customAttributeConditions", "presetId")


class StartExport(StartJob[JobRow, ArchiveContext], ExportQuery, Workflow[JobRow]):
    """Write items or creators of Archive (archive.com) to a file: for spreadsheets (Excel, CSV), or
    for more than a search returns. Returns the path, rows, columns and a link or, if it takes
    longer, a job id. Earned media value is in the unit that `units` names, in spreadsheets in
    dollars too."""

    operation = "export"
    title = "Export to a file"
    search_hint = (
        "export creators, spreadsheet, excel, CSV of every post, download a table, dump the "
        "database, google sheets, everything with captions and transcripts, all influencers with "
        "email, hand over, send the data, backup, raw data, parquet, json, all posts with likes, "
        "for my analyst, for the newsletter tool, mailing list, columns, download the list of "
        "accounts as csv, creator database, sheet, accounts that mentioned us, influencers we "
        "have contact details for, google sheet, xlsx, download, dump, file of, table, all posts "
        "of last year with links and views, whole list in a file, emails into excel"
    )
    risk = "adds"
    repeatable = False
    verify = "{list_jobs} shows whether it was started."
    watch = "archive_mcp_get_job with {call} shows how it stands."

    @field_validator("creators")
    @classmethod
    def _is_a_search_for_creators(
        cls, value: dict[str, Any] | None, info: ValidationInfo
    ) -> dict[str, Any] | None:
        if value is None:
            return None
        return dump_query(parse_search(SearchCreators, value, info, cls, _CREATORS_BY))

    def has_other_source(self) -> bool:
        return self.what == "creators" or super().has_other_source()

    def check(self) -> None:
        if self.resume is not None:
            return
        check_file(self.name, self.format)
        if self.what == "items":
            self._check_items()
        else:
            self._check_creators()
        # Called for its error: a wrong path must not fail a job that has read for an hour.
        self.selection()

    def _check_items(self) -> None:
        if self.creators is not None:
            raise Failure(
                Code.INVALID_ARGUMENT,
                "`creators` needs `what` set to creators.",
                "Set `what`, or use `search`.",
            )
        self.require_source()
        self.narrow_by_time()

    def _check_creators(self) -> None:
        choices = [self.search, self.item_ids, self.urls, self.taken_at]
        if choices.count(None) < len(choices):
            raise Failure(
                Code.INVALID_ARGUMENT,
                "`search`, `itemIds`, `urls` and `takenAt` are about items.",
                "Choose creators with `creators`; without it all are exported.",
            )

    async def prepare(self, context: ArchiveContext) -> None:
        if self.what == "items":
            await super().prepare(context)
        elif self.creators is not None:
            query = self.request()
            await query.prepare(context)
            self.creators = dump_query(query)

    async def plan(self, context: ArchiveContext) -> Plan:
        folder = context.exports()
        target = await to_thread.run_sync(
            lambda: folder.choose_target(self.name, self.format, what=self.what)
        )
        total = await self.rows(context.api)
        pages = ceil((total or 0) / AT_ONCE)
        # Links are looked up first, a hundred at a time.
        requests = 2 * pages if self.urls else pages
        many = self.what if total is None else f"{total:,} {self.what}"
        return Plan(
            f"Export of {many} as {self.format}",
            total,
            requests,
            pages * self.page_cost(),
            details={"file": target.name, "folder": folder.place, "format": self.format},
        )

    def work(self, context: ArchiveContext) -> ExportWork:
        return ExportWork(context, self)
