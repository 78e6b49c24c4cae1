"""A file gets its final name only when it is complete, and gets it once.

`drafted` writes a file under a temporary name; `publish` gives it the name in one step that never
replaces another file. A job writes the draft down in between: after a crash `published` tells
whether the name was already given, so that no export appears twice.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO

from server.exports.directory import Directory, regular
from server.exports.names import Format
from server.exports.paths import ExportFolder, Target, free_names

_BUFFER = 256 * 1024
_NO_JOB = "once"


@dataclass(frozen=True)
class Draft:
    """A complete file under a temporary name; `file` and `bytes` tell it from any other."""

    name: str
    format: Format
    temporary: str
    file: int
    bytes: int
    rows: int = 0
    columns: tuple[str, ...] = ()

    def data(self) -> dict[str, Any]:
        """As JSON-ready data, for the journal."""
        return {**asdict(self), "columns": list(self.columns)}

    @classmethod
    def of(cls, data: dict[str, Any]) -> Draft:
        """From what `data` gave."""
        return cls(**{**data, "columns": tuple(data["columns"])})


@dataclass(frozen=True)
class Export:
    """A finished file: its path and name, rows, columns in their order, size in bytes."""

    path: str
    name: str
    format: Format
    rows: int
    columns: tuple[str, ...]
    bytes: int

    def data(self) -> dict[str, Any]:
        """As JSON-ready data."""
        return {**asdict(self), "columns": list(self.columns)}


def drafted(
    folder: ExportFolder,
    target: Target,
    fill: Callable[[BinaryIO], tuple[int, tuple[str, ...]]],
    job: str = _NO_JOB,
) -> Draft:
    """The file that `fill` writes, complete on the disk; `fill` returns its rows and columns.

    Raises:
        Failure: as `directory.opened`; whatever `fill` raises. Nothing is left behind then.
    """
    temporary = f".{target.name}.{job}.{os.urandom(2).hex()}.tmp"
    with folder.opened(create=True) as directory:
        descriptor = directory.create(temporary)
        try:
            with os.fdopen(descriptor, "wb", buffering=_BUFFER) as file:
                rows, columns = fill(file)
                file.flush()
                os.fsync(descriptor)
                state = os.fstat(descriptor)
        except BaseException:  # also a cancelled job leaves nothing behind
            directory.remove(temporary)
            raise
    return Draft(target.name, target.format, temporary, state.st_ino, state.st_size, rows, columns)


def publish(folder: ExportFolder, draft: Draft) -> Export:
    """Give the draft its name, or the next free one where another file took it meanwhile.

    Raises: Failure: `NOT_FOUND` where the draft is gone (the job was taken over), else as
        `directory.opened`.
    """
    with folder.opened() as directory:
        try:
            name = _named(directory, draft)
            directory.sync()
        except BaseException:  # also a cancelled job leaves nothing behind
            directory.remove(draft.temporary)
            raise
    return _export(folder, draft, name)


def published(folder: ExportFolder, draft: Draft) -> Export | None:
    """The export of a draft that already got its name, None where it did not (or was removed
    since)."""
    with folder.opened(create=True) as directory:
        for name in directory.names():
            state = None if name.startswith(".") else directory.look(name)
            if (
                state is not None
                and regular(state)
                and (state.st_ino, state.st_size) == (draft.file, draft.bytes)
            ):
                directory.remove(draft.temporary)
                return _export(folder, draft, name)
    return None


def store(folder: ExportFolder, target: Target, data: bytes) -> Export:
    """Write a file that is already in memory (a chart).

    Raises:
        Failure: as `directory.opened`; nothing is left behind then.
    """

    def fill(file: BinaryIO) -> tuple[int, tuple[str, ...]]:
        file.write(data)
        return 0, ()

    return publish(folder, drafted(folder, target, fill))


def _named(directory: Directory, draft: Draft) -> str:
    for name in free_names(directory, draft.name):
        try:
            directory.give_name(draft.temporary, name)
        except FileExistsError:
            continue
        return name
    raise AssertionError("free_names ends with a Failure")


def _export(folder: ExportFolder, draft: Draft, name: str) -> Export:
    return Export(
        str(folder.path / name), name, draft.format, draft.rows, draft.columns, draft.bytes
    )
