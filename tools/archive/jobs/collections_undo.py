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
from tools.archive.jobs.outcomes import read_detail

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
    """Yield the items that a job changed, with the collections to change back, and the number of
    the last record that was read.

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
        reversals = []
        for row in rows:
            if row.state in CHANGED:
                detail = _reverse(row, ids, shared[row.key], job.counters["action"])
                reversals.append((row.key, detail))
        yield reversals, rows[-1].number
        await anyio.lowlevel.checkpoint()


def _ids(job: JobRow, targets: list[dict[str, Any]]) -> dict[str, str]:
    """Return the ids of the collections that count, by id and by every name of theirs."""
    ids = {target["id"]: target["id"] for target in targets}
    existing = set(ids)
    # A renamed collection has another name now, but the records hold the one of then.
    for target in [*targets, *job.counters["targets"]]:
        if target["id"] in existing:
            ids[target["name"]] = target["id"]
    return ids


def _reverse(row: RecordRow, ids: dict[str, str], shared: set[str], action: str) -> dict[str, Any]:
    changed = _list_changes(row, ids)
    left = [identity for identity in changed if identity not in shared]
    result = {"collections": left, "account": read_detail(row).get("account")}
    if changed and not left:
        result["reason"] = _SHARED[action]
    return result


def _list_changes(row: RecordRow, ids: dict[str, str]) -> list[str]:
    """Return the ids of the collections that were changed for an item, each once."""
    places = read_detail(row).get("collections", [])
    return list(dict.fromkeys(ids[place] for place in places if place in ids))


async def _find_changes_by_others(
    jobs: Jobs, job: JobRow, ids: dict[str, str]
) -> defaultdict[str, set[str]]:
    """Return the collections that other jobs changed in the same way, by item."""
    result: defaultdict[str, set[str]] = defaultdict(set)
    for row in _list_rivals(await _list_alike(jobs, job), job):
        async for records in jobs.record_pages(row.id, CHANGED, size=_AT_ONCE):
            for record in records:
                if changed := _list_changes(record, ids):
                    result[record.key].update(changed)
            await anyio.lowlevel.checkpoint()
    return result


def _list_rivals(rows: list[JobRow], job: JobRow) -> list[JobRow]:
    """Return the other jobs that changed items in the same way and were not undone."""
    # A job that was undone has no claim on its items any more.
    excluded: set[str | None] = {job.id}
    rivals = []
    for row in rows:
        # An undo that broke off may have reversed little: the job it was about still counts.
        if row.state not in (JobState.CANCELLED, JobState.FAILED):
            excluded.add(row.arguments.get("undo"))
        # A job of the opposite action took no part in the state that is to be reversed.
        if row.counters.get("action") == job.counters["action"]:
            rivals.append(row)
    return [row for row in rivals if row.id not in excluded]


async def _list_alike(jobs: Jobs, job: JobRow) -> list[JobRow]:
    """Return all jobs of the same tool and place."""
    result: list[JobRow] = []
    place = (job.tool, job.origin, job.workspace)
    visited = 0
    # By offset, because the list of jobs has no cursor; all of them, since any may have touched
    # the items.
    while rows := await jobs.list(job.account, limit=100, offset=visited):
        visited += len(rows)
        result += [row for row in rows if (row.tool, row.origin, row.workspace) == place]
    return result
