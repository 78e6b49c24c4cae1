"""`archive-mcp migrate` and `archive-mcp audit`, as far as they are about the team's database."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence

import anyio

from server.audit.command import parse_since, show
from server.audit.event import Event
from server.errors import Failure
from server.settings import SettingsError
from server.team.audit import AuditTable
from server.team.settings import TeamSettings
from server.team.store.addresses import reveal_address
from server.team.store.database import Database
from server.team.store.schema import check_schema, migrate

_VARIABLE = "ARCHIVE_MCP_DATABASE_URL"


def run_migrate(team: TeamSettings) -> int:
    """Apply the migrations that the database lacks, print them, and return the exit status.

    Raises:
        SettingsError: The database is not named, cannot be reached, or is newer.
    """
    for name in migrate(reveal_address(_VARIABLE, team.database_url)):
        print(f"applied {name}")
    print("The team's database has the schema of this version.")
    return 0


def run_team_audit(team: TeamSettings, options: Namespace) -> int:
    """Print the newest audit records of the team that fit and return the exit status.

    Raises:
        SettingsError: The database cannot be read, or lacks the schema of this version.
    """
    url, since = reveal_address(_VARIABLE, team.database_url), parse_since(options.since)

    async def read() -> Sequence[Event]:
        async with Database(url) as database:
            await check_schema(database)
            return await AuditTable(database).read(
                since=since, person=options.person, tool=options.tool, limit=options.limit
            )

    try:
        show(anyio.run(read), as_json=options.json)
    except Failure as failure:
        raise SettingsError(f"{failure.message} Check {_VARIABLE}.") from None
    return 0
