"""The work of cancelling what is queued: whole crawls where all their queued pages go."""

from __future__ import annotations

from collections import Counter
from functools import partial
from operator import itemgetter
from typing import Any

from server.archivebox.context import ArchiveBoxContext
from server.archivebox.verdict import judge
from server.errors import Code, allow_failure
from server.jobs import Handle, NewRecord, RecordRow, RecordState
from server.text import count_noun
from tools.archivebox.jobs.change_work import ChangeWork
from tools.archivebox.jobs.query import PageQuery
from tools.archivebox.listing import LIST
from tools.archivebox.shapes import plain_id

CANCELS = (
    "PATCH /core/snapshot/{snapshot_id}",
    "0.9",
    "0.8.5 archives while it is asked: nothing is ever queued.",
)
_OPEN = ("queued", "started")
# 20 s of the call, on a server that cannot filter by status.
_MOST_READ = 5_000
# Seconds after which the pages that were cancelled are looked at for the last time.
_SEEN_AFTER = 30.0

Json = dict[str, Any]


async def find_queued_work(context: ArchiveBoxContext, query: PageQuery) -> list[NewRecord]:
    """Return what is to be cancelled: whole crawls where all their queued pages go, else single
    pages; without filters the queued crawls too, whose pages may not exist yet."""
    # Crawls come as one plain list, with neither pages nor filters.
    crawls = list(filter(_is_open, await context.api.get("/crawls/crawls")))
    queued = await _find_queued(context, PageQuery(), crawls)
    chosen = queued
    if query.given():
        fitting = set(map(_identify, await _find_queued(context, query, crawls)))
        chosen = list(filter(lambda page: _identify(page) in fitting, queued))
    groups, going = _group(queued, crawls), _group(chosen, crawls)
    records: list[NewRecord] = []
    singles = going.pop("", [])
    for crawl in crawls:
        pages = going.get(_identify(crawl), [])
        # A crawl without queued pages goes only where everything does.
        goes_empty = not query.given() and _is_queued(crawl)
        is_whole = len(pages) == len(groups.get(_identify(crawl), []))
        if is_whole and (pages or goes_empty):
            records.append(_record(f"crawl:{crawl['id']}", _first(crawl), pages))
        else:
            singles += pages
    records += [_record(f"snapshot:{page['id']}", page["url"], [page]) for page in singles]
    return records


async def _find_queued(
    context: ArchiveBoxContext, query: PageQuery, crawls: list[Json]
) -> list[Json]:
    """Return the queued pages that fit."""
    if context.description.takes(LIST, "status"):
        pages = await query.snapshots(context, status="queued")
    elif await PageQuery().count_at_most(context) <= _MOST_READ:
        pages = await query.snapshots(context)
    else:
        # Before 0.9.73 a filter by status is ignored without a word. What is queued is of an open
        # crawl, and not older; single pages that were queued anew are missed among so many.
        oldest = min((str(crawl["created_at"]) for crawl in crawls), default=None)
        pages = [] if oldest is None else await query.after(oldest).snapshots(context)
    return list(filter(_is_queued, pages))


def _group(pages: list[Json], crawls: list[Json]) -> dict[str, list[Json]]:
    """Return the pages by the ids of their crawls; those of no open crawl by an empty one."""
    groups: dict[str, list[Json]] = {}
    for page in pages:
        owners = filter(partial(_is_of, page), crawls)
        # Of several crawls of its URL it is the last one's that is older.
        owner = max(owners, key=itemgetter("created_at"), default={"id": ""})
        groups.setdefault(_identify(owner), []).append(page)
    return groups


def _identify(record: Json) -> str:
    return str(record["id"])


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
        states: dict[str, str] = {}
        async for row in job.all_rows(RecordState.DONE):
            states |= dict.fromkeys(row.detail["pages"], "open")
        async for _ in job.poll(first=1.0, longest=8.0, limit=_SEEN_AFTER, counter="looked"):
            open_pages = list(filter(lambda page: states[page] == "open", states))
            job.set_message(f"waits for ArchiveBox to stop {count_noun(len(open_pages), 'page')}")
            for identity in open_pages:
                states[identity] = await self._state(identity)
            if "open" not in states.values():
                break
        return {**await super().finish(job), "pages": _count_states(states)}

    async def _state(self, identity: str) -> str:
        """Return what became of a page: stopped, archived all the same, open, or gone."""
        path = f"/core/snapshot/{identity}"
        answer = self._context.background.get(path, with_archiveresults=True)
        page = await allow_failure(answer, Code.NOT_FOUND)
        if page is None:
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
    return dict(Counter(map(names.__getitem__, states.values())))


def _pattern(kind: str) -> str:
    return "/core/snapshot/{}" if kind == "snapshot" else "/crawls/crawl/{}"


def _is_open(result: Json) -> bool:
    return result.get("status") in _OPEN


def _is_of(page: Json, crawl: Json) -> bool:
    """Return whether a page is of a crawl."""
    if "crawl_id" in page:
        return plain_id(page["crawl_id"]) == plain_id(crawl["id"])
    # 0.9.31 does not say: its crawls name the URLs that they were given, and are older.
    if str(page.get("created_at")) < str(crawl.get("created_at")):
        return False
    return page["url"] in str(crawl.get("urls")).split()


def _is_queued(result: Json) -> bool:
    return bool(result.get("status") == "queued")


def _first(crawl: Json) -> str:
    return next(iter(str(crawl.get("urls") or "").split()), "")
