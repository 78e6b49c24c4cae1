"""The journal's SQLite file: opened on first use, with short transactions and plain errors.

Nothing waits long inside SQLite, since that would block the event loop: a lock that others hold
raises `Busy`, and `retry_while_busy` tries again. A damaged file is renamed and a new one started;
its jobs are lost, what they did is not.
"""

from __future__ import annotations

import logging
import os
import re
import sqlite3
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from server.errors import Code, Failure
from server.sqlite_file import (
    FileIdentity,
    create_private_file,
    is_busy,
    open_database,
    read_code,
    read_identity,
)

FILE = "jobs.sqlite3"
# Raised with every change of the tables: an older server must not write rows it misreads.
VERSION = 1

T = TypeVar("T")

log = logging.getLogger("archive_mcp.jobs")

# SQLite waits inside its own call, where the event loop stands still: `retry_while_busy` has the
# longer waits.
_LOCK_SECONDS = 0.05
_FIRST_PAUSE = 0.01
_LONGEST_PAUSE = 0.5
_PATIENCE = 10.0
_NOT_OUR_TABLES = re.compile(r"no such (table|column)|table \S+ (has|already)|malformed")
_SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    id TEXT PRIMARY KEY, tool TEXT NOT NULL, title TEXT NOT NULL, origin TEXT NOT NULL,
    account TEXT NOT NULL, workspace TEXT, arguments TEXT NOT NULL, writes INTEGER NOT NULL,
    repeatable INTEGER NOT NULL, phase TEXT NOT NULL, state TEXT NOT NULL, created REAL NOT NULL,
    finished REAL, result TEXT, error TEXT);
-- What changes with every record is kept apart from the arguments: those may be long, and SQLite
-- rewrites a whole row.
CREATE TABLE IF NOT EXISTS runs (
    job TEXT PRIMARY KEY, owner TEXT, fence INTEGER NOT NULL, lease_until REAL NOT NULL,
    cancel INTEGER NOT NULL, updated REAL NOT NULL, total INTEGER, cursor TEXT,
    counters TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS records (
    job TEXT NOT NULL, number INTEGER NOT NULL, key TEXT NOT NULL, state TEXT NOT NULL, code TEXT,
    reason TEXT, detail TEXT, sends INTEGER NOT NULL, PRIMARY KEY (job, number)) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS record_keys ON records (job, key);
CREATE INDEX IF NOT EXISTS record_states ON records (job, state, number);
-- Counting the records of a large job would read all of them: triggers keep the counts.
CREATE TABLE IF NOT EXISTS tallies (
    job TEXT NOT NULL, state TEXT NOT NULL, records INTEGER NOT NULL,
    PRIMARY KEY (job, state)) WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS record_added AFTER INSERT ON records BEGIN
    INSERT INTO tallies VALUES (NEW.job, NEW.state, 1)
        ON CONFLICT (job, state) DO UPDATE SET records = records + 1;
END;
CREATE TRIGGER IF NOT EXISTS record_changed AFTER UPDATE OF state ON records
WHEN OLD.state != NEW.state BEGIN
    UPDATE tallies SET records = records - 1 WHERE job = OLD.job AND state = OLD.state;
    INSERT INTO tallies VALUES (NEW.job, NEW.state, 1)
        ON CONFLICT (job, state) DO UPDATE SET records = records + 1;
END;
"""


class Busy(Failure):
    """Another process holds the journal's lock; the same change may succeed in a moment."""

    def __init__(self) -> None:
        super().__init__(
            Code.UNAVAILABLE,
            "The job journal is locked by another process.",
            "Try again shortly.",
            retryable=True,
        )


class Database:
    """One connection to the journal.

    Args:
        folder: where the file is; None for a journal of this process alone, gone with it.
        opened: called with the new connection, in a transaction; not if others are writing then.
    """

    def __init__(self, folder: Path | None, opened: Callable[[sqlite3.Connection], None]) -> None:
        self._path = folder / FILE if folder else None
        self._on_open = opened
        self._db: sqlite3.Connection | None = None
        self._file: FileIdentity | None = None

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Open a transaction that may write; it is committed unless the block raises.

        Raises:
            Busy: others are writing.
            Failure: the file cannot be used; the hint says what to do.
        """
        with self._describe():
            db = self._connection()
            with _transaction(db):
                yield db

    def rows(
        self, statement: str, values: Sequence[Any] | dict[str, Any] = ()
    ) -> list[tuple[Any, ...]]:
        """Return the rows of a query. It raises what `transaction` does."""
        with self._describe():
            return self._connection().execute(statement, values).fetchall()

    def give_up(self) -> Failure:
        """Put the damaged file aside, and return the failure that says so."""
        self._rename_damaged()
        return Failure(
            Code.UNAVAILABLE,
            "The job journal was damaged; it was renamed and a new one started. Its jobs are lost.",
            "Check what was done already, then start the job again for the rest.",
        )

    @contextmanager
    def refuse_nonsense(self) -> Iterator[None]:
        """Put aside a file whose rows hold what no version of this server wrote."""
        try:
            yield
        except (ValueError, TypeError):
            raise self.give_up() from None

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        if self._db:
            self._db.close()
            self._db = None

    def _connection(self) -> sqlite3.Connection:
        if self._db:
            return self._db
        try:
            self._db = self._connect()
        except sqlite3.DatabaseError as error:
            if not _is_damage(error):
                raise
            self._rename_damaged()
            self._db = self._connect()
        return self._db

    def _connect(self) -> sqlite3.Connection:
        if self._path:
            # For this user alone: arguments and records hold what the user works on.
            create_private_file(self._path)
        # Noted before opening: a file put in its place later is then seen as another.
        self._file = read_identity(self._path)
        # With a write-ahead log readers go on while another process writes; NORMAL loses at most
        # the last transactions to a power cut, none to a crash of the process.
        return open_database(
            self._path,
            lock_seconds=_LOCK_SECONDS,
            journal="WAL",
            synchronous="NORMAL",
            prepare=self._prepare,
        )

    def _prepare(self, db: sqlite3.Connection) -> None:
        (version,) = db.execute("PRAGMA user_version").fetchone()
        # Its tables may mean something else there, so not even reading them is safe.
        if version > VERSION:
            raise Failure(
                Code.UNSUPPORTED,
                "The job journal was written by a newer version of this server.",
                "The user updates this server, or sets ARCHIVE_MCP_STATE_DIR to another folder.",
            )
        if version < VERSION:
            with _transaction(db):
                # Together with the version: a crash in between leaves no half-made tables.
                for statement in _split_statements(_SCHEMA):
                    db.execute(statement)
                db.execute(f"PRAGMA user_version={VERSION}")
        try:
            with _transaction(db):
                self._on_open(db)
        except sqlite3.OperationalError as error:
            # A process that was suspended while it wrote must not keep others from reading.
            if not is_busy(error):
                raise

    @contextmanager
    def _describe(self) -> Iterator[None]:
        """Turn errors of the file into failures that the user understands."""
        try:
            yield
        except OSError as error:
            raise self._make_unusable(error.strerror or str(error)) from None
        except sqlite3.DatabaseError as error:
            code = read_code(error)
            if is_busy(error):
                raise Busy from None
            if _is_damage(error):
                raise self.give_up() from None
            if code == sqlite3.SQLITE_FULL:
                raise Failure(
                    Code.UNAVAILABLE,
                    "The job journal cannot be written: the disk is full.",
                    "The user frees some space; then resume the job.",
                    disk="full",
                ) from None
            if code in (
                sqlite3.SQLITE_CANTOPEN,
                sqlite3.SQLITE_READONLY,
                sqlite3.SQLITE_IOERR,
                sqlite3.SQLITE_PERM,
            ):
                raise self._make_unusable(str(error)) from None
            raise

    def _make_unusable(self, reason: str) -> Failure:
        folder = self._path.parent if self._path else "memory"
        return Failure(
            Code.NOT_CONFIGURED,
            f"The job journal in {folder} cannot be used: {reason}.",
            "The user sets ARCHIVE_MCP_STATE_DIR to a folder that this server may write to.",
        )

    def _rename_damaged(self) -> None:
        """Rename the damaged file and its log files, unless another process did so already."""
        self.close()
        # Another identity is the new file of another process, which is sound.
        if self._path is None or read_identity(self._path) != self._file:
            return
        aside = f"{FILE}.damaged-{int(time.time())}-{os.getpid()}"
        log.warning("The job journal was damaged and renamed to %s.", aside)
        try:
            # The log files too: SQLite would replay the damaged file's log into the new one.
            for ending in ("", "-wal", "-shm"):
                part = self._path.with_name(FILE + ending)
                if part.exists():
                    part.replace(self._path.with_name(aside + ending))
        except OSError as error:  # Windows: another process has it open
            raise self._make_unusable(
                f"it is damaged, and it cannot be renamed ({error.strerror})"
            ) from None


async def retry_while_busy(
    change: Callable[[], T], sleep: Callable[[float], Awaitable[object]]
) -> T:
    """Return the result of `change`, tried for some seconds while others hold the journal's lock.

    Raises:
        Busy: they hold it for too long.
    """
    waited, pause = 0.0, _FIRST_PAUSE
    while True:
        try:
            return change()
        except Busy:
            # A caller waits behind this, and its host gives up after a minute.
            if waited >= _PATIENCE:
                raise
        await sleep(pause)
        waited, pause = waited + pause, min(2 * pause, _LONGEST_PAUSE)


@contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    # The write lock at once: a transaction that reads first could find it taken when it writes.
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        # Inside the guarded part: a commit may find the disk full, and must be rolled back then.
        db.execute("COMMIT")
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")


def _split_statements(script: str) -> Iterator[str]:
    """Yield the statements of a script; `executescript` would commit the transaction first."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    if read_code(error) == sqlite3.SQLITE_ERROR:
        # The tables are not ours, whatever the version says; any other text is a bug of ours.
        return _NOT_OUR_TABLES.match(str(error)) is not None
    return read_code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
