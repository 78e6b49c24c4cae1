"""The rows of an export while they are gathered: a JSON Lines file in the export folder.

It is called `.<name>.<job>.part`. A job journals the offset that `append` returns, with everything
else it knows, in one transaction. After a crash the spool is opened at that offset: what was
written after it, half a line included, is gone.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

from server.errors import Code, Failure
from server.exports.directory import Directory, Leftover, is_regular, translate_errors
from server.exports.paths import ExportFolder
from server.redaction import holds_secret, redact_values

_JOB = re.compile(r"[A-Za-z0-9_-]{1,36}")
_WORKING_FILE = re.compile(r"\..+\.(?P<job>[A-Za-z0-9_-]{1,36})\.(?:part|[0-9a-f]{4}\.tmp)")
_BLOCK = 1 << 17
# Strict: Python would write NaN, which is no JSON and which other programs refuse.
_STRICT = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
# JSON allows them in a text, but many programs end a line there.
_LINE_ENDS = {0x85: r"\u0085", 0x2028: r"\u2028", 0x2029: r"\u2029"}

Row = dict[str, Any]


class Spool:
    """The open file of one owner, `offset` bytes long.

    Opening it at an offset puts a copy in its place: an owner that was suspended, and comes back
    after another took over the job, still holds the old file and cannot touch the new one.
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
        """Open the spool of `job` for the file `name`, cut at `offset` bytes.

        Its `offset` is 0 where fewer bytes than that survived, or no line ends there: the caller
        then starts from the first row. Drafts that the job left behind are removed.

        Raises:
            Failure: as `directory.open_folder`.
        """
        # The id becomes part of a file name, and is read back from it.
        if _JOB.fullmatch(job) is None:
            raise ValueError(f"not a job id: {job!r}")
        spool_name = f".{name}.{job}.part"
        with folder.open(create=True) as directory:
            _remove_leftovers(directory, job, ".tmp")
            descriptor, offset = _take_over(directory, spool_name, offset)
        spool = cls(folder, spool_name, job, descriptor, offset)
        try:
            yield spool
        finally:
            spool._close()

    def append(self, rows: list[Row]) -> int:
        """Write the rows as lines and return the offset after them, in bytes.

        Raises:
            Failure: as `directory.open_folder`; the spool is then removed, because its job cannot
                continue.
        """
        data = b"".join(map(_encode_row, rows))
        try:
            with translate_errors(self.folder.path):
                self._write(data)
        except Failure:
            self.remove()
            raise
        return self.offset

    def truncate(self, offset: int) -> None:
        """Cut the spool to `offset` bytes."""
        if not 0 <= offset <= self.offset:
            raise ValueError(f"offset {offset} is outside the {self.offset} bytes of the spool")
        with translate_errors(self.folder.path):
            os.ftruncate(self._descriptor, offset)
        self.offset = offset

    def batches(self, rows: int, size: int) -> Iterator[list[Row]]:
        """Yield all rows in order, in lists of at most `rows`, of about `size` bytes of JSON."""
        batch: list[Row] = []
        batch_size = 0
        for line in self.lines():
            batch.append(_decode_row(line))
            batch_size += len(line)
            if len(batch) >= rows or batch_size >= size:
                yield batch
                batch, batch_size = [], 0
        if batch:
            yield batch

    def lines(self) -> Iterator[bytes]:
        """Yield the lines as they were written, each with its line break."""
        rest = b""
        for block in self.blocks():
            *lines, rest = (rest + block).split(b"\n")
            for line in lines:
                yield line + b"\n"

    def blocks(self) -> Iterator[bytes]:
        """Yield the bytes as they were written, block by block.

        Raises:
            Failure: as `directory.open_folder`; `UNAVAILABLE` where bytes are missing.
        """
        with translate_errors(self.folder.path):
            os.lseek(self._descriptor, 0, os.SEEK_SET)
        position = 0
        while position < self.offset:
            with translate_errors(self.folder.path):
                block = os.read(self._descriptor, min(_BLOCK, self.offset - position))
            if not block:
                raise _make_damage()
            position += len(block)
            yield block

    def remove(self) -> None:
        """Close the file and remove it, unless another owner has put its own in its place."""
        with self.folder.open() as directory:
            status = directory.stat(self._name)
            is_own = False
            if status is not None and not self._closed:
                is_own = os.path.samestat(status, os.fstat(self._descriptor))
            # Closed first: Windows removes no open file.
            self._close()
            if is_own:
                directory.remove(self._name)

    def _close(self) -> None:
        if not self._closed:
            self._closed = True
            os.close(self._descriptor)

    def _write(self, data: bytes) -> None:
        os.lseek(self._descriptor, self.offset, os.SEEK_SET)
        rest = memoryview(data)
        # One `write` may take only a part, such as on a disk that is nearly full.
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]
        self.offset += len(data)


def list_leftovers(folder: ExportFolder) -> list[Leftover]:
    """Return the working files of all jobs, those that run in another server included."""
    if not folder.exists():
        return []
    with folder.open() as directory:
        return list(_find_leftovers(directory))


def discard(folder: ExportFolder, job: str) -> int:
    """Remove the working files of a job that ended or is unknown, and return their number."""
    if not folder.exists():
        return 0
    with folder.open() as directory:
        return _remove_leftovers(directory, job)


def _find_leftovers(directory: Directory) -> Iterator[Leftover]:
    for name in directory.list_names():
        match = _WORKING_FILE.fullmatch(name)
        # Another server may remove its file between the listing and this.
        status = directory.stat(name)
        if match is not None and is_regular(status):
            yield Leftover(name, match["job"], status.st_size, status.st_mtime)


def _remove_leftovers(directory: Directory, job: str, ending: str = "") -> int:
    files = [
        file
        for file in _find_leftovers(directory)
        if file.job == job and file.name.endswith(ending)
    ]
    for file in files:
        directory.remove(file.name)
    return len(files)


def _take_over(directory: Directory, name: str, offset: int) -> tuple[int, int]:
    """Put a copy of the spool in its place and return its descriptor and size."""
    temporary = f"{name.removesuffix('.part')}.{os.urandom(2).hex()}.tmp"
    descriptor = directory.create(temporary)
    try:
        try:
            size = _copy(directory, name, descriptor, offset) if offset else 0
            copy = os.fstat(descriptor)
        finally:
            # Closed first: Windows renames no open file.
            os.close(descriptor)
        directory.replace(temporary, name)
    except BaseException:  # whatever ended it, the half copy must go
        directory.remove(temporary)
        raise
    # Between the two steps another server may have put its own copy there.
    descriptor = directory.open_existing(name, write=True)
    if os.path.samestat(copy, os.fstat(descriptor)):
        return descriptor, size
    os.close(descriptor)
    raise Failure(
        Code.UNAVAILABLE, "Another server took over this export at the same moment.", retryable=True
    )


def _copy(directory: Directory, name: str, target: int, size: int) -> int:
    """Copy the first `size` bytes and return how many; 0 where they do not end a line."""
    try:
        source = directory.open_existing(name)
    except FileNotFoundError:
        return 0
    with os.fdopen(source, "rb") as old, os.fdopen(target, "wb", closefd=False) as new:
        rest, block = size, b""
        while rest and (block := old.read(min(_BLOCK, rest))):
            new.write(block)
            rest -= len(block)
        # A file that is too short ends with an empty block.
        if block.endswith(b"\n"):
            return size
        # Before cutting it: the buffer would otherwise be written behind the cut.
        new.flush()
        os.ftruncate(target, 0)
        return 0


def _decode_row(line: bytes) -> Row:
    try:
        row: Row = json.loads(line)
    except ValueError:
        raise _make_damage() from None
    return row


def _make_damage() -> Failure:
    return Failure(
        Code.UNAVAILABLE,
        "The rows gathered so far were damaged, by a power cut or another program.",
        "Start the export again.",
        retryable=True,
    )


def _encode_row(row: Row) -> bytes:
    # Nearly every row is sound, so it is only repaired once it failed. A UnicodeEncodeError is a
    # ValueError too.
    try:
        return _encode_line(row)
    except ValueError:
        return _encode_line(_repair(row))


def _encode_line(row: Any) -> bytes:
    text = _STRICT.encode(row)
    # An API may repeat a secret in a record, and a file goes further than a conversation.
    if holds_secret(text):
        text = _STRICT.encode(redact_values(row))
    return text.translate(_LINE_ENDS).encode() + b"\n"


def _repair(row: Row) -> Any:
    """Return the row without half characters and NaN, which no JSON file can hold."""
    text = json.dumps(row, ensure_ascii=False)
    # A caption may be cut inside an emoji. UTF-16 joins the halves that belong together.
    text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return json.loads(text, parse_constant=lambda _: None)  # NaN and the infinities
