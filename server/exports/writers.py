"""Builds the file of the requested format, with memory that does not grow with the rows."""

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
from server.exports.publish import Draft, write_draft
from server.exports.spool import Spool

_BATCH_ROWS, _BATCH_BYTES = 500, 128 * 1024


class _Writer(Protocol):
    def add(self, records: Iterable[Row], /) -> None: ...
    def close(self) -> None: ...


class LinesFile:
    """A plain list that is being written: the first column, one value a line."""

    def __init__(self, file: BinaryIO, columns: list[Column]) -> None:
        self._file = file
        self._name = columns[0].name if columns else ""

    def add(self, records: Iterable[Row]) -> None:
        """Write records as lines; those without a value are left out."""
        for record in records:
            if value := record.get(self._name):
                # A line break inside a value would make two entries of one.
                self._file.write(f"{' '.join(str(value).splitlines())}\n".encode())

    def close(self) -> None:
        """Do nothing: every line was written."""


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
    """Write the rows of the spool to a complete file that only lacks its name (see `publish`).

    Args:
        columns: dotted paths in their order; without them the columns of the rows, in the order in
            which they come up.
        tick: is called every few hundred rows; what it raises ends the writing, and only the spool
            is kept.

    Raises:
        Failure: as `directory.open_folder`; `UNSUPPORTED` for a format that lacks its library.
            After trouble with the disk the spool is removed too.
    """
    check_available(target.format)
    try:
        # Two passes: the header of a CSV file and the schema of a Parquet file come before the
        # rows, and only the last row tells which columns there are.
        survey = _survey_columns(spool, columns, tick)
        used_columns = survey.list_columns()

        def fill(file: BinaryIO) -> tuple[int, tuple[str, ...]]:
            _fill(file, spool, target.format, used_columns, tick)
            return survey.rows, tuple(column.name for column in used_columns)

        return write_draft(folder, target, fill, spool.job)
    except Failure:
        spool.remove()
        raise


def _survey_columns(spool: Spool, columns: tuple[str, ...], tick: Callable[[], None]) -> Survey:
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
    # The spool is JSON Lines already.
    if file_format == "jsonl":
        for block in spool.blocks():
            file.write(block)
            tick()
        return
    writer: _Writer
    if file_format == "txt":
        writer = LinesFile(file, columns)
    elif file_format == "csv":
        writer = CsvFile(file, columns)
    elif file_format == "parquet":
        writer = ParquetFile(file, columns)
    else:
        raise ValueError(f"{file_format} files do not hold rows")
    try:
        for batch in spool.batches(_BATCH_ROWS, _BATCH_BYTES):
            writer.add(batch)
            tick()
    except BaseException:  # the file is abandoned, and the writer must still let go of it
        # That it cannot write its buffer to a full disk must not hide the first error.
        with suppress(OSError, ValueError):
            writer.close()
        raise
    writer.close()
