"""Saved pages: find, look at, add, change, delete."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from server import wall_clock
from server.archivebox.api import ArchiveBoxApi
from server.archivebox.context import ArchiveBoxContext
from server.archivebox.endpoints import Change, Confirmed, Get, Many, MayConfirm, Text, cut_text
from server.archivebox.openapi import Description
from server.archivebox.pagination import (
    Fetch,
    Record,
    every,
    read,
    refuse_ambiguous,
)
from server.errors import Code, Failure
from server.http.urls import check_web_address
from server.tool.confirmation import Preview
from server.tool.request import Risk
from server.tool.result import Result, whole
from tools.archivebox import records
from tools.archivebox.records import Deleted, Exported, Snapshot

Status = Literal["queued", "started", "paused", "sealed", "deleting", "succeeded", "failed"]
Day = Annotated[str, Field(min_length=1)]

# Read from the outputs: the server answers these with a 400, as no status of a page.
_OUTCOMES = ("succeeded", "failed")
_WHOLE_ID = re.compile(r"[0-9a-f]{32}\Z", re.IGNORECASE)
_WITH_RESULTS = 50
"""Snapshots a page when their results are needed too: 7 kB each."""


class ListSnapshots(Many[Snapshot]):
    """List pages saved in ArchiveBox (the self-hosted web archive), oldest first. Status failed
    answers which failed and why (at least one failed output); succeeded = finished with output,
    none failed. Page text: archivebox_read_snapshot."""

    operation = "GET /core/snapshots"
    title = "List saved pages"
    core = True

    search: Text | None = Field(None, description="In URL, title, tags (0.9.73: content)")
    search_mode: Literal["meta", "contents", "deep"] | None = Field(None, description="0.9.73")
    status: Status | None = Field(None, description="Work status, or outcome")
    tag: Text | None = Field(None, description="Exact tag name")
    url: Text | None = Field(None, description="Exact URL")
    # `title` is the tool's own, for people.
    title_: Text | None = Field(None, alias="title", description="Part of the title")
    id: Text | None = Field(None, description="Part of id or timestamp")
    timestamp: Text | None = Field(None, description="Timestamp prefix")
    created_by_id: Text | None = Field(None, description="User id")
    created_by_username: Text | None = Field(None, description="Part of a user name")
    created_at: Day | None = Field(None, description="Exact time")
    created_at__gte: Day | None = Field(None, description="Date")
    created_at__lt: Day | None = Field(None, description="Date")
    modified_at: Day | None = Field(None, description="Exact time")
    modified_at__gte: Day | None = Field(None, description="Date")
    modified_at__lt: Day | None = Field(None, description="Date")
    bookmarked_at__gte: Day | None = Field(None, description="Date")
    bookmarked_at__lt: Day | None = Field(None, description="Date")
    with_archiveresults: bool = Field(False, description="Add each page's outputs (7 kB)")

    async def run(self, context: ArchiveBoxContext) -> Result:
        arguments = self.model_dump(
            exclude_unset=True, by_alias=True, exclude={"limit", "after", "offset", "status"}
        )
        params = self.require_supported(
            context.description,
            {name: value for name, value in arguments.items() if value is not None},
        )
        # Before 0.9.73 the server ignores this filter without a word, so it is applied here.
        by_server = self.status not in (None, *_OUTCOMES) and context.description.takes(
            self.operation, "status"
        )
        by_outcome = self.status in _OUTCOMES
        if by_server:
            params["status"] = self.status
        if by_outcome:
            params["with_archiveresults"] = True
        fetch = pages(context.api, params)
        if self.status is None or by_server:
            return await read(self, context.api, fetch)
        keep = self._outcome if by_outcome else self._at_work(context.api)
        return await read(
            self, context.api, fetch, keep=keep, page=_WITH_RESULTS if by_outcome else 200
        )

    def one(self, record: Record) -> Record:
        result = records.snapshot(record)
        if self.status not in _OUTCOMES:
            return result
        if not self.with_archiveresults:
            result.pop("archiveresults", None)
        return (
            {**result, "failures": records.failures(record)} if self.status == "failed" else result
        )

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

    def _outcome(self, record: Record) -> bool:
        statuses = [
            archiveresult.get("status") for archiveresult in record.get("archiveresults") or []
        ]
        if self.status == "failed":
            return "failed" in statuses
        # 0.8.5 has no status.
        finished = record.get("status") in (None, "sealed")
        return finished and "succeeded" in statuses and "failed" not in statuses

    def _at_work(self, api: ArchiveBoxApi) -> Any:
        if not api.description.has("PATCH /core/snapshot/{}"):
            raise Failure(
                Code.UNSUPPORTED,
                f"Pages of this ArchiveBox ({api.description.version}) have no status.",
                "Ask for status failed or succeeded, which is read from their outputs.",
            )
        return lambda record: record.get("status") == self.status


class GetSnapshot(Get[Snapshot]):
    """Get one saved page by id (whole, or a unique part) or timestamp, with its outputs and their
    status."""

    operation = "GET /core/snapshot/{snapshot_id}"
    title = "Get a saved page"
    core = True

    snapshot_id: Text = Field(description="Id, part of it, or timestamp")
    with_archiveresults: bool = Field(True, description="With its outputs")

    async def run(self, context: ArchiveBoxContext) -> Result:
        snapshot = await one_snapshot(
            context.api, self.snapshot_id, with_archiveresults=self.with_archiveresults
        )
        return whole(records.snapshot(snapshot))


class CreateSnapshot(Change[Snapshot]):
    """Save one page in ArchiveBox. 0.9.73 returns the existing one if the URL is known. Several
    pages: archivebox_add."""

    operation = "POST /core/snapshots"
    title = "Save a page"
    risk: ClassVar[Risk] = "adds"
    repeatable = False
    since = "0.9.31"
    use = "Use {POST /cli/add}."
    verify = "list with `url` ({GET /core/snapshots})."

    url: Text = Field(description="http(s) URL")
    crawl_id: Text | None = Field(None, description="Put it into this crawl")
    depth: int | None = Field(None, ge=0, le=4, description="Levels of links to follow")
    title_: Text | None = Field(None, alias="title", description="Title")
    tags: list[Text] | None = Field(None, description="Tag names")
    status: Literal["queued", "sealed"] | None = Field(None, description="sealed: do not archive")

    def check(self) -> None:
        # 0.9.31 makes a page of any text.
        check_web_address(self.url)

    def request_values(self) -> dict[str, Any]:
        return _alias(super().request_values())

    def present(self, result: Any) -> dict[str, Any]:
        return records.snapshot(result)


class UpdateSnapshot(MayConfirm[Snapshot]):
    """Change a saved page's work status, retry time or tags. queued: run what has not run yet;
    sealed: stop. 0.9.73 keeps the crawl's own tags; to drop one: archivebox_untag_snapshot.
    `tags` replaces all; the result says which."""

    operation = "PATCH /core/snapshot/{snapshot_id}"
    title = "Change a saved page"
    risk: ClassVar[Risk] = "changes"
    repeatable = True
    since = "0.9"
    verify = "get the snapshot again ({GET /core/snapshot/{snapshot_id}})."

    snapshot_id: Text = Field(description="Id, or unique part")
    # Not `deleting`: 0.9.73 would delete the page with its files in seconds, and ask nobody.
    status: Literal["queued", "started", "paused", "sealed"] | None = Field(
        None, description="New status"
    )
    action: Literal["pause", "resume", "cancel"] | None = Field(None, description="0.9.73")
    retry_at: Text | None = Field(None, description="Retry time")
    tags: list[Text] | None = Field(None, description="Tag names")
    if_status: Status | None = Field(None, description="Only if its status is this")
    # Explicit, because clients send an empty list for tags that a model left out.
    clear: list[Literal["tags"]] | None = Field(None, description="Takes all off; asks first")

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
            f"Take all {len(tags)} tags off the saved page {snapshot['url']}?",
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
        replaced = {"replaced": {"tags": snapshot.get("tags") or []}} if "tags" in body else {}
        answer = await self.send(context.api, self.require_supported(context.description, body))
        return whole({**records.snapshot(answer), **replaced})


class DeleteSnapshot(Confirmed[Deleted]):
    """Delete a saved page and its files, for good."""

    operation = "DELETE /core/snapshot/{snapshot_id}"
    title = "Delete a saved page"
    risk: ClassVar[Risk] = "removes"
    repeatable = True
    since = "0.9.31"
    use = "Use {POST /cli/remove}."
    verify = "get the snapshot again: gone, or with status deleting, is deleted."

    snapshot_id: Text = Field(description="Id, or unique part")

    async def prepare(self, context: ArchiveBoxContext) -> None:
        await super().prepare(context)
        # Here, so that question and deletion are about one and the same page.
        self.snapshot_id = str((await one_snapshot(context.api, self.snapshot_id))["id"])

    async def preview(self, context: ArchiveBoxContext) -> Preview:
        snapshot = await one_snapshot(context.api, self.snapshot_id)
        return Preview(
            f"Delete the saved page {snapshot.get('title') or snapshot['url']!r} "
            f"({snapshot['url']}) with all its files?",
            {
                "snapshots": 1,
                "id": snapshot["id"],
                "url": snapshot["url"],
                "title": snapshot.get("title"),
            },
        )


class GetSnapshotsFeed(Get[Exported]):
    """Get the newest saved pages as an RSS feed's text."""

    operation = "GET /core/snapshots.rss"
    title = "Get the feed of saved pages"
    since = "0.9.73"
    use = "Use {GET /core/snapshots}."

    crawl_id: Text | None = Field(None, description="Of this crawl")
    created_by: Text | None = Field(None, description="Of this user")
    limit: int = Field(50, ge=1, le=200, description="Entries")
    before: Text | None = Field(None, description="Older than this instant")

    async def run(self, context: ArchiveBoxContext) -> Result:

        params = {
            **self.require_supported(context.description, self.request_values()),
            "limit": self.limit,
        }
        return whole(cut_text(await context.api.text(self.path(), params)))


class GetAny(Get[Snapshot]):
    """Get the object behind an id of unknown `kind`: snapshot, archive result, tag or crawl."""

    operation = "GET /core/any/{id}"
    title = "Get any object"

    id: Text = Field(description="Id, or part of it")

    def present(self, result: Any) -> dict[str, Any]:
        return records.any_object(result)


async def one_snapshot(
    api: ArchiveBoxApi, reference: str, *, with_archiveresults: bool = False
) -> Record:
    """Return the snapshot behind an id, a unique part of one, or a timestamp.

    Raises: Failure: `NOT_FOUND`; `AMBIGUOUS` with the candidates, which 0.8.5 would answer with
        just any of them.
    """
    # A whole id needs no list to be looked through.
    if _WHOLE_ID.match(reference.replace("-", "")):
        return await _by_id(api, reference, with_archiveresults=with_archiveresults)
    # Ten candidates are shown, so one more is enough to know.
    candidates, total = await every(pages(api, {"id": reference}), 11)
    if len(candidates) > 1 and total:
        # The timestamp of one page may be the start of another's.
        same = [candidate for candidate in candidates if _same_id(candidate, reference)]
        refuse_ambiguous(same or candidates, "saved pages")
        candidates = same
    if candidates and not with_archiveresults:
        return candidates[0]
    if not candidates and not api.description.has(UpdateSnapshot.operation):
        # 0.8.5 would answer with any page that has this somewhere in its id.
        raise Failure(
            Code.NOT_FOUND,
            f"There is no saved page {reference!r}.",
            "Give the beginning or end of its id.",
        )
    identity = str(candidates[0]["id"]) if candidates else reference
    return await _by_id(api, identity, with_archiveresults=with_archiveresults)


async def _by_id(api: ArchiveBoxApi, identity: str, *, with_archiveresults: bool) -> Record:
    # Without validation: only the path is of interest.
    path = GetSnapshot.model_construct(snapshot_id=identity).path()
    record: Record = await api.get(path, with_archiveresults=with_archiveresults)
    return record


def _same_id(record: Record, reference: str) -> bool:
    requested = reference.replace("-", "").lower()
    return (
        str(record["id"]).replace("-", "").lower() == requested
        or record.get("timestamp") == reference
    )


def pages(api: ArchiveBoxApi, params: dict[str, Any]) -> Fetch:
    """Return a reader of the snapshots under these filters, page by page."""

    async def fetch(offset: int, count: int) -> tuple[list[Record], int]:
        answer = await api.get("/core/snapshots", **params, limit=count, offset=offset)
        return answer["items"], int(answer["total_items"])

    return fetch


def _alias(values: dict[str, Any]) -> dict[str, Any]:
    return {name.rstrip("_"): value for name, value in values.items()}
