"""Reads Excel workbooks with nothing but the standard library: what stands in which cell."""

from __future__ import annotations

import re
import zipfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_EPOCH = datetime(1899, 12, 30)  # dates of a sheet have no zone
_ESCAPED = re.compile(r"_x([0-9A-F]{4})_")


def read_workbook(path: str | Path, sheet: int = 1) -> list[list[Any]]:
    """Return the cells of a sheet, row by row.

    Text is text, dates are dates, an empty cell is None; a formula is refused.
    """
    with zipfile.ZipFile(path) as book:
        dates = _find_date_styles(ElementTree.fromstring(book.read("xl/styles.xml")))  # noqa: S314
        tree = ElementTree.fromstring(book.read(f"xl/worksheets/sheet{sheet}.xml"))  # noqa: S314
    rows: list[list[Any]] = []
    for row in tree.iter(f"{_MAIN}row"):
        # A row without any cell is left out of the file.
        rows += [[]] * (int(row.attrib["r"]) - 1 - len(rows))
        rows.append(_read_row(row, dates))
    width = max((len(row) for row in rows), default=0)
    return [row + [None] * (width - len(row)) for row in rows]


def _find_date_styles(styles: ElementTree.Element) -> set[str]:
    formats = styles.findall(f"{_MAIN}cellXfs/{_MAIN}xf")
    numbers = [int(style.attrib["numFmtId"]) for style in formats]
    # 164 is the first number that is not one of the built-in formats.
    return {str(place) for place, number in enumerate(numbers) if number >= 164}


def _read_row(row: ElementTree.Element, dates: set[str]) -> list[Any]:
    cells: list[Any] = []
    for cell in row:
        place = _read_column(cell.attrib["r"])
        cells += [None] * (place - len(cells))
        cells.append(_read_cell(cell, dates))
    return cells


def _read_column(reference: str) -> int:
    number = 0
    for letter in re.sub(r"\d", "", reference):
        number = number * 26 + ord(letter) - 64
    return number - 1


def _read_cell(cell: ElementTree.Element, dates: set[str]) -> Any:
    assert cell.find(f"{_MAIN}f") is None, "a formula"
    kind = cell.attrib.get("t", "n")
    if kind == "inlineStr":
        return _ESCAPED.sub(lambda code: chr(int(code[1], 16)), "".join(cell.itertext()))
    value = cell.findtext(f"{_MAIN}v")
    if value is None:
        return None
    if kind == "b":
        return value == "1"
    number = float(value)
    if cell.attrib.get("s") in dates:
        return _EPOCH + timedelta(seconds=round(number * 86400))
    return int(number) if number.is_integer() else number
