"""`archive-mcp migrate`: brings the team's database to the schema of this version."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

from server.redaction import learn
from server.settings import SettingsError
from server.settings.extras import describe_installation, is_installed

VARIABLE = "ARCHIVE_MCP_DATABASE_URL"
_SCHEMES = ("postgresql", "postgres")


def run_migrate(environment: Mapping[str, str]) -> int:
    """Apply the migrations that the database lacks, print them, and return the exit status.

    Raises:
        SettingsError: The database is not named, cannot be reached, or is newer.
    """
    if not is_installed("team"):
        raise SettingsError(
            f"`archive-mcp migrate` needs PostgreSQL's library. {describe_installation('team')}"
        )
    from server.team.store.schema import migrate

    applied = migrate(read_database_url(environment))
    for name in applied:
        print(f"applied {name}")
    print("The team's database has the schema of this version.")
    return 0


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
