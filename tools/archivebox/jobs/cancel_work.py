"""The work of cancelling what is queued: whole crawls where all their queued pages go."""

from __future__ import annotations

from collections import Counter
from typing import Any

from server.archivebox.context import ArchiveBoxContext
from server.archivebox.verdict import judge
from server.errors import Code, Failure
from server.jobs import Handle, NewRecord, RecordRow, RecordState
from tools.archivebox.jobs.change_work import ChangeWork
from tools.archivebox.jobs.query import MOST, PageQuery

CANCELS = (
    "PATCH /core/snapshot/{snapshot_id}",
    "0.9",
    "0.8.5 archives while it is asked: nothing is ever queued.",
)
_OPEN = ("queued", "started")
# Seconds after which the pages that were cancelled are looked at for the last time.
_SEEN_AFTER = 30.0

Json = dict[str, Any]


async def find_queued_work(context: ArchiveBoxContext, query: PageQuery) -> list[NewRecord]:
    """Return what is to be cancelled: whole crawls where all their queued pages go, else single
    pages; without filters the queued crawls too, whose pages may not exist yet."""
    # Before 0.9.73 a filter by status is ignored without a word, and all pages come.
    more = (
        {"status": "queued"} if context.description.takes("GET /core/snapshots", "status") else {}
    )
    queued = [page for page in await PageQuery().snapshots(context, **more) if _is_queued(page)]
    chosen = await _choose(context, query, queued, more)
    # Crawls come as one plain list, with neither pages nor filters.
    crawls = await context.api.get("/crawls/crawls")
    records: list[NewRecord] = []
    for crawl in filter(_is_open, crawls):
        own = [page for page in queued if _is_of(page, crawl)]
        gone = [page for page in chosen if _is_of(page, crawl)]
        # A crawl without queued pages goes only where everything does.
        if len(own) > len(gone) or not (gone or _goes_empty(crawl, query)):
            continue
        records.append(_record(f"crawl:{crawl['id']}", _first(crawl), gone))
        chosen = [page for page in chosen if page not in gone]
    singles = [_record(f"snapshot:{page['id']}", page["url"], [page]) for page in chosen]
    return [*records, *singles]


async def _choose(
    context: ArchiveBoxContext, query: PageQuery, queued: list[Json], more: Json
) -> list[Json]:
    if not query.given():
        return queued
    fitting = {str(page["id"]) for page in await query.snapshots(context, **more)}
    return [page for page in queued if str(page["id"]) in fitting]


def _goes_empty(crawl: Json, query: PageQuery) -> bool:
    return not query.given() and _is_queued(crawl)


def _record(key: str, url: str, pages: list[Json]) -> NewRecord:
    return NewRecord(key, {"url": url, "pages": [str(page["id"]) for page in pages]})


class CancelWork(ChangeWork):
    """Cancels what is queued, unless it is not any more, and looks again at what became of it."""

    width = 1

    async def change(self, job: Handle, record: RecordRow) -> None:
        kind, _, identity = record.key.partition(":")
        path = f"/core/snapshot/{identity}" if kind == "snapshot" else f"/crawls/crawl/{identity}"
        answer = await self._context.background.get(path)
        # The runner goes on with the pages of a crawl that it has started.
        goes = _is_open if kind == "crawl" else _is_queued
        if not goes(answer):
            job.mark_skipped(record, f"It is {answer.get('status')} by now.")
            return
        # Before 0.9.73 nothing can be cancelled, only sealed.
        cancels = self._context.description.takes(f"PATCH {_pattern(kind)}", "action")
        body = {"action": "cancel"} if cancels else {"status": "sealed"}
        await self.post(job, record, "PATCH", path, body)
        job.mark_done(record)

    async def finish(self, job: Handle) -> Json:
        """Look again until nothing is open, and report which pages stopped."""
        pages: list[str] = []
        for row in job.rows(RecordState.DONE, limit=MOST):
            pages += (row.detail or {}).get("pages", ())
        states: dict[str, str] = {}
        async for _ in job.poll(first=1.0, longest=8.0, limit=_SEEN_AFTER, counter="looked"):
            open_pages = [page for page in pages if states.get(page, "open") == "open"]
            job.set_message(f"waiting for ArchiveBox to stop {len(open_pages):,} pages")
            for identity in open_pages:
                states[identity] = await self._state(identity)
            if "open" not in states.values():
                break
        return {**await super().finish(job), "pages": _count_states(states)}

    async def _state(self, identity: str) -> str:
        """Return what became of a page: stopped, archived all the same, open, or gone."""
        path = f"/core/snapshot/{identity}"
        try:
            page = await self._context.background.get(path, with_archiveresults=True)
        except Failure as failure:
            if failure.code is not Code.NOT_FOUND:
                raise
            return "gone"
        if page.get("status") in (*_OPEN, "paused"):
            return "open"
        return "archived" if judge(page).is_good else "stopped"


def _count_states(states: dict[str, str]) -> Json:
    names = {
        "stopped": "stopped",
        "archived": "archivedAllTheSame",
        "open": "stillOpen",
        "gone": "gone",
    }
    counts = Counter(states.values())
    return {label: counts[state] for state, label in names.items() if counts[state]}


def _pattern(kind: str) -> str:
    return "/core/snapshot/{}" if kind == "snapshot" else "/crawls/crawl/{}"


def _is_open(result: Json) -> bool:
    return result.get("status") in _OPEN


def _is_of(page: Json, crawl: Json) -> bool:
    """Return whether a page is of a crawl."""
    if "crawl_id" in page:
        return _plain_id(page["crawl_id"]) == _plain_id(crawl["id"])
    # 0.9.31 does not say: its crawls name the URLs that they were given, and are older.
    if str(page.get("created_at")) < str(crawl.get("created_at")):
        return False
    return page["url"] in str(crawl.get("urls")).split()


def _plain_id(identity: Any) -> str:
    # 0.9.73 writes ids without dashes, older versions with them.
    return str(identity).replace("-", "").lower()


def _is_queued(result: Json) -> bool:
    return bool(result.get("status") == "queued")


def _first(crawl: Json) -> str:
    return next(iter(str(crawl.get("urls") or "").split()), "")
