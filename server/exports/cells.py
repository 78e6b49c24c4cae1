"""CSV for spreadsheets, by RFC 4180.

The file starts with a byte order mark: Excel takes a CSV file without one for the local code page
and garbles accents and emoji, while LibreOffice and Google Sheets recognise the mark and drop it.
Programs read it as `utf-8-sig`.

Text that a spreadsheet would run as a formula gets an apostrophe in front, because captions and
names are untrusted content. Numbers stay numbers, whatever their sign.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from typing import Any, BinaryIO

from server.exports.columns import Column, Row, encode_json, flatten, join_values

# Japanese versions of Excel take the wide forms for the plain ones.
_MARKS = "=+-@\uff1d\uff0b\uff0d\uff20"
_FORMULA = re.compile(rf"[\t\r\n]|\s*[{re.escape(_MARKS)}]")
# A look at the first character spares most cells the regular expression.
_BLANKS = filter(str.isspace, map(chr, range(0x3001)))
_UNQUOTED = frozenset({type(None), int, float})
_SUSPICIOUS = frozenset(_MARKS).union(_BLANKS)


class CsvFile:
    """A CSV file that is being written."""

    def __init__(self, file: BinaryIO, columns: list[Column]) -> None:
        self._names = [column.name for column in columns]
        # RFC 4180 ends lines with CR LF; `newline` keeps Python from translating them again.
        self._text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
        self._writer = csv.writer(self._text, lineterminator="\r\n")
        if self._names:
            # A name may come from a custom attribute, so it is as untrusted as any value.
            self._writer.writerow([_escape_formula(name) for name in self._names])

    def add(self, records: Iterable[Row]) -> None:
        """Write records as lines."""
        names = self._names
        for record in records:
            value = flatten(record).get
            self._writer.writerow([to_cell(value(name)) for name in names])

    def close(self) -> None:
        """Flush the buffered text; the file itself stays open."""
        self._text.detach()


def to_cell(value: Any) -> Any:
    """Return a value as it goes into a cell: text, a number or None."""
    if type(value) is str:
        return _escape_formula(value)
    # `type` and not `isinstance`: a bool is an int too, but JSON writes it in lower case.
    if type(value) in _UNQUOTED:
        return value
    if isinstance(value, list):
        return _escape_formula(join_values(value))
    return _escape_formula(encode_json(value))


def _escape_formula(text: str) -> str:
    # A NUL in front would hide a formula from the check.
    text = text.replace("\0", "")
    if text[:1] in _SUSPICIOUS and _FORMULA.match(text):
        return f"'{text}"
    return text
