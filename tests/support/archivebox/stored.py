"""What a real ArchiveBox holds, looked at in its database and on its disk."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.archivebox.server import RealArchiveBox


@dataclass(frozen=True)
class Stored:
    """The database and the files of a server."""

    real: RealArchiveBox

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a query; ids are in the form of `plain_id`."""
        address = f"file:{self.real.folder / 'data' / 'index.sqlite3'}?mode=ro"
        with closing(sqlite3.connect(address, uri=True)) as database:
            return database.execute(query, values).fetchall()

    def tags(self, snapshot_id: str) -> set[str]:
        """Return the names of a page's tags."""
        query = (
            "SELECT name FROM core_tag JOIN core_snapshot_tags ON core_tag.id = tag_id"
            " WHERE snapshot_id = ?"
        )
        return {name for (name,) in self.rows(query, plain_id(snapshot_id))}

    def status(self, snapshot_id: str) -> str | None:
        """Return a page's status, or None if there is no such page."""
        found = self.rows("SELECT status FROM core_snapshot WHERE id = ?", plain_id(snapshot_id))
        return str(found[0][0]) if found else None

    def files(self, snapshot_id: str) -> list[Path]:
        """Return the files in a page's own folder, empty where the folder is gone."""
        found = [
            folder
            for folder in (self.real.folder / "data" / "archive").rglob("*")
            if folder.is_dir()
            and not folder.is_symlink()
            and plain_id(folder.name) == plain_id(snapshot_id)
        ]
        return sorted(path for folder in found for path in folder.rglob("*") if path.is_file())


def plain_id(identifier: str) -> str:
    """Return an id as the database keeps it: without dashes."""
    return identifier.replace("-", "")
