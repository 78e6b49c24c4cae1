"""The figures of the shared file: how long a lock is waited for, and what is mended how often."""

from __future__ import annotations

import logging
import sqlite3
import stat
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from server.limiter.pace_store import Busy, Record
from server.limiter.store import FILE, SqliteStore, read_boot_identity

KEY = "a key"


class Naps:
    """Sleeps that take no time and are noted."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.before_each: Callable[[], None] = lambda: None

    async def sleep(self, seconds: float) -> None:
        self.before_each()
        self.seconds.append(seconds)


def keep_record(record: Record | None) -> tuple[Record | None, Record]:
    return record, record or ("new", "")


@pytest.fixture
def naps() -> Naps:
    return Naps()


@pytest.fixture
async def open_store(tmp_path: Path, naps: Naps) -> AsyncIterator[Callable[..., SqliteStore]]:
    """Opens the shared file as another process would."""
    stores: list[SqliteStore] = []

    def make(**options: Any) -> SqliteStore:
        options = {"blank": lambda: ("blank", ""), "sleep": naps.sleep, "boot": "today", **options}
        stores.append(SqliteStore(tmp_path, **options))
        return stores[-1]

    yield make
    for store in stores:
        store.close()


@contextmanager
def hold_lock(folder: Path) -> Iterator[sqlite3.Connection]:
    """The file's lock is held by somebody else."""
    db = sqlite3.connect(folder / FILE, isolation_level=None)
    db.execute("BEGIN IMMEDIATE")
    try:
        yield db
    finally:
        db.close()


async def test_a_lock_is_asked_for_with_growing_pauses_up_to_a_twentieth_of_a_second(
    open_store: Callable[..., SqliteStore], tmp_path: Path, naps: Naps
) -> None:
    store = open_store()
    await store.transact(KEY, keep_record)
    with hold_lock(tmp_path), pytest.raises(Busy):
        await store.transact(KEY, keep_record, patience=0.2)

    assert naps.seconds == [0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.05, 0.05, 0.05]


async def test_patience_ends_when_it_is_used_up(
    open_store: Callable[..., SqliteStore], tmp_path: Path, naps: Naps
) -> None:
    store = open_store()
    await store.transact(KEY, keep_record)
    with hold_lock(tmp_path), pytest.raises(Busy):
        await store.transact(KEY, keep_record, patience=0.003)
    assert naps.seconds == [0.001, 0.002]

    with hold_lock(tmp_path), pytest.raises(Busy):
        await store.transact(KEY, keep_record, patience=0)
    assert naps.seconds == [0.001, 0.002]


async def test_a_lock_that_stays_is_left_behind_with_its_file(
    open_store: Callable[..., SqliteStore],
    tmp_path: Path,
    naps: Naps,
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = open_store(stuck=0.003)
    await store.transact(KEY, lambda _: (None, ("old", "")))
    with hold_lock(tmp_path):
        record = await store.transact(KEY, keep_record)

    assert record == ("blank", "")
    assert naps.seconds == [0.001, 0.002]
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    assert [line.getMessage() for line in caplog.records] == [
        "The rate limiter's state file was replaced: it stayed locked."
    ]


async def test_a_second_counts_as_stuck_unless_somebody_says_otherwise(
    open_store: Callable[..., SqliteStore], tmp_path: Path, naps: Naps
) -> None:
    store = open_store()
    await store.transact(KEY, keep_record)
    with hold_lock(tmp_path):
        await store.transact(KEY, keep_record)

    assert 1 <= sum(naps.seconds) < 1.05


async def test_each_file_that_stays_locked_is_waited_for_anew(
    open_store: Callable[..., SqliteStore], tmp_path: Path, naps: Naps
) -> None:
    store = open_store(stuck=0.003)
    await store.transact(KEY, keep_record)
    locks = [sqlite3.connect(tmp_path / FILE, isolation_level=None)]
    locks[0].execute("BEGIN IMMEDIATE")

    def lock_the_next_one() -> None:
        if len(naps.seconds) == 2:
            locks.append(sqlite3.connect(tmp_path / FILE, isolation_level=None))
            locks[1].execute("BEGIN IMMEDIATE")

    renew = store._renew

    def renew_and_lock(reason: str) -> None:
        renew(reason)
        lock_the_next_one()

    store._renew = renew_and_lock  # type: ignore[method-assign]
    await store.transact(KEY, keep_record)
    for lock in locks:
        lock.close()

    assert naps.seconds == [0.001, 0.002, 0.004]


async def test_a_process_alone_waits_for_nobody(naps: Naps) -> None:
    store = SqliteStore(None, blank=lambda: ("blank", ""), sleep=naps.sleep)

    assert await store.transact(KEY, keep_record) is None
    assert await store.transact(KEY, keep_record) == ("new", "")
    assert await store.transact("other", keep_record) is None
    assert naps.seconds == []
    store.close()


async def test_a_file_is_mended_once_and_then_done_without(
    open_store: Callable[..., SqliteStore], caplog: pytest.LogCaptureFixture
) -> None:
    calls: list[Record | None] = []

    def failing(record: Record | None) -> tuple[None, Record]:
        calls.append(record)
        raise sqlite3.DatabaseError("something is wrong")

    with pytest.raises(sqlite3.DatabaseError, match="something is wrong"):
        await open_store().transact(KEY, failing)

    assert calls == [None, ("blank", ""), ("blank", "")]
    assert [line.levelno for line in caplog.records] == [logging.WARNING] * 2
    assert [line.getMessage().split(":")[0] for line in caplog.records] == [
        "The rate limiter's state file was replaced",
        "The rate limit is kept for this process only",
    ]


async def test_what_a_change_raises_leaves_the_record_as_it_was(
    open_store: Callable[..., SqliteStore],
) -> None:
    def failing(record: Record | None) -> tuple[None, Record]:
        raise ZeroDivisionError

    store = open_store()
    await store.transact(KEY, lambda _: (None, ("first", "")))
    with pytest.raises(ZeroDivisionError):
        await store.transact(KEY, failing)

    assert await open_store().transact(KEY, keep_record) == ("first", "")


@pytest.mark.parametrize(("added", "left"), [(199, [10]), (200, [])])
async def test_rows_of_earlier_starts_go_when_two_hundred_newer_ones_were_added(
    open_store: Callable[..., SqliteStore], tmp_path: Path, added: int, left: list[int]
) -> None:
    before = open_store(boot="before")
    for number in range(10):
        await before.transact(f"old {number}", keep_record)
    store = open_store()
    for number in range(added):
        await store.transact(f"new {number}", keep_record)

    db = sqlite3.connect(tmp_path / FILE)
    rows = db.execute("SELECT rowid FROM pace_1 WHERE boot = 'before'").fetchall()
    (todays,) = db.execute("SELECT count(*) FROM pace_1 WHERE boot = 'today'").fetchone()
    db.close()
    assert [row for (row,) in rows] == left
    assert todays == added


async def test_nobody_waits_inside_sqlite(
    open_store: Callable[..., SqliteStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    timeouts: list[float] = []
    connect = sqlite3.connect

    def watch_connect(path: Path, *, timeout: float, **options: Any) -> sqlite3.Connection:
        timeouts.append(timeout)
        connection: sqlite3.Connection = connect(path, timeout=timeout, **options)
        return connection

    monkeypatch.setattr(sqlite3, "connect", watch_connect)
    await open_store().transact(KEY, keep_record)

    assert timeouts == [0]


def test_this_start_of_the_machine_has_one_name() -> None:
    assert read_boot_identity() == read_boot_identity() != ""


def test_where_the_machine_does_not_name_its_starts_the_clock_has_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(*_: object, **__: object) -> str:
        raise FileNotFoundError

    identity = read_boot_identity()
    monkeypatch.setattr(Path, "read_text", missing)

    assert identity.startswith(read_boot_identity())
    assert " " not in read_boot_identity()


async def test_keys_and_starts_of_the_machine_have_records_of_their_own(
    open_store: Callable[..., SqliteStore],
) -> None:
    stores = {boot: open_store(boot=boot) for boot in ("before", "today")}
    places = [(boot, key) for boot in stores for key in ("one", "two")]
    for round_ in ("first", "second"):
        for boot, key in places:
            text = f"{round_} {boot} {key}"
            await stores[boot].transact(key, lambda _, text=text: (None, (text, text)))  # type: ignore[misc]

        records = [await stores[boot].transact(key, keep_record) for boot, key in places]
        assert records == [(f"{round_} {boot} {key}",) * 2 for boot, key in places]


async def test_processes_of_one_machine_share_its_clock_and_wait_for_nothing(
    open_store: Callable[..., SqliteStore],
) -> None:
    store = open_store()
    assert (store.offset, store.safe_from, store.lead) == (0.0, 0.0, 0.0)
