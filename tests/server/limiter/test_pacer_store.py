"""The shared file: whatever happens to it, calls go on and stay safe."""

from __future__ import annotations

import logging
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from server.limiter import Pacer, state_key
from server.limiter.pace_store import Busy, Record
from server.limiter.store import FILE, SqliteStore
from tests.support.pace.pacer_world import sqlite_store

KEY = state_key("https://archive.test", "workspace")
HOLDER = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""


class JumpingClock:
    """Sleeping moves it; nothing else does."""

    def __init__(self) -> None:
        self.now = 500.0
        self.naps: list[float] = []

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.now += seconds
        await anyio.lowlevel.checkpoint()


async def send(pacer: Pacer) -> None:
    async with pacer.slot(KEY):
        pass


@contextmanager
def opened(folder: Path | None, time: JumpingClock, boot: str = "boot") -> Iterator[Pacer]:
    pacer = Pacer(folder, clock=time.clock, sleep=time.sleep, boot=boot)
    try:
        yield pacer
    finally:
        pacer.close()


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def in_use(self: Path, target: Path) -> Path:
    raise PermissionError(f"{target} is open in another process")


@contextmanager
def held_lock(path: Path) -> Iterator[None]:
    """Another process stops in the middle of a transaction."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"
        try:
            yield
        finally:
            holder.kill()


async def test_file_and_folder_are_for_their_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "state"
    with opened(folder, JumpingClock()) as pacer:
        await send(pacer)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE((folder / FILE).stat().st_mode) == 0o600
        assert names(folder) == [FILE]


@pytest.mark.parametrize(
    "content",
    [b"no database at all, but long enough to be one" * 50, b"SQLite format 3\0" + b"x" * 9000],
)
async def test_a_corrupt_file_is_replaced_and_the_schedule_starts_after_a_window(
    tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / FILE).write_bytes(content)
    time = JumpingClock()
    with opened(tmp_path, time) as pacer:
        await send(pacer)
        assert time.now >= 501
        await send(pacer)
        assert time.now < 502
    assert len(caplog.records) == 1
    with sqlite3.connect(tmp_path / FILE) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()


async def test_a_file_that_becomes_corrupt_while_open_is_replaced(tmp_path: Path) -> None:
    time = JumpingClock()
    with opened(tmp_path, time) as pacer, opened(tmp_path, time) as other:
        await send(pacer)
        (tmp_path / FILE).write_bytes(b"garbage" * 3000)
        await send(pacer)
        assert time.now >= 501
        await send(other)
        assert time.now == pytest.approx(500 + 1.21 + 0.25)


async def test_a_file_that_was_removed_is_made_again_and_counts_as_lost_history(
    tmp_path: Path,
) -> None:
    time = JumpingClock()
    with opened(tmp_path, time) as pacer:
        await send(pacer)
        (tmp_path / FILE).unlink()
        await send(pacer)
        assert time.now >= 501
        assert (tmp_path / FILE).exists()


async def test_a_removed_file_that_cannot_be_made_again_counts_as_lost_history_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    time = JumpingClock()
    with opened(tmp_path, time) as pacer:
        await send(pacer)
        (tmp_path / FILE).unlink()
        monkeypatch.setattr(Path, "replace", in_use)
        await send(pacer)
        assert time.now >= 501
        await send(pacer)
    assert len(caplog.records) == 1


async def test_a_row_that_cannot_be_read_counts_as_lost_history(tmp_path: Path) -> None:
    time = JumpingClock()
    with opened(tmp_path, time) as pacer:
        await send(pacer)
        with sqlite3.connect(tmp_path / FILE) as db:
            db.execute("UPDATE pace_1 SET state = '[1', evidence = '{}'")
        db.close()
        await send(pacer)
        assert time.now >= 501


async def test_without_a_writable_folder_one_process_is_paced_with_one_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    time = JumpingClock()
    with opened(tmp_path / "file" / "state", time) as pacer:
        for _ in range(3):
            await send(pacer)
    assert time.now >= 500.5
    assert [(record.name, record.levelno) for record in caplog.records] == [
        ("archive_mcp.limiter", logging.WARNING)
    ]


async def test_without_any_folder_one_process_is_paced_and_nobody_needs_to_be_warned(
    caplog: pytest.LogCaptureFixture,
) -> None:
    time = JumpingClock()
    with opened(None, time) as pacer:
        for _ in range(3):
            await send(pacer)
    assert time.now == 500.5
    assert caplog.records == []


async def test_a_file_that_cannot_be_replaced_ends_in_a_pace_for_this_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / FILE).write_bytes(b"garbage" * 3000)

    monkeypatch.setattr(Path, "replace", in_use)
    time = JumpingClock()
    with opened(tmp_path, time) as pacer:
        for _ in range(3):
            await send(pacer)
    assert time.now >= 501.5
    assert len(caplog.records) == 1
    assert names(tmp_path) == [FILE]


async def test_a_process_stopped_inside_a_transaction_holds_the_others_up_for_a_second(
    tmp_path: Path,
) -> None:
    time = JumpingClock()
    with opened(tmp_path, time) as pacer, opened(tmp_path, time) as other:
        await send(pacer)
        with held_lock(tmp_path / FILE):
            await send(pacer)
            assert 502 <= time.now <= 502.5
            await send(other)
            assert time.now <= 502.75
        assert max(time.naps) < 1.25
    assert names(tmp_path) == [FILE]


async def test_a_file_replaced_by_somebody_else_is_noticed_before_the_next_send(
    tmp_path: Path,
) -> None:
    time = JumpingClock()
    with opened(tmp_path, time) as pacer, opened(tmp_path / "new", time) as other:
        await send(pacer)
        async with other.slot(KEY) as slot:
            slot.report_answer(429, {}, retry_after=20)
        other.close()
        (tmp_path / "new" / FILE).replace(tmp_path / FILE)
        await send(pacer)
        assert time.now == 520


async def test_a_claim_made_in_a_file_that_was_replaced_meanwhile_does_not_count(
    tmp_path: Path,
) -> None:
    time = JumpingClock()

    def meanwhile(record: Record | None) -> tuple[str, Record]:
        if not record:
            (tmp_path / "new" / FILE).replace(tmp_path / FILE)
            return "lost", ("written to the old file", "")
        return record[0], record

    with opened(tmp_path / "new", time) as another:
        sqlite_store(another)._transact_once(KEY, lambda _: (None, ("of the new file", "")))
    store = SqliteStore(tmp_path, blank=lambda: ("", ""), sleep=time.sleep, boot="boot")
    assert await store.transact(KEY, meanwhile) == "of the new file"
    store.close()


async def test_an_answer_that_cannot_be_stored_now_is_stored_with_the_next_turn(
    tmp_path: Path,
) -> None:
    time = JumpingClock()
    with opened(tmp_path, time) as pacer:
        async with pacer.slot(KEY) as slot:
            slot.report_answer(429, {}, retry_after=20)
            lock = sqlite3.connect(tmp_path / FILE, isolation_level=None)
            lock.execute("BEGIN IMMEDIATE")
        assert time.now < 500.3
        lock.close()
        await send(pacer)
        assert time.now == 520


async def test_a_busy_file_does_not_lose_the_answer_of_a_cancelled_caller(tmp_path: Path) -> None:
    lock = sqlite3.connect(tmp_path / FILE, isolation_level=None)

    class Releasing(JumpingClock):
        async def sleep(self, seconds: float) -> None:
            lock.close()
            await super().sleep(seconds)

    time = Releasing()
    with opened(tmp_path, time) as pacer, opened(tmp_path, time) as other:
        with anyio.CancelScope() as scope:
            async with pacer.slot(KEY) as slot:
                lock.execute("BEGIN IMMEDIATE")
                slot.report_answer(429, {}, retry_after=20)
                scope.cancel()
        assert (await other.snapshot(KEY)).penalty > 19


async def test_of_two_processes_that_replace_the_same_file_the_second_keeps_the_firsts(
    tmp_path: Path,
) -> None:
    (tmp_path / FILE).write_bytes(b"garbage" * 3000)
    time = JumpingClock()

    def while_another_is_faster() -> Record:
        with opened(tmp_path / "new", time) as first:
            sqlite_store(first)._transact_once(KEY, lambda _: (None, ("of the first", "")))
        (tmp_path / "new" / FILE).replace(tmp_path / FILE)
        return "of the second", ""

    store = SqliteStore(tmp_path, blank=while_another_is_faster, sleep=time.sleep, boot="boot")
    seen = await store.transact(KEY, lambda record: (record, record or ("", "")))
    assert seen == ("of the first", "")
    store.close()


async def test_giving_up_on_the_lock_is_told_to_the_caller(tmp_path: Path) -> None:
    time = JumpingClock()
    store = SqliteStore(tmp_path, blank=lambda: ("", ""), sleep=time.sleep)

    def unchanged(record: Record | None) -> tuple[None, Record]:
        return None, record or ("", "")

    await store.transact(KEY, unchanged)
    with held_lock(tmp_path / FILE), pytest.raises(Busy):
        await store.transact(KEY, unchanged, patience=0.1)
    store.close()


async def test_keys_of_earlier_starts_of_the_machine_are_cleaned_up_and_todays_are_kept(
    tmp_path: Path,
) -> None:
    time = JumpingClock()
    with opened(tmp_path, time, boot="before") as pacer:
        for number in range(10):
            async with pacer.slot(str(number)):
                pass
    with opened(tmp_path, time, boot="today") as pacer:
        for number in range(300):
            async with pacer.slot(str(number)):
                pass
    with sqlite3.connect(tmp_path / FILE) as db:
        assert db.execute("SELECT boot, count(*) FROM pace_1 GROUP BY boot").fetchall() == [
            ("today", 300)
        ]
    db.close()
