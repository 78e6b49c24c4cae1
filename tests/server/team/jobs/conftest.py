"""A team's database within the test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from server.team.jobs.journal import PostgresJournal
from server.team.store.database import Database
from tests.support.jobs.queued import Nudged


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with Database(database_url) as opened:
        yield opened


@pytest.fixture
def journal(database: Database) -> PostgresJournal:
    """The journal of one person."""
    return PostgresJournal(database, "own", sealed_identity="sealed")


@pytest.fixture
def nudges() -> Nudged:
    return Nudged()
