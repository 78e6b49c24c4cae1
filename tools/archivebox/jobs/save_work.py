"""The work of saving many pages."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from server.archivebox.context import ArchiveBoxContext
from server.archivebox.failures import get_command_result
from server.archivebox.verdict import read_verdict
from server.errors import Failure
from server.http.urls import check_web_address
from server.jobs import Handle, RecordRow, RecordState
from server.text import count_noun
from server.tool.result import drop_empty, select_notes
from tools.archivebox.cli.add import Add, adds_slowly
from tools.archivebox.jobs.page_copies import copies, parse_time, time_of_newest
from tools.archivebox.known import add_tags, find_same, keeps_known
from tools.archivebox.records import describe_verdict
from tools.archivebox.shapes import plain_id, show_groups

_ADDED_AT_ONCE = 50
# 0.9.31 takes 0.7 to 2 s for each address within the request.
_ADDED_SLOWLY = 10
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 60.0
"""Seconds between two looks at how far the pages are."""
LOOKED_AT = 100
"""Pages that one look is about: ArchiveBox works them off in order, about."""
_LOST = (
    "The answer to its adding was lost, and no finished copy is there that was made since: look "
    "later with action check, and save it again if it is missing."
)
_VERIFY = "list with `url` ({GET /core/snapshots})."

Json = dict[str, Any]


@dataclass(frozen=True)
class SaveOptions:
    """How pages are saved: their tags, the only plugins, whether known URLs are skipped, and how
    many minutes the job waits until they are archived."""

    tags: tuple[str, ...]
    plugins: str | None
    only_new: bool | None
    wait_minutes: int

    def arguments(self) -> Json:
        """Return the options that were given, as the add command names them."""
        texts = {"tag": ",".join(self.tags), "plugins": self.plugins, "only_new": self.only_new}
        return drop_empty(texts)


class SaveWork:
    """Adds pages in chunks and waits until each is archived."""

    writes = True
    # 0.9.31 makes another copy each time an address is added.
    repeatable = False
    width = 1

    def __init__(self, context: ArchiveBoxContext, options: SaveOptions) -> None:
        self._options = options
        self.context = context
        # Not in the journal: after an interruption the pages are looked at again.
        self._outcomes: dict[int, Json] = {}

    @property
    def batch(self) -> int:
        """Pages of one request; 0.8.5 archives them before it answers, and gets one."""
        description = self.context.description
        if not description.has("GET /crawls/crawls"):
            return 1
        return _ADDED_SLOWLY if adds_slowly(description) else _ADDED_AT_ONCE

    def require(self) -> None:
        """Refuse what the server would ignore.

        Raises:
            Failure: `UNSUPPORTED`.
        """
        # The page is made up: what matters is which options this version takes.
        self.body([RecordRow(0, "https://a.example/", RecordState.PENDING, None, None, None, 0)])

    async def gather(self, job: Handle) -> None:
        """Do nothing: the pages are arguments of the job."""

    async def send(self, job: Handle, records: list[RecordRow]) -> None:
        """Add the pages of one chunk; an address that is none is refused here, because some
        versions take it."""
        valid = []
        for record in records:
            try:
                check_web_address(record.key)
            except Failure as failure:
                job.mark_failed(record, failure.message, code=failure.code)
            else:
                valid.append(record)
        if not valid:
            return
        known = await self._find_known(valid)
        # Where an answer is lost, a page was added if a copy was made after this.
        if job.cursor is None:
            await job.checkpoint(await time_of_newest(self.context.background))
        answer = get_command_result(
            await self.context.background.change(
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
            page = known.get(record.key)
            tagged = page is not None and await self._tag(page)
            job.mark_done(record, _make_detail(crawl, tagged=tagged))

    async def _find_known(self, records: list[RecordRow]) -> dict[str, Json]:
        """Return the pages that the server has and would leave as they are, where tags are to be
        put on them."""
        api, options = self.context.background, self._options
        if not options.tags or not keeps_known(api, only_new=options.only_new, anew=False):
            return {}
        return await find_same(api, [record.key for record in records])

    async def _tag(self, page: Json) -> bool:
        return await add_tags(self.context.background, page, self._options.tags)

    async def finish(self, job: Handle) -> Json:
        """Wait for the pages, looking at growing intervals, and report what became of each."""
        away = {
            row.number: row
            async for row in job.all_rows()
            if _is_added(row) and row.number not in self._outcomes
        }
        looks = job.poll(
            first=FIRST_PAUSE,
            longest=LONGEST_PAUSE,
            limit=self._options.wait_minutes * 60,
            counter="waited",
        )
        job.set_message(self._waits_for(away))
        async for left in looks:
            await self._look(job, away, LOOKED_AT if left else len(away))
            if not away:
                break
            job.set_message(self._waits_for(away))
        return await self._report(job)

    def _waits_for(self, away: dict[int, RecordRow]) -> str:
        pages = count_noun(len(away), "page")
        return f"waits for ArchiveBox to archive {pages}; {len(self._outcomes):,} done"

    def body(self, records: list[RecordRow]) -> Json:
        """Return the body that adds these pages.

        Raises:
            Failure: `UNSUPPORTED` for what the server would ignore.
        """
        urls = [record.key for record in records]
        return self.require_supported({"urls": urls, "depth": 0, **self._options.arguments()})

    def require_supported(self, requested: Json) -> Json:
        """Return the arguments of the command under the names that this server uses."""
        add = Add.model_validate(requested)
        return add.require_supported(self.context.description, add.request_values())

    async def _look(self, job: Handle, away: dict[int, RecordRow], most: int) -> None:
        """Look at some of the pages, and note those that are finished."""
        # The pages of a chunk share a crawl, which is asked for once in a look.
        crawls: dict[str, bool] = {}
        for row in list(away.values())[:most]:
            is_lost = row.state is RecordState.UNKNOWN
            outcome = await self._outcome(row, crawls, job.cursor if is_lost else None)
            if outcome is None:
                continue
            self._outcomes[row.number] = outcome
            del away[row.number]
            # The answer to its adding was lost; a newer page is there, so it was added.
            if row.state is RecordState.UNKNOWN:
                job.mark_done(row)
                await job.journal_marks([row])

    async def _outcome(
        self, row: RecordRow, crawls: dict[str, bool], since: str | None
    ) -> Json | None:
        """Return what became of a page; None while it is not finished.

        Args:
            since: only copies that were made after this time count, by the server's clock.
        """
        pages = await copies(self.context.background, row.key)
        if since is not None:
            start = parse_time(since)
            pages = [page for page in pages if parse_time(page["created_at"]) > start]
        crawl = (row.detail or {}).get("crawl")
        # 0.9.31 does not say which crawl a page is of, so any copy counts. 0.8.5 knows no crawls,
        # and has archived what it added; what was lost on its way may not be there at all.
        is_own = partial(_is_of_crawl, crawl)
        own = list(filter(is_own, pages))
        # 0.9.73 makes the pages seconds after the crawl: until that is over, this one may still
        # come.
        if own or crawl is None or not await self._is_over(crawl, crawls):
            return await self._result(own[-1:])
        if not pages:
            return {"outcome": "failed", "reason": "ArchiveBox made no page of it."}
        # Known before, and only new ones were wanted.
        pending = {"outcome": "queued", "id": pages[-1]["id"]}
        return {**pending, **(await self._result(pages[-1:]) or {}), "known": True}

    async def _result(self, newest: list[Json]) -> Json | None:
        """Return what became of the newest copy; None while there is none, or it is at work."""
        for page in newest:
            verdict = await read_verdict(self.context.background, page)
            if verdict.outcome != "pending":
                return {"id": page["id"], **describe_verdict(page, verdict)}
        return None

    async def _is_over(self, crawl: str, existing: dict[str, bool]) -> bool:
        if crawl not in existing:
            answer = await self.context.background.get(f"/crawls/crawl/{crawl}")
            existing[crawl] = answer.get("status") == "sealed"
        return existing[crawl]

    async def _report(self, job: Handle) -> Json:
        groups: dict[str, list[Json]] = {
            name: [] for name in ("saved", "partly", "failed", "unknown", "queued", "refused")
        }
        known = tagged = 0
        async for row in job.all_rows():
            if row.state is RecordState.FAILED:
                groups["refused"].append({"url": row.key, "reason": row.reason})
                continue
            outcome = dict(self._outcomes.get(row.number) or _describe_open(row))
            known += bool(outcome.pop("known", False))
            tagged += bool((row.detail or {}).get("tagged"))
            groups[outcome.pop("outcome")].append({"url": row.key, **outcome})
        return show_groups(groups, _save_notes(known, tagged, queued=bool(groups["queued"])))


def _describe_open(row: RecordRow) -> Json:
    """Return what is known of a page of which no finished copy is there."""
    if row.state is RecordState.UNKNOWN:
        return {"outcome": "unknown", "reason": _LOST}
    return {"outcome": "queued"}


def _save_notes(known: int, tagged: int, *, queued: bool) -> list[str]:
    return select_notes(
        (known, f"Saved before and not again: {known}."),
        (tagged, f"{tagged} of these lacked the tags, which were put on them."),
        (
            queued,
            "What is still queued goes on in ArchiveBox by itself: look later with action check.",
        ),
    )


def _make_detail(crawl: str | None, *, tagged: bool) -> Json | None:
    # Nothing to say is nothing to journal.
    detail: Json = drop_empty({"crawl": crawl, "tagged": tagged or None})
    return detail or None


def _is_of_crawl(crawl: str | None, page: Json) -> bool:
    return crawl is None or plain_id(page.get("crawl_id", crawl)) == plain_id(crawl)


def _is_added(row: RecordRow) -> bool:
    return row.state in (RecordState.DONE, RecordState.UNKNOWN)
