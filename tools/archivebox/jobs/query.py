"""Which saved pages long work is about, found the same way on every version."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import partial
from itertools import filterfalse
from typing import Any

from server.archivebox.api import read_at_once
from server.archivebox.context import ArchiveBoxContext
from server.archivebox.endpoints import Text
from server.archivebox.filters import Domain, Patterns, has_tag
from server.archivebox.moments import From, To, after_last
from server.archivebox.openapi import Description
from server.archivebox.pagination import LARGEST_SERVED, Fetch, chain, distinct, read_on
from server.errors import Code, Failure
from server.text import count_noun
from server.tool.request import Input
from server.tool.result import drop_nulls
from tools.archivebox.command import has_fast_search
from tools.archivebox.listing import LIST, narrow_to_host, stored_tags
from tools.archivebox.patterns import find_urls

_SNAPSHOTS = "/core/snapshots"
_GOING = {"status": "deleting"}
# As many as one request gives.
_READ_WHOLE = LARGEST_SERVED
_FIRST = 10
# Of a call of 45 s: a server that can only be read page by page is not waited for any longer.
_RESERVE_SECONDS = 25.0

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
class Survey:
    """What a query selects: how many pages, the first of them, and all where they are few.

    is_exact: whether so many fit; they are at most so many where the time did not suffice.
    """

    count: int
    first: list[Json]
    pages: list[Json] | None = None
    is_exact: bool = True

    def describe(self) -> str:
        """Return the number in words for people."""
        noun = count_noun(self.count, "saved page")
        return noun if self.is_exact else f"at most {noun}"


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

    def after(self, moment: str) -> PageQuery:
        """Return the same filters for pages of that moment and later ones."""
        moments = filter(None, (self.since, moment))
        return replace(self, since=max(moments, key=datetime.fromisoformat))

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
        tags = await self._list_tags(context)
        _, total = await self._make_reader(context, tags, more)(0, 1)
        return total

    async def count(self, context: ArchiveBoxContext) -> Survey:
        """Return how many pages fit, as `survey`, by one request where that is enough."""
        if self.domain is None:
            return Survey(await self.count_at_most(context), [])
        return await self.survey(context)

    async def survey(self, context: ArchiveBoxContext) -> Survey:
        """Return the pages that fit where few do, and else how many they are."""
        tags, (first, total), going = await read_at_once(
            partial(self._list_tags, context),
            partial(self._make_reader(context, [self.tag], {}), 0, _FIRST),
            partial(_has_going, context),
        )
        # Stored in another spelling, or in several: rare, and so not waited for first.
        if tags != [self.tag]:
            first, total = await self._make_reader(context, tags, {})(0, _FIRST)
        if total <= _READ_WHOLE:
            pages = await self.snapshots(context)
            return Survey(len(pages), pages[:_FIRST], pages)
        if self.domain is not None:
            return await self._survey_domain(context, total, has_going=going)
        # What is being deleted stands in the list until it is gone.
        if going:
            _, count = await self._make_reader(context, tags, _GOING)(0, 1)
            total -= count
        return Survey(total, first)

    async def _survey_domain(
        self, context: ArchiveBoxContext, most: int, *, has_going: bool
    ) -> Survey:
        """Count the pages of a host among at most so many that the server selects."""
        has_more = any((self.search, self.since, self.until))
        if has_fast_search(context.description) and not has_more:
            return await self._count_urls(context, has_going=has_going)
        count, first = 0, list[Json]()
        async for batch in self.batches(context, 0, size=LARGEST_SERVED):
            count += len(batch.pages)
            first += batch.pages[: _FIRST - len(first)]
            if batch.end < most and context.deadline - context.now() < _RESERVE_SECONDS:
                return Survey(most, first, is_exact=False)
        return Survey(count, first)

    async def _count_urls(self, context: ArchiveBoxContext, *, has_going: bool) -> Survey:
        patterns = Patterns("domain", (str(self.domain),))
        more = drop_nulls({"tag": self.tag})
        urls = await find_urls(context.api, patterns, {}, more)
        first = [{"url": url} for url in urls[:_FIRST]]
        if not has_going:
            return Survey(len(urls), first)
        going = await find_urls(context.api, patterns, {}, {**more, **_GOING})
        return Survey(len(urls) - len(going), first)

    async def batches(
        self, context: ArchiveBoxContext, start: int, *, size: int, **more: Any
    ) -> AsyncIterator[PageBatch]:
        """Yield the pages that fit, from a place in the server's list on.

        Args:
            size: records of one request.
            more: further parameters of the list.
        """
        fetch = self._make_reader(context, await self._list_tags(context), more)
        async for records, end in read_on(fetch, start, size):
            # The server's filters only narrow a host down; what is being deleted is no page.
            fitting = filter(lambda record: self.has(record["url"]), records)
            yield PageBatch(list(filterfalse(_is_going, fitting)), end)

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
        fetch = make_reader(context, "/core/archiveresults", params)
        results: list[Json] = []
        async for page, _ in read_on(fetch, 0, LARGEST_SERVED):
            results += filter(self._has_result, page)
        return list(filter(lambda result: result["status"] == status, results))

    def _has_result(self, result: Json) -> bool:
        # The server looks for a part of a tag's name.
        is_tagged = self.tag is None or has_tag(result["snapshot_tags"], self.tag)
        return is_tagged and self.has(result["snapshot_url"])

    async def _list_tags(self, context: ArchiveBoxContext) -> Sequence[str | None]:
        """Return the spellings of the tag: the server compares it letter by letter."""
        return await stored_tags(context.api, self.tag) if self.tag else [None]

    def _make_reader(
        self, context: ArchiveBoxContext, tags: Sequence[str | None], more: Json
    ) -> Fetch:
        """Return a reader of what the server selects: at least the pages that fit."""
        params = {**self._params(context.description), **more}
        readers = [make_reader(context, _SNAPSHOTS, {**params, "tag": tag}) for tag in tags]
        return chain(readers) if len(readers) == 1 else distinct(chain(readers))

    def _params(self, description: Description) -> Json:
        params = {"search": self.search, **self._times()}
        # The server's own filter takes a whole URL, not a host; a page's URL holds its host.
        if self.domain and not self.search:
            params |= narrow_to_host(description, self.domain)
        return params

    def _times(self) -> Json:
        end = after_last(self.until) if self.until else None
        return {"created_at__gte": self.since, "created_at__lt": end}


def _is_going(page: Json) -> bool:
    return bool(page.get("status") == _GOING["status"])


async def _has_going(context: ArchiveBoxContext) -> bool:
    """Return whether any page is being deleted, which the server answers from an index: with
    further filters it goes through all pages that fit these."""
    if not context.description.takes(LIST, "status"):
        return False
    _, going = await make_reader(context, _SNAPSHOTS, _GOING)(0, 1)
    return going > 0


def make_reader(context: ArchiveBoxContext, path: str, params: Json) -> Fetch:
    """Return a reader of a list under these filters; those that are None are left out.

    Raises:
        Failure: `UNSUPPORTED` for a filter that the server would ignore without a word.
    """
    requested = drop_nulls(params)
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
