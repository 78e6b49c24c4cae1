"""The event loop, the clock and the journal of the tests of jobs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from server.jobs import Jobs, Journal, Leases
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
    return Journal(None, leases=Leases(clock=time.clock), wall=time.clock)


@pytest.fixture
def clock() -> Clock:
    """A clock that a test moves."""
    return Clock()


@pytest.fixture
def opened(tmp_path: Path, clock: Clock) -> Iterator[Callable[[], Journal]]:
    """Opens the same file again, as the next process would; nothing of an earlier one is closed in
    order."""
    all_: list[Journal] = []

    def open_() -> Journal:
        all_.append(Journal(tmp_path, leases=Leases(clock=clock), wall=clock))
        return all_[-1]

    yield open_
    for each in all_:
        each.close()


@pytest.fixture
def process(tmp_path: Path, time: FakeTime) -> Iterator[Callable[[], Jobs]]:
    """Starts another process of the same user."""
    opened: list[Journal] = []

    def start() -> Jobs:
        opened.append(Journal(tmp_path, leases=Leases(clock=time.clock), wall=time.clock))
        return Jobs(opened[-1], clock=time.clock, sleep=time.sleep)

    yield start
    for journal in opened:
        journal.close()
