"""Two texts per key in one SQLite file that all processes of a user share.

The content may be lost, the callers must not be blocked. No call waits inside SQLite: it tries the
lock once and then sleeps. A process that was suspended while it held the lock keeps the old file,
and the others go on with a new one. Where the file cannot be repaired, this process logs a warning
and uses a database of its own.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from server.limiter.pace_store import Busy, Record
from server.sqlite_file import (
    FileIdentity,
    create_private_file,
    is_busy,
    open_database,
    read_identity,
)

T = TypeVar("T")

FILE = "pacer.sqlite"

_log = logging.getLogger("archive_mcp.limiter")
# The row that a replaced file starts every key with; `state_key` never returns an empty key.
_BLANK_KEY = ""
# Rows of earlier boots are of no use, and would make the file grow for ever.
_KEPT_ROWS = 200
# Transactions take milliseconds, so the first tries come soon.
_FIRST_PAUSE = 0.001
_LONGEST_PAUSE = 0.05
# Monotonic times mean nothing after a restart, so rows are kept apart by the machine's boot.
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_CREATE = """CREATE TABLE IF NOT EXISTS pace_1
    (key TEXT, boot TEXT, state TEXT NOT NULL, evidence TEXT NOT NULL, PRIMARY KEY (key, boot))"""
_LOAD = "SELECT state, evidence FROM pace_1 WHERE key = ? AND boot = ?"
_SAVE = "UPDATE pace_1 SET state = ?, evidence = ? WHERE key = ? AND boot = ?"
_ADD = "INSERT OR REPLACE INTO pace_1 (state, evidence, key, boot) VALUES (?, ?, ?, ?)"
_TRIM = "DELETE FROM pace_1 WHERE boot != ? AND rowid <= (SELECT max(rowid) FROM pace_1) - ?"


class SqliteStore:
    """The shared file, opened on first use: a `PaceStore` for the processes of one machine.

    Args:
        folder: Where the file is; None for a database of this process alone.
        blank: Returns the record that every key starts with in a file that replaced a lost one.
        sleep: Coroutine function that waits a number of seconds.
        boot: Identifies this run of the monotonic clock; by default the machine's boot identity.
        stuck: Seconds after which a lock counts as held by a process that will not continue.
    """

    keeps_history = True

    def __init__(
        self,
        folder: Path | None,
        *,
        blank: Callable[[], Record],
        sleep: Callable[[float], Awaitable[object]],
        boot: str | None = None,
        stuck: float = 1.0,
    ) -> None:
        self._path = folder / FILE if folder else None
        self._blank = blank
        self._sleep = sleep
        self._boot = read_boot_identity() if boot is None else boot
        self._stuck = stuck
        self._db: sqlite3.Connection | None = None
        self._file: FileIdentity | None = None

    @property
    def offset(self) -> float:
        """Return 0: the processes of a machine share the monotonic clock."""
        return 0.0

    @property
    def safe_from(self) -> float:
        """Return 0: a file that replaced a lost one starts with a cautious record instead."""
        return 0.0

    @property
    def lead(self) -> float:
        """Return 0: a change takes less than a millisecond."""
        return 0.0

    async def transact(
        self,
        key: str,
        change: Callable[[Record | None], tuple[T, Record]],
        *,
        patience: float | None = None,
    ) -> T:
        """See `PaceStore.transact`. None waits for the lock as long as it takes."""
        slept, pause, mended = 0.0, _FIRST_PAUSE, False
        while True:
            try:
                return self._transact_once(key, change)
            except OSError as error:
                self._fall_back(error)
                continue
            except sqlite3.Error as error:
                if not is_busy(error):
                    self._repair(error, again=mended)
                    mended = True
                    continue
            if patience is not None and slept >= patience:
                raise Busy
            # Transactions here take milliseconds: a lock held for so long is that of a suspended
            # process, and waiting for it would stop all sends of the user.
            if slept >= self._stuck:
                self._renew("it stayed locked")
                slept = 0.0
                continue
            await self._sleep(pause)
            slept, pause = slept + pause, min(2 * pause, _LONGEST_PAUSE)

    def close(self) -> None:
        """Close the file; the next transaction opens it again."""
        if self._db:
            self._db.close()
            self._db = None

    def _transact_once(self, key: str, change: Callable[[Record | None], tuple[T, Record]]) -> T:
        """Run one transaction, again if the file was replaced meanwhile: others read the new file
        only."""
        while True:
            result = self._commit(self._connection(), key, change)
            if read_identity(self._path) == self._file:
                return result

    def _commit(
        self, db: sqlite3.Connection, key: str, change: Callable[[Record | None], tuple[T, Record]]
    ) -> T:
        try:
            db.execute("BEGIN IMMEDIATE")
            match: Record | None = db.execute(_LOAD, (key, self._boot)).fetchone()
            result, record = change(match or db.execute(_LOAD, (_BLANK_KEY, self._boot)).fetchone())
            if match:
                db.execute(_SAVE, (*record, key, self._boot))
            else:
                db.execute(_ADD, (*record, key, self._boot))
                db.execute(_TRIM, (self._boot, _KEPT_ROWS))
            db.execute("COMMIT")
        finally:
            if db.in_transaction:
                db.execute("ROLLBACK")
        return result

    def _connection(self) -> sqlite3.Connection:
        # Another process may have replaced the file since: writing to the old one would go unseen.
        there = read_identity(self._path)
        if self._db and there == self._file:
            return self._db
        self.close()
        if self._path and there is None:
            self._make_file()
            if self._db:
                return self._db
            there = read_identity(self._path)
        self._file = there
        self._db = _connect(self._path)
        return self._db

    def _make_file(self) -> None:
        if self._path is None:
            return
        # A file we knew is gone with its history: its successor starts with the cautious record.
        if self._file is not None:
            self._renew("it was removed")
        else:
            create_private_file(self._path)

    def _repair(self, error: sqlite3.Error, *, again: bool) -> None:
        if self._path is None:
            raise error
        if again:
            self._fall_back(error)
        else:
            self._renew(str(error))

    def _renew(self, reason: str) -> None:
        """Replace the file we opened by a new one, unless another process did so already."""
        if self._path is None:
            return
        self.close()
        spare = self._path.with_name(f"{FILE}.{os.getpid()}-{os.urandom(4).hex()}")
        try:
            try:
                # Filled before it gets its name: nobody opens a file without the blank row.
                create_private_file(spare)
                self._fill(spare)
                if read_identity(self._path) in (self._file, None):
                    spare.replace(self._path)
                    _log.warning("The rate limiter's state file was replaced: %s.", reason)
            finally:
                spare.unlink(missing_ok=True)
        except (OSError, sqlite3.Error) as error:
            self._fall_back(error)

    def _fill(self, path: Path) -> None:
        db = _connect(path)
        try:
            db.execute(_ADD, (*self._blank(), _BLANK_KEY, self._boot))
        finally:
            db.close()

    def _fall_back(self, error: Exception) -> None:
        """Continue without the file.

        Windows gets here whenever the file must be replaced, because an open one cannot be.
        """
        _log.warning("The rate limit is kept for this process only: %s (%s).", self._path, error)
        self.close()
        self._path = self._file = None
        self._db = _connect(None)
        self._db.execute(_ADD, (*self._blank(), _BLANK_KEY, self._boot))


def read_boot_identity() -> str:
    """Return a text that is different for each run of the monotonic clock, where possible.

    Linux has an id for each start of the machine. Elsewhere the name of the clock has to do (Python
    versions differ in the one they use), and a restart shows by the clock having gone back.
    """
    clock = time.get_clock_info("monotonic").implementation
    try:
        return f"{clock} {_BOOT_ID.read_text().strip()}"
    except OSError:
        return clock


def _connect(path: Path | None) -> sqlite3.Connection:
    # Durability is worth nothing here, since the state ages within seconds; speed is.
    return open_database(
        path,
        lock_seconds=0,
        journal="MEMORY",
        synchronous="OFF",
        prepare=lambda db: db.execute(_CREATE),
    )
