"""Save pages: `archivebox add`."""

from __future__ import annotations

from operator import methodcaller
from typing import Any, ClassVar

from pydantic import Field

from server.archivebox.api import ArchiveBoxApi
from server.archivebox.context import ArchiveBoxContext
from server.archivebox.endpoints import (
    Change,
    Text,
)
from server.archivebox.failures import get_command_report, get_command_rows
from server.archivebox.openapi import Description
from server.errors import Code, Failure
from server.http.urls import check_web_address
from server.tool.request import Links, Risk
from server.tool.result import Result, whole
from tools.archivebox.known import (
    describe_known,
    find_known,
    keeps_known,
    select_same,
    show_known,
    tag_all,
)
from tools.archivebox.records import Report
from tools.archivebox.shapes import add_notes
from tools.archivebox.snapshots.lookup import resolve_url
from tools.archivebox.tag_names import TagText, split_tags

CREATE = "POST /core/snapshots"
_ARCHIVING = ("depth", "plugins", "update", "crawl_max_size", "crawl_timeout", "snapshot_max_size")
"""Options that say how to archive."""
# Within a call of 45 s.
_MOST_SLOW = 15
# Seconds of a call that are left for its answer.
_RESERVE_SECONDS = 5.0

Json = dict[str, Any]


class Add(Change[Report]):
    """Save web pages in ArchiveBox (the self-hosted web archive). Archiving goes on in the
    background: look at archivebox_list_snapshots, then archivebox_read_snapshot. 0.9.73 makes no
    new copy of known URLs unless `update` is true. To wait for the outcomes use
    archivebox_start_save."""

    operation = "POST /cli/add"
    title = "Save pages"
    search_hint = (
        "keep this article, save the link with a label, https, save for later, preserve, clip, "
        "store a web page, capture a website, pdf, add bookmarks, make a fresh copy, save it "
        "again, only screenshots, save both, grab this page, put in my archive, snapshot this, "
        "take a copy, backup this page, new copy, before they change it, save for me, here's a "
        "list of links, them all, and tag them, keep a copy, these links, evidence, record, "
        "archive this page, store, articles, urls, keep copies, keep an offline copy"
    )
    core = True
    risk: ClassVar[Risk] = "adds"
    repeatable = False
    verify = "list with `url` ({GET /core/snapshots})."

    urls: Links = Field(min_length=1, max_length=500, description="The http(s) URLs.")
    tag: TagText | None = Field(None, description="Tags (labels), separated by commas.")
    # The server answers a depth beyond 4 with a 503.
    depth: int = Field(0, ge=0, le=4, description="Levels of links to follow.")
    plugins: Text | None = Field(None, description="Only these, separated by commas.")
    parser: Text | None = Field(None, description="How to read lists of links.")
    only_new: bool | None = Field(None, description="Skip URLs saved already.")
    update: bool | None = Field(None, description="Make another copy of known URLs.")
    index_only: bool | None = Field(None, description="List them, archive nothing.")
    persona: Text | None = Field(None, description="Browser identity to use.")
    max_urls: int | None = Field(None, ge=1, description="Most pages.")
    crawl_max_size: int | None = Field(None, ge=1, description="Most bytes in all.")
    crawl_timeout: int | None = Field(None, ge=1, description="Most seconds in all.")
    snapshot_max_size: int | None = Field(None, ge=1, description="Most bytes a page.")
    snapshot_ids: list[Text] | None = Field(None, description="Ids or URLs to archive again.")

    def check(self) -> None:
        # 0.9.31 makes a page of `file:///etc/passwd`, and of any text: addresses are checked here.
        for url in self.urls:
            check_web_address(url)
        beside = [name for name in _ARCHIVING if getattr(self, name)]
        if self.index_only and beside:
            raise Failure(
                Code.INVALID_ARGUMENT,
                f"`index_only` archives nothing: {', '.join(beside)} would do nothing.",
                "Leave them out, or leave out `index_only`.",
            )

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
        body = self.require_supported(context.description, self.body())
        self._refuse_slow(context.description)
        api, tags = context.api, split_tags(self.tag)
        known = await find_known(api, self.urls)
        # Both lines of 0.9 take `index_only`, and archive all the same.
        if self.index_only and context.description.has(CREATE):
            return whole(await list_only(api, self.urls, known, tags))
        report = self.present(await self.send(api, body))
        keeps = keeps_known(
            api, only_new=self.only_new, anew=bool(self.update or self.snapshot_ids)
        )
        notes = describe_known(known, keeps=keeps)
        if keeps:
            notes += await tag_all(api, select_same(known), tags)
        return whole(add_notes({**report, **show_known(known)}, notes))

    def _refuse_slow(self, description: Description) -> None:
        count = len(self.urls)
        # Listing alone sends one after the other, and says where time ran out.
        if self.index_only or count <= _MOST_SLOW or not adds_slowly(description):
            return
        raise Failure(
            Code.INVALID_ARGUMENT,
            f"ArchiveBox {description.version} takes up to 2 s for each URL that is added: {count} "
            "would outlast the call. Nothing was added.",
            f"Add at most {_MOST_SLOW} at once, or use {{save}} with action save, which adds any "
            "number in parts.",
        )

    def present(self, match: Any) -> dict[str, Any]:
        # 0.9.73 adds in the background: it lists no pages yet, and the crawl's id leads to them.
        result = get_command_report(match)
        # 0.8.5 lists the pages instead.
        listed = filter(None, map(methodcaller("get", "id"), get_command_rows(match)))
        return {
            "crawl_id": result.get("crawl_id"),
            "snapshot_ids": result.get("snapshot_ids") or list(listed),
            "queued": len(dict.fromkeys(self.urls)),
        }


def adds_slowly(description: Description) -> bool:
    """Return whether this version makes the pages of an add before it answers, 0.7 to 2 s each
    (0.9.31); later ones do that in the background."""
    return description.has("GET /crawls/crawls") and not description.takes(
        Add.operation, "only_new"
    )


async def list_only(
    api: ArchiveBoxApi, urls: list[str], known: dict[str, Json], tags: list[str]
) -> Json:
    """List URLs without archiving them: each as a page that is sealed from its start, all in one
    crawl. Known ones stay as they are, and get the tags."""
    new = [url for url in dict.fromkeys(urls) if url not in known]
    ids: list[str] = []
    crawl: dict[str, Any] = {}
    for url in new:
        if api.deadline - api.client.now() < _RESERVE_SECONDS:
            break
        body = {"url": url, "status": "sealed", "tags": tags, **crawl}
        page = await api.change(
            "POST", "/core/snapshots", body, repeatable=False, verify=Add.verify
        )
        ids.append(str(page["id"]))
        if not crawl and page.get("crawl_id"):
            crawl = {"crawl_id": page["crawl_id"]}
    notes = [
        f"{len(ids)} pages are listed, and nothing of them is archived. To archive them later, add "
        "them with `update: true`, which makes a copy of each."
    ]
    if left := len(new) - len(ids):
        notes.append(f"Time ran out for {left} more: add the same URLs again to list the rest.")
    notes += await tag_all(api, known, tags)
    return {
        "crawl_id": crawl.get("crawl_id"),
        "snapshot_ids": ids,
        "queued": 0,
        **show_known(known),
        "notes": notes,
    }
