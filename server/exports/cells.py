"""CSV for spreadsheets, by RFC 4180.

The file starts with a byte order mark: Excel takes a CSV file without one for the local code page
and garbles accents and emoji, while LibreOffice and Google Sheets recognise the mark and drop it.
Programs read it as `utf-8-sig`.

Text that a spreadsheet would run as a formula gets an apostrophe in front, because captions and
names are untrusted content. So does a number of 16 digits or more, such as an id: a spreadsheet
keeps 15 of them and puts zeros for the rest. Other numbers stay numbers, whatever their sign, and
phone numbers stay as they are.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from typing import Any, BinaryIO

from server.exports.columns import Column, Row, flatten, join_values, to_text

# Japanese versions of Excel take the wide forms for the plain ones.
_MARKS = "=+-@\uff1d\uff0b\uff0d\uff20"
_FORMULA = re.compile(rf"[\t\r\n]|\s*[{re.escape(_MARKS)}]")
# A look at the first character spares most cells the regular expression.
_BLANKS = filter(str.isspace, map(chr, range(0x3001)))
_UNQUOTED = frozenset({type(None), float})
_SUSPICIOUS = frozenset(_MARKS).union(_BLANKS, "0123456789")
# Nothing that could be calculated: only a blank or a bracket may stand between the digits.
_PHONE = re.compile(r"\+\d[\d (). ]{4,18}\d")
_LONG_NUMBER = re.compile(r"[-+]?(?:\d[.,]?){16,}")
_FIRST_LONG = 10**15


class CsvFile:
    """A CSV file that is being written."""

    def __init__(self, file: BinaryIO, columns: list[Column], delimiter: str = ",") -> None:
        self._names = [column.name for column in columns]
        # RFC 4180 ends lines with CR LF; `newline` keeps Python from translating them again.
        self._text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
        self._writer = csv.writer(self._text, delimiter=delimiter, lineterminator="\r\n")
        if self._names:
            # A name may come from a custom attribute, so it is as untrusted as any value.
            self._writer.writerow(map(_escape, self._names))

    def add(self, records: Iterable[Row]) -> None:
        """Write records as lines."""
        names = self._names
        for record in records:
            value = flatten(record).get
            self._writer.writerow(map(to_cell, map(value, names)))

    def close(self) -> None:
        """Flush the buffered text; the file itself stays open."""
        self._text.detach()


def to_cell(value: Any) -> Any:
    """Return a value as it goes into a cell: text, a number or None."""
    # `type` and not `isinstance`: a bool is an int too, but JSON writes it in lower case.
    kind = type(value)
    if kind is int:
        return value if abs(value) < _FIRST_LONG else f"'{value}"
    if kind in _UNQUOTED:
        return value
    return _escape(to_cell_text(value))


def to_cell_text(value: Any) -> str:
    """Return a value as text that one cell can hold, not yet made safe."""
    if type(value) is list:
        return join_values(value)
    return to_text(value)


def _escape(text: str) -> str:
    # A NUL in front would hide a formula from the check.
    text = text.replace("\0", "")
    if text[:1] in _SUSPICIOUS and _is_misread(text):
        return f"'{text}"
    return text


def _is_misread(text: str) -> bool:
    """Return whether a spreadsheet would take the text for a formula or for a number that it cannot
    hold."""
    if _PHONE.fullmatch(text):
        return False
    return bool(_FORMULA.match(text) or _LONG_NUMBER.fullmatch(text))
