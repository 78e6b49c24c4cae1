"""The jobs and records in one SQLite file: each method is one transaction, and waits for nobody."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from server.jobs.journal import KEPT_SECONDS, STARTING, make_job_id
from server.jobs.lease import Lease
from server.jobs.model import (
    Account,
    End,
    JobRow,
    JobState,
    Mark,
    NewJob,
    NewRecord,
    Phase,
    RecordRow,
    RecordState,
    Stopped,
)
from server.jobs.ownership import make_missing
from server.jobs.rows import to_job_row, to_json, to_record_row
from server.jobs.sqlite.database import Database
from server.jobs.sqlite.leases import LIVE, Leases
from server.jobs.sqlite.statements import (
    COLUMNS,
    COUNTED,
    OF_ACCOUNTS,
    OF_BOTH,
    SEND,
    insert_records,
    resolve_interrupted,
    send_again,
    skip_pending,
    to_values,
    update_progress,
)
from server.jobs.transitions import Standing


class JournalFile:
    """Jobs and records in one file that all processes of a user share.

    Args:
        folder: where the file is; None for a journal of this process alone, gone with it.
        leases: how long an owner may be silent, and the clock for that.
        wall: seconds since the epoch.

    Every method raises `Busy` where others hold the file's lock, and `Failure` where the file
    cannot be used.

    The methods are those of `Journal`; none is awaited.
    """

    def __init__(
        self,
        folder: Path | None,
        *,
        leases: Leases | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.leases = leases or Leases()
        self._wall = wall
        # Tidied on opening, because no process is sure to live on and do it later.
        self._database = Database(folder, self._delete_old)

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        self._database.close()

    def create(
        self, job: NewJob, owner: str, *, writes: bool, repeatable: bool, phase: Phase
    ) -> Lease:
        name, now = make_job_id(), self._wall()
        texts = (
            job.tool,
            job.title,
            job.origin,
            job.account,
            job.workspace,
            to_json(job.arguments),
        )
        with self._database.transaction() as db:
            db.execute(
                "INSERT INTO jobs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL, NULL)",
                (name, *texts, writes, repeatable, phase, STARTING, now),
            )
            db.execute(
                "INSERT INTO runs VALUES (?, NULL, 0, 0, 0, ?, ?, NULL, ?)",
                (name, now, job.total, to_json(job.counters)),
            )
            # In the same transaction: a job without an owner would be deleted as never started.
            return self.leases.take(db, name, owner)

    def start(self, lease: Lease) -> None:
        with self._open_own(lease) as db:
            db.execute("UPDATE jobs SET state = 'running' WHERE id = ?", (lease.job,))

    def job(self, name: str) -> JobRow:
        result = self._jobs("jobs.id = :id", id=name)
        if not result:
            raise make_missing(name)
        return result[0]

    def jobs(
        self,
        account: str | None = None,
        *,
        accounts: Collection[Account] | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> list[JobRow]:
        return self._jobs(OF_BOTH, limit, offset, account=account, **to_values(accounts))

    def count_others(self, accounts: Collection[Account]) -> int:
        count = f"SELECT count(*) FROM jobs WHERE NOT {OF_ACCOUNTS}"  # noqa: S608  # a constant
        return int(self._database.rows(count, to_values(accounts))[0][0])

    def orphans(self, origin: str, account: str) -> list[JobRow]:
        where = (
            "origin = :origin AND account = :account "
            "AND state IN ('running', 'paused') AND error IS NULL"
        )
        # Fetched newest first like every list; who waits longest is resumed first.
        return self._jobs(
            f"{where} AND cancel = 0 AND NOT {LIVE}", 1000, origin=origin, account=account
        )[::-1]

    def records(
        self, name: str, states: Sequence[RecordState] = (), *, after: int = 0, limit: int = 100
    ) -> list[RecordRow]:
        select = (
            "SELECT number, key, state, code, reason, detail, sends FROM records WHERE job = ? "
        )
        order = "AND number > ? ORDER BY number LIMIT ?"
        if not states:
            result = self._database.rows(select + order, (name, after, limit))
        else:
            # One state at a time: only then does the index give the records in order.
            one = f"{select} AND state = ? {order}"
            result = sorted(
                row
                for state in states
                for row in self._database.rows(one, (name, state, after, limit))
            )
        # Cut once more: each of the states gave up to `limit` records.
        with self._database.refuse_nonsense():
            return [to_record_row(row) for row in result[:limit]]

    def is_cancelled(self, lease: Lease) -> bool:
        return bool(
            self._database.rows("SELECT 1 FROM runs WHERE job = ? AND cancel = 1", (lease.job,))
        )

    def cancel(self, name: str) -> None:
        with self._database.transaction() as db:
            row = db.execute("SELECT state FROM jobs WHERE id = ?", (name,)).fetchone()
            if row is None:
                raise make_missing(name)
            # Not an error: the job may have ended while the user decided.
            if row[0] not in (JobState.RUNNING, JobState.PAUSED):
                return
            if self.leases.is_live(db, name):
                db.execute("UPDATE runs SET cancel = 1 WHERE job = ?", (name,))
            else:
                self._leave(db, name, End(JobState.CANCELLED))

    def take(self, name: str, owner: str, *, again: bool = False) -> Lease:
        with self._database.transaction() as db:
            row = db.execute(
                "SELECT state, phase, repeatable, cancel FROM jobs JOIN runs ON job = id "
                "WHERE id = ?",
                (name,),
            ).fetchone()
            if row is None:
                raise make_missing(name)
            state, phase, repeatable, cancel = row
            standing = Standing(
                name,
                JobState(state),
                Phase(phase),
                bool(repeatable),
                bool(cancel),
                self.leases.is_live(db, name),
            )
            standing.check_free(again=again)
            # Before anything is sent: what the last owner was sending must not look like its own.
            resolve_interrupted(db, name)
            if again:
                # The owner died before it could: without this, what the user stopped would be sent.
                if cancel:
                    skip_pending(db, name)
                send_again(db, name, standing.sent_again)
                phase = standing.phase_again
            db.execute(
                "UPDATE jobs SET state = ?, phase = ?, finished = NULL, result = NULL, "
                "error = NULL WHERE id = ?",
                (JobState.RUNNING, phase, name),
            )
            return self._touch(db, self.leases.take(db, name, owner))

    def renew(self, lease: Lease) -> bool:
        with self._database.transaction() as db:
            return self.leases.hold(db, lease)

    def enter(self, lease: Lease, phase: Phase) -> None:
        with self._open_own(lease) as db:
            db.execute("UPDATE jobs SET phase = ? WHERE id = ?", (phase, lease.job))
            db.execute(COUNTED, {"job": lease.job})

    def add(
        self,
        lease: Lease,
        records: Sequence[NewRecord],
        cursor: Any = None,
        counters: dict[str, Any] | None = None,
    ) -> int:
        with self._open_own(lease) as db:
            added = insert_records(db, lease.job, records)
            update_progress(db, lease.job, cursor, counters)
        return added

    def checkpoint(
        self,
        lease: Lease,
        cursor: Any = None,
        counters: dict[str, Any] | None = None,
        total: int | None = None,
    ) -> None:
        with self._open_own(lease) as db:
            update_progress(db, lease.job, cursor, counters)
            if total is not None:
                db.execute("UPDATE runs SET total = ? WHERE job = ?", (total, lease.job))

    def admit(self, lease: Lease, numbers: Sequence[int], *, again: bool = False) -> None:
        # A record that is `sending` belongs to another send, unless the same one repeats its bytes.
        states = "('pending', 'sending')" if again else "('pending')"
        with self._open_own(lease) as db:
            for number in numbers:
                if db.execute(SEND + states, (lease.job, number)).rowcount != 1:
                    raise ValueError(f"record {number} of {lease.job} is not to be sent")

    def mark(self, lease: Lease, marks: Sequence[Mark]) -> None:
        with self._database.transaction() as db:
            self.leases.hold(db, lease)
            self._touch(db, lease)
            db.executemany(
                "UPDATE records SET state = ?, code = ?, reason = ?, detail = coalesce(?, detail) "
                # A record that is done stays so: a late mark must not have it sent twice.
                "WHERE job = ? AND number = ? AND state != 'done'",
                [
                    (mark.state, mark.code, mark.reason, mark.detail, lease.job, mark.number)
                    for mark in marks
                ],
            )

    def end(self, lease: Lease, end: End) -> None:
        with self._database.transaction() as db:
            cancelled = self.leases.hold(db, lease)
            # A paused job would be resumed, although the user cancelled it.
            if cancelled and end.state is JobState.PAUSED:
                end = End(JobState.CANCELLED)
            self._leave(db, lease.job, end)

    def _leave(self, db: sqlite3.Connection, name: str, end: End) -> None:
        now = self._wall()
        finished = None if end.state is JobState.PAUSED else now
        # Records still marked as sending would never be resolved once the job has ended.
        if finished:
            resolve_interrupted(db, name)
        if end.state is JobState.CANCELLED:
            skip_pending(db, name)
        db.execute(
            "UPDATE jobs SET state = ?, finished = ?, result = ?, error = ? WHERE id = ?",
            (end.state, finished, to_json(end.result), to_json(end.error), name),
        )
        db.execute("UPDATE runs SET updated = ?, cancel = 0 WHERE job = ?", (now, name))
        self.leases.drop(db, name)

    @contextmanager
    def _open_own(self, lease: Lease) -> Iterator[sqlite3.Connection]:
        """Open a transaction of a job's owner; raise `Stopped` if the job is to be cancelled."""
        with self._database.transaction() as db:
            if self.leases.hold(db, lease):
                raise Stopped(lease.job)
            self._touch(db, lease)
            yield db

    def _touch(self, db: sqlite3.Connection, lease: Lease) -> Lease:
        db.execute("UPDATE runs SET updated = ? WHERE job = ?", (self._wall(), lease.job))
        return lease

    def _jobs(self, where: str, limit: int = 1, offset: int = 0, **values: Any) -> list[JobRow]:
        result = self._database.rows(
            # The row id decides between jobs of the same moment, so that pages do not overlap.
            f"SELECT {COLUMNS} FROM jobs JOIN runs ON job = id "  # noqa: S608  # values are bound
            f"WHERE state != '{STARTING}' AND {where} "
            "ORDER BY created DESC, jobs.rowid DESC LIMIT :limit OFFSET :offset",
            {**self.leases.moment(), "limit": limit, "offset": offset, **values},
        )
        # Counts reach 0 when records move on, and would be shown as states that still occur.
        tallies = "SELECT state, records FROM tallies WHERE job = ? AND records > 0"
        with self._database.refuse_nonsense():
            return [to_job_row(row, self._database.rows(tallies, (row[0],))) for row in result]

    def _delete_old(self, db: sqlite3.Connection) -> None:
        """Delete jobs that never started or are too old; end those whose owner died while
        cancelling."""
        values = {**self.leases.moment(), "horizon": self._wall() - KEPT_SECONDS}
        dead = "FROM jobs JOIN runs ON job = id WHERE NOT " + LIVE
        for (name,) in db.execute(f"SELECT id {dead} AND cancel = 1", values).fetchall():
            self._leave(db, name, End(JobState.CANCELLED))
        forgotten = f"SELECT id {dead} AND (updated < :horizon OR state = '{STARTING}')"
        for (name,) in db.execute(forgotten, values).fetchall():
            for table in ("records", "tallies", "runs"):
                # The table's name is one of the three above.
                db.execute(f"DELETE FROM {table} WHERE job = ?", (name,))  # noqa: S608
            db.execute("DELETE FROM jobs WHERE id = ?", (name,))
