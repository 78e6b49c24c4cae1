"""The work of changing many saved pages: save again, tag, cancel. What may have moved is looked at
right before."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from server.archivebox.context import ArchiveBoxContext
from server.archivebox.outputs import Verdict, copy_plugins, judge, plugin_of
from server.errors import Code, Failure
from server.jobs import (
    Handle,
    NewRecord,
    RecordRow,
    RecordState,
)
from tools.archivebox.cli.add import Add
from tools.archivebox.jobs.query import MOST, PageQuery
from tools.archivebox.jobs.save_work import SaveWork, copies

CANCELS = (
    "PATCH /core/snapshot/{snapshot_id}",
    "0.9",
    "0.8.5 archives while it is asked: nothing is ever queued.",
)
TAGS = (
    "POST /core/tags/add-to-snapshot/",
    "0.9",
    "On 0.8.5 pages are tagged when they are added ({POST /cli/add}).",
)
_VERIFY = "look at the page again; doing it twice is harmless."
EXHAUSTED = "It ended the same way each time: one more copy would not help."
# Attempts that end alike: a page that is there in part is not copied for ever for the rest.
_TRIES, _TRIES_OF_PARTS = 4, 2
# One request each, while somebody waits for the preview.
_JUDGED_BEFORE = 100
_MOST_SHOWN = 50
_PAGE = 1_000
_OPEN = ("queued", "started")
# Seconds after which the pages that were cancelled are looked at for the last time.
_SEEN_AFTER = 30.0

Json = dict[str, Any]


@dataclass(frozen=True)
class Retries:
    """The pages to save again, and how many were left out because that was tried before."""

    records: list[NewRecord]
    exhausted: int = 0


async def find_failed_pages(context: ArchiveBoxContext, query: PageQuery) -> Retries:
    """Return the pages whose newest copy is not whole, by URL."""
    failed = await _find_candidates(context, query)
    if not failed:
        return Retries([])
    # One that was saved again since is not to be saved again for ever.
    newest = {page["url"]: page for page in await PageQuery(since=query.since).snapshots(context)}
    items = [
        NewRecord(
            url,
            {
                "url": url,
                "id": str(page["id"]),
                "tags": page.get("tags") or [],
                "failed": failed[str(page["id"])],
            },
        )
        for url, page in newest.items()
        # 0.8.5 has no status; what is still at work may yet succeed.
        if str(page["id"]) in failed and page.get("status") in (None, "sealed")
    ]
    # More are judged one by one when their turn comes.
    if len(items) > _JUDGED_BEFORE:
        return Retries(items)
    states = [(item, retry_state(await copies(context.api, item.key))) for item in items]
    worth = [item for item, state in states if state is None]
    return Retries(worth, sum(state == EXHAUSTED for _, state in states))


async def _find_candidates(context: ArchiveBoxContext, query: PageQuery) -> dict[str, list[str]]:
    """Return the pages that may not be saved, with the outputs that say so."""
    results = await query.find_results(context, "failed")
    if context.description.takes("GET /core/archiveresults", "plugin"):
        # 0.9.31 calls a wget a success that stored its log alone; nothing is then there to be read.
        results += await query.find_results(context, "noresults", plugin="htmltotext")
    candidates: dict[str, list[str]] = {}
    for result in results:
        plugin = plugin_of(result)
        if plugin in copy_plugins() or result["status"] == "noresults":
            candidates.setdefault(str(result["snapshot_id"]), []).append(plugin)
    return candidates


def retry_state(pages: list[Json]) -> str | None:
    """Return why a page with these copies, oldest first, is not to be saved again; None where it
    is."""
    if not pages:
        return "It is not there any more."
    verdict = judge(pages[-1])
    if verdict.outcome == "saved":
        return "It is saved."
    if verdict.outcome == "pending":
        return "ArchiveBox works on it."
    return EXHAUSTED if _is_exhausted(pages, verdict) else None


def _is_exhausted(pages: list[Json], verdict: Verdict) -> bool:
    """Return whether the last attempts ended alike: more would only store more copies."""
    most = _TRIES_OF_PARTS if verdict.outcome in ("partly", "unknown") else _TRIES
    alike = 0
    for page in reversed(pages):
        earlier = judge(page)
        if earlier.outcome != verdict.outcome or _list_failed_plugins(
            earlier
        ) != _list_failed_plugins(verdict):
            break
        # 0.8.5 makes new outputs of one copy instead of more copies.
        alike += max(1, *(Counter(map(plugin_of, _failed_results(page))).values() or [1]))
    return alike >= most


def _list_failed_plugins(verdict: Verdict) -> set[str]:
    return {str(failure["plugin"]) for failure in verdict.failures}


def _failed_results(page: Json) -> list[Json]:
    results = page.get("archiveresults") or []
    return [result for result in results if result.get("status") == "failed"]


async def tag_changes(
    context: ArchiveBoxContext, query: PageQuery, *, add: Sequence[str], remove: Sequence[str]
) -> list[NewRecord]:
    """Return the matching pages whose tags are not yet as they should be, each with what is to be
    changed."""
    context.description.require(*TAGS)
    records = []
    for page in await query.snapshots(context):
        # ArchiveBox keeps a tag as it was written first; `Press` and `press` are the same one.
        spelling = {name.casefold(): name for name in page.get("tags") or []}
        missing = [name for name in dict.fromkeys(add) if name.casefold() not in spelling]
        present = [name.casefold() for name in dict.fromkeys(remove) if name.casefold() in spelling]
        if missing or present:
            change = {"add": missing, "remove": [spelling[name] for name in present]}
            records.append(NewRecord(str(page["id"]), {"url": page["url"], **change}))
    return records


async def undo_changes(context: ArchiveBoxContext, name: str, tool: str) -> list[NewRecord]:
    """Return the changes that reverse a tagging job."""
    context.description.require(*TAGS)
    jobs = await context.jobs()
    row = await jobs.get(name)
    place = context.scope
    # A job's records are ids of one server: elsewhere they would be other pages, or none.
    if (row.tool, row.origin, row.account, row.arguments.get("action")) != (
        tool,
        place.origin,
        place.account,
        "tag",
    ):
        raise Failure(
            Code.INVALID_ARGUMENT, f"{name} tagged nothing here.", "{list_jobs} lists the jobs."
        )
    # Its records are not final yet: an undo would miss some.
    if row.owned:
        raise Failure(
            Code.INVALID_ARGUMENT,
            f"{name} still runs.",
            "Stop it with {cancel_job}, or let it end.",
        )
    result = []
    async for rows in jobs.record_pages(name, (RecordState.DONE,)):
        result += [NewRecord(row.key, {**row.detail, **_reverse(row.detail)}) for row in rows]
    return result


async def find_queued_work(context: ArchiveBoxContext, query: PageQuery) -> list[NewRecord]:
    """Return what is to be cancelled: whole crawls where all their queued pages go, else single
    pages; without filters the queued crawls too, whose pages may not exist yet."""
    # Before 0.9.73 a filter by status is ignored without a word, and all pages come.
    more = (
        {"status": "queued"} if context.description.takes("GET /core/snapshots", "status") else {}
    )
    queued = [page for page in await PageQuery().snapshots(context, **more) if _is_queued(page)]
    chosen = queued
    if query.given():
        fitting = {str(page["id"]) for page in await query.snapshots(context, **more)}
        chosen = [page for page in queued if str(page["id"]) in fitting]
    # Crawls come as one plain list, with neither pages nor filters.
    crawls = [crawl for crawl in await context.api.get("/crawls/crawls") if _is_open(crawl)]
    records: list[NewRecord] = []
    covered: set[str] = set()
    for crawl in crawls:
        own = [page for page in queued if _is_of(page, crawl)]
        gone = [page for page in chosen if _is_of(page, crawl)]
        # A crawl without queued pages goes only where everything does.
        goes = len(own) == len(gone) and (gone or (not query.given() and _is_queued(crawl)))
        if not goes:
            continue
        ids = [str(page["id"]) for page in gone]
        covered.update(ids)
        records.append(NewRecord(f"crawl:{crawl['id']}", {"url": _first(crawl), "pages": ids}))
    singles = [
        NewRecord(f"snapshot:{page['id']}", {"url": page["url"], "pages": [str(page["id"])]})
        for page in chosen
        if str(page["id"]) not in covered
    ]
    return [*records, *singles]


class _Change(ABC):
    """One request (or a few) for each page; doing it again is harmless."""

    writes = True
    repeatable = True
    batch = 1
    width = 2

    def __init__(self, context: ArchiveBoxContext) -> None:
        self._context = context

    async def gather(self, job: Handle) -> None:  # noqa: B027  # nothing to gather, for every kind
        """Do nothing: the pages are those that the user confirmed."""

    async def send(self, job: Handle, records: list[RecordRow]) -> None:
        """Change one object."""
        await self.change(job, records[0])

    async def finish(self, job: Handle) -> Json:
        """Return how many were changed, and why others were not."""
        left = job.rows(RecordState.FAILED, RecordState.SKIPPED, RecordState.UNKNOWN, limit=_PAGE)
        return {
            "changed": job.count(RecordState.DONE),
            "leftAlone": job.count(RecordState.SKIPPED),
            "failed": job.count(RecordState.FAILED) + job.count(RecordState.UNKNOWN),
            "reasons": dict(Counter(str(each.reason) for each in left).most_common(_MOST_SHOWN)),
            "notes": self.notes(job),
        }

    @abstractmethod
    async def change(self, job: Handle, record: RecordRow) -> None:
        """Change one."""

    def notes(self, job: Handle) -> list[str]:
        """Return what to do next."""
        return []

    async def post(self, job: Handle, record: RecordRow, method: str, path: str, body: Json) -> Any:
        """Send one change of a record."""
        return await self._context.background.change(
            method, path, body, repeatable=True, verify=_VERIFY, admit=lambda: job.admit([record])
        )


class SaveAgainWork(SaveWork):
    """Saves pages once more: a new copy with the same tags, on 0.8.5 new outputs of the same one.

    Queued again, 0.9.73 runs only what a page has no output of, and what failed stays as it is; the
    update command of 0.8.5 runs nothing again either (both observed on servers of these releases).
    """

    batch = 1

    async def send(self, job: Handle, records: list[RecordRow]) -> None:
        """Save a page again, unless that was done meanwhile."""
        (record,) = records
        pages = await copies(self.context.background, record.key)
        if pages and str(pages[-1]["id"]) != record.detail["id"]:
            job.mark_skipped(record, "A newer copy is there by now.")
            return
        if (state := retry_state(pages)) is not None:
            job.mark_skipped(record, state)
            return
        await super().send(job, records)

    def body(self, records: list[RecordRow]) -> Json:
        tags = ",".join(records[0].detail["tags"])
        takes, has = self.context.description.takes, self.context.description.has
        # By default 0.9.73 skips an address that it has.
        anew = {"only_new": False} if takes(Add.operation, "only_new") else {}
        # 0.8.5 makes no second copy of an address, but new outputs of the one there is.
        anew |= {} if has("GET /crawls/crawls") else {"update": True}
        return self.require_supported(
            {"urls": [records[0].key], "depth": 0, **({"tag": tags} if tags else {}), **anew}
        )


class TagWork(_Change):
    """Puts tags on pages and takes them off; what was changed stays in the record, which makes it
    reversible."""

    async def change(self, job: Handle, record: RecordRow) -> None:
        for what, verb in (("add", "add-to"), ("remove", "remove-from")):
            # The endpoints take one tag a request.
            for name in record.detail[what]:
                body = {"snapshot_id": record.key, "tag_name": name}
                await self.post(job, record, "POST", f"/core/tags/{verb}-snapshot/", body)
        job.mark_done(record)

    def notes(self, job: Handle) -> list[str]:
        return (
            [f'To reverse it: action "tag" with `undo` "{job.row.id}".']
            if job.count(RecordState.DONE)
            else []
        )


class CancelWork(_Change):
    """Cancels what is queued, unless it is not any more, and looks again at what became of it."""

    width = 1

    async def change(self, job: Handle, record: RecordRow) -> None:
        kind, _, identity = record.key.partition(":")
        path = f"/core/snapshot/{identity}" if kind == "snapshot" else f"/crawls/crawl/{identity}"
        answer = await self._context.background.get(path)
        # The runner goes on with the pages of a crawl that it has started.
        if not (_is_open(answer) if kind == "crawl" else _is_queued(answer)):
            job.mark_skipped(record, f"It is {answer.get('status')} by now.")
            return
        # Before 0.9.73 nothing can be cancelled, only sealed.
        body = (
            {"action": "cancel"}
            if self._context.description.takes(f"PATCH {_pattern(kind)}", "action")
            else {}
        )
        await self.post(job, record, "PATCH", path, body or {"status": "sealed"})
        job.mark_done(record)

    async def finish(self, job: Handle) -> Json:
        """Look again until nothing is open, and report which pages stopped."""
        pages = {
            identity: row.detail["url"]
            for row in job.rows(RecordState.DONE, limit=MOST)
            for identity in (row.detail or {}).get("pages", ())
        }
        states: dict[str, str] = {}
        async for _ in job.poll(first=1.0, longest=8.0, limit=_SEEN_AFTER, counter="looked"):
            open_pages = [identity for identity in pages if states.get(identity) in (None, "open")]
            job.say(f"waiting for ArchiveBox to stop {len(open_pages):,} pages")
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
    is_later = str(page.get("created_at") or "") >= str(crawl.get("created_at") or "")
    return is_later and page["url"] in str(crawl.get("urls") or "").split()


def _plain_id(identity: Any) -> str:
    # 0.9.73 writes ids without dashes, older versions with them.
    return str(identity).replace("-", "").lower()


def _is_queued(result: Json) -> bool:
    return bool(result.get("status") == "queued")


def _first(crawl: Json) -> str:
    return next(iter(str(crawl.get("urls") or "").split()), "")


def _reverse(change: Json) -> Json:
    return {"add": change["remove"], "remove": change["add"]}
