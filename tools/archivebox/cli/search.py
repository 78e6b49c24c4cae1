"""Search saved pages: `archivebox search`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, PrivateAttr

from server.archivebox.context import ArchiveBoxContext
from server.archivebox.endpoints import (
    Many,
    Text,
)
from server.archivebox.openapi import Description
from server.archivebox.pagination import Record, keep_all, read
from server.tool.result import Result
from tools.archivebox import records
from tools.archivebox.cli.filters import Filters
from tools.archivebox.command import has_fast_search
from tools.archivebox.listing import match_pages
from tools.archivebox.patterns import MOST, find_matches, refuse_filters
from tools.archivebox.records import Snapshot

_MORE = {"search", "status", "tag", "crawl_id", "url__icontains", "url__istartswith", "sort"}
"""Filters that only the command of 0.9.73 has."""


class Search(Filters[Snapshot], Many[Snapshot]):
    """Search saved pages by patterns in their URL, or by tag, domain or timestamp; 0.9.73 takes
    all arguments and also searches what articles say (`search` contents). For more filters use
    archivebox_list_snapshots."""

    operation = "POST /cli/search"
    title = "Search saved pages by pattern"
    search_hint = (
        "full text search, where did I read about, find bookmarks whose address looks like, "
        "regex, url contains, somewhere in my saved articles, mentions, remember, words in a "
        "page, look in my archive for, which page mentioned, where did I see, inside the pages, "
        "saved page that says, url ends with, links like, wildcard, do I have anything about, "
        "election, topic, from a newspaper, com, stored addresses matching, show all, everything "
        "we've stored from, do we have a copy of, anything on, find the page where, containing, "
        "article about, phrase, pages about a subject, did I keep, saved something on a topic"
    )

    filter_patterns: list[Text] | None = Field(
        None, description="Patterns; without any, all pages."
    )
    # The command's `search` is a mode: the words to look for are patterns.
    search: Literal["meta", "contents", "deep"] | None = Field(None, description="Where to look.")
    status: Text | None = Field(None, description="One of queued, started, paused, sealed.")
    tag: Text | None = Field(None, description="Name of a tag (label).")
    crawl_id: Text | None = Field(None, description="Id of a crawl.")
    url__icontains: Text | None = Field(None, description="Part of the URL.")
    url__istartswith: Text | None = Field(None, description="Start of the URL.")
    sort: Text | None = Field(None, description="Such as -bookmarked_at.")
    _capped: bool = PrivateAttr(False)
    _complete: bool = PrivateAttr(False)

    async def prepare(self, context: ArchiveBoxContext) -> None:
        """Every version can be searched, if only page by page."""

    async def run(self, context: ArchiveBoxContext) -> Result:
        api, patterns, times = context.api, self.patterns(), self.times()
        more = self.model_dump(include=_MORE, exclude_none=True)
        # Regular expressions are tried in a process of their own, many pages at a time.
        if not has_fast_search(context.description) and patterns.kind != "regex":
            refuse_filters(api, more)
            listed = await match_pages(api, patterns, times)
            # Without patterns all fit: as many are read as are wanted, and counted.
            keep = patterns.keep() if patterns.patterns else keep_all
            return await read(self, api, listed, keep=keep)

        async def fetch(offset: int, count: int) -> tuple[list[Record], int]:
            # The command cannot skip: it is asked for all up to the last one that is wanted.
            most = min(MOST, offset + count)
            rows, self._complete = await find_matches(api, patterns, times, more, most)
            self._capped = most == MOST and not self._complete
            at_least = len(rows) + (not self._complete and not self._capped)
            return rows[offset:], at_least

        return await read(self, api, fetch, page=MOST, is_counted=lambda: self._complete)

    def notes(self, description: Description) -> list[str]:
        return (
            [f"A search ends at {MOST} pages; there may be more: narrow it."]
            if self._capped
            else []
        )

    def one(self, record: Record) -> Record:
        return records.snapshot(record)
