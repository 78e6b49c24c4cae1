"""Changes of a job's rows, each inside a transaction of the caller."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Sequence
from typing import Any

from server.errors import Code
from server.jobs.model import Account, NewRecord, RecordState
from server.jobs.rows import to_json
from server.jobs.sqlite.leases import LIVE
from server.jobs.transitions import CANCELLED, INTERRUPTED, make_nothing_to_send

# Never less than before: an expected total may be larger than what was gathered.
COUNTED = """UPDATE runs SET total = max(coalesce(total, 0),
    (SELECT coalesce(sum(records), 0) FROM tallies WHERE job = :job)) WHERE job = :job"""
# `sends` is counted before the bytes leave, so that after a crash it is never too small.
SEND = (
    "UPDATE records SET state = 'sending', sends = sends + 1 "
    "WHERE job = ? AND number = ? AND state IN "
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

# SQL conditions: the job belongs to one of the accounts, a JSON list of pairs, and to one token;
# null stands for any.
OF_ACCOUNTS = """(:accounts IS NULL OR EXISTS (SELECT 1 FROM json_each(:accounts)
    WHERE origin = json_extract(value, '$[0]') AND account = json_extract(value, '$[1]')))"""
OF_BOTH = f"{OF_ACCOUNTS} AND (:account IS NULL OR account = :account)"


def insert_records(db: sqlite3.Connection, job: str, records: Sequence[NewRecord]) -> int:
    """Add the records whose keys are new to the job, and return how many were."""
    (number,) = db.execute(
        "SELECT coalesce(max(number), 0) FROM records WHERE job = ?", (job,)
    ).fetchone()
    return db.executemany(
        # Gathering that was interrupted after it wrote may add the same records again.
        "INSERT INTO records VALUES (?, ?, ?, 'pending', NULL, NULL, ?, 0) "
        "ON CONFLICT (job, key) DO NOTHING",
        [
            (job, place, record.key, to_json(record.detail))
            for place, record in enumerate(records, number + 1)
        ],
    ).rowcount


def update_progress(
    db: sqlite3.Connection, job: str, cursor: Any, counters: dict[str, Any] | None
) -> None:
    """Set the cursor and the counters; None leaves one as it is."""
    db.execute(
        "UPDATE runs SET cursor = coalesce(?, cursor), counters = coalesce(?, counters) "
        "WHERE job = ?",
        (to_json(cursor), to_json(counters), job),
    )


def resolve_interrupted(db: sqlite3.Connection, job: str) -> None:
    """Make records that were being sent when their owner ended pending or unknown."""
    # Nobody knows whether their bytes arrived: only work that may be done twice is sent again.
    (repeatable,) = db.execute("SELECT repeatable FROM jobs WHERE id = ?", (job,)).fetchone()
    state, code, reason = (
        ("pending", None, None) if repeatable else ("unknown", Code.OUTCOME_UNKNOWN, INTERRUPTED)
    )
    db.execute(
        "UPDATE records SET state = ?, code = ?, reason = ? WHERE job = ? AND state = 'sending'",
        (state, code, reason, job),
    )


def skip_pending(db: sqlite3.Connection, job: str) -> None:
    """Mark the records not sent yet as skipped, because the job was cancelled."""
    db.execute(
        "UPDATE records SET state = 'skipped', code = ?, reason = ? "
        "WHERE job = ? AND state = 'pending'",
        (Code.CANCELLED, CANCELLED, job),
    )


def send_again(db: sqlite3.Connection, job: str, states: Sequence[RecordState]) -> None:
    """Make the records of these states pending again.

    Raises:
        Failure: there is none.
    """
    changed = 0
    for state in states:
        changed += db.execute(
            "UPDATE records SET state = 'pending', code = NULL, reason = NULL "
            "WHERE job = ? AND state = ?",
            (job, state),
        ).rowcount
    if not changed:
        raise make_nothing_to_send(job)


def to_values(accounts: Collection[Account] | None) -> dict[str, str | None]:
    """Return what the condition of accounts refers to; None stands for everybody."""
    return {"accounts": None if accounts is None else json.dumps([*accounts])}
