"""A final name is only ever given to a complete file, and once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import BinaryIO

import pytest

from server.errors import Code, Failure
from server.exports import (
    Draft,
    ExportFolder,
    Format,
    Spool,
    build,
    discard,
    find_published,
    publish,
)
from server.exports.directory import Directory
from tests.support.export_rows import (
    JOB,
    ROWS,
    exported,
    names,
)
from tests.support.paths import ROOT

CHILD = """
import os, pathlib, sys
from server.exports import ExportFolder, Spool, build, publish
from server.exports.directory import Directory

folder, kind, stop = ExportFolder(pathlib.Path(sys.argv[1])), sys.argv[2], sys.argv[3]
ticks = 0

def reached():
    print("reached", flush=True)
    sys.stdin.read()

def tick():
    global ticks
    ticks += 1
    if stop == str(ticks):
        reached()

if stop == "named":
    Directory.remove = lambda self, name: reached()

target = folder.choose_target("q4", kind)
with Spool.open(folder, target.name, "job1") as spool:
    spool.append([{"n": n, "text": "x" * 1000} for n in range(2_000)])
    draft = build(folder, spool, target, tick=tick)
    import json
    (pathlib.Path(sys.argv[1]) / ".journal").write_text(json.dumps(draft.to_dict()))
    if stop == "built":
        reached()
    publish(folder, draft)
    if stop == "published":
        reached()
"""


def kill_at(folder: ExportFolder, kind: str, stop: str) -> None:
    """Run an export in a process of its own and kill it where `stop` says."""
    folder.path.mkdir()
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(folder.path), kind, stop],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == "reached\n"
        child.send_signal(signal.SIGKILL)
    assert child.returncode == -signal.SIGKILL


def read_journal(folder: ExportFolder) -> Draft:
    return Draft.from_dict(json.loads((folder.path / ".journal").read_text()))


def fill(file: BinaryIO) -> tuple[int, tuple[str, ...]]:
    file.write(b"x")
    return 0, ()


def test_json_lines_keep_the_records_as_they_are(folder: ExportFolder) -> None:
    export = exported(folder, "jsonl", ROWS)
    assert [
        json.loads(line) for line in Path(export.path).read_text(encoding="utf-8").splitlines()
    ] == ROWS


def test_the_result_says_where_and_what_and_nothing_else_is_left(folder: ExportFolder) -> None:
    export = exported(folder, "csv", ROWS, ("id", "caption"))
    assert export.to_dict() == {
        "path": str(folder.path / "q4.csv"),
        "name": "q4.csv",
        "format": "csv",
        "rows": 2,
        "columns": ["id", "caption"],
        "bytes": (folder.path / "q4.csv").stat().st_size,
    }
    assert names(folder) == ["q4.csv"]


def test_a_draft_survives_the_journal(folder: ExportFolder) -> None:
    with Spool.open(folder, "q4.csv", JOB) as spool:
        spool.append(ROWS)
        draft = build(folder, spool, folder.choose_target("q4", "csv"))
    assert Draft.from_dict(json.loads(json.dumps(draft.to_dict()))) == draft


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("tick", ["1", "17", "20", "23", "26"])
def test_killed_while_it_writes_no_file_has_the_final_name(
    tmp_path: Path, kind: str, tick: str
) -> None:
    if kind == "parquet":
        pytest.importorskip("pyarrow", reason="pyarrow is not installed (the extra `parquet`)")
    folder = ExportFolder(tmp_path / "exports")
    kill_at(folder, kind, tick)
    assert [name for name in names(folder) if not name.startswith(".")] == []
    assert folder.list_exports() == []
    assert discard(folder, "job1") >= 1
    assert names(folder) == []


def test_the_kills_reach_the_writing_itself(tmp_path: Path) -> None:
    folder = ExportFolder(tmp_path / "exports")
    kill_at(folder, "csv", "23")
    assert sum(name.endswith(".tmp") for name in names(folder)) == 1


def test_killed_before_the_name_the_draft_is_not_published(tmp_path: Path) -> None:
    folder = ExportFolder(tmp_path / "exports")
    kill_at(folder, "csv", "built")
    assert find_published(folder, read_journal(folder)) is None
    assert publish(folder, read_journal(folder)).rows == 2_000


@pytest.mark.parametrize("stop", ["named", "published"])
def test_killed_after_the_name_the_export_is_found_and_not_made_twice(
    tmp_path: Path, stop: str
) -> None:
    folder = ExportFolder(tmp_path / "exports")
    kill_at(folder, "csv", stop)
    found = find_published(folder, read_journal(folder))
    assert found is not None
    assert (found.name, found.rows) == ("q4.csv", 2_000)
    assert found.bytes == (folder.path / "q4.csv").stat().st_size
    assert [name for name in names(folder) if name.endswith(".tmp")] == []


def test_another_file_under_the_wanted_name_is_not_taken_for_the_export(
    folder: ExportFolder,
) -> None:
    with Spool.open(folder, "q4.csv", JOB) as spool:
        spool.append(ROWS)
        draft = build(folder, spool, folder.choose_target("q4", "csv"))
        (folder.path / "q4.csv").write_bytes(b"x" * draft.bytes)
        assert find_published(folder, draft) is None
        assert publish(folder, draft).name == "q4-2.csv"
        again = find_published(folder, draft)
        assert again is not None
        assert again.name == "q4-2.csv"


def test_an_owner_that_comes_back_late_publishes_nothing(folder: ExportFolder) -> None:
    with Spool.open(folder, "q4.csv", JOB) as late:
        offset = late.append(ROWS)
        draft = build(folder, late, folder.choose_target("q4", "csv"))
        with Spool.open(folder, "q4.csv", JOB, offset), pytest.raises(Failure) as caught:
            publish(folder, draft)
    assert caught.value.code is Code.NOT_FOUND
    assert folder.list_exports() == []


def test_without_hard_links_a_file_that_came_in_between_is_not_replaced(
    folder: ExportFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def beaten(self: Directory, source: str, name: str) -> None:
        (folder.path / "q4.csv").write_text("theirs")
        raise PermissionError(1, os.strerror(1))

    monkeypatch.setattr(Directory, "_link", beaten)
    assert exported(folder, "csv", ROWS).name == "q4-2.csv"
    assert (folder.path / "q4.csv").read_text() == "theirs"


@pytest.mark.parametrize("kind", ["file", "link", "dangling link"])
def test_a_working_file_never_opens_what_is_already_there(
    folder: ExportFolder, tmp_path: Path, kind: str
) -> None:
    outside = tmp_path / "outside"
    if kind != "dangling link":
        outside.write_text("theirs")
    with folder.open(create=True) as directory:
        held = folder.path / ".q4.csv.tmp"
        if kind == "file":
            outside.rename(held)
        else:
            held.symlink_to(outside)
        with pytest.raises(FileExistsError):
            directory.create(".q4.csv.tmp")
        assert kind == "dangling link" or held.read_text() == "theirs"
    assert kind != "dangling link" or not outside.exists()


def test_a_stop_in_the_middle_keeps_only_the_rows_gathered(folder: ExportFolder) -> None:
    class Stopped(Exception):
        pass

    def tick() -> None:
        if any(name.endswith(".tmp") for name in names(folder)):
            raise Stopped

    for kind in ("csv", "jsonl"):
        with Spool.open(folder, f"q4.{kind}", JOB) as spool:
            spool.append(ROWS)
            target = folder.choose_target("q4", "csv" if kind == "csv" else "jsonl")
            with pytest.raises(Stopped):
                build(folder, spool, target, tick=tick)
            assert names(folder) == [f".q4.{kind}.{JOB}.part"]
            spool.remove()


def test_where_there_are_no_hard_links_the_file_is_renamed_and_still_replaces_nothing(
    folder: ExportFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(self: Directory, source: str, name: str) -> None:
        raise PermissionError(1, os.strerror(1))

    monkeypatch.setattr(Directory, "_link", no_links)
    assert exported(folder, "csv", ROWS).name == "q4.csv"
    first = (folder.path / "q4.csv").read_bytes()
    with Spool.open(folder, "q4.csv", JOB) as spool:
        draft = build(folder, spool, folder.choose_target("q4", "jsonl"))
        (folder.path / "q4.jsonl").write_text("theirs")
        assert publish(folder, draft).name == "q4-2.jsonl"
        spool.remove()
    assert (folder.path / "q4.jsonl").read_text() == "theirs"
    assert (folder.path / "q4.csv").read_bytes() == first
    assert names(folder) == ["q4-2.jsonl", "q4.csv", "q4.jsonl"]


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_memory_does_not_grow_with_the_rows(folder: ExportFolder, kind: Format) -> None:
    with Spool.open(folder, f"q4.{kind}", JOB) as spool:
        for page in range(60):
            spool.append(
                [
                    {"n": n, "text": "x" * 1000, "inner": {"n": n}}
                    for n in range(page * 100, page * 100 + 100)
                ]
            )
        assert spool.offset > 6_000_000
        tracemalloc.start()
        try:
            build(folder, spool, folder.choose_target("q4", kind))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 2_500_000


def test_pictures_hold_no_rows(folder: ExportFolder) -> None:
    with (
        Spool.open(folder, "q4.png", JOB) as spool,
        pytest.raises(ValueError, match="do not hold rows"),
    ):
        build(folder, spool, folder.choose_target("q4", "png"))
