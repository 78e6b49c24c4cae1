"""Folders for one user alone."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from server.errors import Code, Failure
from server.exports import ExportFolder
from server.jobs.sqlite import JournalFile
from server.private_folder import make_private
from server.sqlite_file import create_private_file

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has lists of rights instead")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(params=[0o000, 0o022, 0o777])
def mask(request: pytest.FixtureRequest) -> object:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


@pytest.mark.usefixtures("mask")
def test_a_new_folder_and_its_new_parents_are_private_whatever_the_mask(tmp_path: Path) -> None:
    create_private_file(tmp_path / "a" / "b" / "file")
    assert [mode(tmp_path / name) for name in ("a", "a/b", "a/b/file")] == [0o700, 0o700, 0o600]


@pytest.mark.usefixtures("mask")
def test_so_is_the_folder_of_exports(tmp_path: Path) -> None:
    with ExportFolder(tmp_path / "a" / "b").open(create=True):
        pass
    assert [mode(tmp_path / name) for name in ("a", "a/b")] == [0o700, 0o700]


def test_a_folder_that_others_can_write_to_is_mended_and_that_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tmp_path.chmod(0o777)
    make_private(tmp_path)
    assert mode(tmp_path) == 0o755
    assert f"could write to the folder {tmp_path}; that right was taken" in caplog.text


def test_an_older_file_that_others_can_read_is_mended(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "file").chmod(0o666)
    create_private_file(tmp_path / "file")
    assert mode(tmp_path / "file") == 0o600


def test_a_folder_of_others_is_refused_with_the_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o1777)
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 1)
    with pytest.raises(Failure, match="other users can write to it") as journal:
        JournalFile(tmp_path).jobs()
    with (
        pytest.raises(Failure, match="other users can write to it") as exports,
        ExportFolder(tmp_path).open(create=True),
    ):
        raise AssertionError
    assert mode(tmp_path) == 0o1777
    assert "ARCHIVE_MCP_STATE_DIR" in journal.value.hint
    assert "ARCHIVE_MCP_EXPORT_DIR" in exports.value.hint


def test_a_sticky_folder_of_ours_stays_as_it_is(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    make_private(tmp_path)
    assert mode(tmp_path) == 0o1777


@pytest.mark.skipif(sys.platform != "linux", reason="a place that takes no folder is Linux's")
def test_a_place_that_takes_no_folder_is_told_with_the_folder_and_the_setting() -> None:
    place = Path("/proc/self/archive-mcp/state")
    with pytest.raises(Failure) as exports:
        ExportFolder(place).choose_target("a", "csv")
    with pytest.raises(Failure) as journal:
        JournalFile(place).jobs()
    assert (exports.value.code, journal.value.code) == (Code.FORBIDDEN, Code.NOT_CONFIGURED)
    assert "archive-mcp/state" in exports.value.message
    assert "archive-mcp/state" in journal.value.message
    assert "ARCHIVE_MCP_EXPORT_DIR" in exports.value.hint
    assert "ARCHIVE_MCP_STATE_DIR" in journal.value.hint
