"""The audit log in the team's database."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from server.audit.event import Event
from server.errors import Code, Failure
from server.settings import Secret, SettingsError
from server.team.audit import AuditTable
from server.team.commands import run_team_audit
from server.team.settings import TeamSettings
from server.team.store.database import Database
from tests.support.team.engines.postgres import Postgres

ANN = Event(
    "2026-01-30T23:59:59.000Z",
    "change",
    "c1",
    "oidc:ann",
    "Ann",
    "archive_delete_collection",
    "done",
    ids=("a", "b"),
    confirmed="token",
)
BOB = replace(ANN, at="2026-01-31T00:00:00.000Z", call="c2", principal="oidc:bob", person="50% Bob")


@pytest.fixture
async def table(database_url: str) -> AsyncIterator[AuditTable]:
    async with Database(database_url) as database:
        yield AuditTable(database)


async def test_records_are_read_as_they_were_written(table: AuditTable) -> None:
    for event in (ANN, BOB):
        await table.record(event)
    assert await table.read() == [ANN, BOB]
    assert await table.read(limit=1) == [BOB]
    assert await table.read(since=datetime(2026, 1, 31, tzinfo=UTC)) == [BOB]
    assert await table.read(person="ANN") == [ANN]
    # Not a pattern: a percent sign is itself.
    assert await table.read(person="%") == [BOB]
    assert await table.read(tool="_collection") == [ANN, BOB]
    assert await table.read(tool="nothing") == []


async def test_what_a_database_cannot_hold_is_left_out(table: AuditTable) -> None:
    await table.record(replace(ANN, person="A\x00nn", ids=("x\x00y", "🙂")))
    (event,) = await table.read()
    assert (event.person, event.ids) == ("Ann", ("xy", "🙂"))


async def test_a_database_that_is_gone_is_a_clear_failure(
    own_postgres: Postgres, own_database_url: str
) -> None:
    async with Database(own_database_url, patience=0.2) as database:
        own_postgres.stop()
        with pytest.raises(Failure) as caught:
            await AuditTable(database).record(ANN)
    assert caught.value.code is Code.UNAVAILABLE
    assert caught.value.message.startswith("The audit log cannot be written")


def test_the_command_shows_the_team_s_records(
    database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    import anyio

    async def fill() -> None:
        async with Database(database_url) as database:
            await AuditTable(database).record(BOB)

    anyio.run(fill)
    options = Namespace(since="2026-01-31", person="bob", tool=None, limit=5, json=True)
    assert run_team_audit(TeamSettings(database_url=Secret(database_url)), options) == 0
    assert json.loads(capsys.readouterr().out) == BOB.to_dict()


def test_a_database_without_the_schema_is_said_so(empty_database: str) -> None:
    options = Namespace(since=None, person=None, tool=None, limit=5, json=False)
    with pytest.raises(SettingsError, match="archive-mcp migrate"):
        run_team_audit(TeamSettings(database_url=Secret(empty_database)), options)
