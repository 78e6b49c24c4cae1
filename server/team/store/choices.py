"""The workspace that a person chose, the same on every replica."""

from __future__ import annotations

from server.team.store.database import Database

_READ = "SELECT workspace FROM workspace_choices WHERE principal_id = %s AND account = %s"
_WRITE = (
    "INSERT INTO workspace_choices (principal_id, account, workspace) VALUES (%s, %s, %s) "
    "ON CONFLICT (principal_id, account) "
    "DO UPDATE SET workspace = excluded.workspace, chosen_at = now()"
)


class PostgresChoice:
    """The choice of one principal in the team's database.

    Args:
        account: What the workspaces belong to: with another Archive token a choice means nothing.

    The methods are those of `Choice`.
    """

    def __init__(self, database: Database, principal_id: str, account: str) -> None:
        self._database = database
        self._owner = (principal_id, account)

    async def read(self) -> str | None:
        rows = await self._database.execute(_READ, self._owner)
        return str(rows[0][0]) if rows else None

    async def write(self, workspace: str) -> None:
        await self._database.execute(_WRITE, (*self._owner, workspace))
