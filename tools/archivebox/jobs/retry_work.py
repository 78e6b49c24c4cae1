"""The work of saving again what is not saved, without storing one copy after another for ever."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from server.archivebox.context import ArchiveBoxContext
from server.archivebox.verdict import Verdict, copy_plugins, judge, plugin_of
from server.jobs import Handle, NewRecord, RecordRow
from tools.archivebox.cli.add import Add
from tools.archivebox.jobs.query import PageQuery
from tools.archivebox.jobs.save_work import SaveWork, copies

EXHAUSTED = "It ended the same way each time: one more copy would not help."
# Attempts that end alike: a page that is there in part is not copied for ever for the rest.
_TRIES, _TRIES_OF_PARTS = 4, 2
# One request each, while somebody waits for the preview.
_JUDGED_BEFORE = 100

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
