from __future__ import annotations

import csv
import io
from datetime import datetime
from typing import Any

import pytest

from server.errors import Code
from tests.support.tools.exporting_shop import (
    ITEMS,
    Json,
    Shop,
    lines,
    nodes,
    table,
    written,
)
from tests.support.workbooks import read_workbook


async def test_money_is_there_in_cents_and_in_dollars_and_null_stays_empty(
    there: Shop,
) -> None:
    items = {
        each["id"]: each["currentEngagement"]
        for each in await there.everything("archive_search_items")
    }
    result = await there.export(
        search={}, fields=["currentEngagement.earnedMediaValue", "currentEngagement.comments"]
    )
    rows = table(result)

    cents, dollars = (f"currentEngagement.earnedMediaValue{unit}" for unit in ("Cents", "Usd"))
    assert result["columns"] == ["id", cents, dollars, "currentEngagement.comments"]
    assert result["units"] == {cents: "cents", dollars: "USD, assumed"}
    assert any("ARCHIVE_MCP_EMV_UNIT" in note for note in result["notes"])
    for row in rows:
        metrics = items[row["id"]] or {}
        value = metrics.get("earnedMediaValue")
        assert row[cents] == shown(value)
        assert row[dollars] == ("" if value is None else str(value / 100).removesuffix(".0"))
        assert row["currentEngagement.comments"] == shown(metrics.get("comments"))
    assert {"", "0"} <= {row["currentEngagement.comments"] for row in rows}


def shown(metric: int | None) -> str:
    return "" if metric is None else str(metric)


async def test_transcripts_come_beside_their_items(there: Shop) -> None:
    fields = ["id", "transcriptions.transcript"]
    items = {
        each["id"]: each for each in await there.everything("archive_search_items", fields=fields)
    }
    written = lines(await there.export(search={}, fields=fields, format="jsonl"))
    rows = table(await there.export(search={}, fields=fields))

    assert written == list(items.values())
    for row in rows:
        spoken = [each["transcript"] for each in items[row["id"]]["transcriptions"]]
        assert row["transcriptions.transcript"] == "; ".join(each or "" for each in spoken)
    assert any(row["transcriptions.transcript"] for row in rows)


async def test_parquet_holds_what_json_lines_hold(there: Shop) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    fields = ["caption", "hashtags", "currentEngagement", "customAttributes"]
    written = lines(await there.export(search={}, fields=fields, format="jsonl"))
    result = await there.export(search={}, fields=fields, format="parquet")
    rows = parquet.read_table(result["path"]).to_pylist()

    assert len(rows) == ITEMS
    assert [flat(each, result["columns"]) for each in written] == rows


async def test_parquet_files_of_other_rows_have_the_same_columns_and_types(there: Shop) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    nobody = {"filter": {"accountNames": ["nobody"]}}
    full = await there.export(search={}, format="parquet")
    empty = await there.export(search=nobody, format="parquet")

    assert empty["rows"] == 0
    assert parquet.read_schema(empty["path"]) == parquet.read_schema(full["path"])
    types = {field.name: str(field.type) for field in parquet.read_schema(empty["path"])}
    assert types["currentEngagement.likes"] == "int64"
    assert types["hashtags"] == "list<element: string>"
    assert any(name.startswith("customAttributes.") for name in types)


async def test_an_excel_file_holds_what_a_csv_file_holds(there: Shop) -> None:
    fields = ["*", "hashtags", "customAttributes"]
    rows = table(await there.export(search={}, fields=fields))
    result = await there.export(search={}, fields=fields, format="xlsx")
    cells = read_workbook(result["path"])

    assert result["name"].endswith(".xlsx")
    assert result["resource"]["mimeType"].endswith("spreadsheetml.sheet")
    assert cells[0] == list(rows[0])
    for row, line in zip(rows, cells[1:], strict=True):
        assert [text.removeprefix("'") for text in row.values()] == list(map(as_csv, line))
    position = cells[0].index("takenAt")
    assert all(isinstance(line[position], datetime) for line in cells[1:])


def as_csv(cell: Any) -> str:
    """A cell of a sheet as it stands in a CSV file."""
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        instant = f"{cell:%Y-%m-%dT%H:%M:%SZ}"
        return instant.removesuffix("T00:00:00Z")
    return str(cell).lower() if isinstance(cell, bool) else str(cell)


@pytest.mark.parametrize(("delimiter", "character"), [("semicolon", ";"), ("tab", "\t")])
async def test_another_delimiter_may_separate_the_cells(
    there: Shop, delimiter: str, character: str
) -> None:
    fields = ["id", "caption", "hashtags"]
    plain = table(await there.export(search={}, fields=fields))
    result = await there.export(search={}, fields=fields, delimiter=delimiter)
    text = written(result).decode("utf-8-sig")

    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=character)
    assert list(reader) == plain


def flat(record: Json, columns: list[str]) -> Json:
    row: Json = {}
    for column in columns:
        value: Any = record
        for step in column.split("."):
            value = (value or {}).get(step)
        row[column] = value
    return row


async def test_a_caption_that_a_spreadsheet_would_run_is_neutralised(there: Shop) -> None:
    def meddle(_: int, body: Json) -> Json:
        for number, text in enumerate(["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "fine"]):
            nodes(body)[number]["caption"] = text
        return body

    there.sandbox.meddle = meddle
    rows = table(await there.export(search={}, fields=["caption"]))

    assert [row["caption"] for row in rows[:6]] == [
        "'=1+1",
        "'+1",
        "'-1",
        "'@SUM(A1)",
        "'\t=1",
        "fine",
    ]


@pytest.mark.parametrize(
    ("file_format", "package"), [("parquet", "pyarrow"), ("xlsx", "XlsxWriter")]
)
async def test_a_format_that_cannot_be_written_here_is_refused_before_any_request(
    there: Shop, monkeypatch: pytest.MonkeyPatch, file_format: str, package: str
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    failure = await there.refused(search={}, format=file_format)

    assert failure.code is Code.UNSUPPORTED
    assert f"pip install {package}`" in failure.hint
    assert there.sandbox.requests == 0
