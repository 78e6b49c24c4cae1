"""ArchiveBox's commands over REST: add, update, schedule, search, remove."""

from __future__ import annotations

import re
from typing import Any, ClassVar, Literal

from pydantic import Field, PrivateAttr

from server import wall_clock
from server.archivebox.api import ArchiveBoxApi
from server.archivebox.context import ArchiveBoxContext
from server.archivebox.endpoints import (
    Change,
    Confirmed,
    EndpointRequest,
    Many,
    Text,
)
from server.archivebox.failures import command
from server.archivebox.openapi import Description
from server.archivebox.pagination import Record, read, whole_list
from server.errors import Code, Failure
from server.http.urls import http_url
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
            http_url(url)

    def require_supported(self, description: Description, values: dict[str, Any]) -> dict[str, Any]:
        if "plugins" in values and not description.takes(self.operation, "plugins"):
            values = {**values, "extractors": values["plugins"]}
            del values["plugins"]
        return super().require_supported(description, values)

    def present(self, match: Any) -> dict[str, Any]:
        result = command(match)
        report: dict[str, Any] = {"crawl_id": None, "snapshot_ids": [], "queued_urls": self.urls}
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


class Filters(EndpointRequest[Any]):
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

    def body(self) -> dict[str, Any]:
        body = {"filter_patterns": self.filter_patterns, **self.filters()}
        if self.index_only is not None:
            body["index_only"] = self.index_only
        if "before" not in body:
            # The default of 0.9.31 is a moment beyond the calendar, which it then cannot read
            # itself.
            body["before"] = int(wall_clock.utc_now().timestamp()) + _DAY
        return body

    async def run(self, context: ArchiveBoxContext) -> Result:
        body = self.require_supported(context.description, self.body())
        result = await _run_command(self, context.api, body)
        return whole(result if isinstance(result, dict) else {"result": result})


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
        requested = [self.show, self.clear, self.import_path is not None]
        if sum(requested) != 1:
            raise Failure(
                Code.INVALID_ARGUMENT,
                "Give exactly one of `show`, `clear` and `import_path`.",
                "One call does one thing.",
            )
        if self.import_path:
            http_url(self.import_path)
            if not self.every or not _CRON.match(self.every):
                raise Failure(
                    Code.INVALID_ARGUMENT,
                    "`every` must be minute, hour, day, week, month, year, or a cron expression of five fields.",
                    "For example day.",
                )

    def body(self) -> dict[str, Any]:
        return {**self.request_values(), **({"add": True} if self.import_path else {})}

    async def prepare(self, context: ArchiveBoxContext) -> None:
        if not context.description.takes(self.operation, "show"):
            version = context.description.version
            raise Failure(
                Code.UNSUPPORTED,
                f"The schedule command of ArchiveBox {version} fails on this route, "
                "whatever it is sent.",
                "The user schedules on the server itself, or updates ArchiveBox.",
            )
        await super().prepare(context)

    def present(self, answer: Any) -> dict[str, Any]:
        result = command(answer)
        return result if isinstance(result, dict) else {"schedules": result}

    async def preview(self, context: ArchiveBoxContext) -> Preview | None:
        if self.show:
            return None
        if self.clear:
            ids = await self._active(context.api)
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

    async def _active(self, api: ArchiveBoxApi) -> list[str]:
        """The ids of the schedules that there are."""
        result = command(
            await api.change("POST", self.path(), {"show": True}, repeatable=True, verify="")
        )
        return (
            sorted(map(str, result.get("active_schedule_ids") or []))
            if isinstance(result, dict)
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
        result = await matches(context.api, self.patterns(), self.filters(), more)
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

    _matches: list[Record] = PrivateAttr(default_factory=list)
    """The pages that were shown last: exactly those are deleted."""

    def body(self) -> dict[str, Any]:
        return {}  # the pages are looked up first, and deleted one by one

    async def preview(self, context: ArchiveBoxContext) -> Preview:
        self._matches = await matches(context.api, self.filter_patterns, self.filters(), {})
        if not self._matches:
            raise Failure(
                Code.NOT_FOUND,
                "No saved page matches. Nothing was deleted.",
                "Search first: {POST /cli/search}.",
            )
        if len(self._matches) > _MOST_REMOVED:
            raise Failure(
                Code.INVALID_ARGUMENT,
                f"{len(self._matches)} saved pages match; at most {_MOST_REMOVED} are deleted "
                "at once. Nothing was deleted.",
                "Narrow the patterns, or delete in several steps.",
            )
        return _preview(self._matches)

    async def run(self, context: ArchiveBoxContext) -> Result:
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
            await _run_command(self, api, self.require_supported(api.description, body))
        except Failure as failure:
            # It says less than a look at what is left: some of its failures come after the work.
            if failure.code is not Code.OUTCOME_UNKNOWN:
                raise
            reason = failure.message
        left = {
            str(match["timestamp"])
            for match in await matches(api, self.filter_patterns, self.filters(), {})
        }
        failed = [
            {"timestamp": timestamp, "reason": reason}
            for timestamp in timestamps
            if timestamp in left
        ]
        if len(failed) == len(result):
            raise Failure(
                Code.UNAVAILABLE,
                f"ArchiveBox {api.description.version} could not delete them, and all are still there. {reason}",
                "The user deletes them in ArchiveBox's own interface, or updates it.",
            )
        return {"deleted": len(result) - len(failed), "queued": 0, "failed": failed}


async def _run_command(request: Change[Any], api: ArchiveBoxApi, body: dict[str, Any]) -> Any:
    """The result of a command; 0.8.5 does it and then fails to write down what it did."""
    try:
        return command(await request.send(api, body))
    except Failure as failure:
        if "is not JSON serializable" not in failure.message:
            raise
        return {
            "notes": [f"ArchiveBox {api.description.version} did it, and cannot say more about it."]
        }


async def _delete_each(api: ArchiveBoxApi, result: list[Record]) -> dict[str, Any]:
    """Delete one after the other; what was done before a failure that would meet them all is still
    reported."""
    counts = {"deleted": 0, "queued": 0}
    failed: list[dict[str, Any]] = []
    for number, each in enumerate(result):
        try:
            done = await api.change(
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
                for left in result[number + 1 :]
            ]
            break
        counts["deleted"] += bool(done.get("deleted_count"))
        counts["queued"] += bool(done.get("queued_count"))
    return {**counts, "failed": failed}


def _preview(result: list[Record]) -> Preview:
    titles = [str(entry.get("title") or entry.get("url")) for entry in result]
    visible = "; ".join(titles[:5]) + ("; ..." if len(titles) > 5 else "")
    ids = [str(entry.get("id") or entry["timestamp"]) for entry in result]
    return Preview(
        f"Delete {len(result)} saved page{'s' if len(result) > 1 else ''} with all files: {visible}?",
        {"snapshots": len(result), "first": titles[:10], "ids": ids},
    )
