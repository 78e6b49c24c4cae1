"""What a real ArchiveBox holds, looked at in its database and on its disk."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.archivebox.server import RealArchiveBox

_BOOKS = ("index.", "headers.json", "favicon.ico", "htmltotext.txt", "warc/", "logs/")
"""How names begin of files in a folder of 0.8.5 that are not the page's own."""


@dataclass(frozen=True)
class Stored:
    """The database and the files of a server."""

    real: RealArchiveBox

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a query; ids are in the form of `plain_id`."""
        address = f"file:{self.real.folder / 'data' / 'index.sqlite3'}?mode=ro"
        with closing(sqlite3.connect(address, uri=True)) as database:
            return database.execute(query, values).fetchall()

    def copies(self, url: str) -> list[str]:
        """Return the ids of the saved copies of a URL, oldest first."""
        query = "SELECT id FROM core_snapshot WHERE url = ? ORDER BY created_at"
        return [str(identifier) for (identifier,) in self.rows(query, url)]

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

    def outputs(self, snapshot_id: str) -> list[tuple[str, str, str]]:
        """Return plugin, status and text of a page's outputs, in the order in which they came."""
        names = "extractor, status, output" if self._is_old else "plugin, status, output_str"
        query = f"SELECT {names} FROM core_archiveresult WHERE snapshot_id = ? ORDER BY created_at"  # noqa: S608  # names of this module
        return [
            (str(plugin), str(status), str(text))
            for plugin, status, text in self.rows(query, plain_id(snapshot_id))
        ]

    def forget_output(self, snapshot_id: str, plugin: str) -> None:
        """Delete the record of an output, as if its plugin had never run."""
        database = sqlite3.connect(self.real.folder / "data" / "index.sqlite3", timeout=30)
        with closing(database), database:
            database.execute(
                "DELETE FROM core_archiveresult WHERE snapshot_id = ? AND plugin = ?",
                (plain_id(snapshot_id), plugin),
            )

    def files(self, snapshot_id: str) -> list[Path]:
        """Return the files in a page's own folder, empty where the folder is gone."""
        if self._is_old:
            query = "SELECT timestamp FROM core_snapshot WHERE id = ?"
            names = {name for (name,) in self.rows(query, plain_id(snapshot_id))}
        else:
            names = {plain_id(snapshot_id)}
        found = [
            folder
            for folder in (self.real.folder / "data" / "archive").rglob("*")
            if folder.is_dir() and not folder.is_symlink() and plain_id(folder.name) in names
        ]
        return sorted(path for folder in found for path in folder.rglob("*") if path.is_file())

    def page_files(self, snapshot_id: str) -> list[Path]:
        """Return the files that wget stored of a page, without its WARC and what the runner left
        beside."""
        own: list[Path] = []
        for path in self.files(snapshot_id):
            steps = path.parts[path.parts.index("archive") :]
            if self._is_old:
                rest = "/".join(steps[2:])
                own += [] if rest.startswith(_BOOKS) else [path]
            elif "wget" in steps and "warc" not in steps and not path.name.startswith("on_"):
                own.append(path)
        return own

    def describe(self, url: str) -> str:
        """Return the copies of a page in words: tags, outputs that hold it, and files of each."""
        copies = [self._describe_copy(identifier) for identifier in self.copies(url)]
        return f"{len(copies)} copies: {'; '.join(copies)}" if copies else "no copy"

    def _describe_copy(self, identifier: str) -> str:
        outputs = [f"{plugin} {status}" for plugin, status, _ in self.outputs(identifier)]
        pages = [output for output in outputs if output.startswith(("wget", "hashes", "favicon"))]
        tags = f"tags {', '.join(sorted(self.tags(identifier)))}" if self.tags(identifier) else ""
        files = f"{len(self.page_files(identifier))} own of {len(self.files(identifier))} files"
        return ", ".join(filter(None, [tags, *pages, files]))

    def count(self, table: str) -> int:
        """Return how many rows a table has; 0 where there is no such table."""
        if not self.rows("SELECT 1 FROM sqlite_master WHERE name = ?", table):
            return 0
        return int(self.rows(f"SELECT COUNT(*) FROM {table}")[0][0])  # noqa: S608  # names of the tests

    @property
    def _is_old(self) -> bool:
        return self.real.version == "0.8.5"


def plain_id(identifier: str) -> str:
    """Return an id as the database keeps it: without dashes."""
    return identifier.replace("-", "")
