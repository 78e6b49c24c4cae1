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
from server.archivebox.filters import FilterType
from server.archivebox.pagination import Record
from server.errors import Code, Failure
from server.text import count_noun, show_page
from server.tool.confirmation import Preview
from server.tool.request import Risk
from server.tool.result import Result, whole
from tools.archivebox.cli.filters import Filters, run_command
from tools.archivebox.patterns import find_matches, matches
from tools.archivebox.records import Deleted
from tools.archivebox.removal import delete_page, describe_removal

_SHOWN = 10
# One request each, about 0.1 s: they have to fit into one call.
_MOST_REMOVED = 200
_SINGLE = (Code.NOT_FOUND, Code.REJECTED, Code.UNAVAILABLE)
"""Failures to delete one page that say nothing about the next."""


class Remove(Filters, Confirmed[Deleted]):
    """Delete all saved pages whose URL, domain or tag matches, with their files, for good. The
    user is asked first. For one page use archivebox_delete_snapshot."""

    operation = "POST /cli/remove"
    title = "Delete matching pages"
    search_hint = (
        "delete pages by address, delete all bookmarks from a domain, remove pages matching a "
        "pattern, regex, everything under a url, delete pages saved before a date, purge a site, "
        "get rid of all pages of, delete whatever matches, all urls that contain, remove all "
        "pages whose address, by regex, by domain, everything on example.com, delete by pattern, "
        "between dates, delete all pages I saved from, pages I saved"
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

    async def preview(self, context: ArchiveBoxContext) -> Preview:
        # A little more than are deleted here: to count all would take the server minutes.
        self._matches, is_all = await find_matches(
            context.api, self.patterns(), self.times(), {}, _MOST_REMOVED
        )
        if not self._matches:
            raise Failure(
                Code.NOT_FOUND,
                "No saved page matches. Nothing was deleted.",
                "Search first: {POST /cli/search}.",
            )
        if not is_all:
            raise Failure(
                Code.INVALID_ARGUMENT,
                f"More than {_MOST_REMOVED} saved pages match; so many are deleted at once. "
                "Nothing was deleted.",
                "Narrow the patterns, or use {remove_snapshots}, which counts and deletes any "
                "number by `query`.",
            )
        return _preview(self._matches, describe_removal(context.description))

    async def run(self, context: ArchiveBoxContext) -> Result:
        # The command itself is avoided: without patterns it deletes everything, and where nothing
        # matches it stops the server's web process.
        if context.description.has("DELETE /core/snapshot/{}"):
            return whole(await _delete_each(context.api, self._matches))
        return whole(await self._remove_exactly(context.api, self._matches))

    async def _remove_exactly(self, api: ArchiveBoxApi, result: list[Record]) -> dict[str, Any]:
        """0.8.5 has no other way: exact timestamps just seen, never a pattern; then what is left is
        looked at."""
        timestamps = [str(entry["timestamp"]) for entry in result]
        body = {"filter_type": "timestamp", "filter_patterns": timestamps, "delete": True}
        reason = "It is still there."
        try:
            await run_command(self, api, self.require_supported(api.description, body))
        except Failure as failure:
            # It says less than a look at what is left: some of its failures come after the work.
            if failure.code is not Code.OUTCOME_UNKNOWN:
                raise
            reason = failure.message
        left = {
            str(match["timestamp"])
            for match in await matches(api, self.patterns(), self.times(), {})
        }
        failed = [
            {"timestamp": timestamp, "reason": reason}
            for timestamp in timestamps
            if timestamp in left
        ]
        if len(failed) == len(result):
            raise Failure(
                Code.UNAVAILABLE,
                f"ArchiveBox {api.description.version} could not delete them, and all are still "
                f"there. {reason}",
                "The user deletes them in ArchiveBox's own interface, or updates it.",
            )
        return {"deleted": len(result) - len(failed), "queued": 0, "failed": failed}


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
    note = describe_removal(api.description)
    return {**counts, "failed": failed, **({"notes": [note]} if note else {})}


def _preview(result: list[Record], note: str) -> Preview:
    shown = [show_page(page["url"], page.get("title")) for page in result[:_SHOWN]]
    visible = ", ".join(shown[:5]) + (", ..." if len(result) > 5 else "")
    ids = [str(entry.get("id") or entry["timestamp"]) for entry in result]
    return Preview(
        f"Delete {count_noun(len(result), 'saved page')} with all files: "
        f"{visible}?{note and f' {note}'}",
        {"snapshots": len(result), "first": shown, "ids": ids},
    )
