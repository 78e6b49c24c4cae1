"""The exports of one person: made in a folder of this machine, kept in the team's store.

Keys, where `digest` stands for the person:

    people/<digest>/names/q4.csv    whose name that is: the draft that became the file
    people/<digest>/files/q4.csv    the file

The name is claimed before the file is stored. So two workers never store the same name, and a
worker that takes over a job sees whether its file is there already.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from server import wall_clock
from server.errors import Code, Failure
from server.exports import Download, Draft, ExportFolder, FolderEntry, Piece
from server.exports.links import PREFIX, make_uri
from server.exports.names import check_existing_name, detect_format, is_export, number_names
from server.exports.paths import check_offset, make_piece, refuse_taken
from server.team.files.store import FileStore, StoredFile

PEOPLE = "people"
FILES = "files"
NAMES = "names"

# Returns the address from which the person loads a file, if there is one.
MakeDownload = Callable[[str], Download | None]


def make_digest(principal_id: str) -> str:
    """Return what stands for a person in the names of folders."""
    return hashlib.sha256(principal_id.encode()).hexdigest()[:32]


class PersonFiles:
    """What the store keeps for one person; nobody else's can be named."""

    def __init__(self, store: FileStore, principal_id: str) -> None:
        self.store = store
        self._folder = f"{PEOPLE}/{make_digest(principal_id)}"

    def find(self, name: str) -> StoredFile | None:
        """Return a file; None where there is none."""
        return self.store.find(self.key(name))

    def list_all(self) -> list[StoredFile]:
        """Return the person's files, in no order."""
        return self.store.list_files(f"{self._folder}/{FILES}")

    def claim(self, name: str, draft: Draft) -> bool:
        """Give a name to a draft, unless another one has it, and return whether it is the draft's
        now."""
        return self.store.claim(self._claim(name), _describe(draft))

    def release(self, name: str, draft: Draft) -> None:
        """Give up a name for which nothing could be stored, as far as the store answers: where it
        does not, the name is free when it is tidied."""
        claim = self._claim(name)
        try:
            if self.find(name) is None and self.store.read_owner(claim) == _describe(draft):
                self.store.remove(claim)
        except Failure:
            return

    def is_free(self, name: str) -> bool:
        """Return whether nothing has a name."""
        return self.store.find(self._claim(name)) is None

    def find_name(self, draft: Draft) -> str | None:
        """Return the name of a draft whose file is stored; None where it is not."""
        for name in number_names(draft.name):
            owner = self.store.read_owner(self._claim(name))
            if owner == _describe(draft):
                file = self.find(name)
                return name if file is not None and file.bytes == draft.bytes else None
            if owner is None:
                return None
        return None

    def put(self, name: str, file: BinaryIO, size: int) -> None:
        """Store a file under a name that was claimed."""
        self.store.put(self.key(name), file, size)

    def key(self, name: str) -> str:
        """Return the key of a file.

        Raises:
            Failure: `INVALID_ARGUMENT` for a name that no export can have, a path for one.
        """
        return f"{self._folder}/{FILES}/{check_existing_name(name)}"

    def _claim(self, name: str) -> str:
        return f"{self._folder}/{NAMES}/{check_existing_name(name)}"


class StoredExports(ExportFolder):
    """The exports of one person.

    Args:
        path: the folder of this machine where files are made.
        make_download: makes the address from which the person loads a file.
    """

    def __init__(
        self,
        path: Path,
        files: PersonFiles,
        make_download: MakeDownload,
        now: Callable[[], datetime] = lambda: wall_clock.utc_now(),
    ) -> None:
        super().__init__(path, now)
        self._files = files
        self._make_download = make_download

    def find_free_name(self, name: str) -> str:
        """Return the first of the names `name`, `name-2`, ... that is free in the store."""
        for free in number_names(name):
            if self._files.is_free(free):
                return free
        raise refuse_taken(name)

    def assign_name(self, draft: Draft) -> str:
        """Store a draft under its name, or the next free one, and return it.

        Where the store fails, the draft stays: a job that resumes here stores it then.
        """
        with self.open() as workshop:
            with os.fdopen(workshop.open_existing(draft.temporary), "rb") as file:
                name = self._claim_name(draft)
                try:
                    self._files.put(name, file, draft.bytes)
                except Failure:
                    self._files.release(name, draft)
                    raise
            workshop.remove(draft.temporary)
        return name

    def find_name(self, draft: Draft) -> str | None:
        """Return the name of a draft that is stored already, None where it is not."""
        name = self._files.find_name(draft)
        if name is not None:
            with self.open(create=True) as workshop:
                workshop.remove(draft.temporary)
        return name

    def list_exports(self) -> list[FolderEntry]:
        """Return the person's finished exports, newest first."""
        entries = [_make_entry(file) for file in self._files.list_all() if is_export(file.name)]
        present = [entry for entry in entries if entry is not None]
        return sorted(present, key=lambda entry: (entry.modified, entry.name), reverse=True)

    @property
    def place(self) -> str:
        """Where the person finds the exports: a path on a server is of no use to people."""
        return PREFIX

    def locate(self, name: str) -> str:
        """Return the address of the resource."""
        return make_uri(name)

    def make_download(self, name: str) -> Download | None:
        """Return an address from which the person's browser loads an export."""
        return self._make_download(name)

    def _claim_name(self, draft: Draft) -> str:
        for name in number_names(draft.name):
            if self._files.claim(name, draft):
                return name
        raise refuse_taken(draft.name)

    def _read(self, name: str, offset: int, length: int) -> Piece:
        file = self._files.find(name)
        if file is None:
            raise Failure(Code.NOT_FOUND, f"There is no export {name!r}: it may be too old.")
        check_offset(name, offset, file.bytes)
        length = min(length, file.bytes - offset)
        try:
            data = self._files.store.read(file.key, offset, length) if length else b""
        except FileNotFoundError:
            raise Failure(Code.NOT_FOUND, f"The export {name!r} was removed just now.") from None
        return make_piece(name, data, offset, file.bytes)


def _describe(draft: Draft) -> str:
    """Return a text that no other draft has, on whichever machine."""
    return f"{draft.temporary} {draft.file} {draft.bytes}"


def _make_entry(file: StoredFile) -> FolderEntry | None:
    file_format = detect_format(file.name)
    if file_format is None:
        return None
    return FolderEntry(file.name, file_format, file.bytes, file.modified)
