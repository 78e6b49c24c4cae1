"""Rows of the journal's tables as plain data."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from server.jobs.model import (
    JobRow,
    JobState,
    Phase,
    RecordRow,
    RecordState,
)


def to_job_row(row: Sequence[Any], tallies: Sequence[Sequence[Any]]) -> JobRow:
    """Return a job from its columns in the order below and its numbers of records by state.

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


def to_json(value: Any) -> str | None:
    """Return a value as compact JSON; None stays None."""
    return None if value is None else json.dumps(value, separators=(",", ":"))


def _parse_value(text: str | None) -> Any:
    return None if text is None else json.loads(text)
