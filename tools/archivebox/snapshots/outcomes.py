"""The outcome of each page of a list, with a closer look at those whose outputs do not tell it."""

from __future__ import annotations

from server.archivebox.api import ArchiveBoxApi
from server.archivebox.pagination import Fetch, Record
from server.archivebox.site_answer import read_site_answer
from server.archivebox.verdict import Verdict, judge
from tools.archivebox.records import describe_verdict

# One request each, for a small file of the page.
_MOST_READ = 20
# Seconds of a call that are left for the list itself.
_RESERVE_SECONDS = 12.0


class Judging:
    """Adds its outcome to each page of a list that comes with its outputs."""

    def __init__(self, api: ArchiveBoxApi, fetch: Fetch) -> None:
        self._api = api
        self._fetch = fetch
        self._left = _MOST_READ

    async def fetch(self, offset: int, count: int) -> tuple[list[Record], int]:
        """Return the pages from there on with `outcome`, `reason` and `failures`, and the total."""
        pages, total = await self._fetch(offset, count)
        judged = [{**page, **describe_verdict(page, await self._judge(page))} for page in pages]
        return judged, total

    async def _judge(self, page: Record) -> Verdict:
        verdict = judge(page)
        if verdict.outcome != "unknown" or not self._may_read():
            return verdict
        self._left -= 1
        return judge(page, await read_site_answer(self._api, page))

    def _may_read(self) -> bool:
        return self._left > 0 and self._api.deadline - self._api.client.now() > _RESERVE_SECONDS
