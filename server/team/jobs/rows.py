"""Rows of the journal's tables in PostgreSQL as plain data, and back."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from server.jobs.model import Account, JobRow, Mark, RecordState
from server.jobs.rows import to_job_row


def split_accounts(accounts: Collection[Account] | None) -> dict[str, list[str] | None]:
    """Return the accounts as the columns that the statements compare; None stands for all."""
    if accounts is None:
        return {"origins": None, "accounts": None}
    pairs = sorted(accounts)
    return {
        "origins": [origin for origin, _ in pairs],
        "accounts": [account for _, account in pairs],
    }


def to_job(row: Sequence[Any]) -> JobRow:
    """Return a job from its columns, the last of which are its numbers of records by state."""
    *columns, tallies = row
    return to_job_row(columns, [(state, int(records)) for state, records in tallies])


def merge_marks(marks: Sequence[Mark]) -> list[Mark]:
    """Return one mark for each record: the last, unless an earlier one says that it is done."""
    result: dict[int, Mark] = {}
    for mark in marks:
        earlier = result.get(mark.number)
        if earlier is None:
            result[mark.number] = mark
        elif earlier.state is not RecordState.DONE:
            detail = earlier.detail if mark.detail is None else mark.detail
            result[mark.number] = Mark(mark.number, mark.state, mark.code, mark.reason, detail)
    return list(result.values())


def to_columns(marks: Sequence[Mark]) -> dict[str, list[Any]]:
    """Return marks column by column."""
    return {
        "numbers": [mark.number for mark in marks],
        "states": [mark.state for mark in marks],
        "codes": [mark.code for mark in marks],
        "reasons": [None if mark.reason is None else clean(mark.reason) for mark in marks],
        "details": [mark.detail for mark in marks],
    }


def clean(text: str) -> str:
    """Return a text as PostgreSQL can keep it."""
    # Every character but this one.
    return text.replace("\0", "")
