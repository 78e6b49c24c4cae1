"""The work of saving and of checking many pages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from server.archivebox.context import BoxDesk
from server.archivebox.failures import command
from server.errors import Failure
from server.http.urls import check_web_address
from server.jobs import Handle, RecordRow, RecordState
from tools.archivebox.cli import Add
from tools.archivebox.records import failures

if TYPE_CHECKING:
    from tools.archivebox.jobs.save import StartSave

ADDED_AT_ONCE = 50
"""Pages that one request adds; 0.8.5 archives them before it answers, and gets one."""
FIRST_PAUSE, LONGEST_PAUSE, GROWTH = 2.0, 60.0, 1.5
"""Seconds between two looks at how far the pages are."""
LOOKED_AT = 100
"""Pages that one look is about: ArchiveBox works them off in order, about."""
_MOST_SHOWN = 100
_PAGE = 1_000
_COPIES = 20
_VERIFY = "list with `url` ({GET /core/snapshots})."

Json = dict[str, Any]


class SaveWork:
    """Adds pages in chunks and waits until each is archived."""

    writes = True
    repeatable = False
    width = 1

    def __init__(self, request: StartSave, desk: BoxDesk) -> None:
        self._request = request
        self.desk = desk
        self._outcomes: dict[int, Json] = {}

    @property
    def batch(self) -> int:
        """Pages of one request."""
        return ADDED_AT_ONCE if self.desk.api.has("GET /crawls/crawls") else 1

    def require(self) -> None:
        """Refuse what the server would ignore.

        Raises:
            Failure: `UNSUPPORTED`.
        """
        self.body([RecordRow(0, "https://a.example/", RecordState.PENDING, None, None, None, 0)])

    async def gather(self, job: Handle) -> None:
        """The pages are known from the start."""

    async def send(self, job: Handle, records: list[RecordRow]) -> None:
        """Add the pages of one chunk; an address that is none is refused here, because some
        versions take it."""
        valid = []
        for record in records:
            try:
                check_web_address(record.key)
            except Failure as failure:
                job.failed(record, failure.message, code=failure.code)
            else:
                valid.append(record)
        if not valid:
            return
        answer = command(
            await self.desk.background.change(
                "POST",
                "/cli/add",
                self.body(valid),
                repeatable=False,
                verify=_VERIFY,
                admit=lambda: job.admit(valid),
            )
        )
        crawl = answer.get("crawl_id") if isinstance(answer, dict) else None
        for record in valid:
            job.done(record, {"crawl": crawl} if crawl else None)

    async def finish(self, job: Handle) -> Json:
        """Wait for the pages, look at each with growing pauses, and tell what became of it."""
        away = {
            row.number: row
            for row in _rows(job)
            if _is_added(row) and row.number not in self._outcomes
        }
        waited, pause = float(job.counters.get("waited", 0)), FIRST_PAUSE
        while away:
            left = self._request.wait_minutes * 60 - waited
            await self._look(job, away, len(away) if left <= 0 else LOOKED_AT)
            if not away or left <= 0:
                break
            job.say(f"{len(self._outcomes):,} pages archived")
            step = min(pause, left)
            await job.sleep(step)
            waited, pause = waited + step, min(pause * GROWTH, LONGEST_PAUSE)
            await job.checkpoint(waited=waited)
        return self._told(job)

    def body(self, records: list[RecordRow]) -> Json:
        """What adds these pages.

        Raises:
            Failure: `UNSUPPORTED` for what the server would ignore.
        """
        request = self._request
        given = {
            "urls": [each.key for each in records],
            "depth": 0,
            **({"tag": ",".join(request.tags)} if request.tags else {}),
            **({"plugins": request.plugins} if request.plugins else {}),
            **({"only_new": request.only_new} if request.only_new is not None else {}),
        }
        return self.known(given)

    def known(self, given: Json) -> Json:
        """The arguments of the command under this server's names."""
        add = Add.model_validate(given)
        return add.known_to(self.desk.background, add.given())

    async def _look(self, job: Handle, away: dict[int, RecordRow], most: int) -> None:
        """Look at some of the pages, and note those that are finished."""
        crawls: dict[str, bool] = {}
        for row in list(away.values())[:most]:
            outcome = await self._outcome(row, crawls)
            if outcome is None:
                continue
            self._outcomes[row.number] = outcome
            del away[row.number]
            if row.state is RecordState.UNKNOWN:
                job.done(row)
                await job.settle([row])

    async def _outcome(self, row: RecordRow, crawls: dict[str, bool]) -> Json | None:
        """What became of a page; None while it is not finished."""
        pages = await copies(self.desk, row.key)
        crawl = row.detail.get("crawl") if isinstance(row.detail, dict) else None
        if (
            crawl is None
        ):  # 0.8.5 has archived what it added; what was lost on its way may not be there at all
            return finished(pages[-1]) if pages else None
        own = [each for each in pages if _same(each.get("crawl_id", crawl), crawl)]
        if own:
            return finished(own[-1])
        if not await self._is_over(crawl, crawls):
            return None
        if pages:  # known before, and only new ones were wanted
            return {
                **(finished(pages[-1]) or {"outcome": "queued", "id": pages[-1]["id"]}),
                "known": True,
            }
        return {"outcome": "failed", "failures": [{"reason": "ArchiveBox made no page of it."}]}

    async def _is_over(self, crawl: str, known: dict[str, bool]) -> bool:
        if crawl not in known:
            found = await self.desk.background.get(f"/crawls/crawl/{crawl}")
            known[crawl] = found.get("status") == "sealed"
        return known[crawl]

    def _told(self, job: Handle) -> Json:
        groups: dict[str, list[Json]] = {
            name: [] for name in ("saved", "partly", "failed", "queued", "refused")
        }
        known = 0
        for row in _rows(job):
            if row.state is RecordState.FAILED:
                groups["refused"].append({"url": row.key, "reason": row.reason})
                continue
            outcome = dict(self._outcomes.get(row.number) or {"outcome": "queued"})
            known += bool(outcome.pop("known", False))
            groups[outcome.pop("outcome")].append({"url": row.key, **outcome})
        notes = [f"{known} were saved before and not again."] if known else []
        if groups["queued"]:
            notes.append(
                "What is still queued goes on in ArchiveBox by itself: look later with action check."
            )
        return _shown(groups, notes)


class CheckWork:
    """Looks at pages, and changes nothing."""

    writes = False
    repeatable = True
    batch = 1
    width = 2

    def __init__(self, desk: BoxDesk, days: int | None) -> None:
        self._desk = desk
        self._days = days

    async def gather(self, job: Handle) -> None:
        """The pages are known from the start."""

    async def send(self, job: Handle, records: list[RecordRow]) -> None:
        """Look at one page."""
        (record,) = records
        check_web_address(record.key)
        job.admit(records)
        job.done(record, self._judged(await copies(self._desk, record.key)))

    async def finish(self, job: Handle) -> Json:
        """The pages by how they stand."""
        names = ("missing", "noOutput", "stale", "queued", "good", "refused")
        groups: dict[str, list[Json]] = {name: [] for name in names}
        for row in _rows(job):
            if row.state is RecordState.DONE:
                found = dict(row.detail)
                groups[found.pop("is")].append({"url": row.key, **found})
            else:
                groups["refused"].append({"url": row.key, "reason": row.reason})
        return _shown(groups, [])

    def _judged(self, pages: list[Json]) -> Json:
        if not pages:
            return {"is": "missing"}
        over = [(each, found) for each in pages if (found := finished(each)) is not None]
        good = [each for each, found in over if found["outcome"] in ("saved", "partly")]
        if not good:
            if len(over) < len(pages):
                return {"is": "queued", "id": pages[-1]["id"]}
            return {"is": "noOutput", "id": pages[-1]["id"], "failures": failures(pages[-1])[:3]}
        newest = max(good, key=_saved_at)
        stale = self._days is not None and _saved_at(newest) < datetime.now(UTC) - timedelta(
            days=self._days
        )
        saved = _saved_at(newest).isoformat(timespec="seconds").replace("+00:00", "Z")
        return {"is": "stale" if stale else "good", "id": newest["id"], "saved": saved}


async def copies(desk: BoxDesk, url: str) -> list[Json]:
    """The newest saved pages of a URL with their outputs, oldest first."""
    given = {"url": url, "with_archiveresults": True, "limit": _COPIES}
    found = await desk.background.get("/core/snapshots", **given)
    if (total := int(found["total_items"])) > _COPIES:
        found = await desk.background.get("/core/snapshots", **given, offset=total - _COPIES)
    pages: list[Json] = [each for each in found["items"] if each.get("status") != "deleting"]
    return pages


def finished(page: Json) -> Json | None:
    """How a finished page fared; None while ArchiveBox is at it."""
    if page.get("status") not in (None, "sealed"):
        return None
    newest = {str(each.get("plugin") or each.get("extractor")): each for each in _in_time(page)}
    failed = failures({"archiveresults": [*newest.values()]})
    succeeded = any(each.get("status") == "succeeded" for each in newest.values())
    if succeeded and not failed:
        return {"outcome": "saved", "id": page["id"]}
    reasons = failed[:3] or [{"reason": "There is no output."}]
    return {"outcome": "partly" if succeeded else "failed", "id": page["id"], "failures": reasons}


def _in_time(page: Json) -> list[Json]:
    """The page's outputs, oldest first: 0.8.5 keeps several of a kind."""
    return sorted(
        page.get("archiveresults") or [], key=lambda each: str(each.get("start_ts") or "")
    )


def _saved_at(page: Json) -> datetime:
    text = str(page.get("downloaded_at") or page.get("bookmarked_at") or page.get("created_at"))
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _shown(groups: dict[str, list[Json]], notes: list[str]) -> Json:
    """Counts of all, and of each group the first."""
    cut = any(len(each) > _MOST_SHOWN for each in groups.values())
    return {
        "counts": {name: len(each) for name, each in groups.items()},
        **{name: each[:_MOST_SHOWN] for name, each in groups.items() if each},
        "notes": [*notes, *([f"Each list ends at {_MOST_SHOWN}."] if cut else [])],
    }


def _rows(job: Handle) -> Iterator[RecordRow]:
    after = 0
    while rows := job.rows(after=after, limit=_PAGE):
        yield from rows
        after = rows[-1].number


def _is_added(row: RecordRow) -> bool:
    return row.state in (RecordState.DONE, RecordState.UNKNOWN)


def _same(one: Any, other: Any) -> bool:
    return str(one).replace("-", "").lower() == str(other).replace("-", "").lower()
