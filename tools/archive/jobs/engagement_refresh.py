"""The work of a refresh: paid, a hundred items a request, each sent at most once; then waiting for
the outcome."""

from __future__ import annotations

from typing import Any

from server.archive.context import ArchiveContext
from server.errors import Code, Failure
from server.jobs import (
    Handle,
    NewRecord,
    RecordRow,
    RecordState,
)
from server.text import count_noun
from tools.archive.content.refetch import CREDITS_PER_ITEM, RefetchEngagementBulk
from tools.archive.operations import GetOperation

AT_ONCE = 100
"""Items of one request: one that Archive refuses, or whose answer is lost, concerns no more than
these."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
"""The first and the longest pause between two requests for an operation, in seconds."""
LONGEST_WAIT = 3600.0
"""Seconds of pauses after which a refresh is reported as still running."""
TERMINAL = ("COMPLETED", "PARTIAL", "FAILED")
_MOST_NAMED = 200


class RefreshWork:
    """Spends billing credits: a record is a hundred items, and no record is sent a second time by
    itself."""

    writes = True
    repeatable = False
    batch = 1
    width = 1

    def __init__(self, context: ArchiveContext) -> None:
        self._context = context

    async def gather(self, job: Handle) -> None:
        """The items are those that the user agreed to."""
        raise TypeError(f"the items of {job.row.id} are known from the start")

    async def send(self, job: Handle, records: list[RecordRow]) -> None:
        """Have the items of one record refreshed."""
        (record,) = records
        job.set_message("")
        request = RefetchEngagementBulk.model_validate({"itemIds": record.detail["ids"]})
        try:
            payload = await self._context.background.apply(
                request, admit=lambda: job.admit(records)
            )
        except Failure as failure:
            if failure.code is Code.FORBIDDEN:
                failure.hint = (
                    "Archive switches refreshing on for each workspace: the user asks their "
                    "Archive contact."
                )
            raise
        job.mark_done(record, {**record.detail, "payload": payload})

    async def finish(self, job: Handle) -> dict[str, Any]:
        """Wait for the operations that were started, and tell what became of the items."""
        existing: dict[str, Any] = dict(job.counters.get("operations") or {})
        started = [
            name
            for row in job.all_rows(RecordState.DONE)
            if (name := row.detail["payload"]["operationId"])
        ]
        for number, name in enumerate(started):
            if existing.get(name, {}).get("status") not in TERMINAL:
                job.set_message(f"waiting for refresh {number + 1} of {len(started)}")
                existing[name] = await self._outcome(job, name)
                await job.checkpoint(operations=existing)
        return self._report(job, {name: existing[name] for name in started})

    async def _outcome(self, job: Handle, name: str) -> dict[str, Any]:
        query = GetOperation.model_validate({"id": name})
        operation: dict[str, Any] | None = None
        async for _ in job.poll(first=FIRST_PAUSE, longest=LONGEST_PAUSE, limit=LONGEST_WAIT):
            operation, _partial = await self._context.background.read(query)
            if operation is None or operation["status"] in TERMINAL:
                break
        return _brief(operation or {})

    def _report(self, job: Handle, operations: dict[str, dict[str, Any]]) -> dict[str, Any]:
        rows = list(job.all_rows())
        payloads = [row.detail["payload"] for row in rows if row.state is RecordState.DONE]
        accepted = sum(payload["processedCount"] or 0 for payload in payloads)
        skipped = [item for payload in payloads for item in payload["skippedItemIds"] or []]
        failed = [item for operation in operations.values() for item in operation["failed"]]
        requested = sum(len(row.detail["ids"]) for row in rows)
        return {
            "mode": "refresh",
            "summary": {
                "items": requested,
                "accepted": accepted,
                "succeeded": sum(operation["succeeded"] for operation in operations.values()),
                "failed": len(failed),
                "skipped": len(skipped),
            },
            "billingCreditsAtMost": accepted * CREDITS_PER_ITEM,
            "operations": [
                {"id": name, "status": each["status"]} for name, each in operations.items()
            ],
            **({"failedItemIds": failed[:_MOST_NAMED]} if failed else {}),
            **({"skippedItemIds": skipped[:_MOST_NAMED]} if skipped else {}),
            "notes": _notes(
                rows, operations, len(skipped), _send_batch(rows) - accepted - len(skipped)
            ),
        }


def chunks(ids: list[str]) -> list[NewRecord]:
    """The records of a refresh of these items."""
    return [
        NewRecord(
            f"items {start + 1}-{min(start + AT_ONCE, len(ids))}",
            {"ids": ids[start : start + AT_ONCE]},
        )
        for start in range(0, len(ids), AT_ONCE)
    ]


def _brief(operation: dict[str, Any]) -> dict[str, Any]:
    return {
        "status": operation.get("status"),
        "succeeded": len(operation.get("succeededItemIds") or []),
        "failed": operation.get("failedItemIds") or [],
    }


def _send_batch(rows: list[RecordRow]) -> int:
    """Items of the requests that Archive answered."""
    return sum(len(row.detail["ids"]) for row in rows if row.state is RecordState.DONE)


def _notes(
    rows: list[RecordRow], operations: dict[str, dict[str, Any]], skipped: int, left_out: int
) -> list[str]:
    notes = []
    if skipped:
        notes.append(
            f"{count_noun(skipped, 'item')} skipped: a refresh of them was under way already."
        )
    if left_out > 0:
        notes.append(
            f"{count_noun(left_out, 'item')} left out by Archive without a reason or a charge, "
            "as stories are."
        )
    for row in rows:
        if row.state is RecordState.FAILED:
            notes.append(f"{row.key}: not refreshed, nothing spent on them. {row.reason}")
        elif row.state is RecordState.UNKNOWN:
            notes.append(
                f"{row.key}: whether their refresh was started is not known, so it was not sent "
                "again. "
                "archive_get_operations shows it; each costs credits."
            )
    if any(operation["status"] not in TERMINAL for operation in operations.values()):
        notes.append(
            "Some refreshes are still running: archive_get_operation shows their progress."
        )
    if refused := [row for row in rows if row.state is RecordState.FAILED]:
        notes.append(
            f"{count_noun(len(refused), 'request')} refused whole: where billing credits run "
            "short, Archive refreshes "
            "none of the items named together. `resume` sends them again, once there are enough."
        )
    return notes
