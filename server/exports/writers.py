"""From the gathered rows to the file of the asked format, with memory that does not grow with the
rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import BinaryIO, Protocol

from server.errors import Failure
from server.exports import parquet
from server.exports.cells import CsvFile
from server.exports.columns import Column, Row, Survey
from server.exports.names import Format
from server.exports.parquet import ParquetFile
from server.exports.paths import ExportFolder, Target
from server.exports.publish import Draft, drafted
from server.exports.spool import Spool

_BATCH_ROWS, _BATCH_BYTES = 500, 128 * 1024


class _Writer(Protocol):
    def add(self, records: Iterable[Row], /) -> None: ...
    def close(self) -> None: ...


def check_available(file_format: Format) -> None:
    """Check that the format can be written here, before any work is done for it.

    Raises:
        Failure: `UNSUPPORTED` with what to install.
    """
    if file_format == "parquet":
        parquet.check_available()


def build(
    folder: ExportFolder,
    spool: Spool,
    target: Target,
    columns: tuple[str, ...] = (),
    tick: Callable[[], None] = lambda: None,
) -> Draft:
    """The rows of the spool as a complete file that only lacks its name (see `publish`).

    Args: columns: dotted paths in the order wanted; without them those found in the rows, in the
        order met. tick: called every few hundred rows; what it raises ends the writing, and nothing
        but the spool is kept.

    Raises: Failure: as `directory.opened`; `UNSUPPORTED` for a format that lacks its library. After
        trouble with the disk the spool is removed too.
    """
    check_available(target.format)
    try:
        survey = _surveyed(spool, columns, tick)
        found = survey.columns()

        def fill(file: BinaryIO) -> tuple[int, tuple[str, ...]]:
            _fill(file, spool, target.format, found, tick)
            return survey.rows, tuple(each.name for each in found)

        return drafted(folder, target, fill, spool.job)
    except Failure:
        spool.remove()
        raise


def _surveyed(spool: Spool, columns: tuple[str, ...], tick: Callable[[], None]) -> Survey:
    survey = Survey(columns)
    for batch in spool.batches(_BATCH_ROWS, _BATCH_BYTES):
        survey.add(batch)
        tick()
    return survey


def _fill(
    file: BinaryIO,
    spool: Spool,
    file_format: Format,
    columns: list[Column],
    tick: Callable[[], None],
) -> None:
    if file_format == "jsonl":
        for block in spool.blocks():
            file.write(block)
            tick()
        return
    writer: _Writer
    if file_format == "csv":
        writer = CsvFile(file, columns)
    elif file_format == "parquet":
        writer = ParquetFile(file, columns)
    else:
        raise ValueError(f"{file_format} files do not hold rows")
    try:
        for batch in spool.batches(_BATCH_ROWS, _BATCH_BYTES):
            writer.add(batch)
            tick()
    except (
        BaseException
    ):  # the file is given up: what the writer holds must go, even on a full disk
        with suppress(OSError, ValueError):
            writer.close()
        raise
    writer.close()
