"""Two texts per key in one SQLite file that all processes of a user share.

The content is disposable, the callers are not: no call waits inside SQLite (a lock is asked for
once, then slept on), a process that was stopped while it held the lock is left behind with the old
file, and trouble that cannot be mended ends in a database of this process alone, with a warning.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

Record = tuple[str, str]
T = TypeVar("T")

FILE = "pacer.sqlite"

_log = logging.getLogger("archive_mcp.limiter")
_BLANK_KEY = ""
_KEPT_ROWS = 200
_FIRST_PAUSE = 0.001
_LONGEST_PAUSE = 0.05
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_CREATE = """CREATE TABLE IF NOT EXISTS pace_1
    (key TEXT, boot TEXT, state TEXT NOT NULL, evidence TEXT NOT NULL, PRIMARY KEY (key, boot))"""
_LOAD = "SELECT state, evidence FROM pace_1 WHERE key = ? AND boot = ?"
_SAVE = "UPDATE pace_1 SET state = ?, evidence = ? WHERE key = ? AND boot = ?"
_ADD = "INSERT OR REPLACE INTO pace_1 (state, evidence, key, boot) VALUES (?, ?, ?, ?)"
_TRIM = "DELETE FROM pace_1 WHERE boot != ? AND rowid <= (SELECT max(rowid) FROM pace_1) - ?"


class Busy(Exception):
    """Others held the lock for as long as the caller was ready to wait."""


class Store:
    """The shared file, opened on first use.

    Args: folder: Where the file is; None for a database of this process alone. blank: The record
        that every key starts with in a file that took the place of a lost one. sleep: Coroutine
        function that waits a number of seconds. boot: What tells this run of the monotonic clock
        from others; by default the machine's boot identity. stuck: Seconds after which a lock
        counts as held by a process that will not go on.
    """

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
        self._boot = boot_identity() if boot is None else boot
        self._stuck = stuck
        self._db: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None

    async def transact(
        self,
        key: str,
        change: Callable[[Record | None], tuple[T, Record]],
        *,
        patience: float | None = None,
    ) -> T:
        """Replace the record of a key in one transaction.

        Args: key: Whose record. change: Gets the record (None for a new key), returns a result and
            the new record. It may be called again if its transaction could not be finished, so it
            must not have effects of its own. What it raises is passed on, and nothing is changed.
            patience: Seconds to wait for the lock; None until it is there, whatever that takes.

        Raises:
            Busy: After `patience` seconds.
        """
        slept, pause, mended = 0.0, _FIRST_PAUSE, False
        while True:
            try:
                return self._once(key, change)
            except OSError as error:
                self._fall_back(error)
                continue
            except sqlite3.Error as error:
                if not _is_busy(error):
                    self._mend(error, again=mended)
                    mended = True
                    continue
            if patience is not None and slept >= patience:
                raise Busy
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

    def _once(self, key: str, change: Callable[[Record | None], tuple[T, Record]]) -> T:
        """One transaction that counts: what ended up in a file that was replaced meanwhile is done
        again."""
        while True:
            result = self._commit(self._connection(), key, change)
            if self._identity() == self._file:
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
        there = self._identity()
        if self._db and there == self._file:
            return self._db
        self.close()
        if self._path and there is None:
            self._make_file()
            if self._db:
                return self._db
            there = self._identity()
        self._file = there
        self._db = _connect(self._path or ":memory:")
        return self._db

    def _identity(self) -> tuple[int, int] | None:
        if self._path is None:
            return None
        try:
            result = self._path.stat()
        except FileNotFoundError:
            return None
        return result.st_dev, result.st_ino

    def _make_file(self) -> None:
        if self._path is None:
            return
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._file is not None:
            self._renew("it was removed")
        else:
            self._path.touch(mode=0o600)

    def _mend(self, error: sqlite3.Error, *, again: bool) -> None:
        if self._path is None:
            raise error
        if again:
            self._fall_back(error)
        else:
            self._renew(str(error))

    def _renew(self, reason: str) -> None:
        """Put a new file in the place of the one we know, unless somebody else did so already."""
        if self._path is None:
            return
        self.close()
        spare = self._path.with_name(f"{FILE}.{os.getpid()}-{os.urandom(4).hex()}")
        try:
            try:
                spare.touch(mode=0o600)
                self._fill(spare)
                if self._identity() in (self._file, None):
                    spare.replace(self._path)
                    _log.warning("The rate limiter's state file was replaced: %s.", reason)
            finally:
                spare.unlink(missing_ok=True)
        except (OSError, sqlite3.Error) as error:
            self._fall_back(error)

    def _fill(self, path: Path | str) -> None:
        db = _connect(path)
        try:
            db.execute(_ADD, (*self._blank(), _BLANK_KEY, self._boot))
        finally:
            db.close()

    def _fall_back(self, error: Exception) -> None:
        """Go on without the file. Windows gets here when it must be replaced: an open file cannot
        be."""
        _log.warning("The rate limit is kept for this process only: %s (%s).", self._path, error)
        self.close()
        self._path = self._file = None
        self._db = _connect(":memory:")
        self._db.execute(_ADD, (*self._blank(), _BLANK_KEY, self._boot))


def boot_identity() -> str:
    """What tells one run of the monotonic clock from another.

    Linux names each start of the machine. Elsewhere the name of the clock has to do (Python
    versions differ in the one they use), and a restart is noticed by the clock having gone back.
    """
    clock = time.get_clock_info("monotonic").implementation
    try:
        return f"{clock} {_BOOT_ID.read_text().strip()}"
    except OSError:
        return clock


def _connect(path: Path | str) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=0, isolation_level=None)
    try:
        db.execute("PRAGMA journal_mode=MEMORY")
        db.execute("PRAGMA synchronous=OFF")
        db.execute(_CREATE)
    except sqlite3.Error:
        db.close()
        raise
    return db


def _is_busy(error: sqlite3.Error) -> bool:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
