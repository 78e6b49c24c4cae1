"""CSV that opens in a spreadsheet, and runs nothing there."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.exports import ExportFolder
from server.exports.cells import CsvFile, to_cell
from server.exports.columns import Survey
from tests.support.export_rows import HARMLESS, ROWS, RUNNING, exported


def write_csv(rows: list[dict[str, Any]]) -> bytes:
    survey = Survey()
    survey.add(rows)
    file = io.BytesIO()
    writer = CsvFile(file, survey.list_columns())
    writer.add(rows)
    writer.close()
    return file.getvalue()


def read(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True))


@pytest.mark.parametrize("text", RUNNING)
def test_text_that_a_spreadsheet_would_run_gets_an_apostrophe(text: str) -> None:
    assert to_cell(text) == "'" + text.replace("\0", "")


@pytest.mark.parametrize("text", HARMLESS)
def test_other_text_stays_as_it_is(text: str) -> None:
    assert to_cell(text) == text


@pytest.mark.parametrize(
    ("value", "written_as"), [(-5, "-5"), (1.5, "1.5"), (-0.25, "-0.25"), (10**15 - 1, "9" * 15)]
)
def test_numbers_stay_numbers_whatever_their_sign(value: float, written_as: str) -> None:
    assert read(write_csv([{"a": value}])) == [["a"], [written_as]]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (None, None),
        (["=1", "b"], "'=1; b"),
        (["-5"], "'-5"),
        ([-5, 3], "'-5; 3"),
        ([{"a": "=1"}], '[{"a":"=1"}]'),
    ],
)
def test_what_is_no_scalar_becomes_safe_text(value: Any, text: str | None) -> None:
    assert to_cell(value) == text


@pytest.mark.parametrize(
    "number",
    ["17841400000000001", "1234567890123456", "-1234567890123456", "1234567890.123456789",
     "1,234,567,890,123,456", 10**15, 17841400000000001, 2**70],
)  # fmt: skip
def test_a_number_of_16_digits_keeps_them_all(number: str | int) -> None:
    assert to_cell(number) == f"'{number}"


@pytest.mark.parametrize(
    "text",
    ["123456789012345", "2026-07-06", "0012", "1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6",
     "12345678901234567 posts"],
)  # fmt: skip
def test_other_digits_stay_as_they_are(text: str) -> None:
    assert to_cell(text) == text


@pytest.mark.parametrize(
    "phone", ["+4917012345678", "+49 170 1234567", "+1 (555) 123 4567", "+44.20.7946.0958"]
)
def test_a_phone_number_stays_as_it_is(phone: str) -> None:
    assert to_cell(phone) == phone


@pytest.mark.parametrize("text", ["+1-555-123-4567", "+49 170 1234567=1", "+1", "+1+1", "+A1"])
def test_what_a_spreadsheet_would_calculate_is_no_phone_number(text: str) -> None:
    assert to_cell(text) == f"'{text}"


def test_names_of_columns_are_made_safe_too() -> None:
    assert read(write_csv([{"=cmd": 1, "a": {"@x": 2}}]))[0] == ["'=cmd", "a.@x"]


@given(
    st.lists(
        st.fixed_dictionaries({"a": st.text(), "b": st.text() | st.none() | st.integers()}),
        max_size=5,
    )
)
def test_what_the_csv_module_reads_is_what_was_written_and_nothing_runs(
    rows: list[dict[str, Any]],
) -> None:
    rows = [{name: _clean(value) for name, value in row.items()} for row in rows]
    lines = read(write_csv(rows))[1:]
    assert len(lines) == len(rows)
    for row, line in zip(rows, lines, strict=True):
        for value, text in zip((row[name] for name in rows[0]), line, strict=True):
            expected = "" if value is None else str(value)
            assert text in (expected, f"'{expected}")
            assert isinstance(value, int) or not text.lstrip().startswith(("=", "+", "-", "@"))
            assert not text.startswith(("\t", "\r", "\n"))


def _clean(value: Any) -> Any:
    """Without what the spool mends or a cell drops: half characters and NUL."""
    return (
        value.encode("utf-8", "ignore").decode().replace("\0", "")
        if isinstance(value, str)
        else value
    )


def test_the_file_starts_with_the_mark_that_excel_needs_and_ends_its_lines_by_the_rfc() -> None:
    assert write_csv([{"a": "é"}]) == b"\xef\xbb\xbfa\r\n\xc3\xa9\r\n"


def test_an_export_is_one_line_a_record_under_its_columns(folder: ExportFolder) -> None:
    export = exported(folder, "csv", ROWS)
    lines = read(Path(export.path).read_bytes())
    assert tuple(lines[0]) == export.columns
    assert lines[1] == [
        "item_1", 'Été, "quoted"\nand 😀', "#a; b", "12", "0.5", "-5",
        '[{"url":"u1"},{"url":"u2"}]', "true", "gold", "a@b.c; d@e.f", "",
    ]  # fmt: skip
    assert lines[2] == ["item_2", "", "", "", "", "", "", "false", "", "", "3"]


def test_an_export_without_rows_is_a_valid_file(folder: ExportFolder) -> None:
    assert read(Path(exported(folder, "csv", []).path).read_bytes()) == []
    assert read(Path(exported(folder, "csv", [], ("id", "caption")).path).read_bytes()) == [
        ["id", "caption"]
    ]
