"""The rows of an export while they are gathered."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.errors import Code, Failure
from server.exports import (
    ExportFolder,
    Spool,
    discard,
    list_leftovers,
)
from server.exports.directory import Directory
from server.exports.publish import write_draft
from server.exports.spool import _encode_row
from server.redaction import MARK, learn
from tests.support.export_rows import JOB, ROWS, names
from tests.support.paths import ROOT

PART = f".q4.csv.{JOB}.part"


def rows_of(spool: Spool) -> list[dict[str, Any]]:
    return [row for batch in spool.batches(1_000, 1_000_000) for row in batch]


def test_what_was_appended_comes_back_in_order(folder: ExportFolder) -> None:
    with Spool.open(folder, "q4.csv", JOB) as spool:
        first = spool.append(ROWS[:1])
        second = spool.append(ROWS[1:])
        assert 0 < first < second == (folder.path / PART).stat().st_size
        assert rows_of(spool) == ROWS
        assert rows_of(spool) == ROWS


def test_what_many_programs_take_for_the_end_of_a_line_is_escaped(folder: ExportFolder) -> None:
    rows = [{"caption": "a\u2028b\u2029c\x85d"}]
    with Spool.open(folder, "q4.csv", JOB) as spool:
        spool.append(rows)
        assert rows_of(spool) == rows
        assert (folder.path / PART).read_text(encoding="utf-8").splitlines() == [
            r'{"caption":"a\u2028b\u2029c\u0085d"}'
        ]


def test_a_secret_that_comes_back_in_a_record_is_not_written(folder: ExportFolder) -> None:
    learn("token-4711-unmistakable")
    with Spool.open(folder, "q4.csv", JOB) as spool:
        spool.append([{"caption": "as token-4711-unmistakable", "id": 4711}])
        assert rows_of(spool) == [{"caption": f"as {MARK}", "id": 4711}]


def test_an_empty_page_changes_nothing(folder: ExportFolder) -> None:
    with Spool.open(folder, "q4.csv", JOB) as spool:
        assert spool.append([]) == 0
        assert rows_of(spool) == []


def test_rows_come_in_batches_of_the_asked_count_and_size(folder: ExportFolder) -> None:
    with Spool.open(folder, "q4.csv", JOB) as spool:
        spool.append([{"n": n} for n in range(10)])
        assert [len(each) for each in spool.batches(4, 1_000)] == [4, 4, 2]
        assert [len(each) for each in spool.batches(100, 1)] == [1] * 10


def test_lines_longer_than_a_block_come_back_whole(folder: ExportFolder) -> None:
    rows = [{"text": "é" * 300_000}, {"text": "short"}, {"text": "ü" * 200_000}]
    with Spool.open(folder, "q4.csv", JOB) as spool:
        spool.append(rows)
        assert rows_of(spool) == rows


def test_a_job_goes_on_at_its_checkpoint_and_half_a_line_is_gone(folder: ExportFolder) -> None:
    with Spool.open(folder, "q4.csv", JOB) as spool:
        offset = spool.append(ROWS[:1])
        spool.append(ROWS[1:])
    with (folder.path / PART).open("ab") as file:
        file.write(b'{"id":"item_3","cap')
    with Spool.open(folder, "q4.csv", JOB, offset) as spool:
        assert spool.offset == offset
        assert rows_of(spool) == ROWS[:1]
        spool.append([{"id": "again"}])
        assert rows_of(spool) == [*ROWS[:1], {"id": "again"}]


@pytest.mark.parametrize(
    "damage", ["missing", "shorter", "shorter by a line", "not a line", "link"]
)
def test_a_spool_that_lost_what_the_checkpoint_says_begins_anew(
    folder: ExportFolder, tmp_path: Path, damage: str
) -> None:
    with Spool.open(folder, "q4.csv", JOB) as spool:
        offset = spool.append(ROWS)
    part = folder.path / PART
    if damage == "missing":
        part.unlink()
    elif damage == "shorter":
        part.write_bytes(part.read_bytes()[:-20])
    elif damage == "shorter by a line":
        part.write_bytes(part.read_bytes().splitlines(keepends=True)[0])
    elif damage == "not a line":
        part.write_bytes(part.read_bytes()[:-1] + b"x")
    else:
        (tmp_path / "outside").write_bytes(part.read_bytes())
        part.unlink()
        part.symlink_to(tmp_path / "outside")
    with Spool.open(folder, "q4.csv", JOB, offset) as spool:
        assert spool.offset == 0
        assert rows_of(spool) == []
    assert part.stat().st_size == 0
    assert not part.is_symlink()


def test_a_spool_can_be_cut_back_while_it_is_open(folder: ExportFolder) -> None:
    with Spool.open(folder, "q4.csv", JOB) as spool:
        offset = spool.append(ROWS[:1])
        spool.append(ROWS[1:])
        spool.truncate(offset)
        assert rows_of(spool) == ROWS[:1]
        with pytest.raises(ValueError, match="outside"):
            spool.truncate(offset + 1)


def test_an_owner_that_comes_back_late_cannot_touch_the_rows_of_the_next(
    folder: ExportFolder,
) -> None:
    with Spool.open(folder, "q4.csv", JOB) as late:
        offset = late.append(ROWS[:1])
        with Spool.open(folder, "q4.csv", JOB, offset) as owner:
            late.append([{"id": "late"}])
            owner.append(ROWS[1:])
            late.append([{"id": "later"}])
            late.remove()
            assert rows_of(owner) == ROWS
            assert names(folder) == [PART]
            owner.remove()
            assert names(folder) == []


def test_of_two_owners_at_the_same_moment_one_goes_on(
    folder: ExportFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = Directory.replace
    winners = []

    def beaten(self: Directory, source: str, name: str) -> None:
        replace(self, source, name)
        monkeypatch.setattr(Directory, "replace", replace)
        with Spool.open(folder, "q4.csv", JOB) as winner:
            winner.append(ROWS)
            winners.append(winner)

    monkeypatch.setattr(Directory, "replace", beaten)
    with pytest.raises(Failure, match="took over"), Spool.open(folder, "q4.csv", JOB):
        pass
    assert (folder.path / PART).stat().st_size == winners[0].offset


def test_a_removed_spool_is_removed_once(folder: ExportFolder) -> None:
    with Spool.open(folder, "q4.csv", JOB) as spool:
        spool.remove()
        (folder.path / PART).write_text("another's")
        spool.remove()
    assert names(folder) == [PART]


def test_what_json_cannot_hold_is_mended_and_the_rest_of_the_row_kept(folder: ExportFolder) -> None:
    odd = {
        "cut": "a\ud83d",
        "pair": "\ud83d\ude00",
        "rate": float("nan"),
        "list": [float("inf"), {"k\udc00": 1}],
        "n": 1,
    }
    with Spool.open(folder, "q4.csv", JOB) as spool:
        spool.append([odd])
        assert rows_of(spool) == [
            {"cut": "a\ufffd", "pair": "😀", "rate": None, "list": [None, {"k\ufffd": 1}], "n": 1}
        ]


@given(
    st.lists(
        st.dictionaries(st.text(max_size=3), st.text() | st.integers() | st.none(), max_size=3),
        max_size=4,
    )
)
def test_any_text_keeps_its_line(rows: list[dict[str, Any]]) -> None:
    data = b"".join(map(_encode_row, rows))
    assert data.count(b"\n") == len(rows)
    data.decode()


def test_a_crash_in_the_middle_of_a_line_costs_no_row_before_the_checkpoint(tmp_path: Path) -> None:
    program = (
        "import os, pathlib, sys\n"
        "from server.exports import ExportFolder, Spool\n"
        "folder = ExportFolder(pathlib.Path(sys.argv[1]))\n"
        f"with Spool.open(folder, 'q4.csv', {JOB!r}) as spool:\n"
        "    print(spool.append([{'n': n} for n in range(100)]), flush=True)\n"
        "    write = os.write\n"
        "    os.write = lambda file, data: write(file, data[:150])\n"  # the kernel may take a part
        "    spool._write(b'{\"half\":' + b'1' * 140)\n"
        "    print('half', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with child:
        assert child.stdout is not None
        offset = int(child.stdout.readline())
        assert child.stdout.readline() == "half\n"
        child.send_signal(signal.SIGKILL)
    folder = ExportFolder(tmp_path)
    assert (tmp_path / PART).stat().st_size > offset
    with Spool.open(folder, "q4.csv", JOB, offset) as spool:
        assert rows_of(spool) == [{"n": n} for n in range(100)]


@pytest.mark.parametrize("job", ["", "a.b", "../x", "a/b", "x" * 37, "é"])
def test_a_job_id_that_could_not_be_found_again_is_a_mistake(
    folder: ExportFolder, job: str
) -> None:
    with pytest.raises(ValueError, match="not a job id"), Spool.open(folder, "q4.csv", job):
        pass


def test_the_longest_name_leaves_room_for_job_and_number(folder: ExportFolder) -> None:
    target = folder.choose_target("é" * 98, "csv")
    with Spool.open(folder, target.name.replace(".csv", "-999.csv"), "x" * 36) as spool:
        spool.append(ROWS)
        assert len(os.fsencode(names(folder)[0])) <= 255


def test_working_files_are_listed_and_removed_by_job(folder: ExportFolder) -> None:
    assert list_leftovers(folder) == []
    for job in ("job1", "job2"):
        with Spool.open(folder, "q4.csv", job) as spool:
            spool.append(ROWS)
            write_draft(
                folder, folder.choose_target("q4", "csv"), lambda file: (file.write(b"x"), ()), job
            )
    (folder.path / "q4.csv").write_text("finished")
    (folder.path / ".DS_Store").write_text("not ours")
    assert sorted({each.job for each in list_leftovers(folder)}) == ["job1", "job2"]
    assert sorted(each.bytes for each in list_leftovers(folder) if each.job == "job1")[0] == 1
    assert discard(folder, "job1") == 2
    assert discard(folder, "job1") == 0
    assert {each.job for each in list_leftovers(folder)} == {"job2"}
    assert {".DS_Store", "q4.csv"} < set(names(folder))


def test_opening_the_spool_removes_the_unfinished_files_of_a_crashed_build(
    folder: ExportFolder,
) -> None:
    with Spool.open(folder, "q4.csv", JOB) as spool:
        offset = spool.append(ROWS)
        write_draft(
            folder, folder.choose_target("q4", "csv"), lambda file: (file.write(b"x"), ()), JOB
        )
    with Spool.open(folder, "q4.csv", JOB, offset) as spool:
        assert names(folder) == [PART]


@pytest.mark.parametrize("damage", ["cut", "zeros"])
def test_damaged_rows_are_told(folder: ExportFolder, damage: str) -> None:
    with Spool.open(folder, "q4.csv", JOB) as spool:
        spool.append(ROWS)
        with (folder.path / PART).open("r+b") as file:
            if damage == "cut":
                file.truncate(10)
            else:
                file.write(bytes(10))
        with pytest.raises(Failure, match="damaged") as caught:
            rows_of(spool)
    assert caught.value.code is Code.UNAVAILABLE
