"""The schema of the team's database: applied once, checked at every start."""

from __future__ import annotations

import threading

import pytest

from server.settings import SettingsError
from server.team.store.database import Database
from server.team.store.schema import check_schema, list_migrations, migrate
from tests.support.team.engines.postgres import PASSWORD, Postgres


async def check(url: str) -> None:
    async with Database(url) as database:
        await check_schema(database)


async def test_migrate_applies_what_is_missing_once(empty_database: str) -> None:
    assert migrate(empty_database) == [*list_migrations(), "queue"]
    assert migrate(empty_database) == []
    await check(empty_database)


async def test_a_database_without_the_schema_is_refused_with_the_command_to_run(
    empty_database: str,
) -> None:
    with pytest.raises(SettingsError, match=r"lacks 0001_state.*archive-mcp migrate"):
        await check(empty_database)


async def test_a_database_that_lacks_one_migration_is_refused(
    postgres: Postgres, database_url: str
) -> None:
    last = list_migrations()[-1]
    async with Database(database_url) as database:
        await database.execute("DELETE FROM _yoyo_migration WHERE migration_id = %s", [last])
        with pytest.raises(SettingsError, match=f"lacks {last}"):
            await check_schema(database)


async def test_a_newer_database_is_refused_at_the_start_and_by_migrate(database_url: str) -> None:
    async with Database(database_url) as database:
        await database.execute(
            "INSERT INTO _yoyo_migration (migration_hash, migration_id) VALUES ('x', '9999_later')"
        )
        with pytest.raises(SettingsError, match=r"newer version.*9999_later"):
            await check_schema(database)
    with pytest.raises(SettingsError, match=r"newer version.*9999_later"):
        migrate(database_url)


async def test_a_migration_whose_note_was_lost_is_applied_again_over_itself(
    database_url: str,
) -> None:
    async with Database(database_url) as database:
        await database.execute("INSERT INTO spending VALUES ('p', '2026-11-01', 7)")
        await database.execute("TRUNCATE _yoyo_migration")
        assert migrate(database_url) == list_migrations()
        assert await database.execute("SELECT credits FROM spending") == [(7,)]


async def test_a_database_of_another_encoding_is_refused(postgres: Postgres) -> None:
    postgres.execute("CREATE DATABASE ascii ENCODING 'SQL_ASCII' TEMPLATE template0")
    try:
        with pytest.raises(SettingsError, match=r"UTF8.*createdb"):
            migrate(postgres.url("ascii"))
    finally:
        postgres.drop_database("ascii")


async def test_several_migrate_at_once_and_each_migration_is_applied_by_one_of_them(
    empty_database: str,
) -> None:
    outcomes: list[list[str]] = []
    threads = [
        threading.Thread(target=lambda: outcomes.append(migrate(empty_database))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [[], [], [], [*list_migrations(), "queue"]]


def test_a_database_that_cannot_be_reached_is_named_without_its_password(
    empty_database: str,
) -> None:
    address = empty_database.replace(PASSWORD, "wrong-password")
    with pytest.raises(SettingsError) as refusal:
        migrate(address)
    assert "ARCHIVE_MCP_DATABASE_URL" in str(refusal.value)
    assert "wrong-password" not in str(refusal.value)
