"""CSV for spreadsheets, by RFC 4180.

The file starts with a byte order mark: Excel takes a CSV file without one for the local code page
and garbles accents and emoji, while LibreOffice and Google Sheets recognise the mark and drop it.
Programs read it as `utf-8-sig`.

Text that a spreadsheet would run as a formula gets an apostrophe in front: captions and names are
written by strangers. Numbers stay numbers, whatever their sign.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from typing import Any, BinaryIO

from server.exports.columns import (
    Column,
    Row,
    as_json,
    flatten,
    joined,
)

_MARKS = "=+-@\uff1d\uff0b\uff0d\uff20"  # the wide forms count as the plain ones in Japanese versions of Excel
_FORMULA = re.compile(rf"[\t\r\n]|\s*[{re.escape(_MARKS)}]")
_SUSPICIOUS = frozenset(_MARKS) | frozenset(
    chr(code) for code in range(0x3001) if chr(code).isspace()
)


class CsvFile:
    """A CSV file being written."""

    def __init__(self, file: BinaryIO, columns: list[Column]) -> None:
        self._names = [each.name for each in columns]
        self._text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
        self._writer = csv.writer(self._text, lineterminator="\r\n")
        if self._names:
            self._writer.writerow([_text(each) for each in self._names])

    def add(self, records: Iterable[Row]) -> None:
        """Write records as lines."""
        names = self._names
        for record in records:
            value = flatten(record).get
            self._writer.writerow([cell(value(name)) for name in names])

    def close(self) -> None:
        """Write what is still held; the file itself stays open."""
        self._text.detach()


def cell(value: Any) -> str | int | float | None:
    """A value as it goes into the cell."""
    if type(value) is str:
        return _text(value)
    if value is None or type(value) is int or type(value) is float:
        return value
    return _text(joined(value) if isinstance(value, list) else as_json(value))


def _text(text: str) -> str:
    if "\0" in text:
        text = text.replace("\0", "")
    if text[:1] in _SUSPICIOUS and _FORMULA.match(text):
        return f"'{text}"
    return text
