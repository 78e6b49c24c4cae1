"""Pages that two tagging jobs changed at once, in processes that share no lock.

ArchiveBox answers a tag that is there already as it answers a new one. So both jobs have marked
such a page as changed, and one of them counts it: the one that ended first. Not known are jobs that
cannot be seen from here, of other people or other machines without a common database.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any

from server.jobs import JobRow, Jobs, RecordState

_MOST_JOBS = 1_000

Json = dict[str, Any]


async def find_shared(jobs: Jobs, job: JobRow) -> set[str]:
    """Return the pages of a tagging job that another one changed in the same way and counts."""
    others = await jobs.list(job.account, limit=_MOST_JOBS)
    shared: set[str] = set()
    for other in filter(partial(_counts_before, job), others):
        shared |= await _find_common(jobs, job.id, other.id)
    return shared


async def _find_common(jobs: Jobs, name: str, other: str) -> set[str]:
    own, first = await _read_changes(jobs, name), await _read_changes(jobs, other)
    both = own.keys() & first.keys()
    return set(filter(lambda page: own[page] <= first[page], both))


def _counts_before(job: JobRow, other: JobRow) -> bool:
    """Return whether another job worked at the same time on what may be the same pages, and counts
    those that both changed."""
    alike = _find_kind(job) == _find_kind(other)
    # The other one ends first, and not before this one began.
    return alike and job.created <= _find_end(other)[0] and _find_end(other) < _find_end(job)


def _find_kind(job: JobRow) -> tuple[str, str, str]:
    return job.tool, job.origin, str(job.arguments.get("action"))


def _find_end(job: JobRow) -> tuple[float, str]:
    """Return what sorts jobs by their ends; of those that go on the smaller id comes first."""
    return math.inf if job.finished is None else job.finished, job.id


async def _read_changes(jobs: Jobs, name: str) -> dict[str, set[tuple[str, str]]]:
    """Return by page the tags that a job put on and took off."""
    changes: dict[str, set[tuple[str, str]]] = {}
    async for rows in jobs.record_pages(name, (RecordState.DONE,)):
        changes |= {row.key: _list_changes(row.detail) for row in rows}
    return changes


def _list_changes(detail: Json) -> set[tuple[str, str]]:
    return {(verb, name.casefold()) for verb in ("add", "remove") for name in detail[verb]}
