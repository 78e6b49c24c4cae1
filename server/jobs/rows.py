"""Rows of the journal's tables as plain data."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from server.jobs.lease import LIVE
from server.jobs.model import (
    JobRow,
    JobState,
    Phase,
    RecordRow,
    RecordState,
)

# A job that reads as running while nobody holds its lease was interrupted, and one that was being
# cancelled then is cancelled: nobody is left to journal either, so the query says it.
_STATE = f"""CASE WHEN state NOT IN ('running', 'paused') OR {LIVE} THEN state
    WHEN cancel = 1 THEN 'cancelled' ELSE 'paused' END"""

# The columns of `jobs` and `runs` that `to_job_row` reads.
COLUMNS = (
    "id, tool, title, origin, account, workspace, arguments, writes, repeatable, phase, "
    f"created, updated, finished, total, cursor, counters, result, error, cancel, {_STATE}, {LIVE}"
)


def to_job_row(row: Sequence[Any], tallies: Sequence[Sequence[Any]]) -> JobRow:
    """Return a job from its `COLUMNS` and its numbers of records by state.

    Raises:
        ValueError, TypeError: The journal never wrote such a row.
    """
    id_, tool, title, origin, account, workspace, arguments, writes, repeatable, phase = row[:10]
    created, updated, finished, total, cursor, counters, result, error, cancel, state, owned = row[
        10:
    ]
    return JobRow(
        id=id_,
        tool=tool,
        title=title,
        origin=origin,
        account=account,
        workspace=workspace,
        arguments=dict(json.loads(arguments)),
        writes=bool(writes),
        repeatable=bool(repeatable),
        phase=Phase(phase),
        state=JobState(state),
        created=float(created),
        updated=float(updated),
        finished=None if finished is None else float(finished),
        total=total,
        # The cursor belongs to the kind of work, so it is any JSON value, or none yet.
        cursor=_parse_value(cursor),
        counters=dict(json.loads(counters)),
        result=_parse_value(result),
        error=_parse_value(error),
        owned=bool(owned),
        cancelling=bool(cancel),
        counts={RecordState(name): records for name, records in tallies},
    )


def to_record_row(row: Sequence[Any]) -> RecordRow:
    """Return a record from its columns in the order of `RecordRow`, the detail as JSON text."""
    number, key, state, code, reason, detail, sends = row
    return RecordRow(number, key, RecordState(state), code, reason, _parse_value(detail), sends)


def _parse_value(text: str | None) -> Any:
    return None if text is None else json.loads(text)
