"""Export of items and creators to a file."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any

from anyio import to_thread
from pydantic import ValidationInfo, field_validator

from server.archive.context import ArchiveContext
from server.archive.operations import Workflow
from server.errors import Code, Failure
from server.exports import check_available
from server.exports.names import make_file_name
from server.jobs import JobRow
from server.tool.arguments import parse
from server.tool.job import Plan, StartJob
from tools.archive.creators import SearchCreators
from tools.archive.items_source import AT_ONCE
from tools.archive.jobs.export_query import ExportQuery, dump_query
from tools.archive.jobs.export_work import ExportWork

if TYPE_CHECKING:
    pass

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
        "have contact details for, google sheet, xlsx, download, dump, file of, table"
    )
    risk = "adds"
    repeatable = False
    verify = "{list_jobs} shows whether it was started."
    watch = "archive_mcp_get_job shows how it stands."

    @field_validator("creators")
    @classmethod
    def _is_a_search_for_creators(
        cls, value: dict[str, Any] | None, info: ValidationInfo
    ) -> dict[str, Any] | None:
        """Kept as validated, as `search` is."""
        if value is None:
            return None
        if unknown := [name for name in value if name not in _CREATORS_BY]:
            raise ValueError(f"takes {', '.join(_CREATORS_BY)}; not {', '.join(unknown)}.")
        # A copy: what the inner search notes about its days is not the outer call's.
        context = dict(info.context or {})
        return dump_query(
            parse(SearchCreators, value, context, inside="creators", tool=cls.tool_name())
        )

    def has_other_source(self) -> bool:
        return self.what == "creators" or super().has_other_source()

    def check(self) -> None:
        if self.resume is not None:
            return
        # Called for their errors: a bad name or a missing library is refused before anything is
        # read.
        if self.name is not None:
            make_file_name(self.name, self.format)
        check_available(self.format)
        if self.what == "items":
            if self.creators is not None:
                raise Failure(
                    Code.INVALID_ARGUMENT,
                    "`creators` needs `what` set to creators.",
                    "Set `what`, or use `search`.",
                )
            self.require_source()
            self.narrow_by_time()
        elif any(
            choice is not None for choice in (self.search, self.item_ids, self.urls, self.taken_at)
        ):
            raise Failure(
                Code.INVALID_ARGUMENT,
                "`search`, `itemIds`, `urls` and `takenAt` are about items.",
                "Choose creators with `creators`; without it all are exported.",
            )
        # Called for its error: a wrong path must not fail a job that has read for an hour.
        self.selection()

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
        credits = pages * self.page_cost()
        # Links are looked up first, a hundred at a time.
        requests = 2 * pages if self.urls else pages
        about = {"file": target.name, "folder": folder.place, "format": self.format}
        many = self.what if total is None else f"{total:,} {self.what}"
        return Plan(f"Export of {many} as {self.format}", total, requests, credits, details=about)

    def work(self, context: ArchiveContext) -> ExportWork:
        return ExportWork(context, self)
