"""Browser identities that pages are saved with."""

from __future__ import annotations

from server.archivebox.lists import Record, Unpaged
from server.archivebox.requests import Box

from .records import Persona

_SHOWN = ("id", "name", "created_at", "created_by_id", "created_by_username")
"""The configuration may hold cookies and logins: it is never shown."""


class ListPersonas(Unpaged[Persona]):
    """List the browser identities that pages can be saved with, without cookies and logins."""

    operation = "GET /personas/personas"
    title = "List personas"
    since = "0.9.31"

    async def everything(self, box: Box) -> list[Record]:
        if not box.api.takes(self.operation, "limit"):
            return await super().everything(box)
        found = await box.get(self.path(), limit=500)
        return list(found["items"])

    def one(self, record: Record) -> Record:
        return {name: record[name] for name in _SHOWN if name in record}
