"""The work of checking whether many pages are saved."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from server import wall_clock
from server.archivebox.context import ArchiveBoxContext
from server.archivebox.verdict import Verdict, judge, read_verdict
from server.http.urls import check_web_address
from server.jobs import Handle, RecordRow, RecordState
from server.tool.result import drop_empty
from tools.archivebox.jobs.page_copies import find_copies, parse_time
from tools.archivebox.records import describe_verdict
from tools.archivebox.shapes import show_groups

# An answer of the site is read from a file, one request more: for the newest copies.
_READ_CLOSELY = 2

Json = dict[str, Any]


class CheckWork:
    """Looks at pages, and changes nothing."""

    writes = False
    repeatable = True
    batch = 1
    width = 2

    def __init__(self, context: ArchiveBoxContext, days: int | None) -> None:
        self._context = context
        self._days = days

    async def gather(self, job: Handle) -> None:
        """Do nothing: the pages are arguments of the job."""

    async def send(self, job: Handle, records: list[RecordRow]) -> None:
        """Look at one page."""
        (record,) = records
        check_web_address(record.key)
        await job.admit(records)
        job.mark_done(
            record, await self._judge(await find_copies(self._context.background, record.key))
        )

    async def finish(self, job: Handle) -> Json:
        """Return the pages by their state."""
        names = ("missing", "noOutput", "unknown", "stale", "queued", "good", "refused")
        groups: dict[str, list[Json]] = {name: [] for name in names}
        async for row in job.all_rows():
            if row.state is RecordState.DONE:
                detail = dict(row.detail)
                groups[detail.pop("is")].append({"url": row.key, **detail})
            else:
                groups["refused"].append({"url": row.key, "reason": row.reason})
        return show_groups(groups, [])

    async def _judge(self, pages: list[Json]) -> Json:
        if not pages:
            return {"is": "missing"}
        verdicts: list[tuple[Json, Verdict]] = []
        # The newest copy that holds the page counts, and older ones where it does not.
        for page in reversed(pages):
            verdict = judge(page)
            if len(verdicts) < _READ_CLOSELY:
                verdict = await read_verdict(self._context.background, page)
            if verdict.is_good:
                return self._describe_good(page, verdict)
            verdicts.append((page, verdict))
        return _describe_bad(verdicts)

    def _describe_good(self, page: Json, verdict: Verdict) -> Json:
        saved = _time_of_save(page)
        described = {"is": "good", "id": page["id"], "saved": wall_clock.utc_stamp(saved)}
        days = self._days
        if days is not None and saved < wall_clock.utc_now() - timedelta(days=days):
            described["is"] = "stale"
        return {**described, **drop_empty({"reason": verdict.reason})}


def _describe_bad(verdicts: list[tuple[Json, Verdict]]) -> Json:
    """Return the state of a page of which no copy is good, newest copy first."""
    # One of the copies may still be at work.
    pending = [page for page, verdict in verdicts if verdict.outcome == "pending"]
    if pending:
        return {"is": "queued", "id": pending[0]["id"]}
    page, verdict = verdicts[0]
    state = "unknown" if verdict.outcome == "unknown" else "noOutput"
    described = describe_verdict(page, verdict)
    described.pop("outcome")
    return {"is": state, "id": page["id"], **described}


def _time_of_save(page: Json) -> datetime:
    dates = map(page.get, ("downloaded_at", "bookmarked_at", "created_at"))
    return parse_time(str(next(filter(None, dates))))
