"""Which saved pages long work is about, found the same way on every version."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from typing import Any

from server.archivebox.context import ArchiveBoxContext
from server.archivebox.endpoints import Text
from server.archivebox.filters import Domain, has_tag
from server.archivebox.moments import From, To, after_last
from server.archivebox.openapi import Description
from server.archivebox.pagination import LARGEST_SERVED, Fetch, chain, distinct, read_on
from server.errors import Code, Failure
from server.tool.request import Input
from tools.archivebox.patterns import stored_tags

_SNAPSHOTS = "/core/snapshots"

Json = dict[str, Any]


class Query(Input):
    """Which pages: words in URL, title or tags; a tag; a host with its subdomains; whole days."""

    search: Text | None = None
    tag: Text | None = None
    domain: Text | None = None
    since: From | None = None
    until: To | None = None


@dataclass(frozen=True)
class PageBatch:
    """Some of the pages that fit, and the place in the server's list behind them."""

    pages: list[Json]
    end: int


@dataclass(frozen=True)
class PageQuery:
    """Filters that all have to fit; dates are those of the listed records, the last moment of the
    time included."""

    search: str | None = None
    tag: str | None = None
    domain: str | None = None
    since: str | None = None
    until: str | None = None

    @classmethod
    def of(cls, query: Query | None) -> PageQuery:
        """Return the filters of a call."""
        return cls(**(query.model_dump() if query else {}))

    def given(self) -> bool:
        """Return whether there is any filter."""
        return any(asdict(self).values())

    def has(self, url: str) -> bool:
        """Return whether a page is on the domain; True where no domain is asked for."""
        return self.domain is None or Domain.parse(self.domain).has(url)

    async def snapshots(self, context: ArchiveBoxContext, **more: Any) -> list[Json]:
        """Return the saved pages that fit, without their outputs."""
        batches = self.batches(context, 0, size=LARGEST_SERVED, **more)
        return [page async for batch in batches for page in batch.pages]

    async def count_at_most(self, context: ArchiveBoxContext, **more: Any) -> int:
        """Return how many pages the server selects, by one small request: exact unless a domain is
        asked for, which its filters only narrow down."""
        fetch = await self._make_reader(context, more)
        _, total = await fetch(0, 1)
        return total

    async def batches(
        self, context: ArchiveBoxContext, start: int, *, size: int, **more: Any
    ) -> AsyncIterator[PageBatch]:
        """Yield the pages that fit, from a place in the server's list on.

        Args:
            size: records of one request.
            more: further parameters of the list.
        """
        fetch = await self._make_reader(context, more)
        async for records, end in read_on(fetch, start, size):
            # The server's filters only narrow a host down; what is being deleted is no page.
            pages = [
                record
                for record in records
                if self.has(record["url"]) and record.get("status") != "deleting"
            ]
            yield PageBatch(pages, end)

    async def find_results(
        self, context: ArchiveBoxContext, status: str, **more: Any
    ) -> list[Json]:
        """Return the outputs with that status of pages that fit."""
        params = {
            "status": status,
            **more,
            "search": self.search,
            "snapshot_tag": self.tag,
            **self._times(),
        }
        return [
            entry
            async for entry in list_records(context, "/core/archiveresults", params)
            # The server looks for a part of a tag's name.
            if entry["status"] == status
            and self.has(entry["snapshot_url"])
            and (self.tag is None or has_tag(entry["snapshot_tags"], self.tag))
        ]

    async def _make_reader(self, context: ArchiveBoxContext, more: Json) -> Fetch:
        """Return a reader of what the server selects: at least the pages that fit."""
        params = {**self._params(context.description), **more}
        # The server compares a tag letter by letter, and has one in several spellings at times.
        tags = await stored_tags(context.api, self.tag) if self.tag else [None]
        readers = [make_reader(context, _SNAPSHOTS, {**params, "tag": tag}) for tag in tags]
        return chain(readers) if len(readers) == 1 else distinct(chain(readers))

    def _params(self, description: Description) -> Json:
        params = {"search": self.search, **self._times()}
        # The server's own filter takes a whole URL, not a host.
        host = Domain.parse(self.domain).host if self.domain else ""
        # A page's URL holds its host, so that a search for it leaves few others; other scripts
        # and IPv6 have several spellings. Without page texts, of which 0.9.73 would search all.
        if host and not self.search and "xn--" not in host and ":" not in host:
            params["search"] = host
            if description.takes(f"GET {_SNAPSHOTS}", "search_mode"):
                params["search_mode"] = "meta"
        return params

    def _times(self) -> Json:
        end = after_last(self.until) if self.until else None
        return {"created_at__gte": self.since, "created_at__lt": end}


async def list_records(context: ArchiveBoxContext, path: str, params: Json) -> AsyncIterator[Json]:
    """Yield all records of a list under these filters; those that are None are left out.

    Raises:
        Failure: `UNSUPPORTED` for a filter that the server would ignore.
    """
    async for records, _ in read_on(make_reader(context, path, params), 0, LARGEST_SERVED):
        for record in records:
            yield record


def make_reader(context: ArchiveBoxContext, path: str, params: Json) -> Fetch:
    """Return a reader of a list under these filters; those that are None are left out.

    Raises:
        Failure: `UNSUPPORTED` for a filter that the server would ignore without a word.
    """
    requested = {name: value for name, value in params.items() if value is not None}
    for name in requested:
        if not context.description.takes(f"GET {path}", name):
            raise Failure(
                Code.UNSUPPORTED,
                f"This ArchiveBox ({context.description.version}) cannot filter by `{name}` here.",
                "Leave it out, or the user updates ArchiveBox.",
            )

    async def fetch(offset: int, count: int) -> tuple[list[Json], int]:
        # Each request has its own deadline: a long list takes longer than a call has.
        answer = await context.background.get(path, **requested, limit=count, offset=offset)
        return answer["items"], int(answer["total_items"])

    return fetch
