"""Exports of made-up people in a team's store."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from server.exports import Draft, Export, Target, publish
from server.exports.publish import write_draft
from server.team.files.exports import PersonFiles, StoredExports
from server.team.files.store import FileStore

NOW = datetime(2026, 11, 2, 9, 15, tzinfo=UTC)
ANNA, BEN = "oidc:anna", "oidc:ben"


def exports_of(store: FileStore, workshop: Path, person: str) -> StoredExports:
    """The exports of somebody, made in a folder of one machine."""
    files = PersonFiles(store, person)
    return StoredExports(workshop, files, lambda name: None, now=lambda: NOW)


def write(folder: StoredExports, name: str, data: bytes, job: str = "job1") -> Draft:
    """A draft with these bytes; `name` ends in `.csv`."""

    def fill(file: BinaryIO) -> tuple[int, tuple[str, ...]]:
        file.write(data)
        return 1, ("a",)

    return write_draft(folder, Target(name, "csv"), fill, job)


def export(folder: StoredExports, name: str, data: bytes = b"a\r\n1\r\n") -> Export:
    """A finished export with these bytes."""
    return publish(folder, write(folder, name, data))
