"""The tables of the queue, which its library brings along with their migrations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from procrastinate.schema import SchemaManager

HAS_TABLE = "SELECT to_regclass('queue_migrations') IS NOT NULL"
APPLIED = "SELECT name FROM queue_migrations"
_CREATE = "CREATE TABLE IF NOT EXISTS queue_migrations (name text PRIMARY KEY)"
_NOTE = "INSERT INTO queue_migrations (name) SELECT unnest(%s::text[])"


def list_queue_migrations() -> list[str]:
    """Return the names of the migrations that the library of this version has, in their order."""
    return sorted(path.name for path in _folder().glob("*.sql"))


def read_queue_migrations(connection: Any) -> set[str]:
    """Return the names of those that a database has."""
    if not connection.execute(HAS_TABLE).fetchone()[0]:
        return set()
    return {str(name) for (name,) in connection.execute(APPLIED).fetchall()}


def migrate_queue(connection: Any) -> list[str]:
    """Apply the migrations that a database lacks, and return their names; the first time the whole
    schema at once.

    Args:
        connection: open, and nobody else migrates meanwhile.
    """
    applied = read_queue_migrations(connection)
    missing = [name for name in list_queue_migrations() if name not in applied]
    if not applied:
        _apply(connection, SchemaManager.get_schema(), missing)
        return ["queue"]
    for name in missing:
        _apply(connection, (_folder() / name).read_text(encoding="utf-8"), [name])
    return missing


def _apply(connection: Any, script: str, names: list[str]) -> None:
    # In one transaction with the note of it: what was applied is never applied again.
    with connection.transaction():
        connection.execute(_CREATE)
        connection.execute(script)
        connection.execute(_NOTE, (names,))


def _folder() -> Path:
    return Path(SchemaManager.get_migrations_path())
