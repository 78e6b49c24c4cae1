"""Browser identities that pages are saved with."""

from __future__ import annotations

from server.archivebox.api import ArchiveBoxApi
from server.archivebox.pagination import Record, Unpaged, every
from tools.archivebox.records import Persona

_MOST = 10_000


class ListPersonas(Unpaged[Persona]):
    """List the browser identities that pages can be saved with, without cookies and logins."""

    operation = "GET /personas/personas"
    title = "List personas"
    search_hint = (
        "browser profiles, identities, which accounts can pages be saved as, logged in, user "
        "agent, paywall, save as a subscriber, cookies, signed in, member pages, facebook login, "
        "behind a login, profiles, logged-in"
    )
    since = "0.9.31"

    async def everything(self, api: ArchiveBoxApi) -> list[Record]:
        # 0.9.31 sends all personas at once and knows no pages.
        if not api.description.takes(self.operation, "limit"):
            return await super().everything(api)

        async def fetch(offset: int, count: int) -> tuple[list[Record], int]:
            answer = await api.get(self.path(), limit=count, offset=offset)
            return answer["items"], int(answer["total_items"])

        records, _ = await every(fetch, _MOST)
        return records

    def one(self, record: Record) -> Record:
        # A list of what is shown, not of what is hidden: new fields may hold secrets too.
        shown = record.keys() & Persona.fields.split()
        return {name: value for name, value in record.items() if name in shown}
