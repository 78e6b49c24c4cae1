"""Who is in a collection already: read by pages, which is cheaper than a request for each item."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from server.archive.api import Api, Page
from server.archive.walk import Walk
from server.jobs import Handle
from tools.archive.content.items import SearchItems

# Bounded, for in a collection that others keep changing the count may never match.
_READINGS = 3


@dataclass
class MemberList:
    """The members of a collection, as far as they were read."""

    ids: set[str] = field(default_factory=set)
    after: str | None = None
    tries: int = 0
    complete: bool = False
    walk: Walk = field(default_factory=Walk)

    def take(self, page: Page) -> None:
        """Add a page. A list that others took from meanwhile may have ended early: then it is read
        once more."""
        self.ids.update(map(itemgetter("id"), filter(self.walk.take, page.records)))
        self.after = page.end
        if page.has_next:
            self.walk.step(page.end, page.total)
            return
        self.walk = Walk()
        self.tries += 1
        self.after = None
        # Cursors shift when rows vanish before them, and then the last page comes too soon.
        is_short = page.total is not None and len(self.ids) < page.total
        self.complete = not is_short or self.tries >= _READINGS


class MemberReader:
    """Reads the members of collections, and remembers how far it is with each."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._lists: defaultdict[str, MemberList] = defaultdict(MemberList)

    async def read(self, job: Handle, target: dict[str, Any]) -> set[str]:
        """Return the ids of a collection's members."""
        members = self._lists[target["id"]]
        # Only the id: relations make a page dearer, and membership needs nothing else.
        query = SearchItems.model_validate({"presetId": target["id"], "fields": ["id"]})
        while not members.complete:
            members.take(await self._api.read_page(query, members.after))
            # Nothing to journal, but a cancelled job must not read on through a large collection.
            await job.checkpoint()
            job.set_message(f"reading '{target['name']}': {len(members.ids):,} items")
        return members.ids
