"""The rows of an export while they are gathered: a JSON Lines file `.<name>.<job>.part` in the
export folder.

A job writes down the offset that `append` returns, with everything else it knows, in one
transaction. After a crash the spool is opened at that offset: what was written behind it, half a
line included, is gone.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

from server.errors import Code, Failure
from server.exports.directory import (
    Directory,
    Leftover,
    regular,
    told,
)
from server.exports.paths import ExportFolder

_JOB = re.compile(r"[A-Za-z0-9_-]{1,36}")
_WORKING_FILE = re.compile(r"\..+\.(?P<job>[A-Za-z0-9_-]{1,36})\.(?:part|[0-9a-f]{4}\.tmp)")
_BLOCK = 1 << 17
_STRICT = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))

Row = dict[str, Any]


class Spool:
    """The open file of one owner.

    Opening it at an offset puts a copy in its place: an owner that was suspended, and comes back
    after another took the job over, still holds the old file and cannot touch the new one.
    Unfinished files of the job are removed.
    """

    def __init__(
        self, folder: ExportFolder, name: str, job: str, descriptor: int, offset: int
    ) -> None:
        self.folder = folder
        self.job = job
        self.offset = offset
        self._name = name
        self._descriptor = descriptor
        self._closed = False

    @classmethod
    @contextmanager
    def open(cls, folder: ExportFolder, name: str, job: str, offset: int = 0) -> Iterator[Self]:
        """The spool of `job` for the file `name`, cut at `offset` bytes, for the length of the
        block.

        Its `offset` is 0 where fewer bytes than that survived, or no line ends there: the caller
        then begins anew.

        Raises:
            Failure: as `directory.opened`.
        """
        if _JOB.fullmatch(job) is None:
            raise ValueError(f"not a job id: {job!r}")
        spool_name = f".{name}.{job}.part"
        with folder.opened(create=True) as directory:
            _remove_drafts(directory, job)
            descriptor, kept = _taken_over(directory, spool_name, offset)
        spool = cls(folder, spool_name, job, descriptor, kept)
        try:
            yield spool
        finally:
            spool._close()

    def append(self, rows: list[Row]) -> int:
        """Write the rows as lines and return the offset behind them, in bytes.

        Raises:
            Failure: as `directory.opened`; the spool is then removed, because its job cannot go on.
        """
        data = b"".join(map(_line, rows))
        try:
            with told(self.folder.path):
                self._write(data)
        except Failure:
            self.remove()
            raise
        return self.offset

    def truncate(self, offset: int) -> None:
        """Forget everything behind `offset` bytes."""
        if not 0 <= offset <= self.offset:
            raise ValueError(f"offset {offset} is outside the {self.offset} bytes of the spool")
        with told(self.folder.path):
            os.ftruncate(self._descriptor, offset)
        self.offset = offset

    def batches(self, rows: int, size: int) -> Iterator[list[Row]]:
        """All rows in order, in lists of at most `rows`, of about `size` bytes of JSON."""
        batch: list[Row] = []
        held = 0
        for line in self.lines():
            batch.append(_row(line))
            held += len(line)
            if len(batch) >= rows or held >= size:
                yield batch
                batch, held = [], 0
        if batch:
            yield batch

    def lines(self) -> Iterator[bytes]:
        """The lines as they were written, each with its end."""
        rest = b""
        for block in self.blocks():
            *whole, rest = (rest + block).split(b"\n")
            for each in whole:
                yield each + b"\n"

    def blocks(self) -> Iterator[bytes]:
        """The bytes as they were written, piece by piece."""
        with told(self.folder.path):
            os.lseek(self._descriptor, 0, os.SEEK_SET)
        position = 0
        while position < self.offset:
            with told(self.folder.path):
                block = os.read(self._descriptor, min(_BLOCK, self.offset - position))
            if not block:
                raise _damaged()
            position += len(block)
            yield block

    def remove(self) -> None:
        """Close the file and remove it, unless another owner has put its own in its place."""
        with self.folder.opened() as directory:
            found = directory.look(self._name)
            ours = (
                not self._closed
                and found is not None
                and os.path.samestat(found, os.fstat(self._descriptor))
            )
            self._close()  # Windows removes no open file
            if ours:
                directory.remove(self._name)

    def _close(self) -> None:
        if not self._closed:
            self._closed = True
            os.close(self._descriptor)

    def _write(self, data: bytes) -> None:
        os.lseek(self._descriptor, self.offset, os.SEEK_SET)
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]
        self.offset += len(data)


def leftovers(folder: ExportFolder) -> list[Leftover]:
    """The working files in the folder, of every job: those of jobs that run in another server
    too."""
    with told(folder.path):
        missing = not folder.path.exists()
    if missing:
        return []
    found = []
    with folder.opened() as directory:
        for name in directory.names():
            match, state = _WORKING_FILE.fullmatch(name), directory.look(name)
            if match is not None and state is not None and regular(state):
                found.append(Leftover(name, match["job"], state.st_size, state.st_mtime))
    return found


def discard(folder: ExportFolder, job: str) -> int:
    """Remove the working files of a job that ended or is no longer known; returns how many there
    were."""
    abandoned = [each for each in leftovers(folder) if each.job == job]
    if abandoned:
        with folder.opened() as directory:
            for each in abandoned:
                directory.remove(each.name)
    return len(abandoned)


def _remove_drafts(directory: Directory, job: str) -> None:
    for name in directory.names():
        match = _WORKING_FILE.fullmatch(name)
        if match is not None and match["job"] == job and name.endswith(".tmp"):
            directory.remove(name)


def _taken_over(directory: Directory, name: str, offset: int) -> tuple[int, int]:
    fresh = f"{name.removesuffix('.part')}.{os.urandom(2).hex()}.tmp"
    descriptor = directory.create(fresh)
    try:
        try:
            kept = _copy(directory, name, descriptor, offset) if offset else 0
            made = os.fstat(descriptor)
        finally:
            os.close(descriptor)  # Windows renames no open file
        directory.replace(fresh, name)
    except BaseException:  # whatever ended it, the half copy must go
        directory.remove(fresh)
        raise
    descriptor = directory.read(name, write=True)
    if os.path.samestat(made, os.fstat(descriptor)):
        return descriptor, kept
    os.close(descriptor)
    raise Failure(
        Code.UNAVAILABLE, "Another server took over this export at the same moment.", retryable=True
    )


def _copy(directory: Directory, name: str, target: int, size: int) -> int:
    """Copy the first `size` bytes; 0 where they are not there or do not end a line."""
    try:
        source = directory.read(name)
    except FileNotFoundError:
        return 0
    with os.fdopen(source, "rb") as old, os.fdopen(target, "wb", closefd=False) as new:
        left, last = size, b""
        while left and (block := old.read(min(_BLOCK, left))):
            new.write(block)
            left -= len(block)
            last = block
        if not left and last.endswith(b"\n"):
            return size
        new.flush()
        os.ftruncate(target, 0)
        return 0


def _row(line: bytes) -> Row:
    try:
        row: Row = json.loads(line)
    except ValueError:
        raise _damaged() from None
    return row


def _damaged() -> Failure:
    return Failure(
        Code.UNAVAILABLE,
        "The rows gathered so far were damaged, by a power cut or another program.",
        "Start the export again.",
        retryable=True,
    )


def _line(row: Row) -> bytes:
    try:
        return _json(row)
    except ValueError:  # also UnicodeEncodeError
        return _json(_repaired(row))


def _json(row: Any) -> bytes:
    return _STRICT.encode(row).encode() + b"\n"


def _repaired(value: Any) -> Any:
    """Without what no JSON file can hold: half a character (a caption cut inside an emoji) and
    NaN."""
    if isinstance(value, dict):
        return {_repaired(key): _repaired(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_repaired(each) for each in value]
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, float) and (value != value or abs(value) == float("inf")):
        return None
    return value
