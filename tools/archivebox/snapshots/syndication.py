"""The newest saved pages for feed readers."""

from __future__ import annotations

from pydantic import Field

from server.archivebox.context import ArchiveBoxContext
from server.archivebox.endpoints import Get, Text, cut_text
from server.archivebox.moments import From
from server.tool.result import Result, whole
from tools.archivebox.records import Exported


class GetSnapshotsFeed(Get[Exported]):
    """Get the newest saved pages as the text of an RSS feed. With filters use
    archivebox_list_snapshots."""

    operation = "GET /core/snapshots.rss"
    title = "Get the feed of saved pages"
    search_hint = (
        "RSS, atom, follow in my reader, subscription, newest saved pages as feed, news reader, "
        "feedly, subscribe to my archive, feed url, xml, latest saves as a feed"
    )
    since = "0.9.73"
    use = "Use {GET /core/snapshots}."

    crawl_id: Text | None = Field(None, description="Only of this crawl.")
    created_by: Text | None = Field(None, description="Only of this user.")
    limit: int = Field(50, ge=1, le=200, description="Most entries.")
    before: From | None = Field(None, description="Only older than this time.")

    async def run(self, context: ArchiveBoxContext) -> Result:
        params = {
            **self.require_supported(context.description, self.request_values()),
            "limit": self.limit,
        }
        return whole(cut_text(await context.api.text(self.path(), params)))
