"""The export folder: nothing is written or read outside it."""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from server.errors import Code, Failure
from server.exports import ExportFolder, store
from server.exports.paths import MAX_PIECE

UNSAFE = [
    "../secret.csv",
    "/etc/passwd",
    "..\\secret.csv",
    "C:secret.csv",
    ".hidden.csv",
    "a/b.csv",
]


def put(folder: ExportFolder, name: str, data: bytes = b"x\n", modified: int | None = None) -> Path:
    folder.path.mkdir(exist_ok=True)
    path = folder.path / name
    path.write_bytes(data)
    if modified is not None:
        os.utime(path, (modified, modified))
    return path


def test_the_folder_is_made_on_first_use_for_its_user_alone(folder: ExportFolder) -> None:
    assert folder.list_exports() == []
    assert not folder.path.exists()
    folder.choose_target("q4", "csv")
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700


def test_a_written_file_belongs_to_its_user_alone(folder: ExportFolder) -> None:
    export = store(folder, folder.choose_target("chart", "png"), b"\x89PNG")
    assert Path(export.path).read_bytes() == b"\x89PNG"
    assert (export.name, export.format, export.bytes) == ("chart.png", "png", 4)
    assert stat.S_IMODE(Path(export.path).stat().st_mode) == 0o600


def test_a_taken_name_gets_a_number_and_the_old_file_stays(folder: ExportFolder) -> None:
    old = put(folder, "q4.csv", b"old")
    assert folder.choose_target("q4", "csv").name == "q4-2.csv"
    put(folder, "q4-2.csv")
    assert store(folder, folder.choose_target("q4", "csv"), b"new").name == "q4-3.csv"
    assert old.read_bytes() == b"old"


def test_a_name_taken_after_it_was_chosen_gets_a_number_too(folder: ExportFolder) -> None:
    target = folder.choose_target("q4", "csv")
    other = put(folder, "q4.csv", b"another job")
    assert store(folder, target, b"ours").name == "q4-2.csv"
    assert other.read_bytes() == b"another job"


def test_without_a_name_one_is_made_from_what_and_when(folder: ExportFolder) -> None:
    assert (
        folder.choose_target(None, "parquet", what="Top Reels").name
        == "top-reels-2026-11-02-0915.parquet"
    )


def test_names_run_out_in_the_end(folder: ExportFolder) -> None:
    put(folder, "q4.csv")
    for number in range(2, 1000):
        put(folder, f"q4-{number}.csv")
    with pytest.raises(Failure) as caught:
        folder.choose_target("q4", "csv")
    assert caught.value.code is Code.INVALID_ARGUMENT


@pytest.mark.parametrize("kind", ["link", "dangling link", "folder", "pipe"])
def test_a_name_held_by_anything_but_a_file_is_refused(
    folder: ExportFolder, tmp_path: Path, kind: str
) -> None:
    folder.path.mkdir()
    held, outside = folder.path / "q4.csv", tmp_path / "outside.csv"
    if kind == "link":
        outside.write_text("theirs")
        held.symlink_to(outside)
    elif kind == "dangling link":
        held.symlink_to(outside)
    elif kind == "folder":
        held.mkdir()
    else:
        os.mkfifo(held)
    with pytest.raises(Failure) as caught:
        folder.choose_target("q4", "csv")
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert not outside.exists() or outside.read_text() == "theirs"


def test_a_link_put_under_the_chosen_name_is_neither_followed_nor_replaced(
    folder: ExportFolder, tmp_path: Path
) -> None:
    target = folder.choose_target("q4", "csv")
    outside = tmp_path / "outside.csv"
    (folder.path / "q4.csv").symlink_to(outside)
    assert store(folder, target, b"ours").name == "q4-2.csv"
    assert not outside.exists()
    assert (folder.path / "q4.csv").is_symlink()


@pytest.mark.parametrize("dangling", [False, True])
def test_a_folder_that_became_a_link_after_the_start_is_refused(
    folder: ExportFolder, tmp_path: Path, dangling: bool
) -> None:
    target = folder.choose_target("q4", "csv")
    elsewhere = tmp_path / "elsewhere"
    if not dangling:
        elsewhere.mkdir()
    folder.path.rmdir()
    folder.path.symlink_to(elsewhere)
    for attempt in (lambda: folder.choose_target("q4", "csv"), lambda: store(folder, target, b"x")):
        with pytest.raises(Failure) as caught:
            attempt()
        assert caught.value.code is Code.FORBIDDEN
        assert "link" in caught.value.message
    assert not dangling or not elsewhere.exists()
    assert dangling or list(elsewhere.iterdir()) == []


def test_a_link_further_up_the_path_is_refused_too(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    folder = ExportFolder(tmp_path / "a" / "exports")
    folder.choose_target("q4", "csv")
    (tmp_path / "a").rename(tmp_path / "moved")
    (tmp_path / "a").symlink_to(tmp_path / "moved")
    with pytest.raises(Failure) as caught:
        folder.choose_target("q4", "csv")
    assert caught.value.code is Code.FORBIDDEN


def test_a_folder_swapped_for_a_link_while_open_redirects_nothing(tmp_path: Path) -> None:
    folder = ExportFolder(tmp_path / "exports")
    (tmp_path / "elsewhere").mkdir()
    with folder.open(create=True) as directory:
        folder.path.rename(tmp_path / "moved")
        folder.path.symlink_to(tmp_path / "elsewhere")
        os.close(directory.create("q4.csv"))
        directory.assign_name("q4.csv", "final.csv")
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert [each.name for each in (tmp_path / "moved").iterdir()] == ["final.csv"]


def test_a_folder_that_is_a_link_at_the_start_is_what_the_user_chose(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "exports").symlink_to(tmp_path / "disk")
    store(
        ExportFolder(tmp_path / "exports"),
        ExportFolder(tmp_path / "exports").choose_target("q4", "csv"),
        b"x",
    )
    assert (tmp_path / "disk" / "q4.csv").exists()


def test_a_file_in_the_place_of_the_folder_is_told(folder: ExportFolder) -> None:
    folder.path.write_text("a file")
    with pytest.raises(Failure, match="is not a folder") as caught:
        folder.choose_target("q4", "csv")
    assert caught.value.code is Code.FORBIDDEN
    assert "ARCHIVE_MCP_EXPORT_DIR" in caught.value.hint


def test_a_folder_removed_while_the_server_runs_is_made_again(folder: ExportFolder) -> None:
    folder.choose_target("q4", "csv")
    folder.path.rmdir()
    assert Path(store(folder, folder.choose_target("q4", "csv"), b"x").path).exists()


def test_a_home_folder_is_written_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert ExportFolder(Path("~/exports")).path == tmp_path / "exports"


def test_the_listing_shows_finished_files_newest_first(
    folder: ExportFolder, tmp_path: Path
) -> None:
    put(folder, "old.csv", b"12345", modified=1_000)
    put(folder, "new.parquet", b"1", modified=2_000)
    put(folder, ".new.csv.job1.part")
    put(folder, ".hidden.csv")
    put(folder, "notes.md")
    put(folder, "not: for reading.csv")
    (folder.path / "sub.csv").mkdir()
    (folder.path / "link.csv").symlink_to(put(folder, "target.jsonl", modified=3_000))
    assert [each.name for each in folder.list_exports()] == [
        "target.jsonl",
        "new.parquet",
        "old.csv",
    ]
    last = folder.list_exports()[-1]
    assert last.modified == datetime.fromtimestamp(1_000, UTC)
    assert last.to_dict() == {
        "name": "old.csv",
        "format": "csv",
        "bytes": 5,
        "modified": "1970-01-01T00:16:40Z",
    }


@pytest.mark.parametrize("name", UNSAFE)
def test_reading_refuses_the_names_that_writing_refuses(
    folder: ExportFolder, tmp_path: Path, name: str
) -> None:
    (tmp_path / "secret.csv").write_text("secret")
    put(folder, ".hidden.csv")
    with pytest.raises(Failure) as caught:
        folder.read_piece(name)
    assert caught.value.code is Code.INVALID_ARGUMENT


@pytest.mark.parametrize("kind", ["link", "folder", "pipe", "nothing"])
def test_only_ordinary_files_are_read(folder: ExportFolder, tmp_path: Path, kind: str) -> None:
    folder.path.mkdir()
    asked = folder.path / "q4.csv"
    if kind == "link":
        (tmp_path / "secret.csv").write_text("secret")
        asked.symlink_to(tmp_path / "secret.csv")
    elif kind == "folder":
        asked.mkdir()
    elif kind == "pipe":
        os.mkfifo(asked)
    with pytest.raises(Failure) as caught:
        folder.read_piece("q4.csv")
    assert caught.value.code is Code.NOT_FOUND


def test_reading_without_a_folder_finds_nothing(folder: ExportFolder) -> None:
    with pytest.raises(Failure) as caught:
        folder.read_piece("q4.csv")
    assert caught.value.code is Code.NOT_FOUND


@pytest.mark.parametrize("length", [1, 2, 3, 4, 5, 7, 20, 1000])
def test_pieces_put_together_are_the_file_and_each_is_whole_text(
    folder: ExportFolder, length: int
) -> None:
    data = "id,caption\r\n1,é😀ü\r\n2,plain\r\n".encode()
    put(folder, "q4.csv", data)
    offset: int | None = 0
    read = b""
    while offset is not None:
        piece = folder.read_piece("q4.csv", offset, length)
        assert piece.offset == offset
        assert piece.total == len(data)
        if length >= 4:
            piece.data.decode()
        read += piece.data
        offset = piece.next_offset
    assert read == data


def test_a_piece_of_text_ends_with_a_line_where_one_ends(folder: ExportFolder) -> None:
    put(folder, "q4.jsonl", b'{"a":1}\n{"a":2}\n')
    assert folder.read_piece("q4.jsonl", 0, 12).data == b'{"a":1}\n'


def test_pieces_of_other_files_are_cut_anywhere(folder: ExportFolder) -> None:
    put(folder, "chart.png", b"\x89PN\nG123")
    assert folder.read_piece("chart.png", 0, 6).data == b"\x89PN\nG1"


@pytest.mark.parametrize(
    ("offset", "length"), [(-1, 1), (3, 1), (0, 0), (0, -1), (0, MAX_PIECE + 1)]
)
def test_positions_outside_the_file_are_refused(
    folder: ExportFolder, offset: int, length: int
) -> None:
    put(folder, "q4.csv", b"12")
    with pytest.raises(Failure) as caught:
        folder.read_piece("q4.csv", offset, length)
    assert caught.value.code is Code.INVALID_ARGUMENT


def test_an_empty_file_is_one_empty_piece(folder: ExportFolder) -> None:
    put(folder, "q4.csv", b"")
    piece = folder.read_piece("q4.csv")
    assert (piece.data, piece.next_offset, piece.total) == (b"", None, 0)
