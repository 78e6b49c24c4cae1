"""What administrators do with the database: upgrade it with what is in it, save it, restore it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import yoyo
from psycopg import sql

from server.jobs.model import JobState, RecordState
from server.team.jobs.journal import PostgresJournal
from server.team.sealing import Seal
from server.team.store.confirmations import PostgresTokens
from server.team.store.database import Database
from server.team.store.schema import MIGRATIONS, check_schema, list_migrations, migrate
from server.team.store.spending import PostgresSpending
from tests.support.jobs.doubles import begun
from tests.support.paths import ROOT
from tests.support.team.engines.postgres import PASSWORD, USER, Postgres

OLD, NEW = bytes(range(32)), bytes(range(32, 64))
FIRST = "0001_state"
ROWS = {
    "spending": "INSERT INTO spending VALUES ('oidc:anna', current_date, 7)",
    "workspace_choices": "INSERT INTO workspace_choices VALUES ('oidc:anna', 'account', 'w-1')",
    "used_replies": "INSERT INTO used_replies VALUES ('oidc:anna', 'mark', now() + '1 hour')",
    "pace": "INSERT INTO pace VALUES ('key', 1, 'state', 'evidence')",
}


def apply_first(url: str) -> None:
    """Bring an empty database to the schema of the first version."""
    backend = yoyo.get_backend(f"postgresql+psycopg://{url.partition('://')[2]}")
    try:
        migrations = yoyo.read_migrations(str(MIGRATIONS))
        backend.apply_migrations(migrations.filter(lambda migration: migration.id == FIRST))
    finally:
        backend.connection.close()


def read_statement() -> str:
    """What docs/team.md has administrators run who do not want the jobs of a backup to go on."""
    page = (ROOT / "docs" / "team.md").read_text(encoding="utf-8")
    (statement,) = re.findall(r"^UPDATE jobs .*?;$", page, re.MULTILINE | re.DOTALL)
    return str(statement)


def count(url: str, table: str) -> int:
    """The number of rows of a table."""
    with psycopg.connect(url) as connection:
        statement = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))
        row = connection.execute(statement).fetchone()
        assert row is not None
        return int(row[0])


async def test_rows_of_the_first_schema_survive_the_way_to_the_newest(empty_database: str) -> None:
    apply_first(empty_database)
    with psycopg.connect(empty_database, autocommit=True) as connection:
        for statement in ROWS.values():
            connection.execute(statement.encode())
    async with Database(empty_database) as database:
        token = await PostgresTokens(database, "oidc:anna").issue("delete it")

    assert migrate(empty_database) == [*list_migrations()[1:], "queue"]

    assert {table: count(empty_database, table) for table in ROWS} == dict.fromkeys(ROWS, 1)
    async with Database(empty_database) as database:
        await check_schema(database)
        tokens = PostgresTokens(database, "oidc:anna")
        assert await tokens.redeem(token, "delete it")
        assert not await tokens.redeem(token, "delete it")
        await PostgresSpending(database, "oidc:anna", 10).reserve(3)


class Restored:
    """Saves a database and restores it as docs/team.md says."""

    def __init__(self, url: str, target: Postgres, name: str, file: Path) -> None:
        self.url = url
        self.target_url = target.url(name)
        self._target = target
        self._name = name
        self._file = file

    def run(self) -> None:
        """Save it and restore it."""
        save = ["pg_dump", "--format=custom", "--no-unlogged-table-data", f"--file={self._file}"]
        self._call(save, self.url)
        self._call(["pg_restore", "--no-owner", f"--dbname={self._name}", str(self._file)])

    def _call(self, command: list[str], url: str | None = None) -> None:
        programs = self._target.programs
        address = [f"--dbname={url}"] if url else []
        if not url:
            address = ["--host=127.0.0.1", f"--port={self._target.port}", f"--username={USER}"]
        done = subprocess.run(
            [str(programs.folder / command[0]), *command[1:], *address],
            env={**programs.environment, "PGPASSWORD": PASSWORD},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr


@pytest.fixture
def restored(database_url: str, own_postgres: Postgres, tmp_path: Path) -> Iterator[Restored]:
    """A database, and an empty one on another server that it can be restored to."""
    name = own_postgres.create_database()
    yield Restored(database_url, own_postgres, name, tmp_path / "backup")
    if own_postgres.process is None:
        own_postgres.start()
    own_postgres.drop_database(name)


async def test_a_backup_is_restored_into_a_new_server_and_its_jobs_can_be_cancelled(
    restored: Restored,
) -> None:
    with psycopg.connect(restored.url, autocommit=True) as connection:
        for statement in ROWS.values():
            connection.execute(statement.encode())
    sealed = Seal([OLD], "identity of a job").close("who", "job")
    async with Database(restored.url) as database:
        journal = PostgresJournal(database, "oidc:anna", sealed_identity=sealed)
        lease = await begun(journal)

    restored.run()

    assert migrate(restored.target_url) == []
    # Without a row of it the pace begins with a pause: what was sent since nobody knows.
    assert {table: count(restored.target_url, table) for table in ROWS} == {
        **dict.fromkeys(ROWS, 1),
        "pace": 0,
    }
    with psycopg.connect(restored.target_url, autocommit=True) as connection:
        row = connection.execute("SELECT sealed_identity FROM jobs").fetchone()
        assert row is not None
        assert Seal([NEW, OLD], "identity of a job").open(row[0], "job") == "who"
        assert Seal([NEW], "identity of a job").open(row[0], "job") is None
    async with Database(restored.target_url) as database:
        journal = PostgresJournal(database, "oidc:anna")
        assert (await journal.job(lease.job)).counts == {RecordState.PENDING: 3}
        await database.execute("UPDATE job_runs SET lease_until = 0")
        assert await journal.interrupted() == [lease.job]
        await database.execute(read_statement())
        assert await journal.interrupted() == []
        ended = await journal.job(lease.job)
        assert (ended.state, await journal.read_owner(lease.job)) == (
            JobState.CANCELLED,
            ("oidc:anna", None),
        )
