"""ArchiveBox's commands over REST: add, update, schedule, search, remove."""

from __future__ import annotations

import re
import time
from typing import Any, ClassVar, Literal

from pydantic import Field, PrivateAttr

from server.archivebox.endpoints import (
    Box,
    BoxRequest,
    Change,
    Confirmed,
    Many,
    Text,
)
from server.archivebox.failures import command
from server.archivebox.pagination import Record, read, whole_list
from server.errors import Code, Failure
from server.http.urls import check_web_address
from server.tool.confirmation import Preview
from server.tool.request import Risk
from server.tool.result import Result, whole
from tools.archivebox import records
from tools.archivebox.patterns import MOST, matches
from tools.archivebox.records import Deleted, Report, Snapshot

FilterType = Literal["exact", "substring", "regex", "domain", "tag", "timestamp"]
"""All there are: any other one takes the server's web process down."""

_DAY = 86_400
_MOST_REMOVED = 200
_SINGLE = (Code.NOT_FOUND, Code.REJECTED, Code.UNAVAILABLE)
"""Failures to delete one page that say nothing about the next."""
_CRON = re.compile(r"(minute|hour|day|week|month|year|(\S+\s+){4}\S+)\Z")


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
    snapshot_ids: list[Text] | None = Field(None, description="Archive these again")

    def check(self) -> None:
        for url in self.urls:
            check_web_address(url)

    def known_to(self, box: Box, values: dict[str, Any]) -> dict[str, Any]:
        if "plugins" in values and not box.api.takes(self.operation, "plugins"):
            values = {**values, "extractors": values["plugins"]}
            del values["plugins"]
        return super().known_to(box, values)

    def told(self, found: Any) -> dict[str, Any]:
        result = command(found)
        told: dict[str, Any] = {"crawl_id": None, "snapshot_ids": [], "queued_urls": self.urls}
        if isinstance(result, dict):
            told |= {
                name: result[name]
                for name in ("crawl_id", "snapshot_ids", "queued_urls")
                if result.get(name)
            }
        elif isinstance(result, list):
            told["snapshot_ids"] = [
                each["id"] for each in result if isinstance(each, dict) and "id" in each
            ]
        return told


class Filters(BoxRequest[Any]):
    """The filters that several commands share."""

    filter_type: FilterType = Field("substring", description="How patterns match")
    after_: float | None = Field(None, alias="bookmarked_after", description="Unix seconds")
    before_: float | None = Field(None, alias="bookmarked_before", description="Unix seconds")

    def patterns(self) -> list[str]:
        """The patterns that were given."""
        return list(getattr(self, "filter_patterns", None) or [])

    def check(self) -> None:
        super().check()
        for pattern in self.patterns() if self.filter_type == "regex" else []:
            try:
                re.compile(pattern)
            except re.error as error:
                raise Failure(
                    Code.INVALID_ARGUMENT,
                    f"{pattern!r} is not a regular expression: {error}.",
                    "Correct the pattern.",
                ) from None

    def filters(self) -> dict[str, Any]:
        """The filters as the command takes them."""
        times = {"after": self.after_, "before": self.before_}
        return {
            "filter_type": self.filter_type,
            **{name: each for name, each in times.items() if each is not None},
        }


class Update(Filters, Change[Report]):
    """Run what has not run yet for the matching pages, or bring their index up to date."""

    operation = "POST /cli/update"
    title = "Complete saved pages"
    risk: ClassVar[Risk] = "changes"
    repeatable = True
    verify = "look at the pages' outputs ({GET /core/archiveresults})."

    filter_patterns: list[Text] = Field(min_length=1, description="Which pages")
    index_only: bool | None = Field(None, description="Only the index")

    async def run(self, box: Box) -> Result:
        body = {"filter_patterns": self.filter_patterns, **self.filters()}
        if self.index_only is not None:
            body["index_only"] = self.index_only
        if "before" not in body:
            # The default of 0.9.31 is a moment beyond the calendar, which it then cannot read
            # itself.
            body["before"] = int(time.time()) + _DAY
        found = await _done(self, box, self.known_to(box, body))
        return whole(found if isinstance(found, dict) else {"result": found})


class Schedule(Confirmed[Report]):
    """Show, add or clear the schedule of pages that ArchiveBox saves regularly. The user is asked
    before changes."""

    operation = "POST /cli/schedule"
    title = "Schedule saving"
    risk: ClassVar[Risk] = "changes"
    repeatable = False
    verify = "show the schedule."

    show: bool = Field(False, description="Only show it")
    import_path: Text | None = Field(None, description="URL to save")
    every: Text | None = Field(None, description="hour, day, week, month, or cron")
    depth: int | None = Field(None, ge=0, le=4, description="Levels of links to follow")
    tag: Text | None = Field(None, description="Tag names with commas")
    clear: bool = Field(False, description="Delete all schedules")

    def check(self) -> None:
        wanted = [self.show, self.clear, self.import_path is not None]
        if sum(wanted) != 1:
            raise Failure(
                Code.INVALID_ARGUMENT,
                "Give exactly one of `show`, `clear` and `import_path`.",
                "One call does one thing.",
            )
        if self.import_path:
            check_web_address(self.import_path)
            if not self.every or not _CRON.match(self.every):
                raise Failure(
                    Code.INVALID_ARGUMENT,
                    "`every` must be minute, hour, day, week, month, year, or a cron expression of five fields.",
                    "For example day.",
                )

    async def run(self, box: Box) -> Result:
        if not box.api.takes(self.operation, "show"):
            raise Failure(
                Code.UNSUPPORTED,
                f"The schedule command of ArchiveBox {box.api.version} fails on this route, whatever it is sent.",
                "The user schedules on the server itself, or updates ArchiveBox.",
            )
        body = self.known_to(box, {**self.given(), **({"add": True} if self.import_path else {})})
        if not self.show:
            await self.confirm_with(box, await self.preview(box))
        found = command(await self.sent(box, body))
        return whole(found if isinstance(found, dict) else {"schedules": found})

    async def preview(self, box: Box) -> Preview:
        if self.clear:
            ids = await self._active(box)
            return Preview(
                f"Delete all schedules of ArchiveBox ({len(ids)})?",
                {"clear": True, "schedules": ids},
            )
        return Preview(
            f"Save {self.import_path} every {self.every} from now on (links followed: {self.depth or 0} levels)?",
            {
                "import_path": self.import_path,
                "every": self.every,
                "depth": self.depth or 0,
                "tag": self.tag,
            },
        )

    async def _active(self, box: Box) -> list[str]:
        """The ids of the schedules that there are."""
        found = command(
            await box.change("POST", self.path(), {"show": True}, repeatable=True, verify="")
        )
        return (
            sorted(map(str, found.get("active_schedule_ids") or []))
            if isinstance(found, dict)
            else []
        )


class Search(Filters, Many[Snapshot]):
    """Search saved pages by patterns in their URL, or by tag, domain or timestamp; 0.9.73 takes all
    arguments and also searches what pages say (`search` contents). More filters:
    archivebox_list_snapshots."""

    operation = "POST /cli/search"
    title = "Search saved pages by pattern"

    filter_patterns: list[Text] | None = Field(None, description="Patterns; none = all")
    search: Literal["meta", "contents", "deep"] | None = Field(None, description="Where to look")
    status: Text | None = Field(None, description="queued, started, paused or sealed")
    tag: Text | None = Field(None, description="Tag name")
    crawl_id: Text | None = Field(None, description="Crawl")
    url__icontains: Text | None = Field(None, description="Part of the URL")
    url__istartswith: Text | None = Field(None, description="Start of the URL")
    sort: Text | None = Field(None, description="For example -bookmarked_at")
    _capped: bool = PrivateAttr(False)

    async def perform(self, box: Box) -> Result:
        return await self.run(box)

    async def run(self, box: Box) -> Result:
        wanted = (
            "search",
            "status",
            "tag",
            "crawl_id",
            "url__icontains",
            "url__istartswith",
            "sort",
        )
        more = {name: getattr(self, name) for name in wanted if getattr(self, name) is not None}
        found = await matches(box, self.patterns(), self.filters(), more)
        self._capped = len(found) >= MOST
        return await read(self, box, whole_list(found))

    def notes(self, box: Box) -> list[str]:
        return (
            [f"A search ends at {MOST} pages; there may be more: narrow it."]
            if self._capped
            else []
        )

    def one(self, record: Record) -> Record:
        return records.snapshot(record)


class Remove(Filters, Confirmed[Deleted]):
    """Delete all saved pages that match, with their files, for good. The user is asked first. One
    page: archivebox_delete_snapshot."""

    operation = "POST /cli/remove"
    title = "Delete matching pages"
    risk: ClassVar[Risk] = "removes"
    repeatable = True
    verify = "search again ({POST /cli/search})."

    filter_patterns: list[Text] = Field(min_length=1, description="Which pages")
    filter_type: FilterType = Field("exact", description="How patterns match")

    async def run(self, box: Box) -> Result:
        found = await matches(box, self.filter_patterns, self.filters(), {})
        if not found:
            raise Failure(
                Code.NOT_FOUND,
                "No saved page matches. Nothing was deleted.",
                "Search first: {POST /cli/search}.",
            )
        if len(found) > _MOST_REMOVED:
            raise Failure(
                Code.INVALID_ARGUMENT,
                f"{len(found)} saved pages match; at most {_MOST_REMOVED} are deleted at once. Nothing was deleted.",
                "Narrow the patterns, or delete in several steps.",
            )
        await self.confirm_with(box, _preview(found))
        if box.api.has("DELETE /core/snapshot/{}"):
            return whole(await _delete_each(box, found))
        return whole(await self._remove_exactly(box, found))

    async def _remove_exactly(self, box: Box, found: list[Record]) -> dict[str, Any]:
        """0.8.5 has no other way: exact timestamps just seen, never a pattern; then what is left is
        looked at."""
        timestamps = [str(each["timestamp"]) for each in found]
        body = {"filter_type": "timestamp", "filter_patterns": timestamps, "delete": True}
        reason = "It is still there."
        try:
            await _done(self, box, self.known_to(box, body))
        except Failure as failure:
            # It says less than a look at what is left: some of its failures come after the work.
            if failure.code is not Code.OUTCOME_UNKNOWN:
                raise
            reason = failure.message
        left = {
            str(each["timestamp"])
            for each in await matches(box, self.filter_patterns, self.filters(), {})
        }
        failed = [{"timestamp": each, "reason": reason} for each in timestamps if each in left]
        if len(failed) == len(found):
            raise Failure(
                Code.UNAVAILABLE,
                f"ArchiveBox {box.api.version} could not delete them, and all are still there. {reason}",
                "The user deletes them in ArchiveBox's own interface, or updates it.",
            )
        return {"deleted": len(found) - len(failed), "queued": 0, "failed": failed}


async def _done(request: Change[Any], box: Box, body: dict[str, Any]) -> Any:
    """The result of a command; 0.8.5 does it and then fails to write down what it did."""
    try:
        return command(await request.sent(box, body))
    except Failure as failure:
        if "is not JSON serializable" not in failure.message:
            raise
        return {"notes": [f"ArchiveBox {box.api.version} did it, and cannot say more about it."]}


async def _delete_each(box: Box, found: list[Record]) -> dict[str, Any]:
    """Delete one after the other; what was done before a failure that would meet them all is still
    reported."""
    counts = {"deleted": 0, "queued": 0}
    failed: list[dict[str, Any]] = []
    for number, each in enumerate(found):
        try:
            done = await box.change(
                "DELETE",
                f"/core/snapshot/{each['id']}",
                None,
                repeatable=True,
                verify="search again.",
            )
        except Failure as failure:
            if number == 0 and failure.code not in _SINGLE:
                raise
            failed.append({"id": each["id"], "reason": failure.message})
            if failure.code in _SINGLE:
                continue
            failed += [
                {"id": left["id"], "reason": "Not tried after that."}
                for left in found[number + 1 :]
            ]
            break
        counts["deleted"] += bool(done.get("deleted_count"))
        counts["queued"] += bool(done.get("queued_count"))
    return {**counts, "failed": failed}


def _preview(found: list[Record]) -> Preview:
    titles = [str(each.get("title") or each.get("url")) for each in found]
    shown = "; ".join(titles[:5]) + ("; ..." if len(titles) > 5 else "")
    ids = [str(each.get("id") or each["timestamp"]) for each in found]
    return Preview(
        f"Delete {len(found)} saved page{'s' if len(found) > 1 else ''} with all files: {shown}?",
        {"snapshots": len(found), "first": titles[:10], "ids": ids},
    )
