"""Pages that two tagging jobs changed at once, in processes that share no lock.

ArchiveBox answers a tag that is there already as it answers a new one. So both jobs have marked
such a page as changed, and one of them counts it: the one that ended first.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

from server.jobs import JobRow, Jobs, RecordRow, RecordState

_MOST_JOBS = 1_000

Json = dict[str, Any]


async def find_shared(jobs: Jobs, job: JobRow) -> set[str]:
    """Return the pages of a tagging job that another one changed in the same way and counts."""
    others = await jobs.list(job.account, limit=_MOST_JOBS)
    first = list(filter(partial(_counts_before, job), others))
    if not first:
        return set()
    own = {record.key: record.detail async for record in _read_changed(jobs, job.id)}
    return {
        record.key
        for other in first
        async for record in _read_changed(jobs, other.id)
        if record.key in own and _includes(record.detail, own[record.key])
    }


def _counts_before(job: JobRow, other: JobRow) -> bool:
    """Return whether another job worked at the same time on what may be the same pages, and counts
    those that both changed."""
    if other.id == job.id or not _is_alike(job, other):
        return False
    at_once = other.created <= _find_end(job) and job.created <= _find_end(other)
    return at_once and (_find_end(other), other.id) < (_find_end(job), job.id)


def _is_alike(job: JobRow, other: JobRow) -> bool:
    kinds = [(row.tool, row.origin, row.arguments.get("action")) for row in (job, other)]
    return kinds[0] == kinds[1]


def _find_end(job: JobRow) -> float:
    return math.inf if job.finished is None else job.finished


async def _read_changed(jobs: Jobs, name: str) -> AsyncIterator[RecordRow]:
    async for rows in jobs.record_pages(name, (RecordState.DONE,)):
        for row in rows:
            yield row


def _includes(change: Json, part: Json) -> bool:
    """Return whether a change of a page does all that another one does."""
    return all(_fold(part[verb]) <= _fold(change[verb]) for verb in ("add", "remove"))


def _fold(names: list[str]) -> set[str]:
    return set(map(str.casefold, names))
