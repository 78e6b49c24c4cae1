"""Builds the file of the requested format, with memory that does not grow with the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import BinaryIO, Protocol

from server.errors import Failure
from server.exports import parquet, xlsx
from server.exports.cells import CsvFile
from server.exports.columns import Column, Row, Survey
from server.exports.draft import Draft
from server.exports.names import Format, make_file_name
from server.exports.parquet import ParquetFile
from server.exports.paths import ExportFolder, Target
from server.exports.publish import write_draft
from server.exports.spool import Spool
from server.exports.xlsx import XlsxFile

_BATCH_ROWS, _BATCH_BYTES = 500, 128 * 1024
_CHECKS: dict[Format, Callable[[], None]] = {
    "parquet": parquet.check_available,
    "xlsx": xlsx.check_available,
}


@dataclass(frozen=True)
class Layout:
    """How the rows of a file are laid out.

    Args:
        columns: dotted paths in their order; without them the columns of the rows, in the order in
            which they come up.
        types: the columns that a schema gives a type, by their paths.
        delimiter: what stands between the cells of a CSV file.
    """

    columns: tuple[str, ...] = ()
    types: Mapping[str, Column] = field(default_factory=dict)
    delimiter: str = ","


NO_LAYOUT = Layout()


class _Writer(Protocol):
    def add(self, records: Iterable[Row], /) -> None: ...
    def close(self) -> None: ...


_MakeWriter = Callable[[BinaryIO], _Writer]


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
    check = _CHECKS.get(file_format)
    if check is not None:
        check()


def check_file(name: str | None, file_format: Format) -> None:
    """Check a file's name, if it has one, and its format, before any work is done for it.

    Raises:
        Failure: `INVALID_ARGUMENT` for the name, `UNSUPPORTED` with what to install.
    """
    if name is not None:
        make_file_name(name, file_format)
    check_available(file_format)


def build(
    folder: ExportFolder,
    spool: Spool,
    target: Target,
    layout: Layout = NO_LAYOUT,
    tick: Callable[[], None] = lambda: None,
) -> Draft:
    """Write the rows of the spool to a complete file that only lacks its name (see `publish`).

    Args:
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
        survey = _survey_columns(spool, layout, tick)
        used_columns = survey.list_columns()

        def fill(file: BinaryIO) -> tuple[int, tuple[str, ...]]:
            make_writer = _choose_writer(target.format, used_columns, layout)
            _fill(file, spool, make_writer, tick)
            return survey.rows, tuple(column.name for column in used_columns)

        return write_draft(folder, target, fill, spool.job)
    except Failure:
        spool.remove()
        raise


def _survey_columns(spool: Spool, layout: Layout, tick: Callable[[], None]) -> Survey:
    survey = Survey(layout.columns, layout.types)
    for batch in spool.batches(_BATCH_ROWS, _BATCH_BYTES):
        survey.add(batch)
        tick()
    return survey


def _choose_writer(
    file_format: Format, columns: list[Column], layout: Layout
) -> _MakeWriter | None:
    """Return what opens the writer; None where the spool has the format already."""
    makers: dict[Format, _MakeWriter | None] = {
        "jsonl": None,
        "txt": lambda file: LinesFile(file, columns),
        "csv": lambda file: CsvFile(file, columns, layout.delimiter),
        "parquet": lambda file: ParquetFile(file, columns),
        "xlsx": lambda file: XlsxFile(file, columns),
    }
    if file_format not in makers:
        raise ValueError(f"{file_format} files do not hold rows")
    return makers[file_format]


def _fill(
    file: BinaryIO,
    spool: Spool,
    make_writer: _MakeWriter | None,
    tick: Callable[[], None],
) -> None:
    if make_writer is None:
        for block in spool.blocks():
            file.write(block)
            tick()
        return
    writer = make_writer(file)
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
