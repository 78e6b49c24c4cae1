"""A file gets its final name only when it is complete, and gets it once.

`write_draft` writes a file under a temporary name; `publish` gives it the name in one step that
never replaces another file. A job journals the draft in between: after a crash `find_published`
shows whether the name was already given, so that no export appears twice.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO

from server.errors import Failure
from server.exports.draft import Draft
from server.exports.names import Format
from server.exports.paths import ExportFolder, Target

_BUFFER = 256 * 1024
_NO_JOB = "once"


@dataclass(frozen=True)
class Export:
    """A finished file: its path and name, rows, columns in their order, size in bytes."""

    path: str
    name: str
    format: Format
    rows: int
    columns: tuple[str, ...]
    bytes: int

    def to_dict(self) -> dict[str, Any]:
        """Return the export as JSON-ready data."""
        return {**asdict(self), "columns": list(self.columns)}


def write_draft(
    folder: ExportFolder,
    target: Target,
    fill: Callable[[BinaryIO], tuple[int, tuple[str, ...]]],
    job: str = _NO_JOB,
) -> Draft:
    """Return the file that `fill` writes, complete on the disk.

    Args:
        fill: writes the file and returns its number of rows and its columns.

    Raises:
        Failure: as `directory.open_folder`; whatever `fill` raises. Nothing is left behind then.
    """
    # Random, so that an older attempt that was taken for dead does not write to the same file.
    temporary = f".{target.name}.{job}.{os.urandom(2).hex()}.tmp"
    with folder.open(create=True) as directory:
        descriptor = directory.create(temporary)
        try:
            with os.fdopen(descriptor, "wb", buffering=_BUFFER) as file:
                rows, columns = fill(file)
                file.flush()
                os.fsync(descriptor)
                status = os.fstat(descriptor)
        except BaseException:  # a job that is cancelled leaves nothing behind either
            directory.remove(temporary)
            raise
    return Draft(
        target.name, target.format, temporary, status.st_ino, status.st_size, rows, columns
    )


def publish(folder: ExportFolder, draft: Draft) -> Export:
    """Give the draft its name, or the next free one where another file took it meanwhile.

    Raises:
        Failure: `NOT_FOUND` where the draft is gone (another server took over the job), else as
            `directory.open_folder`.
    """
    return _make_export(folder, draft, folder.assign_name(draft))


def find_published(folder: ExportFolder, draft: Draft) -> Export | None:
    """Return the export of a draft that has its name already; None where it has none.

    None also stands for an export that was removed since.
    """
    name = folder.find_name(draft)
    return None if name is None else _make_export(folder, draft, name)


def withdraw(folder: ExportFolder, draft: Draft) -> None:
    """Remove a draft that is not to get its name."""
    with folder.open(create=True) as directory:
        directory.remove(draft.temporary)


def store(folder: ExportFolder, target: Target, data: bytes) -> Export:
    """Write a file that is already in memory (a chart).

    Raises:
        Failure: as `directory.open_folder`; nothing is left behind then.
    """

    def fill(file: BinaryIO) -> tuple[int, tuple[str, ...]]:
        file.write(data)
        return 0, ()

    draft = write_draft(folder, target, fill)
    try:
        return publish(folder, draft)
    except Failure:
        withdraw(folder, draft)  # there is no job that would try it again
        raise


def _make_export(folder: ExportFolder, draft: Draft, name: str) -> Export:
    return Export(folder.locate(name), name, draft.format, draft.rows, draft.columns, draft.bytes)
