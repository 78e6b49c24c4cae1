"""The event loop, the clock and the journal of the tests of jobs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, closing
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


Open = Callable[[], Journal]


@asynccontextmanager
async def open_files(folder: Path, clock: Clock) -> AsyncIterator[Open]:
    with ExitStack() as stack:

        def open_() -> Journal:
            journal = SqliteJournal(folder, leases=Leases(clock=clock), wall=clock)
            return stack.enter_context(closing(journal))

        yield open_


@asynccontextmanager
async def open_postgres(url: str, clock: Clock) -> AsyncIterator[Open]:
    from server.team.jobs.journal import PostgresJournal
    from server.team.store.database import Database

    async with Database(url) as database:
        yield lambda: PostgresJournal(
            database, "somebody", clock=lambda: f"{clock.now}::double precision"
        )


@pytest.fixture(params=["sqlite", "postgres"])
async def opened(
    request: pytest.FixtureRequest, tmp_path: Path, clock: Clock
) -> AsyncIterator[Open]:
    """Opens the same journal again, as the next process would; nothing of an earlier one is closed
    in order. On both databases."""
    if request.param == "sqlite":
        async with open_files(tmp_path, clock) as open_:
            yield open_
        return
    async with open_postgres(request.getfixturevalue("database_url"), clock) as open_:
        yield open_


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
