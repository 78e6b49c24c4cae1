"""The schema of the team's database: its migrations, and whether a database has exactly them.

The migrations are SQL files, applied in the order of their names by yoyo. Each of them may be run
again over itself, because a process may end between a migration and the note that it was applied.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, LiteralString

from server.settings import SettingsError
from server.team.store.database import Database

MIGRATIONS = Path(__file__).with_name("migrations")

# Any number that other programs are unlikely to lock with in the same database.
_LOCK = 0x6172_6368_6976_65
_CONNECT_SECONDS = 10
_APPLIED = "SELECT migration_id FROM _yoyo_migration"
_HAS_TABLE = "SELECT to_regclass('_yoyo_migration') IS NOT NULL"
_NEWER = (
    "The team's database is of a newer version of this program (it has {names}). Update this "
    "program on every machine, then start it again."
)
_OLDER = "The team's database lacks {names}. Run `archive-mcp migrate` once, then start this again."


def list_migrations() -> list[str]:
    """Return the names of the migrations that this version has, in their order."""
    return sorted(path.stem for path in MIGRATIONS.glob("*.sql"))


def migrate(url: str) -> list[str]:
    """Apply the migrations that a database lacks and return their names.

    Args:
        url: The address of the database: postgresql://user:password@host:port/name.

    Raises:
        SettingsError: The database cannot be reached, is newer, has another encoding than UTF8,
            or refuses a migration.
    """
    import psycopg

    from server.team.jobs.queue_schema import migrate_queue, read_queue_migrations

    try:
        with _lock_database(url) as connection:
            _check_encoding(connection)
            applied = _read_applied(connection)
            _refuse_newer(applied, read_queue_migrations(connection))
            missing = [name for name in list_migrations() if name not in applied]
            if missing:
                _apply(url)
            return missing + migrate_queue(connection)
    except psycopg.OperationalError as error:
        raise SettingsError(
            f"The team's database cannot be reached: {_first_line(error)}. Check "
            "ARCHIVE_MCP_DATABASE_URL and whether PostgreSQL is running."
        ) from None
    except psycopg.Error as error:
        raise SettingsError(
            f"The team's database refuses a migration: {_first_line(error)}. The user of "
            "ARCHIVE_MCP_DATABASE_URL needs the right to create tables."
        ) from None


async def check_schema(database: Database) -> None:
    """Return if the database has exactly the migrations of this version.

    Raises:
        SettingsError: It is older or newer, with what to do.
        Failure: `UNAVAILABLE` where it cannot be reached.
    """
    from server.team.jobs import queue_schema

    applied = await _read(database, _HAS_TABLE, _APPLIED)
    queue = await _read(database, queue_schema.HAS_TABLE, queue_schema.APPLIED)
    _refuse_newer(applied, queue)
    missing = [name for name in list_migrations() if name not in applied]
    missing += [name for name in queue_schema.list_queue_migrations() if name not in queue][:1]
    if missing:
        raise SettingsError(_OLDER.format(names=", ".join(missing)))


async def _read(database: Database, has_table: LiteralString, names: LiteralString) -> set[str]:
    ((exists,),) = await database.execute(has_table)
    rows = await database.execute(names) if exists else []
    return {str(name) for (name,) in rows}


@contextmanager
def _lock_database(url: str) -> Iterator[Any]:
    """Let one process at a time migrate; the lock goes with the process, however it ends."""
    import psycopg

    with psycopg.connect(url, autocommit=True, connect_timeout=_CONNECT_SECONDS) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
        yield connection


def _check_encoding(connection: Any) -> None:
    # As SQL_ASCII texts arrive as bytes, and people's names in JSON not at all.
    is_utf8 = "SELECT current_setting('server_encoding') = 'UTF8'"
    if not connection.execute(is_utf8).fetchone()[0]:
        raise SettingsError(
            "The team's database does not have the encoding UTF8. Create one that has: "
            "`createdb --encoding=UTF8 --template=template0 NAME`."
        )


def _read_applied(connection: Any) -> set[str]:
    has_table = connection.execute(_HAS_TABLE).fetchone()[0]
    rows = connection.execute(_APPLIED).fetchall() if has_table else []
    return {str(name) for (name,) in rows}


def _apply(url: str) -> None:
    import yoyo

    _, _, address = url.partition("://")
    backend = yoyo.get_backend(f"postgresql+psycopg://{address}")
    try:
        backend.apply_migrations(backend.to_apply(yoyo.read_migrations(str(MIGRATIONS))))
    finally:
        backend.connection.close()


def _refuse_newer(applied: set[str], queue: set[str]) -> None:
    from server.team.jobs.queue_schema import list_queue_migrations

    unknown = sorted(applied.difference(list_migrations()))
    unknown += sorted(queue.difference(list_queue_migrations()))
    if unknown:
        raise SettingsError(_NEWER.format(names=", ".join(unknown)))


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0].rstrip(".")
