"""The work of saving again what is not saved, without storing one copy after another for ever."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from server.archivebox.context import ArchiveBoxContext
from server.archivebox.verdict import Verdict, copy_plugins, judge, plugin_of
from server.jobs import Handle, NewRecord, RecordRow
from server.tool.result import drop_empty
from tools.archivebox.cli.add import Add
from tools.archivebox.command import has_fast_search, search_urls
from tools.archivebox.jobs.page_copies import copies
from tools.archivebox.jobs.query import PageQuery
from tools.archivebox.jobs.save_work import SaveWork

EXHAUSTED = "It ended the same way each time: one more copy would not help."
# Attempts that end alike: a page that is there in part is not copied for ever for the rest.
_TRIES, _TRIES_OF_PARTS = 4, 2
# One request each, while somebody waits for the preview.
_JUDGED_BEFORE = 100
# Of more it is asked first which have one copy alone: two requests for so many URLs.
_LOOKED_AT_SINGLY = 10
_COUNTED_AT_ONCE = 100

Json = dict[str, Any]


@dataclass(frozen=True)
class Retries:
    """The pages to save again, and how many were left out because that was tried before.

    is_judged: whether each was looked at; else the job finds out which of them are saved.
    """

    records: list[NewRecord]
    exhausted: int = 0
    is_judged: bool = True


@dataclass
class _Candidate:
    """A page of which an output failed: the newest copy with such a one, and the failed plugins of
    each copy by its id."""

    url: str
    newest: Json
    plugins: dict[str, list[str]] = field(default_factory=dict)

    def take(self, result: Json) -> None:
        """Add a failed output."""
        if _made(result) > _made(self.newest):
            self.newest = result
        self.plugins.setdefault(str(result["snapshot_id"]), []).append(plugin_of(result))

    def make_record(self) -> NewRecord:
        """Return the page as it is journalled."""
        identity, tags = str(self.newest["snapshot_id"]), self.newest.get("snapshot_tags") or []
        detail = {"id": identity, "tags": tags, "failed": self.plugins[identity]}
        return NewRecord(self.url, {"url": self.url, **detail})

    def is_certain(self) -> bool:
        """Whether a copy failed for certain, and nothing need be read to know that."""
        return not copy_plugins().isdisjoint(*self.plugins.values())


async def find_failed_pages(context: ArchiveBoxContext, query: PageQuery) -> Retries:
    """Return the pages whose newest copy is not whole, by URL."""
    candidates = await _find_candidates(context, query)
    single: set[str] = set()
    if len(candidates) > _LOOKED_AT_SINGLY:
        # With one copy alone there is nothing newer that may be good.
        single = await _find_single(context, [candidate.url for candidate in candidates])
    certain, unsure = list[NewRecord](), list[_Candidate]()
    for candidate in candidates:
        if candidate.url in single and candidate.is_certain():
            certain.append(candidate.make_record())
        else:
            unsure.append(candidate)
    if len(unsure) > _JUDGED_BEFORE:
        unjudged = [candidate.make_record() for candidate in unsure]
        return Retries([*certain, *unjudged], is_judged=False)
    judged = await _judge_candidates(context, unsure)
    return Retries([*certain, *judged.records], judged.exhausted)


async def _judge_candidates(context: ArchiveBoxContext, candidates: list[_Candidate]) -> Retries:
    records: list[NewRecord] = []
    exhausted = 0
    for candidate in candidates:
        pages = await copies(context.api, candidate.url)
        # One that was saved again since is not to be saved again for ever.
        if not pages or str(pages[-1]["id"]) not in candidate.plugins:
            continue
        state = retry_state(pages)
        exhausted += state == EXHAUSTED
        if state is None:
            records.append(candidate.make_record())
    return Retries(records, exhausted)


async def _find_single(context: ArchiveBoxContext, urls: list[str]) -> set[str]:
    """Return the URLs of which there is one copy, and no work on it; none where the server cannot
    say so quickly."""
    if not has_fast_search(context.description):
        return set()
    counts, finished = Counter[str](), Counter[str]()
    for start in range(0, len(urls), _COUNTED_AT_ONCE):
        some = urls[start : start + _COUNTED_AT_ONCE]
        filters = {"filter_type": "exact", "filter_patterns": some}
        counts.update(await search_urls(context.api, filters))
        finished.update(await search_urls(context.api, {**filters, "status": "sealed"}))
    return {url for url, count in counts.items() if count == finished[url] == 1}


async def _find_candidates(context: ArchiveBoxContext, query: PageQuery) -> list[_Candidate]:
    """Return the pages that may not be saved, with the outputs that say so."""
    failed = await query.find_results(context, "failed")
    results = list(filter(lambda result: plugin_of(result) in copy_plugins(), failed))
    if context.description.takes("GET /core/archiveresults", "plugin"):
        # 0.9.31 calls a wget a success that stored its log alone; nothing is then there to be read.
        plugin = "wget" if has_fast_search(context.description) else "htmltotext"
        results += await query.find_results(context, "noresults", plugin=plugin)
    candidates: dict[str, _Candidate] = {}
    for result in results:
        url = str(result["snapshot_url"])
        candidates.setdefault(url, _Candidate(url, result)).take(result)
    return list(candidates.values())


def _made(result: Json) -> str:
    return str(result.get("created_at"))


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
        if _describe_end(judge(page)) != _describe_end(verdict):
            break
        # 0.8.5 makes new outputs of one copy instead of more copies.
        failed = filter(_is_failed, page.get("archiveresults") or ())
        alike += max(Counter(map(plugin_of, failed)).values(), default=1)
    return alike >= most


def _describe_end(verdict: Verdict) -> tuple[str, frozenset[str]]:
    """Return how an attempt ended: its outcome and the plugins that failed."""
    return verdict.outcome, frozenset(map(itemgetter("plugin"), verdict.failures))


def _is_failed(result: Json) -> bool:
    return bool(result.get("status") == "failed")


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
            {"urls": [records[0].key], "depth": 0, **drop_empty({"tag": tags}), **anew}
        )
