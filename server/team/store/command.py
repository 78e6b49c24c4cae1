"""`archive-mcp migrate`: brings the team's database to the schema of this version."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from server.errors import Failure
from server.redaction import learn
from server.settings import SettingsError
from server.settings.extras import describe_installation, is_installed

if TYPE_CHECKING:
    from server.audit.event import Event

VARIABLE = "ARCHIVE_MCP_DATABASE_URL"
_SCHEMES = ("postgresql", "postgres")


def run_migrate(environment: Mapping[str, str]) -> int:
    """Apply the migrations that the database lacks, print them, and return the exit status.

    Raises:
        SettingsError: The database is not named, cannot be reached, or is newer.
    """
    _require_library("migrate")
    from server.team.store.schema import migrate

    applied = migrate(read_database_url(environment))
    for name in applied:
        print(f"applied {name}")
    print("The team's database has the schema of this version.")
    return 0


def run_team_audit(environment: Mapping[str, str], options: Namespace) -> int:
    """Print the newest audit records of the team that fit and return the exit status.

    Raises:
        SettingsError: The library is missing, or the database cannot be read.
    """
    _require_library("audit")
    import anyio

    from server.audit.command import parse_since, show
    from server.team.store.audit import AuditTable
    from server.team.store.database import Database
    from server.team.store.schema import check_schema

    url, since = read_database_url(environment), parse_since(options.since)

    async def read() -> Sequence[Event]:
        async with Database(url) as database:
            await check_schema(database)
            return await AuditTable(database).read(
                since=since, person=options.person, tool=options.tool, limit=options.limit
            )

    try:
        show(anyio.run(read), as_json=options.json)
    except Failure as failure:
        raise SettingsError(f"{failure.message} Check {VARIABLE}.") from None
    return 0


def _require_library(command: str) -> None:
    if not is_installed("team"):
        raise SettingsError(
            f"`archive-mcp {command}` needs PostgreSQL's library. {describe_installation('team')}"
        )


def read_database_url(environment: Mapping[str, str]) -> str:
    """Return the address of the team's database, and have its password left out of all that is
    written.

    Raises:
        SettingsError: It is missing, or no address of a PostgreSQL.
    """
    url = environment.get(VARIABLE, "").strip()
    example = "postgresql://user:password@host:5432/archive_mcp"
    if not url:
        raise SettingsError(f"{VARIABLE} is not set. Set it to the team's database: {example}")
    try:
        parts = urlsplit(url)
        password = unquote(parts.password or "")
    except ValueError:
        raise SettingsError(f"{VARIABLE} is no address. It looks like {example}") from None
    # The value itself holds a password, so the message does not repeat it.
    if parts.scheme not in _SCHEMES or not parts.hostname or len(parts.path) < 2:
        raise SettingsError(f"{VARIABLE} is no address of a PostgreSQL. It looks like {example}")
    learn(url, password)
    return url
