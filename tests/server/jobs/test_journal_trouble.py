"""Trouble with the journal's file, and what is made of it when others use it too."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from server.errors import Code, Failure
from server.jobs.lease import Lease
from server.jobs.sqlite import JournalFile
from server.jobs.sqlite.database import FILE, Busy, Database, retry_while_busy
from tests.support.jobs.doubles import begun_in_file


def damage(
    opened_file: Callable[[], JournalFile], folder: Path
) -> tuple[JournalFile, JournalFile, Lease]:
    """Two processes with a job in their journal whose records can no longer be read."""
    one, two = opened_file(), opened_file()
    lease = begun_in_file(one, 3000)
    db = sqlite3.connect(folder / FILE)
    (page,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'records'").fetchone()
    (size,) = db.execute("PRAGMA page_size").fetchone()
    db.close()
    one.close()
    two.close()
    with (folder / FILE).open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xaa" * size)
    for journal in (one, two):
        assert journal.job(lease.job).owned
    return one, two, lease


def test_a_new_folder_is_for_its_user_only(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "state"
    journal = JournalFile(folder)
    begun_in_file(journal)
    journal.close()

    assert (folder / FILE).exists()
    if os.name != "nt":
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_journal_says_that_it_is_of_the_first_version(
    opened_file: Callable[[], JournalFile], tmp_path: Path
) -> None:
    begun_in_file(opened_file())
    db = sqlite3.connect(tmp_path / FILE)
    version = db.execute("PRAGMA user_version").fetchone()
    db.execute("PRAGMA user_version=2")
    db.close()

    assert version == (1,)
    with pytest.raises(Failure, match="newer version") as caught:
        opened_file().jobs()
    assert caught.value.code is Code.UNSUPPORTED


def test_sqlite_itself_waits_for_a_lock_no_longer_than_an_event_loop_may_stand_still(
    opened_file: Callable[[], JournalFile], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    timeouts: list[float] = []
    connect = sqlite3.connect

    def connect_watched(path: Path, *, timeout: float, **options: object) -> sqlite3.Connection:
        timeouts.append(timeout)
        return connect(path, timeout=timeout, **options)  # type: ignore[call-overload, no-any-return]

    monkeypatch.setattr(sqlite3, "connect", connect_watched)
    opened_file().jobs()

    assert timeouts == [0.05]


def test_a_lock_of_others_is_worth_another_try() -> None:
    assert (Busy().code, Busy().retryable) == (Code.UNAVAILABLE, True)


async def test_the_pauses_before_a_locked_journal_grow_to_half_a_second() -> None:
    naps: list[float] = []

    def refuse() -> None:
        raise Busy

    async def sleep(seconds: float) -> None:
        naps.append(seconds)

    with pytest.raises(Busy):
        await retry_while_busy(refuse, sleep)
    assert naps == pytest.approx([0.01, 0.02, 0.04, 0.08, 0.16, 0.32, *[0.5] * 19])


def test_what_is_in_the_way_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Failure) as caught:
        JournalFile(tmp_path / "file" / "state").jobs()
    assert caught.value.message.startswith(
        f"The job journal in {tmp_path}/file/state cannot be used: "
    )


def test_a_file_that_cannot_be_opened_is_told_with_what_to_set(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    with pytest.raises(Failure, match="unable to open") as caught:
        JournalFile(tmp_path).jobs()
    assert caught.value.code is Code.NOT_CONFIGURED


def test_a_statement_that_is_wrong_is_not_blamed_on_the_file() -> None:
    database = Database(None, lambda _: None)
    with pytest.raises(sqlite3.OperationalError, match="syntax error"):
        database.rows("nonsense")
    database.close()


@pytest.mark.parametrize(
    "change",
    [
        "DROP TABLE tallies",
        "ALTER TABLE jobs DROP COLUMN title",
        "UPDATE jobs SET arguments = 'no json'",
        "UPDATE jobs SET arguments = '7'",
        "UPDATE jobs SET state = 'asleep'",
        "UPDATE jobs SET created = 'yesterday'",
        "UPDATE runs SET counters = '[1]'",
        "UPDATE tallies SET state = 'lost'",
    ],
)
def test_contents_that_no_server_of_ours_wrote_are_told_and_put_aside(
    opened_file: Callable[[], JournalFile], tmp_path: Path, change: str
) -> None:
    journal = opened_file()
    begun_in_file(journal)
    journal.close()
    with closing(sqlite3.connect(tmp_path / FILE)) as db, db:
        db.execute("DROP TRIGGER record_added")
        db.execute("DROP TRIGGER record_changed")
        db.execute(change)

    with pytest.raises(Failure, match="damaged") as caught:
        opened_file().jobs()
    assert caught.value.code is Code.UNAVAILABLE
    assert len([*tmp_path.glob(f"{FILE}.damaged-*")]) == 1
    assert opened_file().jobs() == []


def test_tables_that_are_gone_are_put_aside_before_anything_is_read(
    opened_file: Callable[[], JournalFile], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    opened_file().jobs()
    with closing(sqlite3.connect(tmp_path / FILE)) as db, db:
        db.execute("DROP TABLE runs")

    assert JournalFile(tmp_path).jobs() == []
    assert "renamed to" in caplog.text


def test_of_two_processes_that_find_the_damage_only_the_first_puts_the_file_aside(
    opened_file: Callable[[], JournalFile], tmp_path: Path
) -> None:
    one, two, lease = damage(opened_file, tmp_path)
    with pytest.raises(Failure, match="damaged"):
        one.admit(lease, [1500])
    again = begun_in_file(one)
    with pytest.raises(Failure, match="damaged"):
        two.admit(lease, [1500])

    assert len([*tmp_path.glob(f"{FILE}.damaged-*[0-9]")]) == 1
    assert [row.id for row in two.jobs()] == [again.job]


def test_damage_in_a_file_that_is_gone_meanwhile_is_told_like_any_other(
    opened_file: Callable[[], JournalFile], tmp_path: Path
) -> None:
    one, _, lease = damage(opened_file, tmp_path)
    (tmp_path / FILE).rename(tmp_path / "elsewhere")

    with pytest.raises(Failure, match="damaged"):
        one.admit(lease, [1500])
    assert [*tmp_path.glob(f"{FILE}.damaged-*")] == []


def test_a_damaged_file_that_others_hold_open_and_cannot_be_put_aside_is_told(
    opened_file: Callable[[], JournalFile], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def in_use(self: Path, target: Path) -> Path:
        raise PermissionError(13, "in use", str(target))

    one, _, lease = damage(opened_file, tmp_path)
    monkeypatch.setattr(Path, "replace", in_use)

    with pytest.raises(Failure) as caught:
        one.admit(lease, [1500])
    assert caught.value.code is Code.NOT_CONFIGURED
    assert "it is damaged, and it cannot be renamed (in use)" in caught.value.message
