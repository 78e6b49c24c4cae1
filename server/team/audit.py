"""The audit log in the team's database, which all replicas and workers write."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from server.audit.event import Event
from server.errors import Code, Failure
from server.team.store.database import Database

_ADD = """INSERT INTO audit (at, principal_id, person, tool, content)
    VALUES (%s, %s, %s, %s, %s::jsonb)"""
# By position, not by LIKE: a percent sign in a name is itself.
_READ = """SELECT content FROM (
    SELECT number, content FROM audit
    WHERE (%(since)s::timestamptz IS NULL OR at >= %(since)s)
    AND (%(person)s::text IS NULL
        OR position(lower(%(person)s) in lower(principal_id || ' ' || person)) > 0)
    AND (%(tool)s::text IS NULL OR position(lower(%(tool)s) in lower(tool)) > 0)
    ORDER BY number DESC LIMIT %(limit)s
) AS newest ORDER BY number"""
# PostgreSQL's text holds no such character, and somebody's argument may.
_NUL = "\x00"


class AuditTable:
    """Keeps each record as a row."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(self, event: Event) -> None:
        """Keep a record. Raises as `AuditLog.record`."""
        content = _without_nul(event.to_dict())
        row = (event.at, event.principal, event.person, event.tool)
        values = tuple(value.replace(_NUL, "") for value in row)
        try:
            # Not repeated after a lost commit: a record twice is better than none, and `call` with
            # `outcome` tells that it is the same.
            await self._database.execute(_ADD, (*values, json.dumps(content)))
        except Failure as failure:
            raise Failure(
                Code.UNAVAILABLE,
                f"The audit log cannot be written: {failure.message}",
                failure.hint,
                retryable=True,
            ) from None

    async def read(
        self,
        *,
        since: datetime | None = None,
        person: str | None = None,
        tool: str | None = None,
        limit: int = 100,
    ) -> Sequence[Event]:
        """Return the newest records that fit, oldest first.

        Args:
            since: the earliest instant.
            person: part of an id or a name, in any case.
            tool: part of a tool's name.
        """
        values = {"since": since, "person": person, "tool": tool, "limit": limit}
        rows = await self._database.execute(_READ, values)
        return [Event.from_dict(content) for (content,) in rows]


def _without_nul(content: Any) -> Any:
    if isinstance(content, str):
        return content.replace(_NUL, "")
    if isinstance(content, list):
        return [_without_nul(value) for value in content]
    if isinstance(content, dict):
        return {name: _without_nul(value) for name, value in content.items()}
    return content
