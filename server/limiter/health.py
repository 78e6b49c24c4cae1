"""A check of the limiter's shared file for diagnostics; the store repairs the file by itself."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from server.limiter.store import FILE

# Longer than the senders wait: a check may be slow, but must not report their lock as damage.
_LOCK_SECONDS = 2.0


def find_damage(folder: Path) -> str | None:
    """Return what is wrong with the file in `folder` (an absolute path), without changing it.

    Returns:
        None where there is no file, an empty text for a sound one, else SQLite's message.
    """
    file = folder / FILE
    if not file.exists():
        return None
    # Read-only: a check must neither create nor change the file that the senders share.
    try:
        with closing(
            sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, timeout=_LOCK_SECONDS)
        ) as database:
            verdict = str(database.execute("PRAGMA quick_check").fetchone()[0])
    except sqlite3.Error as error:
        return str(error)
    return "" if verdict == "ok" else verdict
