"""What a collection job changed, for the job that reverses it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Any

import anyio.lowlevel

from server.jobs import (
    JobRow,
    Jobs,
    JobState,
    RecordRow,
    RecordState,
)

CHANGED = (RecordState.DONE, RecordState.UNKNOWN, RecordState.SENDING)
"""States of a record that was changed, or may have been: whether it was, its membership tells."""

# Records of the journal in one look, which bounds the memory of a job of any size.
_AT_ONCE = 500
_SHARED = {
    "add": "Another job put it in, too.",
    "remove": "Another job took it out, too.",
}


def inverse(action: str) -> str:
    """Return the action that reverses this one."""
    return "remove" if action == "add" else "add"


async def find_reversals(
    jobs: Jobs, name: str, targets: list[dict[str, Any]], *, after: int
) -> AsyncIterator[tuple[list[tuple[str, dict[str, Any]]], int]]:
    """The items that a job changed, with the collections to change back; and the number of the last
    record seen.

    What another job changed in the same way and nobody has undone stays: so of two jobs each can be
    undone alone.

    Args:
        targets: the collections that are still there.
        after: number of the record to go on behind.
    """
    job = await jobs.get(name)
    ids = _ids(job, targets)
    # Read once: whatever other jobs change while this one runs is theirs to undo.
    shared = await _find_changes_by_others(jobs, job, ids)
    async for rows in jobs.record_pages(name, after=after, size=_AT_ONCE):
        changed = [row for row in rows if row.state in CHANGED]
        yield (
            [
                (row.key, _reverse(row, ids, shared[row.key], job.counters["action"]))
                for row in changed
            ],
            rows[-1].number,
        )
        await anyio.lowlevel.checkpoint()


def _ids(job: JobRow, targets: list[dict[str, Any]]) -> dict[str, str]:
    """The ids of the collections that count, by id and by the name that the job knew them by."""
    existing = {target["id"] for target in targets}
    ids = {target["id"]: target["id"] for target in targets} | {
        target["name"]: target["id"] for target in targets
    }
    # A renamed collection has another name now, but the records hold the one of then.
    return ids | {
        target["name"]: target["id"]
        for target in job.counters["targets"]
        if target["id"] in existing
    }


def _reverse(row: RecordRow, ids: dict[str, str], shared: set[str], action: str) -> dict[str, Any]:
    changed = _collections(row, ids)
    left = [entry for entry in changed if entry not in shared]
    result = {"collections": left, "account": (row.detail or {}).get("account")}
    if changed and not left:
        result["reason"] = _SHARED[action]
    return result


def _collections(row: RecordRow, ids: dict[str, str]) -> list[str]:
    return list(
        dict.fromkeys(
            ids[collection]
            for collection in (row.detail or {}).get("collections", [])
            if collection in ids
        )
    )


async def _find_changes_by_others(
    jobs: Jobs, job: JobRow, ids: dict[str, str]
) -> defaultdict[str, set[str]]:
    """The collections that other jobs changed in the same way, by item."""
    rows = await _alike(jobs, job)
    # A job that was undone has no claim on its items any more.
    reversed_by = {
        row.arguments["undo"] for row in rows if "undo" in row.arguments and _counts(row)
    }
    result: defaultdict[str, set[str]] = defaultdict(set)
    for row in rows:
        same = row.counters.get("action") == job.counters["action"]
        # A job of the opposite action took no part in the state that is to be reversed.
        if row.id == job.id or not same or row.id in reversed_by:
            continue
        async for records in jobs.record_pages(row.id, CHANGED, size=_AT_ONCE):
            for record in records:
                if changed := _collections(record, ids):
                    result[record.key].update(changed)
            await anyio.lowlevel.checkpoint()
    return result


def _counts(row: JobRow) -> bool:
    # An undo that broke off may have reversed little: the job it was about still counts.
    return row.state not in (JobState.CANCELLED, JobState.FAILED)


async def _alike(jobs: Jobs, job: JobRow) -> list[JobRow]:
    """All jobs of the same tool and place."""
    result: list[JobRow] = []
    place = (job.tool, job.origin, job.workspace)
    visited = 0
    # By offset, because the list of jobs has no cursor; all of them, since any may have touched
    # the items.
    while rows := await jobs.list(job.account, limit=100, offset=visited):
        visited += len(rows)
        result += [row for row in rows if (row.tool, row.origin, row.workspace) == place]
    return result
