"""Excel files: text that runs nothing, ids with all their digits, dates as dates."""

from __future__ import annotations

import errno
import importlib.util
import subprocess
import sys
from datetime import datetime
from typing import Any

import pytest

from server.errors import Code, Failure
from server.exports import ExportFolder, Layout, check_available, xlsx
from server.exports.columns import Column, Kind
from tests.support.export_rows import HARMLESS, ROWS, RUNNING, exported, names
from tests.support.paths import ROOT
from tests.support.workbooks import read_workbook

MOMENT = Kind.TEXT | Kind.MOMENT


def write(folder: ExportFolder, values: list[Any], kind: Kind = Kind.NOTHING) -> list[Any]:
    """Return what a column of these values comes back as."""
    layout = Layout(types={"a": Column("a", kind)})
    export = exported(folder, "xlsx", [{"a": value} for value in values], layout=layout)
    header, *rows = read_workbook(export.path)
    assert header == ["a"]
    return [row[0] for row in rows]


def test_an_export_is_one_row_a_record_under_its_columns(folder: ExportFolder) -> None:
    export = exported(folder, "xlsx", ROWS)
    header, *rows = read_workbook(export.path)

    assert tuple(header) == export.columns
    assert rows == [
        ["item_1", 'Été, "quoted"\nand 😀', "#a; b", 12, 0.5, -5,
         '[{"url":"u1"},{"url":"u2"}]', True, "gold", "a@b.c; d@e.f", None],
        ["item_2", None, "", None, None, None, None, False, None, None, 3],
    ]  # fmt: skip
    assert names(folder) == ["q4.xlsx"]


def test_text_is_text_whatever_it_looks_like(folder: ExportFolder) -> None:
    texts = [text.replace("\0", "") for text in (*RUNNING, *HARMLESS)]
    texts += ["17841400000000001", "+49 170 1234567", "0012", "1e5", "TRUE", "https://x.y"]
    texts += ["_x0041_", "a\x01b"]

    assert write(folder, texts) == texts


def test_a_number_that_excel_would_round_is_text(folder: ExportFolder) -> None:
    numbers = [999_999_999_999_999, -5, 0.25, 10**15, -(10**15), 2**70]

    assert write(folder, numbers) == [
        999_999_999_999_999, -5, 0.25, "1000000000000000", "-1000000000000000", str(2**70)
    ]  # fmt: skip


def test_what_the_schema_calls_an_instant_is_a_date_in_utc(folder: ExportFolder) -> None:
    values = [
        "2026-07-06T10:30:15Z", "2026-07-06T01:00:00+02:00", "2026-07-06",
        "soon", None, "1850-01-01", 7,
    ]  # fmt: skip

    assert write(folder, values, MOMENT) == [
        datetime(2026, 7, 6, 10, 30, 15),
        datetime(2026, 7, 5, 23),
        datetime(2026, 7, 6),
        "soon",
        None,
        "1850-01-01",
        7,
    ]
    # A caption that happens to be a date is none.
    assert write(folder, ["2026-07-06"]) == ["2026-07-06"]


def test_a_text_longer_than_a_cell_is_cut(folder: ExportFolder) -> None:
    (text,) = write(folder, ["x" * 40_000])

    assert text == "x" * xlsx.MOST_CHARACTERS


def test_a_full_sheet_is_followed_by_another(
    folder: ExportFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xlsx, "MOST_ROWS", 3)
    export = exported(folder, "xlsx", [{"a": number} for number in range(5)])

    assert [read_workbook(export.path, sheet) for sheet in (1, 2, 3)] == [
        [["a"], [0], [1]],
        [["a"], [2], [3]],
        [["a"], [4]],
    ]


def test_an_export_without_rows_is_a_valid_file(folder: ExportFolder) -> None:
    assert read_workbook(exported(folder, "xlsx", []).path) == []
    assert read_workbook(exported(folder, "xlsx", [], ("id", "caption")).path) == [
        ["id", "caption"]
    ]


def test_without_the_library_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(Failure) as caught:
        check_available("xlsx")

    assert caught.value.code is Code.UNSUPPORTED
    assert "XlsxWriter" in caught.value.message


def test_the_library_is_imported_with_the_first_file() -> None:
    script = "import sys, server.exports; print('xlsxwriter' in sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert run.stdout.strip() == "False"


def test_a_disk_that_is_full_is_told_as_one(
    folder: ExportFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("xlsxwriter.workbook.ZipFile", fail)
    with pytest.raises(Failure) as caught:
        exported(folder, "xlsx", ROWS)

    assert caught.value.code is Code.UNAVAILABLE
    assert names(folder) == []
