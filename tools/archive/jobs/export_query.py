"""What an export holds: which records, which of their fields, and how they are read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Literal

from pydantic import Field

from server.archive.api import Api
from server.archive.operations import Text
from server.archive.records import Record, Selection
from server.archive.selection import select
from server.tool.arguments import parse_in_utc
from tools.archive.content.items import SearchItems
from tools.archive.content.lookups import GetItemIdsByUrl
from tools.archive.creators import SearchCreators
from tools.archive.items_source import Batch
from tools.archive.items_window import WindowedSource
from tools.archive.schema.objects import Creator, Item

# More than the search's default: a file has room, and a second export for a missing column costs
# as much again.
ITEM_FIELDS = (
    "*",
    "socialProfile.fullName",
    "socialProfile.originalUrl",
    "hashtags",
    "mentions",
    "customAttributes",
)
CREATOR_FIELDS = ("*", "socialProfiles.fullName", "socialProfiles.originalUrl")
"""The columns of a file when the call names none."""
_DEFAULT_FIELDS = {"items": ITEM_FIELDS, "creators": CREATOR_FIELDS}
_RECORDS: dict[str, type[Record]] = {"items": Item, "creators": Creator}
_DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t"}


class ExportQuery(WindowedSource):
    """The arguments that say what is exported, and the requests that follow from them."""

    what: Literal["items", "creators"] = Field("items", description="What to export.")
    creators: dict[str, Any] | None = Field(
        None, description="Arguments of archive_search_creators, without fields and paging."
    )
    fields: list[Text] | None = Field(
        None,
        description="Columns: paths such as `transcriptions.transcript`; `*` means the defaults.",
    )
    format: Literal["csv", "xlsx", "jsonl", "parquet"] = Field(
        "csv",
        description="Format of the file; `xlsx` is for Excel.",
    )
    delimiter: Literal["comma", "semicolon", "tab"] = Field(
        "comma",
        description="Separates the cells of a `csv` file.",
    )
    name: Text | None = Field(None, description="Name of the file.")
    option_names: bool = Field(True, description="Write options by name instead of id.")

    @property
    def record(self) -> type[Record]:
        """The type of the records."""
        return _RECORDS[self.what]

    def paths(self) -> list[str]:
        """The paths to ask for; the id always, because rows are told apart by it."""
        requested = list(self.fields or _DEFAULT_FIELDS[self.what])
        # `*` holds the id already.
        if {"id", "*"}.isdisjoint(requested):
            return ["id", *requested]
        return requested

    @property
    def delimiter_character(self) -> str:
        """What stands between the cells of a CSV file."""
        return _DELIMITERS[self.delimiter]

    def selection(self) -> Selection:
        """What is asked of each record.

        Raises:
            Failure: `INVALID_ARGUMENT` for a path that does not exist.
        """
        return select(self.record, self.paths())

    def request(self) -> SearchItems | SearchCreators:
        """The search behind the export; of named items the one that is the same but for their
        ids."""
        # Archive stores selects as ids, which mean nothing in a spreadsheet.
        visible = {"optionNames": self.option_names}
        if self.what == "items":
            return self.query(self.paths(), **visible)
        requested = {**(self.creators or {}), **visible, "fields": self.paths()}
        return parse_in_utc(SearchCreators, requested)

    async def rows(self, api: Api) -> int | None:
        """Return how many rows there will be, by one request at most."""
        if self.what == "items":
            return await self.total(api)
        # Only the count is wanted: one record, without relations, is the cheapest page.
        return (await api.read_page(self.request(), size=1, selection={"id": {}})).total

    async def read_batches(self, api: Api, cursor: Any) -> AsyncIterator[Batch]:
        """Yield the records, batch by batch, from a batch's cursor on (None = the beginning)."""
        if self.what == "items":
            async for batch in self.batches(api, cursor, self.paths()):
                yield batch
            return
        async for page in api.read_pages(self.request(), cursor):
            yield Batch.of(page)

    def page_cost(self) -> float:
        """Return the rate credits of a page of records."""
        # Conditions and views cost almost four times as much as a plain page of creators.
        credits = self.request().credits()
        if self.urls:
            credits += GetItemIdsByUrl.cost
        return credits


def dump_query(query: SearchItems | SearchCreators) -> dict[str, Any]:
    names = {"filter", "custom_attribute_conditions", "preset_id"}
    return query.model_dump(by_alias=True, exclude_unset=True, mode="json", include=names)
