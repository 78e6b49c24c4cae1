"""The workers of 0.9.8, the only version that shows them."""

from __future__ import annotations

from typing import Any

from server.archivebox.endpoints import Get
from tools.archivebox.records import Worker

# ArchiveBox dropped these routes in March 2026, and no later release has them.
_INSTEAD = (
    "On newer servers crawls and pages carry a status: {GET /crawls/crawls}, {GET /core/snapshots}."
)


class GetOrchestrator(Get[Worker]):
    """Get what ArchiveBox's orchestrator is doing (0.9.8 only)."""

    operation = "GET /workers/orchestrator"
    title = "Get the orchestrator"
    search_hint = (
        "is the box doing anything, queue, idle or busy, background process of ArchiveBox, how "
        "many tasks wait, is archivebox working, is it still running, why is nothing happening, "
        "scheduler, main process, alive, archiver stuck, anything being processed, idle, at the "
        "moment, web archive, things waiting, backlog, background, pipeline, running"
    )
    since = "only 0.9.8"
    use = _INSTEAD


class ListWorkers(Get[Worker]):
    """List ArchiveBox's workers and what they do (0.9.8 only)."""

    operation = "GET /workers/workers"
    title = "List workers"
    search_hint = (
        "how many are busy, what are they working on, stuck worker, what are the workers doing, "
        "parallel tasks, running processes, is anything being processed, idle, at the moment, "
        "background processes alive, processes, busy, threads"
    )
    since = "only 0.9.8"
    use = _INSTEAD

    def present(self, result: Any) -> dict[str, Any]:
        workers = result if isinstance(result, list) else result.get("items", [result])
        return {"nodes": workers, "totalCount": len(workers), "nextCursor": None}
