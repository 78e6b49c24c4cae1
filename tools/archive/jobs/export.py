"""Export of items and creators to a file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC
from math import ceil
from typing import TYPE_CHECKING, Any, Literal

from anyio import to_thread
from pydantic import Field, ValidationInfo, field_validator

from server.archive.context import ArchiveContext
from server.archive.operations import Text, Workflow
from server.archive.records import Record, Selection, fields_of
from server.archive.selection import select
from server.errors import Code, Failure
from server.exports import check_available
from server.exports.names import make_file_name
from server.jobs import JobRow
from server.tool.arguments import parse
from server.tool.job import Plan, StartJob
from tools.archive.content.items import GetItemIdsByUrl, SearchItems
from tools.archive.creators import SearchCreators
from tools.archive.items_source import AT_ONCE, Batch, ItemSource
from tools.archive.jobs.export_work import ExportWork
from tools.archive.schema.objects import Creator, Item

if TYPE_CHECKING:
    from server.archive.api import Api

ITEM_FIELDS = (
    "*",
    "socialProfile.fullName",
    "socialProfile.originalUrl",
    "hashtags",
    "mentions",
    "customAttributes",
)
CREATOR_FIELDS = ("*", "socialProfiles.fullName", "socialProfiles.originalUrl")
"""What a spreadsheet gets when nobody says."""

_CREATORS_BY = ("filter", "customAttributeConditions", "presetId")
_RELATION_COST = 20.5
"""Rate credits that each relation adds to a page of items (Archive docs, rate limiting: 60 without,
183 with all)."""


class StartExport(StartJob[JobRow, ArchiveContext], ItemSource, Workflow[JobRow]):
    """Write items or creators of Archive (archive.com) to a file, for spreadsheets or more than a
    search returns. Returns path, rows, columns and a link, or a job id. Earned media value is in
    cents."""

    operation = "export"
    title = "Export to a file"
    risk = "adds"
    repeatable = False
    verify = "{list_jobs} shows whether it was started."
    watch = "archive_mcp_get_job shows how it stands."

    what: Literal["items", "creators"] = Field("items", description="Kind of record.")
    creators: dict[str, Any] | None = Field(
        None, description="Its arguments: as archive_search_creators."
    )
    fields: list[Text] | None = Field(
        None, description="Dotted paths, e.g. `transcriptions.transcript`; `*` = defaults."
    )
    format: Literal["csv", "jsonl", "parquet"] = Field("csv", description="Of the file.")
    name: Text | None = Field(None, description="File name.")
    option_names: bool = Field(True, description="Options by name, not id.")

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
        context = dict(info.context or {})
        return _dump(parse(SearchCreators, value, context, inside="creators", tool=cls.tool_name()))

    def check(self) -> None:
        if self.resume is not None:
            return
        if self.name is not None:
            make_file_name(self.name, self.format)
        check_available(self.format)
        if self.what == "items":
            if self.creators is not None:
                raise Failure(
                    Code.INVALID_ARGUMENT,
                    "`creators` goes with `what` creators.",
                    "Set `what`, or use `search`.",
                )
            self.require_source()
        elif self.search is not None or self.item_ids is not None or self.urls is not None:
            raise Failure(
                Code.INVALID_ARGUMENT,
                "`search`, `itemIds` and `urls` are about items.",
                "Say which creators with `creators`; without it all are exported.",
            )
        self.selection()

    async def prepare(self, context: ArchiveContext) -> None:
        if self.what == "items":
            await super().prepare(context)
        elif self.creators is not None:
            query = self.request()
            await query.prepare(context)
            self.creators = _dump(query)

    async def plan(self, context: ArchiveContext) -> Plan:
        folder = context.exports()
        target = await to_thread.run_sync(
            lambda: folder.choose_target(self.name, self.format, what=self.what)
        )
        total = await self.rows(context.api)
        pages = ceil((total or 0) / AT_ONCE)
        credits = pages * self._page_cost()
        requests = 2 * pages if self.urls else pages
        about = {"file": target.name, "folder": str(folder.path), "format": self.format}
        many = self.what if total is None else f"{total:,} {self.what}"
        return Plan(f"Export of {many} as {self.format}", total, requests, credits, details=about)

    def work(self, context: ArchiveContext) -> ExportWork:
        return ExportWork(self, context)

    @property
    def record(self) -> type[Record]:
        """The type of the records."""
        return Item if self.what == "items" else Creator

    def paths(self) -> list[str]:
        """The paths to ask for; the id always, because rows are told apart by it."""
        requested = list(self.fields or (ITEM_FIELDS if self.what == "items" else CREATOR_FIELDS))
        return requested if "id" in requested or "*" in requested else ["id", *requested]

    def selection(self) -> Selection:
        """What is asked of each record.

        Raises:
            Failure: `INVALID_ARGUMENT` for a path that does not exist.
        """
        return select(self.record, self.paths())

    def request(self) -> SearchItems | SearchCreators:
        """The search behind the export; of named items the one that is the same but for their
        ids."""
        visible = {"optionNames": self.option_names}
        if self.what == "items":
            return self.query(self.paths(), **visible)
        requested = {**(self.creators or {}), **visible, "fields": self.paths()}
        return parse(SearchCreators, requested, {"timezone": UTC, "instants": []})

    async def rows(self, api: Api) -> int | None:
        """How many rows there will be, by one request at most."""
        if self.what == "items":
            return await self.total(api)
        return (await api.page(self.request(), size=1, selection={"id": {}})).total

    async def found(self, api: Api, cursor: Any) -> AsyncIterator[Batch]:
        """The records, batch by batch, from a batch's cursor on (None = the beginning)."""
        if self.what == "items":
            async for batch in self.batches(api, cursor, self.paths()):
                yield batch
            return
        async for page in api.pages(self.request(), cursor):
            yield Batch(page.records, page.end, [], page.partial)

    def _page_cost(self) -> float:
        if self.what == "creators":
            return self.request().credits()
        relations = sum(1 for name in self.selection() if fields_of(Item)[name].record is not None)
        return (
            SearchItems.cost
            + _RELATION_COST * relations
            + (GetItemIdsByUrl.cost if self.urls else 0)
        )


def _dump(query: SearchItems | SearchCreators) -> dict[str, Any]:
    names = {"filter", "custom_attribute_conditions", "preset_id"}
    return query.model_dump(by_alias=True, exclude_unset=True, mode="json", include=names)
