"""Whether the shared file can be read, for a person who looks; the store itself mends it without
being asked."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from server.limiter.store import FILE

_LOCK_SECONDS = 2.0


def damage(folder: Path) -> str | None:
    """What is wrong with the file in `folder` (an absolute path), read without changing it.

    Returns:
        None without a file, an empty text for a sound one, else what SQLite says.
    """
    file = folder / FILE
    if not file.exists():
        return None
    try:
        with closing(
            sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, timeout=_LOCK_SECONDS)
        ) as database:
            verdict = str(database.execute("PRAGMA quick_check").fetchone()[0])
    except sqlite3.Error as error:
        return str(error)
    return "" if verdict == "ok" else verdict
