"""What a person is told about the shared file."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from server.limiter import Pacer
from server.limiter.health import find_damage
from server.limiter.store import FILE


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def write(folder: Path) -> None:
    pacer = Pacer(folder)
    async with pacer.slot("key"):
        pass
    pacer.close()


def test_without_a_file_there_is_nothing_to_say(tmp_path: Path) -> None:
    assert find_damage(tmp_path) is None
    assert names_in(tmp_path) == []


async def test_a_sound_file_has_no_damage_and_stays_as_it_is(tmp_path: Path) -> None:
    await write(tmp_path)
    before = (tmp_path / FILE).read_bytes()

    assert find_damage(tmp_path) == ""
    assert (tmp_path / FILE).read_bytes() == before
    assert names_in(tmp_path) == [FILE]


def test_what_is_no_database_is_said_to_be_none_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"garbage" * 3000)

    assert find_damage(tmp_path) == "file is not a database"
    assert (tmp_path / FILE).read_bytes() == b"garbage" * 3000


async def test_what_sqlite_finds_wrong_inside_is_said_in_its_words(tmp_path: Path) -> None:
    await write(tmp_path)
    with sqlite3.connect(tmp_path / FILE) as db:
        db.execute("CREATE TABLE other (number INTEGER)")
        db.execute("INSERT INTO other VALUES (NULL)")
        db.execute("PRAGMA writable_schema=ON")
        db.execute(
            "UPDATE sqlite_master SET sql = 'CREATE TABLE other (number INTEGER NOT NULL)' "
            "WHERE name = 'other'"
        )
    db.close()

    assert find_damage(tmp_path) == "NULL value in other.number"


async def test_a_lock_of_others_is_waited_for_two_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write(tmp_path)
    timeouts: list[float] = []
    connect = sqlite3.connect

    def watch_connect(path: str, *, timeout: float, **options: Any) -> sqlite3.Connection:
        timeouts.append(timeout)
        connection: sqlite3.Connection = connect(path, timeout=timeout, **options)
        return connection

    monkeypatch.setattr(sqlite3, "connect", watch_connect)
    find_damage(tmp_path)

    assert timeouts == [2.0]
