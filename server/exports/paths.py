"""The export folder: the only one that tools may write user files to.

Its path is fixed when the server starts (setting `ARCHIVE_MCP_EXPORT_DIR`, links resolved); it is
made on first use, readable by its user alone. What is finished gets its name here too, unless a
subclass takes it elsewhere.
"""

from __future__ import annotations

import codecs
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from server import wall_clock
from server.errors import Code, Failure
from server.exports.directory import Directory, is_regular, open_folder, translate_errors
from server.exports.draft import Draft
from server.exports.names import (
    Format,
    check_existing_name,
    detect_format,
    is_export,
    make_automatic_name,
    make_file_name,
    number_names,
)

# The most bytes of one piece of a file.
MAX_PIECE = 1_000_000


@dataclass(frozen=True)
class Target:
    """The name of a future export, which was free when it was chosen."""

    name: str
    format: Format


@dataclass(frozen=True)
class FolderEntry:
    """A finished export in the folder: its name, size in bytes and last change in UTC."""

    name: str
    format: Format
    bytes: int
    modified: datetime

    def to_dict(self) -> dict[str, Any]:
        """Return the entry as JSON-ready data."""
        modified = wall_clock.utc_stamp(self.modified)
        return {"name": self.name, "format": self.format, "bytes": self.bytes, "modified": modified}


@dataclass(frozen=True)
class Piece:
    """A part of a file.

    `offset` and `next_offset` are where it and the next piece start, in bytes, None at the end of
    the file; `total` is the file's size.
    """

    data: bytes
    offset: int
    next_offset: int | None
    total: int


@dataclass(frozen=True)
class Download:
    """An address of a file, which works until some moment."""

    url: str
    until: datetime


class ExportFolder:
    """The folder, by its path; each use opens it anew, so that it may be removed and made again.

    Args:
        now: a clock with time zone, for automatic names.
    """

    def __init__(
        self, path: Path, now: Callable[[], datetime] = lambda: wall_clock.utc_now()
    ) -> None:
        self.path = path.expanduser().resolve()
        self._now = now

    def open(self, *, create: bool = False) -> AbstractContextManager[Directory]:
        """Open the folder for the length of a block (see `directory.open_folder`)."""
        return open_folder(self.path, create=create)

    def exists(self) -> bool:
        """Return whether there is a folder; looking for one does not make it."""
        with translate_errors(self.path):
            return self.path.exists()

    def choose_target(
        self, name: str | None, file_format: Format, *, what: str = "export"
    ) -> Target:
        """Return a free name in the folder, with a number at its end where it is taken.

        Args:
            name: the caller's name, None for one from `what` and the time.

        Raises:
            Failure: `INVALID_ARGUMENT` for a name that is not safe everywhere, or that of something
                that is no ordinary file; `FORBIDDEN` or `UNAVAILABLE` for a folder that cannot be
                used.
        """
        if name is None:
            requested = make_automatic_name(what, self._now(), file_format)
        else:
            requested = make_file_name(name, file_format)
        return Target(self.find_free_name(requested), file_format)

    def find_free_name(self, name: str) -> str:
        """Return the first of the names `name`, `name-2`, ... that is free. Raises as
        `choose_target`."""
        with self.open(create=True) as directory:
            status = directory.stat(name)
            if status is not None and not is_regular(status):
                raise Failure(
                    Code.INVALID_ARGUMENT,
                    f"{name!r} in the export folder is a link, a folder or a device, not a file.",
                    "Send another name.",
                )
            return next(_find_free_names(directory, name))

    def assign_name(self, draft: Draft) -> str:
        """Give a draft its name, or the next free one, and return it.

        Raises:
            Failure: as `publish`.
        """
        with self.open() as directory:
            try:
                name = _assign_free_name(directory, draft)
                directory.sync()
            except BaseException:  # a job that is cancelled leaves nothing behind either
                directory.remove(draft.temporary)
                raise
        return name

    def find_name(self, draft: Draft) -> str | None:
        """Return the name that a draft has already; None where it has none."""
        with self.open(create=True) as directory:
            for name in directory.list_names():
                # The name with the dot is the draft's own, which the file may still have besides.
                status = None if name.startswith(".") else directory.stat(name)
                if not is_regular(status):
                    continue
                if (status.st_ino, status.st_size) == (draft.file, draft.bytes):
                    directory.remove(draft.temporary)
                    return name
        return None

    @property
    def place(self) -> str:
        """Where the user finds the exports."""
        return str(self.path)

    def locate(self, name: str) -> str:
        """Return where the user finds a finished export."""
        return str(self.path / name)

    def make_download(self, name: str) -> Download | None:
        """Return an address from which the user's browser loads an export; None for a folder that
        the user has at hand."""
        return None

    def list_exports(self) -> list[FolderEntry]:
        """Return the finished exports, newest first; none where the folder is missing."""
        if not self.exists():
            return []
        with self.open() as directory:
            names = filter(is_export, directory.list_names())
            entries = [entry for name in names if (entry := _make_entry(directory, name))]
        return sorted(entries, key=lambda entry: (entry.modified, entry.name), reverse=True)

    def read_piece(self, name: str, offset: int = 0, length: int = MAX_PIECE) -> Piece:
        """Return a part of a finished export; a piece of text ends with a whole line or character.

        Args:
            offset: where the piece starts, in bytes.
            length: the most bytes of it.

        Raises:
            Failure: `INVALID_ARGUMENT` for a name or position that cannot be, `NOT_FOUND` for no
                such export.
        """
        check_existing_name(name)
        if not 1 <= length <= MAX_PIECE:
            raise Failure(
                Code.INVALID_ARGUMENT, f"`length` must be between 1 and {MAX_PIECE} bytes."
            )
        return self._read(name, offset, length)

    def _read(self, name: str, offset: int, length: int) -> Piece:
        with self.open() as directory, os.fdopen(directory.open_existing(name), "rb") as file:
            total = os.fstat(file.fileno()).st_size
            check_offset(name, offset, total)
            file.seek(offset)
            return make_piece(name, file.read(length), offset, total)


def check_offset(name: str, offset: int, total: int) -> None:
    """Raise where a piece cannot start.

    Raises:
        Failure: `INVALID_ARGUMENT`.
    """
    if not 0 <= offset <= total:
        raise Failure(
            Code.INVALID_ARGUMENT,
            f"`offset` must be between 0 and {total}, the size of {name!r}.",
        )


def make_piece(name: str, data: bytes, offset: int, total: int) -> Piece:
    """Return a part of a file; of a text without the unfinished line at its end."""
    if offset + len(data) < total and detect_format(name) in ("csv", "jsonl", "txt"):
        data = _cut_at_boundary(data)
    end = offset + len(data)
    return Piece(data, offset, end if end < total else None, total)


def refuse_taken(name: str) -> Failure:
    """Return the refusal of a name of which all numbers are used up."""
    return Failure(
        Code.INVALID_ARGUMENT,
        f"{name!r} and all its numbered names are taken.",
        "Send another name.",
    )


def _assign_free_name(directory: Directory, draft: Draft) -> str:
    for name in _find_free_names(directory, draft.name):
        # Another process can take a free name before this one does.
        with suppress(FileExistsError):
            directory.assign_name(draft.temporary, name)
            return name
    raise AssertionError("_find_free_names ends with a Failure")


def _find_free_names(directory: Directory, name: str) -> Iterator[str]:
    """Yield those of the names `name`, `name-2`, ... that are free.

    Raises:
        Failure: `INVALID_ARGUMENT` once all numbers are used up.
    """
    # Lazy, so that the caller tries a name right after the look, before another process takes it.
    yield from (free for free in number_names(name) if directory.stat(free) is None)
    raise refuse_taken(name)


def _make_entry(directory: Directory, name: str) -> FolderEntry | None:
    file_format = detect_format(name)
    status = directory.stat(name)
    if file_format is None or not is_regular(status):
        return None
    modified = datetime.fromtimestamp(status.st_mtime, UTC)
    return FolderEntry(name, file_format, status.st_size, modified)


def _cut_at_boundary(data: bytes) -> bytes:
    """Return the bytes without the unfinished line or, of a longer line, character at the end."""
    if b"\n" in data:
        return data[: data.rindex(b"\n") + 1]
    # A decoder that is not told that this is the end leaves an unfinished character out.
    _, consumed = codecs.utf_8_decode(data, "replace", False)
    # A piece shorter than one character still has to lead on to the next.
    return data[:consumed] or data
