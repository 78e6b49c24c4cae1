"""The journal file: damage, locks, and places where it cannot be."""

from __future__ import annotations

import logging
import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from server.errors import Failure
from server.jobs import (
    JobState,
    LostLease,
    RecordState,
)
from server.jobs.sqlite import JournalFile
from server.jobs.sqlite.database import FILE, Busy, retry_while_busy
from tests.support.jobs.doubles import begun_in_file, some

HOLDER = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""


def test_the_file_is_for_its_user_only(
    opened_file: Callable[[], JournalFile], tmp_path: Path
) -> None:
    begun_in_file(opened_file())
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}

    assert FILE in modes
    if os.name != "nt":
        assert set(modes.values()) == {0o600}


def test_a_damaged_file_is_put_aside_and_a_new_one_begun(
    opened_file: Callable[[], JournalFile], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / FILE).write_bytes(b"this is no database, whatever its name says" * 100)
    lease = begun_in_file(opened_file())

    assert opened_file().job(lease.job).state is JobState.RUNNING
    (aside,) = tmp_path.glob(f"{FILE}.damaged-*")
    assert aside.read_bytes().startswith(b"this is no database")
    assert "renamed to" in caplog.text


def test_damage_found_later_is_told_and_the_old_owner_works_no_more(
    opened_file: Callable[[], JournalFile], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, "archive_mcp.jobs")
    journal = opened_file()
    lease = begun_in_file(journal, 3000)
    db = journal._database._connection()
    (page,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'records'").fetchone()
    (size,) = db.execute("PRAGMA page_size").fetchone()
    journal.close()
    with (tmp_path / FILE).open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xaa" * size)

    assert journal.job(lease.job).state is JobState.RUNNING
    with pytest.raises(Failure, match="damaged"):
        journal.admit(lease, [1500])
    with pytest.raises(LostLease):
        journal.admit(lease, [1])
    assert journal.jobs() == []


def test_a_folder_that_cannot_be_made_is_told_with_what_to_set(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Failure, match="cannot be used") as caught:
        JournalFile(tmp_path / "file" / "state").jobs()
    assert caught.value.code == "NOT_CONFIGURED"
    assert "ARCHIVE_MCP_STATE_DIR" in caught.value.hint


def test_a_full_disk_is_told_and_changes_nothing(opened_file: Callable[[], JournalFile]) -> None:
    journal = opened_file()
    lease = begun_in_file(journal)
    db = journal._database._connection()
    (pages,) = db.execute("PRAGMA page_count").fetchone()
    db.execute(f"PRAGMA max_page_count={pages}")

    with pytest.raises(Failure, match="disk is full"):
        journal.add(lease, some(5000))
    assert len(journal.records(lease.job)) == 3


def test_a_journal_of_a_newer_version_is_left_alone(
    opened_file: Callable[[], JournalFile], tmp_path: Path
) -> None:
    db = sqlite3.connect(tmp_path / FILE)
    db.execute("PRAGMA user_version=99")
    db.close()

    with pytest.raises(Failure, match="newer version"):
        opened_file().jobs()


@contextmanager
def holder(path: Path) -> Iterator[None]:
    """Another process that holds the file's lock."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "held\n"
            yield
        finally:
            process.kill()


def test_a_journal_that_others_hold_the_lock_of_can_be_opened_and_looked_at(
    opened_file: Callable[[], JournalFile], tmp_path: Path
) -> None:
    lease = begun_in_file(opened_file())
    with holder(tmp_path / FILE):
        journal = opened_file()
        assert journal.job(lease.job).counts == {RecordState.PENDING: 3}
        assert len(journal.records(lease.job)) == 3
        with pytest.raises(Busy):
            journal.cancel(lease.job)
    journal.cancel(lease.job)


async def test_a_lock_of_others_is_waited_for_outside_sqlite(
    opened_file: Callable[[], JournalFile], tmp_path: Path
) -> None:
    journal = opened_file()
    lease = begun_in_file(journal)
    naps: list[float] = []

    async def sleep(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) == 3:
            held.close()

    held = ExitStack()
    with held:
        held.enter_context(holder(tmp_path / FILE))
        assert journal.jobs()
        with pytest.raises(Busy):
            journal.admit(lease, [1])
        await retry_while_busy(lambda: journal.admit(lease, [1]), sleep)

    assert naps == [0.01, 0.02, 0.04]
    assert journal.records(lease.job)[0].state is RecordState.SENDING


async def test_a_lock_that_is_never_released_is_given_up(
    opened_file: Callable[[], JournalFile],
) -> None:
    slept = 0.0

    def locked() -> None:
        raise Busy

    async def sleep(seconds: float) -> None:
        nonlocal slept
        slept += seconds

    with pytest.raises(Busy):
        await retry_while_busy(locked, sleep)
    assert 10 <= slept < 11
