"""The work of a refresh: paid, a hundred items a request, each sent at most once; then waiting for
the outcome."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from server.archive.context import ArchiveContext
from server.errors import Code, Failure
from server.jobs import (
    Handle,
    NewRecord,
    RecordRow,
    RecordState,
)
from server.shared_state.spending import Purchase, spend
from server.text import count_noun
from server.tool.result import drop_nulls, select_notes
from tools.archive.content.refetch import CREDITS_PER_ITEM, RefetchEngagementBulk
from tools.archive.items_source import read_account
from tools.archive.jobs.outcomes import Outcome, OutcomeFile, OutcomeList
from tools.archive.operations import GetOperation

AT_ONCE = 100
"""Items of one request: one that Archive refuses, or whose answer is lost, concerns no more than
these."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
"""The first and the longest pause between two requests for an operation, in seconds."""
LONGEST_WAIT = 3600.0
"""Seconds of pauses after which a refresh is reported as still running."""
TERMINAL = ("COMPLETED", "PARTIAL", "FAILED")
_SKIPPED = ("skippedItems", "A refresh of it was under way already.")
_FAILED = ("failedItems", "Archive could not measure it now.")
_LEFT_OUT = ("leftOutItems", "Archive left it out without a reason or a charge.")
_RUNNING = ("runningItems", "Its refresh is still running.")


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
        # Refused items may be sent again after a file was written: that file is not true any more.
        await self._file(job).forget()
        if "leftOut" in record.detail:
            job.mark_skipped(record, "Left out from the start; the result says why.")
            return
        request = RefetchEngagementBulk.model_validate({"itemIds": record.detail["ids"]})
        async with spend(self._context.spending, request.billing_credits()) as purchase:
            payload = await self._send(request, job, records, purchase)
            purchase.spent = request.billing_credits(payload)
        job.mark_done(record, {**record.detail, "payload": payload})

    async def _send(
        self,
        request: RefetchEngagementBulk,
        job: Handle,
        records: list[RecordRow],
        purchase: Purchase,
    ) -> dict[str, Any]:
        async def admit() -> None:
            await job.admit(records)
            await purchase.note_send()

        try:
            return await self._context.background.apply(request, admit=admit)
        except Failure as failure:
            if failure.code is Code.FORBIDDEN:
                failure.hint = (
                    "Archive switches refreshing on for each workspace: the user asks their "
                    "Archive contact."
                )
            raise

    async def finish(self, job: Handle) -> dict[str, Any]:
        """Wait for the operations that were started, and tell what became of the items."""
        operations: dict[str, Any] = dict(job.counters.get("operations", {}))
        started = [row async for row in job.all_rows(RecordState.DONE) if _operation(row)]
        for number, row in enumerate(started, 1):
            name = _operation(row)
            if operations.get(name, {}).get("status") not in TERMINAL:
                job.set_message(f"waits for refresh {number} of {len(started)}")
                operations[name] = await self._follow(job, row, name)
                await job.checkpoint(operations=operations)
        names = map(_operation, started)
        return await self._report(job, {name: operations[name] for name in names})

    def _file(self, job: Handle) -> OutcomeFile:
        return OutcomeFile(self._context.exports(), job, "refreshed-items")

    async def _follow(self, job: Handle, row: RecordRow, name: str) -> dict[str, Any]:
        """Wait for the outcome of an operation, and return it in brief."""
        query = GetOperation.model_validate({"id": name})
        operation: dict[str, Any] | None = None
        async for _ in job.poll(first=FIRST_PAUSE, longest=LONGEST_PAUSE, limit=LONGEST_WAIT):
            operation, _partial = await self._context.background.read(query)
            if operation is None or operation["status"] in TERMINAL:
                break
        return _summarise(operation or {}, row)

    async def _report(self, job: Handle, operations: dict[str, dict[str, Any]]) -> dict[str, Any]:
        rows = [row async for row in job.all_rows() if "ids" in row.detail]
        accepted = sum(_payload(row).get("processedCount", 0) for row in rows)
        listed = await OutcomeList.read(_list_outcomes(job, operations))
        result = {
            "mode": "refresh",
            "summary": {
                "items": sum(len(row.detail["ids"]) for row in rows),
                "accepted": accepted,
                "succeeded": listed.count("refreshedItems"),
                "failed": listed.count("failedItems"),
                "skipped": listed.count("skippedItems"),
                "leftOut": listed.count("leftOutItems"),
            },
            "billingCreditsAtMost": accepted * CREDITS_PER_ITEM,
            "operations": [
                {"id": name, "status": operation["status"]}
                for name, operation in operations.items()
            ],
            "notes": _notes(rows, operations),
        }
        return await self._file(job).add_to(result, listed, _list_outcomes(job, operations))


def make_records(
    accepted: list[dict[str, Any]], left_out: list[tuple[str, str | None, str]]
) -> list[NewRecord]:
    """Return the records of a refresh.

    Args:
        accepted: the items that are to be refreshed, with their accounts.
        left_out: what cannot be: id or link, account, and why.
    """
    records = []
    for start in range(0, len(accepted), AT_ONCE):
        piece = accepted[start : start + AT_ONCE]
        accounts = {item["id"]: read_account(item) for item in piece}
        detail = {"ids": list(accounts), "accounts": accounts}
        records.append(NewRecord(f"items {start + 1}-{start + len(piece)}", detail))
    # Journalled as well, so that the result can name them however much later it is made.
    for start in range(0, len(left_out), AT_ONCE):
        rest = left_out[start : start + AT_ONCE]
        key = f"left out {start + 1}-{start + len(rest)}"
        records.append(NewRecord(key, {"leftOut": rest}))
    return records


def _payload(row: RecordRow) -> dict[str, Any]:
    """Return what Archive answered to a request, without nulls; nothing where it did not."""
    if row.state is not RecordState.DONE:
        return {}
    return drop_nulls(row.detail["payload"])


def _operation(row: RecordRow) -> str:
    return str(_payload(row).get("operationId", ""))


def _summarise(operation: dict[str, Any], row: RecordRow) -> dict[str, Any]:
    # Archive may send null for an empty list.
    operation = drop_nulls(operation)
    failed = operation.get("failedItemIds", [])
    mentioned = {*failed, *operation.get("succeededItemIds", ()), *_skipped_ids(row)}
    # What a final operation mentions nowhere was dropped, which Archive tells nobody.
    silent = [item for item in row.detail["ids"] if item not in mentioned]
    return {"status": operation.get("status"), "failed": failed, "silent": silent}


def _skipped_ids(row: RecordRow) -> list[str]:
    skipped: list[str] = _payload(row).get("skippedItemIds", [])
    return skipped


async def _list_outcomes(
    job: Handle, operations: dict[str, dict[str, Any]]
) -> AsyncIterator[Outcome]:
    """Yield what became of each item that the user named."""
    async for row in job.all_rows():
        for item, account, reason in row.detail.get("leftOut", ()):
            yield Outcome("leftOutItems", item, account, reason)
        accounts = row.detail.get("accounts", {})
        fates = _list_fates(row, operations)
        for item in row.detail.get("ids", ()):
            key, reason = fates.get(item, ("refreshedItems", ""))
            yield Outcome(key, item, accounts.get(item), reason)


def _list_fates(
    row: RecordRow, operations: dict[str, dict[str, Any]]
) -> dict[str, tuple[str, str]]:
    """Return the items of a request that were not refreshed, each with its kind and its reason."""
    if row.state is not RecordState.DONE:
        reason = row.reason or "It was not sent."
        return dict.fromkeys(row.detail.get("ids", ()), ("failedItems", reason))
    operation = operations.get(_operation(row))
    if operation is None:
        # Nothing was started: all that Archive did not skip it left out.
        operation = {"status": "COMPLETED", "failed": [], "silent": row.detail["ids"]}
    silent = _LEFT_OUT if operation["status"] in TERMINAL else _RUNNING
    return {
        **dict.fromkeys(operation.get("silent", ()), silent),
        **dict.fromkeys(operation["failed"], _FAILED),
        **dict.fromkeys(_skipped_ids(row), _SKIPPED),
    }


def _notes(rows: list[RecordRow], operations: dict[str, dict[str, Any]]) -> list[str]:
    refused = [row for row in rows if row.state is RecordState.FAILED]
    unsure = [row for row in rows if row.state is RecordState.UNKNOWN]
    running = any(operation["status"] not in TERMINAL for operation in operations.values())
    return [
        *(f"{row.key}: not refreshed, nothing spent on them. {row.reason}" for row in refused),
        *map(_describe_unsure, unsure),
        *select_notes(
            (
                running,
                "Some refreshes are still running: archive_get_operation shows their progress.",
            ),
            (
                refused,
                f"{count_noun(len(refused), 'request')} refused whole: where billing credits run "
                "short, Archive refreshes none of the items named together. `resume` sends them "
                "again, once there are enough.",
            ),
        ),
    ]


def _describe_unsure(row: RecordRow) -> str:
    return (
        f"{row.key}: whether their refresh was started is not known, so it was not sent "
        "again. archive_get_operations shows it; each costs credits."
    )
