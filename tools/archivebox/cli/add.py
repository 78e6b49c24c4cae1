"""Save pages: `archivebox add`."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from server.archivebox.context import ArchiveBoxContext
from server.archivebox.endpoints import (
    Change,
    Text,
)
from server.archivebox.failures import get_command_result
from server.archivebox.openapi import Description
from server.http.urls import check_web_address
from server.tool.request import Risk
from server.tool.result import Result
from tools.archivebox.records import Report
from tools.archivebox.snapshots.lookup import resolve_url


class Add(Change[Report]):
    """Save web pages in ArchiveBox (the self-hosted web archive). Archiving goes on in the
    background: look at archivebox_list_snapshots, then archivebox_read_snapshot. 0.9.73 skips known
    URLs unless `only_new` is false."""

    operation = "POST /cli/add"
    title = "Save pages"
    core = True
    risk: ClassVar[Risk] = "adds"
    repeatable = False
    verify = "list with `url` ({GET /core/snapshots})."

    urls: list[Text] = Field(min_length=1, max_length=500, description="http(s) URLs")
    tag: Text | None = Field(None, description="Tag names with commas")
    # The server answers a depth beyond 4 with a 503.
    depth: int = Field(0, ge=0, le=4, description="Levels of links to follow")
    plugins: Text | None = Field(None, description="Only these, with commas")
    parser: Text | None = Field(None, description="How to read lists of links")
    only_new: bool | None = Field(None, description="Skip known URLs")
    update: bool | None = Field(None, description="Archive missing outputs again")
    index_only: bool | None = Field(None, description="List, do not archive")
    persona: Text | None = Field(None, description="Browser identity")
    max_urls: int | None = Field(None, ge=1, description="Most pages")
    crawl_max_size: int | None = Field(None, ge=1, description="Bytes in all")
    crawl_timeout: int | None = Field(None, ge=1, description="Seconds in all")
    snapshot_max_size: int | None = Field(None, ge=1, description="Bytes a page")
    snapshot_ids: list[Text] | None = Field(None, description="Ids or URLs to archive again")

    def check(self) -> None:
        # 0.9.31 makes a page of `file:///etc/passwd`, and of any text: addresses are checked here.
        for url in self.urls:
            check_web_address(url)

    def require_supported(self, description: Description, values: dict[str, Any]) -> dict[str, Any]:
        # 0.8.5 calls plugins extractors.
        if "plugins" in values and not description.takes(self.operation, "plugins"):
            values = {**values, "extractors": values["plugins"]}
            del values["plugins"]
        return super().require_supported(description, values)

    async def run(self, context: ArchiveBoxContext) -> Result:
        if self.snapshot_ids:
            self.snapshot_ids = [
                await resolve_url(context.api, reference) for reference in self.snapshot_ids
            ]
        return await super().run(context)

    def present(self, match: Any) -> dict[str, Any]:
        result = get_command_result(match)
        report: dict[str, Any] = {"crawl_id": None, "snapshot_ids": [], "queued_urls": self.urls}
        # 0.9.73 adds in the background: it lists no pages yet, and the crawl's id leads to them.
        if isinstance(result, dict):
            report |= {
                name: result[name]
                for name in ("crawl_id", "snapshot_ids", "queued_urls")
                if result.get(name)
            }
        elif isinstance(result, list):
            report["snapshot_ids"] = [
                entry["id"] for entry in result if isinstance(entry, dict) and "id" in entry
            ]
        return report
