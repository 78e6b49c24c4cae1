"""Delete matching pages: `archivebox remove`."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field, PrivateAttr

from server.archivebox.api import ArchiveBoxApi
from server.archivebox.context import ArchiveBoxContext
from server.archivebox.endpoints import (
    Confirmed,
    Text,
)
from server.archivebox.filters import FilterType, Patterns
from server.archivebox.pagination import Record
from server.errors import Code, Failure
from server.text import count_noun, show_page
from server.tool.confirmation import Preview
from server.tool.request import Risk
from server.tool.result import Result, whole
from tools.archivebox.cli.filters import Filters
from tools.archivebox.command import has_fast_search
from tools.archivebox.patterns import find_matches, find_urls
from tools.archivebox.records import Deleted
from tools.archivebox.removal import delete_page, describe_removal, require_deletion
from tools.archivebox.shapes import add_notes, list_first

_SHOWN, _IN_QUESTION = 10, 5
# One request each, about 0.1 s: they have to fit into one call.
_MOST_REMOVED = 200
_SINGLE = (Code.NOT_FOUND, Code.REJECTED, Code.UNAVAILABLE)
"""Failures to delete one page that say nothing about the next."""


class Remove(Filters[Deleted], Confirmed[Deleted]):
    """Delete all saved pages whose URL, domain or tag matches, with their files, for good. The
    user is asked first. For one page use archivebox_delete_snapshot."""

    operation = "POST /cli/remove"
    title = "Delete matching pages"
    search_hint = (
        "delete pages by address, delete all bookmarks from a domain, remove pages matching a "
        "pattern, regex, everything under a url, delete pages saved before a date, purge a site, "
        "get rid of all pages of, delete whatever matches, all urls that contain, everything on "
        "example.com, between dates, wipe every stored page, throw out copies tagged, in one go, "
        "how many first, trash, domain, pattern, all pages from"
    )
    risk: ClassVar[Risk] = "removes"
    repeatable = True
    verify = "search again ({POST /cli/search})."

    filter_patterns: list[Text] = Field(min_length=1, description="Patterns of the pages.")
    # Exact, unlike in searches: a short pattern must not delete more than was meant.
    filter_type: FilterType = Field(
        "exact",
        description="How the patterns match.",
    )

    _matches: list[Record] = PrivateAttr(default_factory=list)
    """The pages that were shown last: exactly those are deleted."""

    def body(self) -> dict[str, Any]:
        return {}  # the pages are looked up first, and deleted one by one

    async def prepare(self, context: ArchiveBoxContext) -> None:
        require_deletion(context.description)
        await super().prepare(context)

    async def preview(self, context: ArchiveBoxContext) -> Preview:
        api, patterns, times = context.api, self.patterns(), self.times()
        # Whole pages take the server 30 ms each: they are asked for only where they are few.
        if has_fast_search(context.description):
            await _refuse_many(api, patterns, times)
        rows, is_all = await find_matches(api, patterns, times, {}, _MOST_REMOVED)
        # 0.9.73 shows a deleted page until its runner has removed it.
        self._matches = [page for page in rows if page.get("status") != "deleting"]
        if not self._matches:
            raise Failure(
                Code.NOT_FOUND,
                "No saved page matches. Nothing was deleted.",
                "Search first: {POST /cli/search}.",
            )
        if not is_all:
            raise _make_refusal(f"More than {_MOST_REMOVED}")
        return _preview(self._matches, describe_removal(context.description))

    async def run(self, context: ArchiveBoxContext) -> Result:
        # The command itself is avoided: without patterns it deletes everything, and where nothing
        # matches it stops the server's web process.
        return whole(await _delete_each(context.api, self._matches))


async def _delete_each(api: ArchiveBoxApi, result: list[Record]) -> dict[str, Any]:
    """Delete one after the other; what was done before a failure that would meet them all is still
    reported."""
    counts = {"deleted": 0, "queued": 0}
    failed: list[dict[str, Any]] = []
    for number, each in enumerate(result):
        try:
            done = await delete_page(api, each)
        except Failure as failure:
            # A failure of another kind, such as a refused key, concerns all, and nothing was done
            # yet.
            if number == 0 and failure.code not in _SINGLE:
                raise
            failed.append({"id": each["id"], "reason": failure.message})
            if failure.code in _SINGLE:
                continue
            # What kept this one from being deleted keeps the others as well.
            failed += [
                {"id": left["id"], "reason": "Not tried after that."}
                for left in result[number + 1 :]
            ]
            break
        # 0.9.73 only queues a deletion; its runner removes the page and its files a little later.
        counts["deleted"] += bool(done.get("deleted_count"))
        counts["queued"] += bool(done.get("queued_count"))
    notes = filter(None, [describe_removal(api.description)])
    return add_notes({**counts, "failed": failed}, [*notes])


async def _refuse_many(api: ArchiveBoxApi, patterns: Patterns, times: Record) -> None:
    """Count what matches, and refuse more than fits into one call.

    Raises:
        Failure: `INVALID_ARGUMENT`.
    """
    urls = await find_urls(api, patterns, times, {})
    if len(urls) > _MOST_REMOVED:
        going = await find_urls(api, patterns, times, {"status": "deleting"})
        raise _make_refusal(f"{len(urls) - len(going):,}")


def _make_refusal(count: str) -> Failure:
    """Return the failure where so many pages match that they do not fit into one call."""
    return Failure(
        Code.INVALID_ARGUMENT,
        f"{count} saved pages match; {_MOST_REMOVED} at most are deleted at once. Nothing was "
        "deleted.",
        "Narrow the patterns, or use {remove_snapshots}, which counts and deletes any number by "
        "`query`.",
    )


def _preview(result: list[Record], note: str) -> Preview:
    shown = [show_page(page["url"], page.get("title")) for page in result[:_SHOWN]]
    visible = list_first(shown, _IN_QUESTION, count=len(result))
    ids = [str(entry.get("id") or entry["timestamp"]) for entry in result]
    message = f"Delete {count_noun(len(result), 'saved page')} with all files: {visible}? {note}"
    return Preview(message.rstrip(), {"snapshots": len(result), "first": shown, "ids": ids})
