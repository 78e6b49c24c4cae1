"""`archive-mcp migrate`: brings the team's database to the schema of this version."""

from __future__ import annotations

from server.team.settings import TeamSettings
from server.team.store.addresses import reveal_address
from server.team.store.schema import migrate


def run_migrate(team: TeamSettings) -> int:
    """Apply the migrations that the database lacks, print them, and return the exit status.

    Raises:
        SettingsError: The database is not named, cannot be reached, or is newer.
    """
    for name in migrate(reveal_address("ARCHIVE_MCP_DATABASE_URL", team.database_url)):
        print(f"applied {name}")
    print("The team's database has the schema of this version.")
    return 0
