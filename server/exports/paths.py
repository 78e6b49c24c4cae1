"""The export folder: the only one that tools may write user files to.

Its place is fixed when the server starts (links resolved then, setting `ARCHIVE_MCP_EXPORT_DIR`);
it is made on first use, for its user alone.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from server import wall_clock
from server.errors import Code, Failure
from server.exports.directory import (
    Directory,
    opened,
    regular,
    told,
)
from server.exports.names import (
    Format,
    alternatives,
    automatic_name,
    existing_name,
    file_name,
    format_of,
    is_export,
)

MAX_PIECE = 1_000_000
"""The most bytes of a file in one piece."""


@dataclass(frozen=True)
class Target:
    """Where an export goes: a name that was free when it was asked for."""

    name: str
    format: Format


@dataclass(frozen=True)
class Listed:
    """A finished export: size in bytes, last change in UTC."""

    name: str
    format: Format
    bytes: int
    modified: datetime

    def data(self) -> dict[str, Any]:
        """As JSON-ready data."""
        modified = self.modified.isoformat(timespec="seconds").replace("+00:00", "Z")
        return {"name": self.name, "format": self.format, "bytes": self.bytes, "modified": modified}


@dataclass(frozen=True)
class Piece:
    """A part of a file: its bytes, where it starts, where the next one starts (None at the end),
    the file's size."""

    data: bytes
    offset: int
    next_offset: int | None
    total: int


class ExportFolder:
    """The folder, by its place; each use opens it anew, so that it may be removed and made again in
    between."""

    def __init__(
        self, path: Path, now: Callable[[], datetime] = lambda: wall_clock.utc_now()
    ) -> None:
        self.path = path.expanduser().resolve()
        self._now = now

    def opened(self, *, create: bool = False) -> AbstractContextManager[Directory]:
        """The folder, open for the length of the block (see `directory.opened`)."""
        return opened(self.path, create=create)

    def target(self, name: str | None, file_format: Format, *, what: str = "export") -> Target:
        """A free name in the folder: the caller's, or one from `what` and the time; `name-2` where
        it is taken.

        Raises: Failure: `INVALID_ARGUMENT` for a name that is not safe everywhere, or one held by
            something that is no ordinary file; `FORBIDDEN` or `UNAVAILABLE` for a folder that
            cannot be used.
        """
        wanted = (
            automatic_name(what, self._now(), file_format)
            if name is None
            else file_name(name, file_format)
        )
        with self.opened(create=True) as directory:
            held = directory.look(wanted)
            if held is not None and not regular(held):
                raise Failure(
                    Code.INVALID_ARGUMENT,
                    f"{wanted!r} in the export folder is a link, a folder or a device, not a file.",
                    "Send another name.",
                )
            return Target(next(free_names(directory, wanted)), file_format)

    def listing(self) -> list[Listed]:
        """The finished exports, newest first; empty where the folder is missing."""
        with told(self.path):
            missing = not self.path.exists()
        if missing:
            return []
        with self.opened() as directory:
            found = [
                listed
                for name in directory.names()
                if (listed := _listed(directory, name)) is not None
            ]
        return sorted(found, key=lambda each: (each.modified, each.name), reverse=True)

    def open_piece(self, name: str, offset: int = 0, length: int = MAX_PIECE) -> Piece:
        """At most `length` bytes of a finished export from `offset`; pieces of text end with a
        whole line or character.

        Raises: Failure: `INVALID_ARGUMENT` for a name or position that cannot be, `NOT_FOUND` for
            no such export.
        """
        existing_name(name)
        if not 1 <= length <= MAX_PIECE:
            raise Failure(
                Code.INVALID_ARGUMENT, f"`length` must be between 1 and {MAX_PIECE} bytes."
            )
        with self.opened() as directory, os.fdopen(directory.read(name), "rb") as file:
            total = os.fstat(file.fileno()).st_size
            if not 0 <= offset <= total:
                raise Failure(
                    Code.INVALID_ARGUMENT,
                    f"`offset` must be between 0 and {total}, the size of {name!r}.",
                )
            file.seek(offset)
            data = file.read(length)
        if offset + len(data) < total and format_of(name) in ("csv", "jsonl"):
            data = _whole(data)
        end = offset + len(data)
        return Piece(data, offset, end if end < total else None, total)


def free_names(directory: Directory, wanted: str) -> Iterator[str]:
    """The names `wanted`, `wanted-2`, ... that nothing stands under.

    Raises:
        Failure: `INVALID_ARGUMENT` once all numbers are used up.
    """
    yield from (each for each in alternatives(wanted) if directory.look(each) is None)
    raise Failure(
        Code.INVALID_ARGUMENT,
        f"{wanted!r} and all its numbered names are taken.",
        "Send another name.",
    )


def _listed(directory: Directory, name: str) -> Listed | None:
    file_format = format_of(name)
    if file_format is None or not is_export(name):
        return None
    found = directory.look(name)
    if found is None or not regular(found):
        return None
    return Listed(name, file_format, found.st_size, datetime.fromtimestamp(found.st_mtime, UTC))


def _whole(data: bytes) -> bytes:
    """Without the line begun at the end; of a longer line, without the character begun at the
    end."""
    if b"\n" in data:
        return data[: data.rindex(b"\n") + 1]
    start = len(data) - 1
    while start > 0 and data[start] & 0xC0 == 0x80:
        start -= 1
    complete = start == 0 or data[start] < 0xC0 or len(data) - start == _width(data[start])
    return data if complete else data[:start]


def _width(first: int) -> int:
    return 2 if first < 0xE0 else 3 if first < 0xF0 else 4
