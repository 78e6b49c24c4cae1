"""Excel workbooks, through the optional library XlsxWriter, imported when the first is written.

Rows leave memory as they are written. Text is written as text, so that nothing in it runs, and ids
keep all their digits; instants and days that the schema knows as such are dates.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO

from server.exports.cells import to_cell_text
from server.exports.columns import Column, Kind, Row, flatten
from server.settings.extras import is_installed, make_missing_library

# What a sheet and a cell hold (Excel specifications and limits).
MOST_ROWS, MOST_CHARACTERS = 1_048_576, 32_767
# Beyond them Excel rounds: it holds 15 digits.
_FIRST_LONG = 10**15
_FIRST_DAY = datetime(1900, 3, 1)  # dates of a sheet have no zone
_OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "default_date_format": "yyyy-mm-dd hh:mm:ss",
}
_WIDTHS = {Kind.TEXT: 24, Kind.LIST: 24}
_WIDTH = 14


def check_available() -> None:
    """Check that workbooks can be written, without importing anything.

    Raises:
        Failure: `UNSUPPORTED` with what to install.
    """
    if not is_installed("xlsx"):
        raise make_missing_library("xlsx", "Excel files", "Or export as csv.")


class XlsxFile:
    """A workbook that is being written; a sheet that is full is followed by another one."""

    def __init__(self, file: BinaryIO, columns: Sequence[Column]) -> None:
        check_available()
        # By name: type checkers need neither the library nor its stubs.
        library: Any = importlib.import_module("xlsxwriter")
        self._errors: Any = importlib.import_module("xlsxwriter.exceptions")
        self._columns = columns
        # The library keeps the rows there until it packs them; nobody else can read it.
        self._folder = TemporaryDirectory(ignore_cleanup_errors=True)
        self._book: Any = library.Workbook(file, {**_OPTIONS, "tmpdir": self._folder.name})
        self._header: Any = self._book.add_format({"bold": True})
        self._day: Any = self._book.add_format({"num_format": "yyyy-mm-dd"})
        self._writers = [self._choose_writer(column) for column in columns]
        self._sheet: Any = None
        self._rows = MOST_ROWS

    def add(self, records: Iterable[Row]) -> None:
        """Write records as rows."""
        for record in records:
            if self._rows >= MOST_ROWS:
                self._start_sheet()
            value = flatten(record).get
            for place, (column, write) in enumerate(zip(self._columns, self._writers, strict=True)):
                write(self._rows, place, value(column.name))
            self._rows += 1

    def close(self) -> None:
        """Pack the sheets into the file, which itself stays open."""
        if self._sheet is None:
            self._start_sheet()
        try:
            self._book.close()
        except self._errors.XlsxWriterException as error:
            # The library wraps trouble with the disk, which callers know by its own class.
            raise OSError(*getattr(error.args[0], "args", error.args)) from error
        finally:
            # After trouble the library leaves its own files open.
            for sheet in self._book.worksheets():
                sheet.row_data_fh.close()
            self._folder.cleanup()

    def _start_sheet(self) -> None:
        self._sheet = self._book.add_worksheet()
        self._sheet.freeze_panes(1, 0)
        for place, column in enumerate(self._columns):
            self._sheet.set_column(place, place, _WIDTHS.get(column.kinds, _WIDTH))
            self._sheet.write_string(0, place, column.name[:MOST_CHARACTERS], self._header)
        self._rows = 1

    def _choose_writer(self, column: Column) -> Callable[[int, int, Any], None]:
        return self._write_moment if column.kinds & Kind.MOMENT else self._write

    def _write(self, row: int, place: int, value: Any) -> None:
        # `type` and not `isinstance`: a bool is an int too.
        kind = type(value)
        if value is None:
            return
        if kind is bool:
            self._sheet.write_boolean(row, place, value)
        elif kind is float or (kind is int and abs(value) < _FIRST_LONG):
            self._sheet.write_number(row, place, value)
        else:
            text = to_cell_text(value)
            self._sheet.write_string(row, place, text[:MOST_CHARACTERS])

    def _write_moment(self, row: int, place: int, value: Any) -> None:
        moment = _parse_moment(value)
        if moment is None:
            self._write(row, place, value)
        else:
            style = self._day if len(value) == len("2026-07-06") else None
            self._sheet.write_datetime(row, place, moment, style)


def _parse_moment(value: Any) -> datetime | None:
    """Return an instant or a day as a sheet takes it, in UTC; None for what is none."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    # Excel takes 1900 for a leap year, so earlier days are a day off.
    return moment if moment >= _FIRST_DAY else None
