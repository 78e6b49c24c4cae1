"""The event loop, the clock and the journal of the tests of jobs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from server.jobs import Journal, Leases, LocalJobs, SqliteJournal
from server.jobs.sqlite import JournalFile
from tests.support.jobs.doubles import Clock, FakeTime


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """The program runs on asyncio only."""
    return "asyncio"


@pytest.fixture
async def time() -> AsyncIterator[FakeTime]:
    """A clock that jumps to the next thing to happen whenever nothing else does."""
    async with FakeTime() as running:
        yield running


@pytest.fixture
def journal(time: FakeTime) -> Journal:
    """A journal of this process alone."""
    return SqliteJournal(None, leases=Leases(clock=time.clock), wall=time.clock, sleep=time.sleep)


@pytest.fixture
def clock() -> Clock:
    """A clock that a test moves."""
    return Clock()


@pytest.fixture
def opened(tmp_path: Path, clock: Clock) -> Iterator[Callable[[], Journal]]:
    """Opens the same file again, as the next process would; nothing of an earlier one is closed in
    order."""
    all_: list[SqliteJournal] = []

    def open_() -> Journal:
        all_.append(SqliteJournal(tmp_path, leases=Leases(clock=clock), wall=clock))
        return all_[-1]

    yield open_
    for each in all_:
        each.close()


@pytest.fixture
def opened_file(tmp_path: Path, clock: Clock) -> Iterator[Callable[[], JournalFile]]:
    """Opens the file itself, as often as it is called."""
    with ExitStack() as stack:

        def open_() -> JournalFile:
            file = JournalFile(tmp_path, leases=Leases(clock=clock), wall=clock)
            return stack.enter_context(closing(file))

        yield open_


@pytest.fixture
def process(tmp_path: Path, time: FakeTime) -> Iterator[Callable[[], LocalJobs]]:
    """Starts another process of the same user."""
    opened: list[SqliteJournal] = []

    def start() -> LocalJobs:
        opened.append(
            SqliteJournal(
                tmp_path, leases=Leases(clock=time.clock), wall=time.clock, sleep=time.sleep
            )
        )
        return LocalJobs(opened[-1], clock=time.clock, sleep=time.sleep)

    yield start
    for journal in opened:
        journal.close()
