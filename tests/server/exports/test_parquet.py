"""Parquet files, read back with the library that wrote them."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from server.errors import Code, Failure
from server.exports import (
    ExportFolder,
    Spool,
    build,
    check_available,
    parquet,
)
from tests.support.export_rows import (
    JOB,
    ROWS,
    exported,
    names,
)
from tests.support.paths import ROOT


@pytest.fixture
def reader() -> Any:
    return pytest.importorskip(
        "pyarrow.parquet",
        reason="pyarrow is not installed (the extra `parquet`): files cannot be read back",
    )


def read(reader: Any, path: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = reader.read_table(path).to_pylist()
    return rows


def test_what_is_read_back_equals_the_rows(folder: ExportFolder, reader: Any) -> None:
    export = exported(folder, "parquet", ROWS)
    assert (export.name, export.rows, export.bytes) == (
        "q4.parquet",
        2,
        Path(export.path).stat().st_size,
    )
    assert read(reader, export.path) == [
        {
            "id": "item_1",
            "caption": 'Été, "quoted"\nand 😀',
            "hashtags": ["#a", "b"],
            "currentEngagement.likes": 12,
            "currentEngagement.rate": 0.5,
            "currentEngagement.emv": -5,
            "media": '[{"url":"u1"},{"url":"u2"}]',
            "verified": True,
            "customAttributes.tier": "gold",
            "customAttributes.emails": ["a@b.c", "d@e.f"],
            "customAttributes.score": None,
        },
        {
            **dict.fromkeys(export.columns),
            "id": "item_2",
            "hashtags": [],
            "verified": False,
            "customAttributes.score": 3,
        },
    ]


@pytest.mark.parametrize(
    ("values", "kind", "given"),
    [
        ([1, None, 2**63 - 1], "int64", [1, None, 2**63 - 1]),
        ([1, 2.5], "double", [1.0, 2.5]),
        ([True, None], "bool", [True, None]),
        ([1, 2**63], "string", ["1", str(2**63)]),
        (["x", 1, True, None], "string", ["x", "1", "true", None]),
        ([None, None], "string", [None, None]),
        ([["a"], [], None], "list<element: string>", [["a"], [], None]),
        ([[1, None], [2]], "list<element: int64>", [[1, None], [2]]),
        ([[1], ["x", None]], "list<element: string>", [["1"], ["x", None]]),
        ([[], []], "list<element: string>", [[], []]),
        ([["a"], "b"], "string", ['["a"]', "b"]),
        ([[{"a": 1}], []], "string", ['[{"a":1}]', "[]"]),
        ([[[1]], None], "string", ["[[1]]", None]),
    ],
)
def test_a_column_has_the_type_that_holds_all_its_values(
    folder: ExportFolder, reader: Any, values: list[Any], kind: str, given: list[Any]
) -> None:
    export = exported(folder, "parquet", [{"a": each} for each in values])
    table = reader.read_table(export.path)
    assert str(table.schema.field("a").type).replace("item:", "element:") == kind
    assert table.column("a").to_pylist() == given


def test_many_rows_are_written_in_several_groups(
    folder: ExportFolder, reader: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "_GROUP_BYTES", 50_000)
    rows = [{"n": n, "text": "x" * 100} for n in range(3_000)]
    export = exported(folder, "parquet", rows)
    assert reader.ParquetFile(export.path).num_row_groups > 3
    assert read(reader, export.path) == rows


def test_an_export_without_rows_is_a_valid_file(folder: ExportFolder, reader: Any) -> None:
    assert reader.read_table(exported(folder, "parquet", [], ("id",)).path).column_names == ["id"]
    assert reader.read_table(exported(folder, "parquet", []).path).num_rows == 0


def test_without_the_library_the_answer_is_what_to_install(
    folder: ExportFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> None:
        return None

    monkeypatch.setattr(importlib.util, "find_spec", missing)
    with pytest.raises(Failure) as early:
        check_available("parquet")
    assert early.value.code is Code.UNSUPPORTED
    assert f"{sys.executable} -m pip install pyarrow" in early.value.hint
    check_available("csv")
    target = folder.choose_target("q4", "parquet")
    with Spool.open(folder, target.name, JOB) as spool:
        with pytest.raises(Failure) as late:
            build(folder, spool, target)
        assert late.value.code is Code.UNSUPPORTED
    assert names(folder) == [f".q4.parquet.{JOB}.part"]


def test_the_library_is_not_imported_before_it_is_used(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib\n"
        "from server.exports import ExportFolder, Spool, build, check_available, publish\n"
        "folder = ExportFolder(pathlib.Path(sys.argv[1]))\n"
        "target = folder.choose_target('a', 'csv')\n"
        "with Spool.open(folder, target.name, 'j') as spool:\n"
        "    spool.append([{'a': 1}])\n"
        "    publish(folder, build(folder, spool, target))\n"
        "sys.exit('pyarrow' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], cwd=ROOT, check=False)
    assert done.returncode == 0
