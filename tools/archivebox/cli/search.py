"""Search saved pages: `archivebox search`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, PrivateAttr

from server.archivebox.context import ArchiveBoxContext
from server.archivebox.endpoints import (
    Many,
    Text,
)
from server.archivebox.openapi import Description
from server.archivebox.pagination import Record, read, whole_list
from server.tool.result import Result
from tools.archivebox import records
from tools.archivebox.cli.filters import Filters
from tools.archivebox.patterns import MOST, matches
from tools.archivebox.records import Snapshot


class Search(Filters, Many[Snapshot]):
    """Search saved pages by patterns in their URL, or by tag, domain or timestamp; 0.9.73 takes all
    arguments and also searches what pages say (`search` contents). More filters:
    archivebox_list_snapshots."""

    operation = "POST /cli/search"
    title = "Search saved pages by pattern"

    filter_patterns: list[Text] | None = Field(None, description="Patterns; none = all")
    # The command's `search` is a mode: the words to look for are patterns.
    search: Literal["meta", "contents", "deep"] | None = Field(None, description="Where to look")
    status: Text | None = Field(None, description="queued, started, paused or sealed")
    tag: Text | None = Field(None, description="Tag name")
    crawl_id: Text | None = Field(None, description="Crawl")
    url__icontains: Text | None = Field(None, description="Part of the URL")
    url__istartswith: Text | None = Field(None, description="Start of the URL")
    sort: Text | None = Field(None, description="For example -bookmarked_at")
    _capped: bool = PrivateAttr(False)

    async def prepare(self, context: ArchiveBoxContext) -> None:
        """Every version can be searched, if only page by page."""

    async def run(self, context: ArchiveBoxContext) -> Result:
        requested = (
            "search",
            "status",
            "tag",
            "crawl_id",
            "url__icontains",
            "url__istartswith",
            "sort",
        )
        more = {name: getattr(self, name) for name in requested if getattr(self, name) is not None}
        result = await matches(context.api, self.patterns(), self.times(), more)
        # The server stops at the limit without saying so.
        self._capped = len(result) >= MOST
        return await read(self, context.api, whole_list(result))

    def notes(self, description: Description) -> list[str]:
        return (
            [f"A search ends at {MOST} pages; there may be more: narrow it."]
            if self._capped
            else []
        )

    def one(self, record: Record) -> Record:
        return records.snapshot(record)
