"""Files of SQLite that are private, opened in one way, and told apart."""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path

import pytest

from server.sqlite_file import create_private_file, is_busy, open_database, read_identity


def open_plain(path: Path | None) -> sqlite3.Connection:
    return open_database(
        path,
        lock_seconds=0,
        journal="WAL",
        synchronous="NORMAL",
        prepare=lambda db: db.execute("CREATE TABLE IF NOT EXISTS t (x)"),
    )


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_file_and_folder_are_for_this_user_alone(tmp_path: Path) -> None:
    path = tmp_path / "state" / "file.sqlite"
    create_private_file(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_file_keeps_its_identity_until_it_is_replaced(tmp_path: Path) -> None:
    path, successor = tmp_path / "file", tmp_path / "successor"
    assert read_identity(path) is read_identity(None) is None
    create_private_file(path)
    identity = read_identity(path)
    create_private_file(path)
    assert read_identity(path) == identity
    create_private_file(successor)
    successor.replace(path)
    assert read_identity(path) != identity


def test_a_transaction_begins_by_its_statement_alone(tmp_path: Path) -> None:
    db = open_plain(tmp_path / "file")
    db.execute("INSERT INTO t VALUES (1)")
    assert not db.in_transaction
    assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert db.execute("PRAGMA synchronous").fetchone() == (1,)
    db.close()


def test_a_connection_that_cannot_be_prepared_is_closed(tmp_path: Path) -> None:
    opened: list[sqlite3.Connection] = []

    def prepare(db: sqlite3.Connection) -> None:
        opened.append(db)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        open_database(None, lock_seconds=0, journal="MEMORY", synchronous="OFF", prepare=prepare)
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        opened[0].execute("SELECT 1")


def test_a_lock_of_another_connection_is_told_from_other_errors(tmp_path: Path) -> None:
    first, second = open_plain(tmp_path / "file"), open_plain(tmp_path / "file")
    first.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlite3.OperationalError) as caught:
        second.execute("BEGIN IMMEDIATE")
    assert is_busy(caught.value)
    with pytest.raises(sqlite3.OperationalError) as caught:
        second.execute("SELECT nothing")
    assert not is_busy(caught.value)
    first.close()
    second.close()
