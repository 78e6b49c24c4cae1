"""SQLite files that the processes of one user share: created, opened, told apart."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from server.private_folder import make_private

FileIdentity = tuple[int, int]

_PRIVATE = 0o600


def create_private_file(path: Path) -> None:
    """Create the file and its folders where they are absent, for this user alone."""
    make_private(path.parent)
    path.touch(mode=0o600)
    # A mask may have taken rights of this user, and an older file may be open to others.
    if stat.S_IMODE(path.stat().st_mode) != _PRIVATE:
        path.chmod(_PRIVATE)


def read_identity(path: Path | None) -> FileIdentity | None:
    """Return what tells a file from the one that replaces it; None where there is none."""
    if path is None:
        return None
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    # The name stays the same when the file is replaced; device and inode do not.
    return status.st_dev, status.st_ino


def open_database(
    path: Path | None,
    *,
    lock_seconds: float,
    journal: Literal["WAL", "MEMORY"],
    synchronous: Literal["NORMAL", "OFF"],
    prepare: Callable[[sqlite3.Connection], object],
) -> sqlite3.Connection:
    """Open a database whose transactions begin and end by statements alone.

    Args:
        path: The file; None for a database in memory.
        lock_seconds: Seconds that SQLite waits for a lock inside its own calls.
        journal: SQLite's `journal_mode`.
        synchronous: SQLite's `synchronous`: how much a power cut may lose.
        prepare: Called with the new connection, which is closed where this raises.
    """
    # No implicit transactions: Python would begin them without the write lock.
    db = sqlite3.connect(path or ":memory:", timeout=lock_seconds, isolation_level=None)
    try:
        db.execute(f"PRAGMA journal_mode={journal}")
        db.execute(f"PRAGMA synchronous={synchronous}")
        prepare(db)
    except BaseException:  # an open connection would keep the file locked
        db.close()
        raise
    return db


def read_code(error: sqlite3.Error) -> int:
    """Return the primary code of an error, 0 where Python raised it without SQLite."""
    # The low byte: extended codes such as SQLITE_BUSY_SNAPSHOT share it.
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def is_busy(error: sqlite3.Error) -> bool:
    """Tell whether another connection holds the lock."""
    # LOCKED is the same within one process, between two connections.
    return read_code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
