"""A disk that is full and a folder that may not be written: told clearly, and nothing is left
behind."""

from __future__ import annotations

import errno
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from server.errors import Code, Failure
from server.exports import (
    ExportFolder,
    Format,
    Spool,
    build,
    store,
)
from server.exports.directory import Directory
from tests.support.export_rows import JOB, ROWS, names
from tests.support.paths import ROOT

NOBODY = 65534
MANY = [{"n": n, "text": "x" * 1000} for n in range(200)]

CHILD = """
import json, pathlib, sys
from server.errors import Failure
from server.exports import ExportFolder, Spool, build, publish, store

folder, what = ExportFolder(pathlib.Path(sys.argv[1])), sys.argv[2]
rows = [{"n": n, "text": "x" * 1000} for n in range(300)]
try:
    target = folder.choose_target("q4", "png" if what == "picture" else what)
    if what == "picture":
        store(folder, target, bytes(2_000_000))
    with Spool.open(folder, target.name, "job1") as spool:
        spool.append(rows)
        if sys.argv[3] == "gathering":
            for _ in range(10):
                spool.append(rows)
        publish(folder, build(folder, spool, target))
except Failure as failure:
    left = [each.name for each in folder.path.iterdir()]
    print(json.dumps([failure.code, failure.message, failure.hint, failure.retryable, left]))
"""


def on_a_disk(options: str, *arguments: str) -> list[Any]:
    """What an export ends with on a small disk of its own, in a process that alone sees it."""
    unshare = shutil.which("unshare")
    if unshare is None or sys.platform != "linux":
        pytest.skip("a disk of the test's own needs Linux and `unshare`")
    alone = [unshare, "--mount"] if os.geteuid() == 0 else [unshare, "--mount", "--map-root-user"]
    place = tempfile.mkdtemp()
    script = 'mount -t tmpfs -o "$1" tmpfs "$2" || exit 77; shift; exec "$0" -c "$CHILD" "$@"'
    try:
        done = subprocess.run(
            [*alone, "sh", "-c", script, sys.executable, options, place, *arguments],
            cwd=ROOT, env={**os.environ, "CHILD": CHILD},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    finally:
        Path(place).rmdir()
    if not done.stdout and "Traceback" not in done.stderr:
        pytest.skip(f"no disk of the test's own may be mounted here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    answer: list[Any] = json.loads(done.stdout)
    return answer


@pytest.mark.parametrize(
    ("size", "what", "when"),
    [
        ("1m", "csv", "gathering"),
        ("500k", "csv", "writing"),
        ("500k", "jsonl", "writing"),
        ("1m", "picture", "at once"),
        ("1m,nr_inodes=2", "csv", "writing"),
    ],
)
def test_a_full_disk_is_told_and_left_empty(size: str, what: str, when: str) -> None:
    code, message, hint, retryable, left = on_a_disk(f"size={size}", what, when)
    assert (code, retryable, left) == ("UNAVAILABLE", True, [])
    assert "is full" in message
    assert "Free some space" in hint


def test_a_read_only_disk_is_told() -> None:
    code, message, hint, retryable, left = on_a_disk("ro", "csv", "gathering")
    assert (code, retryable, left) == ("FORBIDDEN", False, [])
    assert "Read-only file system" in message
    assert "ARCHIVE_MCP_EXPORT_DIR" in hint


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Files of this process end at `size` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_a_file_that_may_not_grow_is_told_and_removed(
    folder: ExportFolder, file_format: Format
) -> None:
    if file_format == "parquet":
        pytest.importorskip("pyarrow", reason="pyarrow is not installed (the extra `parquet`)")
    target = folder.choose_target("q4", file_format)
    rows = [{"n": n, "text": os.urandom(500).hex()} for n in range(200)]
    with Spool.open(folder, target.name, JOB) as spool:
        spool.append(rows)
        with largest_file(20_000), pytest.raises(Failure) as caught:
            build(folder, spool, target)
    assert caught.value.code is Code.UNAVAILABLE
    assert names(folder) == []


def test_a_spool_that_may_not_grow_is_told_and_removed(folder: ExportFolder) -> None:
    with Spool.open(folder, "q4.csv", JOB) as spool:
        spool.append(ROWS)
        with largest_file(20_000), pytest.raises(Failure) as caught:
            spool.append(MANY)
    assert caught.value.code is Code.UNAVAILABLE
    assert names(folder) == []


def _failing(number: int) -> Callable[..., Any]:
    def fail(*arguments: Any, **named: Any) -> Any:
        raise OSError(number, os.strerror(number))

    return fail


@pytest.mark.parametrize("step", ["write", "fsync", "link", "open"])
@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, Code.UNAVAILABLE),
        (errno.EDQUOT, Code.UNAVAILABLE),
        (errno.EROFS, Code.FORBIDDEN),
        (errno.EACCES, Code.FORBIDDEN),
        (errno.EIO, Code.UNAVAILABLE),
    ],
)
def test_trouble_at_any_step_leaves_nothing_behind(
    folder: ExportFolder, monkeypatch: pytest.MonkeyPatch, step: str, number: int, code: Code
) -> None:
    target = folder.choose_target("q4", "csv")
    with Spool.open(folder, target.name, JOB) as spool:
        spool.append(ROWS)
        attempts: dict[str, Callable[[], object]] = {
            "write": lambda: spool.append(ROWS),
            "open": lambda: build(folder, spool, target),
            "fsync": lambda: build(folder, spool, target),
            "link": lambda: store(folder, target, b"chart"),
        }
        with monkeypatch.context() as patch:
            broken, name = (Directory, "create") if step == "open" else (os, step)
            patch.setattr(broken, name, _failing(number))
            with pytest.raises(Failure) as caught:
                attempts[step]()
        if step == "link":
            spool.remove()
    assert caught.value.code is code
    assert caught.value.hint or number == errno.EIO
    assert names(folder) == []


@pytest.fixture
def someone_elses() -> Iterator[Callable[[int], Path]]:
    """Makes a folder of the given mode, which then holds for this process even where it runs as
    root."""
    place = Path(tempfile.mkdtemp()).resolve()
    root = os.geteuid() == 0

    def make(mode: int) -> Path:
        place.chmod(mode)
        if root:
            os.seteuid(NOBODY)
        return place

    try:
        yield make
    finally:
        if root:
            os.seteuid(0)
        place.chmod(0o700)
        shutil.rmtree(place)


def test_a_folder_without_write_permission_is_told(someone_elses: Callable[[int], Path]) -> None:
    folder = ExportFolder(someone_elses(0o555))
    target = folder.choose_target("q4", "csv")
    attempts: list[Callable[[], object]] = [
        lambda: store(folder, target, b"x"),
        lambda: Spool.open(folder, target.name, JOB).__enter__(),
    ]
    for attempt in attempts:
        with pytest.raises(Failure, match="Permission denied") as caught:
            attempt()
        assert caught.value.code is Code.FORBIDDEN
        assert "Allow this user to write" in caught.value.hint
    assert names(folder) == []


def test_a_folder_that_cannot_be_made_is_told(someone_elses: Callable[[int], Path]) -> None:
    folder = ExportFolder(someone_elses(0o555) / "exports")
    with pytest.raises(Failure, match="Permission denied") as caught:
        folder.choose_target("q4", "csv")
    assert caught.value.code is Code.FORBIDDEN


def test_an_unreadable_parent_is_told_in_the_listing_too(
    someone_elses: Callable[[int], Path],
) -> None:
    folder = ExportFolder(someone_elses(0o000) / "exports")
    with pytest.raises(Failure) as caught:
        folder.list_exports()
    assert caught.value.code is Code.FORBIDDEN
