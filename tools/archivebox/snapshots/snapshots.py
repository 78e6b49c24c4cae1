"""Saved pages: find, look at, add, change, delete."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from server import wall_clock
from server.archivebox.api import ArchiveBoxApi
from server.archivebox.context import ArchiveBoxContext
from server.archivebox.endpoints import Change, Confirmed, Get, Many, MayConfirm, Text
from server.archivebox.moments import At, From, split_exact
from server.archivebox.openapi import Description
from server.archivebox.pagination import LARGEST_PAGE, Fetch, Keep, Record, keep_all, read
from server.archivebox.verdict import read_verdict
from server.errors import Code, Failure
from server.http.urls import check_web_address
from server.text import show_page, show_url
from server.tool.confirmation import Preview
from server.tool.request import Risk
from server.tool.result import Result, drop_nulls, whole
from tools.archivebox import records
from tools.archivebox.known import add_tags, find_known
from tools.archivebox.listing import pages, stored_tags, stored_urls
from tools.archivebox.records import Deleted, Snapshot
from tools.archivebox.removal import (
    LATER,
    describe_removal,
    leaves_files,
    remove_with_files,
    require_deletion,
    warn_of_return,
)
from tools.archivebox.shapes import add_notes
from tools.archivebox.snapshots.lookup import one_snapshot, read_snapshot
from tools.archivebox.snapshots.outcomes import Judging
from tools.archivebox.tag_names import TagName

Status = Literal[
    "queued", "started", "paused", "sealed", "deleting", "succeeded", "partly", "failed", "unknown"
]

# Read from the outputs: the server answers these with a 400, as no status of a page. By status, the
# verdicts that it stands for.
_OUTCOMES = {
    "succeeded": ("saved", "partly"),
    "partly": ("partly",),
    "failed": ("failed",),
    "unknown": ("unknown",),
}
_WITH_RESULTS = 50
"""Snapshots a page when their results are needed too: 7 kB each."""


class ListSnapshots(Many[Snapshot]):
    """List pages saved in ArchiveBox (the self-hosted web archive), such as bookmarks and
    articles, oldest first. Status failed answers which failed and why (no output holds the page);
    succeeded means one does (partly: another failed). For a page's text use
    archivebox_read_snapshot, for URL patterns archivebox_search."""

    operation = "GET /core/snapshots"
    title = "List saved pages"
    always_loaded = True
    search_hint = (
        "articles I saved, which pages did I save this week, today, last month, how many pages, "
        "list of saved links, which failed and why, pages with a label, domain, still waiting, "
        "newest bookmarks, is this url saved already, recently saved, everything from a site, "
        "pages with tag, which pages are broken, not saved, pending, oldest, added since, unread, "
        "count of saved pages, saved in 2024, titles, do I have anything from this site, "
        "newspaper.com, from 2020, stored, saved copy of, what web pages did we save, do we have "
        "a copy, landing page, homepage, about, bookmarked, latest saves, yesterday, in my "
        "archive, unfinished, which pages did I keep, addresses archived"
    )
    core = True

    search: Text | None = Field(
        None, description="Words in URL, title or tags (0.9.73: also content)."
    )
    search_mode: Literal["meta", "contents", "deep"] | None = Field(
        None, description="Where `search` looks (0.9.73)."
    )
    status: Status | None = Field(None, description="Status of the work, or the outcome.")
    crawl_id: Text | None = Field(None, description="Only pages of this crawl (0.9.74).")
    tag: Text | None = Field(None, description="Name of a tag (label).")
    url: Text | None = Field(None, description="URL, in any spelling.")
    # `title` is the tool's own, for people.
    title_: Text | None = Field(None, alias="title", description="Part of the title.")
    id: Text | None = Field(None, description="Part of id or timestamp.")
    timestamp: Text | None = Field(None, description="Beginning of the timestamp.")
    created_by_id: Text | None = Field(None, description="Id of who saved it.")
    created_by_username: Text | None = Field(None, description="Part of the name of who saved it.")
    created_at: At | None = Field(None, description="Saved at this time.")
    created_at__gte: From | None = Field(None, description="Saved from this time on.")
    created_at__lt: From | None = Field(None, description="Saved before this time.")
    modified_at: At | None = Field(None, description="Changed at this time.")
    modified_at__gte: From | None = Field(None, description="Changed from this time on.")
    modified_at__lt: From | None = Field(None, description="Changed before this time.")
    bookmarked_at__gte: From | None = Field(None, description="Bookmarked from this time on.")
    bookmarked_at__lt: From | None = Field(None, description="Bookmarked before this time.")
    with_archiveresults: bool = Field(False, description="Add their outputs (7 kB a page).")

    async def run(self, context: ArchiveBoxContext) -> Result:
        arguments = self.model_dump(
            exclude_unset=True,
            exclude_none=True,
            by_alias=True,
            exclude={"fields", "limit", "after", "offset", "status"},
        )
        params = self.require_supported(context.description, split_exact(arguments))
        keep = self._find_keep(context.api)
        if keep is keep_all:
            params |= drop_nulls({"status": self.status})
        page = LARGEST_PAGE
        if self._needs_outputs():
            params["with_archiveresults"] = True
            page = _WITH_RESULTS
        fetch = await self._pages(context.api, params)
        if self._needs_outputs():
            fetch = Judging(context.api, fetch).fetch
        return await read(self, context.api, fetch, keep=keep, page=page)

    def one(self, record: Record) -> Record:
        result = records.snapshot(record)
        if not (self.with_archiveresults or self.has_field("archiveresults")):
            result.pop("archiveresults", None)
        return result

    def _needs_outputs(self) -> bool:
        if self.with_archiveresults or self.status in _OUTCOMES:
            return True
        return self.has_field("archiveresults", "outcome", "reason", "failures")

    def notes(self, description: Description) -> list[str]:
        if self.status in _OUTCOMES:
            return [
                f"Outcome {self.status} was read from each page's outputs; the other filters "
                "are the page's own."
            ]
        if self.status and not description.takes(self.operation, "status"):
            return [
                f"This ArchiveBox ({description.version}) cannot filter by status: it was "
                "filtered here."
            ]
        return []

    async def _pages(self, api: ArchiveBoxApi, params: Record) -> Fetch:
        """Return the reader of the pages: the server compares addresses and tags letter by letter,
        so that it is asked for each spelling that it has."""
        tags = await stored_tags(api, params.pop("tag")) if self.tag else []
        urls = await stored_urls(api, params.pop("url")) if self.url else []
        return pages(api, params, urls=urls, tags=tags)

    def _outcome(self, record: Record) -> bool:
        return record["outcome"] in _OUTCOMES[str(self.status)]

    def _find_keep(self, api: ArchiveBoxApi) -> Keep:
        """Return what tells the status of a page here, where the server does not filter by it."""
        if self.status in _OUTCOMES:
            return self._outcome
        # Before 0.9.73 the server ignores this filter without a word.
        if self.status is None or api.description.takes(self.operation, "status"):
            return keep_all
        if not api.description.has("PATCH /core/snapshot/{}"):
            raise Failure(
                Code.UNSUPPORTED,
                f"Pages of this ArchiveBox ({api.description.version}) have no status.",
                "Ask for status failed or succeeded, which is read from their outputs.",
            )
        return lambda record: record.get("status") == self.status


class GetSnapshot(Get[Snapshot]):
    """Get one saved page by id (or a unique part), timestamp or URL, with its outputs, their
    status, and whether it is saved (`outcome`). For its text use archivebox_read_snapshot."""

    operation = "GET /core/snapshot/{snapshot_id}"
    title = "Get a saved page"
    search_hint = (
        "details of one saved page, when did I save it, how big is it, title, date, labels of a "
        "page, outputs of a page, status of one bookmark, did the capture succeed, formats, info "
        "about a saved page, do I have a pdf of it, is there a screenshot, is it complete, file "
        "size, stored, do we have a copy, landing page, how big on disk, when was this address "
        "archived, did it work"
    )

    snapshot_id: Text = Field(description="Id or unique part of it, timestamp or URL.")
    with_archiveresults: bool = Field(True, description="Add the page's outputs.")

    async def run(self, context: ArchiveBoxContext) -> Result:
        snapshot = await one_snapshot(
            context.api, self.snapshot_id, with_archiveresults=self.with_archiveresults
        )
        if not self.with_archiveresults:
            return whole(records.snapshot(snapshot))
        # What only a file of the page tells, such as the answer of the site, is read too.
        verdict = records.describe_verdict(snapshot, await read_verdict(context.api, snapshot))
        return whole({**verdict, **records.snapshot(snapshot)})


class CreateSnapshot(Change[Snapshot]):
    """Save one page in ArchiveBox. 0.9.73 returns the existing one if the URL is known. For
    several pages, or a new copy, use archivebox_add."""

    operation = "POST /core/snapshots"
    title = "Save a page"
    search_hint = (
        "bookmark this link, keep this article, archive this url, https, preserve a page, with a "
        "title, label, clip, capture one address, add one bookmark, single page, put it in my "
        "archive, before they change it, save this article for me, archive this page, save this "
        "url"
    )
    risk: ClassVar[Risk] = "adds"
    repeatable = False
    since = "0.9.31"
    use = "Use {POST /cli/add}."
    verify = "list with `url` ({GET /core/snapshots})."

    url: Text = Field(description="The http(s) URL.")
    crawl_id: Text | None = Field(None, description="Id of a crawl to put it into.")
    depth: int | None = Field(None, ge=0, le=4, description="Levels of links to follow.")
    title_: Text | None = Field(None, alias="title", description="Title of the page.")
    tags: list[TagName] | None = Field(None, description="Names of tags (labels).")
    status: Literal["queued", "sealed"] | None = Field(
        None, description="`sealed` lists it without archiving; `queued` archives."
    )

    def check(self) -> None:
        # 0.9.31 makes a page of any text.
        check_web_address(self.url)

    def request_values(self) -> dict[str, Any]:
        return _alias(super().request_values())

    async def run(self, context: ArchiveBoxContext) -> Result:
        body = self.require_supported(context.description, self.body())
        known = await find_known(context.api, [self.url])
        answer = await self.send(context.api, body)
        existing = known.get(self.url)
        # In another crawl 0.9.31 makes another copy, and 0.9.73 gives back the one there is.
        if existing is None or existing.get("id") != answer["id"]:
            return whole(records.snapshot(answer))
        notes = ["The page was saved before: this is that copy, and none was made."]
        if await add_tags(context.api, answer, self.tags or []):
            notes.append("The tags were put on it.")
            answer = await read_snapshot(context.api, str(answer["id"]), with_archiveresults=False)
        return whole({**records.snapshot(answer), "notes": notes})


class UpdateSnapshot(MayConfirm[Snapshot]):
    """Change a saved page's work status, retry time or tags. `queued` runs what has not run yet;
    `sealed` stops. `tags` replaces all; the result says which; 0.9.73 keeps the crawl's own. To
    take one tag off use archivebox_untag_snapshot."""

    operation = "PATCH /core/snapshot/{snapshot_id}"
    title = "Change a saved page"
    search_hint = (
        "resume a page, stop archiving one page, retry one page, replace all labels of a page, "
        "set labels, change status of a saved page, requeue, queue again, later, pause saving "
        "this page, stop working on the page, hold, try again tomorrow, swap labels, don't bother "
        "with that page any more, anymore, mark the page as done, stuck page, give up on one "
        "page, leave it, skip the page, seal, unqueue, no need to archive it any more, fix, read, "
        "set"
    )
    risk: ClassVar[Risk] = "changes"
    repeatable = True
    since = "0.9"
    verify = "get the snapshot again ({GET /core/snapshot/{snapshot_id}})."

    snapshot_id: Text = Field(description="Id, unique part of it, or URL.")
    # Not `deleting`: 0.9.73 would delete the page with its files in seconds, and ask nobody.
    status: Literal["queued", "started", "paused", "sealed"] | None = Field(
        None, description="New status of the work."
    )
    action: Literal["pause", "resume", "cancel"] | None = Field(
        None, description="The same, as a verb (0.9.73)."
    )
    retry_at: From | None = Field(None, description="When to try again.")
    tags: list[TagName] | None = Field(None, description="All its tags, by name.")
    if_status: Status | None = Field(None, description="Only if its status is this.")
    # Explicit, because clients send an empty list for tags that a model left out.
    clear: list[Literal["tags"]] | None = Field(None, description="Takes all tags off; asks first.")

    def check(self) -> None:
        if not any((self.status, self.action, self.retry_at, self.tags, self.clear)):
            raise Failure(
                Code.INVALID_ARGUMENT,
                "Nothing to change was given.",
                "Set status, action, retry_at or tags.",
            )

    async def preview(self, context: ArchiveBoxContext) -> Preview | None:
        """Return which tags `clear` would take off; other changes ask nobody."""
        if not self.clear:
            return None
        snapshot = await one_snapshot(context.api, self.snapshot_id)
        tags = snapshot.get("tags") or []
        return Preview(
            f"Take all {len(tags)} tags off the saved page {show_url(snapshot['url'])}?",
            {"id": snapshot["id"], "tags": tags},
        )

    async def run(self, context: ArchiveBoxContext) -> Result:
        snapshot = await one_snapshot(context.api, self.snapshot_id)
        if self.if_status and snapshot.get("status") != self.if_status:
            raise Failure(
                Code.REJECTED,
                f"The snapshot's status is {snapshot.get('status')} by now, not "
                f"{self.if_status}. Nothing was changed.",
                "Look at it again before deciding.",
            )
        body = self.request_values()
        body.pop("if_status", None)
        if body.pop("clear", None):
            body["tags"] = []
        if self.status == "queued" and self.retry_at is None:
            # Queued alone would stay queued for ever: the runner looks for a retry time.
            body["retry_at"] = wall_clock.utc_now().isoformat(timespec="seconds")
        # The server answers a part of an id that fits several with a 503.
        self.snapshot_id = str(snapshot["id"])
        await self.send(context.api, self.require_supported(context.description, body))
        # 0.9.31 answers with what was sent, and not with what it stored.
        stored = await read_snapshot(context.api, self.snapshot_id, with_archiveresults=False)
        answer = records.snapshot(stored)
        if "tags" in body:
            answer["replaced"] = {"tags": snapshot.get("tags") or []}
        return whole(add_notes(answer, records.describe_differences(body, stored)))


class DeleteSnapshot(Confirmed[Deleted]):
    """Delete one saved page and its files, for good. The user is asked first."""

    operation = "DELETE /core/snapshot/{snapshot_id}"
    title = "Delete a saved page"
    search_hint = (
        "remove a bookmark, get rid of one page, erase, bin, trash, don't want it saved any more, "
        "private page, for good, delete that page from my archive, forget this page, remove this "
        "article, copy of my, throw out, our copy, single page, saved by accident"
    )
    risk: ClassVar[Risk] = "removes"
    repeatable = True
    since = "0.9.31"
    verify = "get the snapshot again: gone, or with status deleting, is deleted."

    snapshot_id: Text = Field(description="Id, unique part of it, or URL.")

    async def prepare(self, context: ArchiveBoxContext) -> None:
        require_deletion(context.description)
        await super().prepare(context)
        # Here, so that question and deletion are about one and the same page.
        self.snapshot_id = str((await one_snapshot(context.api, self.snapshot_id))["id"])

    async def preview(self, context: ArchiveBoxContext) -> Preview:
        snapshot = await one_snapshot(context.api, self.snapshot_id)
        notes = [
            describe_removal(context.description),
            await warn_of_return(context.api, snapshot),
        ]
        return Preview(
            f"Delete the saved page {show_page(snapshot['url'], snapshot.get('title'))} with all "
            f"its files?{''.join(f' {note}' for note in notes if note)}",
            {
                "snapshots": 1,
                "id": snapshot["id"],
                "url": snapshot["url"],
                "title": snapshot.get("title"),
            },
        )

    async def run(self, context: ArchiveBoxContext) -> Result:
        # Here a DELETE would remove the page from the list and leave its files on the disk.
        if leaves_files(context.description):
            page = await one_snapshot(context.api, self.snapshot_id)
            return whole(await remove_with_files(context.api, page))
        report = await self.send(context.api, {})
        return whole({**report, "notes": [LATER]})


class GetAny(Get[Snapshot]):
    """Get the object behind an id of unknown kind: snapshot, archive result, tag or crawl."""

    operation = "GET /core/any/{id}"
    title = "Get any object"
    search_hint = (
        "unknown id, identify, which thing does the id belong to, look up an id, id 0192, uuid, "
        "page, crawl, label or result, I only have an id, what does this id stand for, some id "
        "from a log"
    )

    id: Text = Field(description="The id, or a unique part of it.")

    def present(self, result: Any) -> dict[str, Any]:
        return records.any_object(result)


def _alias(values: dict[str, Any]) -> dict[str, Any]:
    return {name.rstrip("_"): value for name, value in values.items()}
