"""Readers of the list of saved pages; tags and URLs are those of any case and spelling."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any
from urllib.parse import quote

from server.archivebox.api import ArchiveBoxApi
from server.archivebox.filters import Domain, Patterns, has_tag, normalize_url, spellings
from server.archivebox.openapi import Description
from server.archivebox.pagination import Fetch, Record, chain, distinct, every
from server.dates import microsecond_stamp
from server.errors import Code, allow_failure
from tools.archivebox.command import SEARCH, has_fast_search, search_rows, search_urls

LIST = "GET /core/snapshots"
_SUGGEST = "GET /core/tags/autocomplete/"
_MOST_SUGGESTED = 20
_MOST_TAGS = 20_000
# The last of the year 9999.
_LAST_SECOND = 253_402_300_799


def pages(
    api: ArchiveBoxApi,
    params: dict[str, Any],
    *,
    urls: Sequence[str] = (),
    tags: Sequence[str] = (),
) -> Fetch:
    """Return a reader of the snapshots under these filters, page by page.

    Args:
        urls: the spellings of an address; none does not filter.
        tags: the spellings of a tag; none does not filter.
    """

    def read_as(more: dict[str, Any]) -> Fetch:
        async def fetch(offset: int, count: int) -> tuple[list[Record], int]:
            page = {**params, **more, "limit": count, "offset": offset}
            answer = await api.get("/core/snapshots", **page)
            return answer["items"], int(answer["total_items"])

        return fetch

    # The server takes one address and one tag at a time.
    lists = [
        read_as({**url, **tag})
        for url in _one_by_one("url", urls)
        for tag in _one_by_one("tag", tags)
    ]
    # A page may have a tag in several spellings.
    return chain(lists) if len(tags) < 2 else distinct(chain(lists))


async def match_pages(api: ArchiveBoxApi, patterns: Patterns, times: dict[str, Any]) -> Fetch:
    """Return a reader of the pages that the server's list selects for patterns: at least those that
    fit, oldest first.

    Args:
        times: `after` and `before` in Unix seconds.
    """
    params = {_DATES[name]: _stamp(seconds) for name, seconds in times.items()}
    if find_spellings := _SPELLINGS.get(patterns.kind):
        stored: list[str] = []
        for pattern in patterns.patterns:
            stored += await find_spellings(api, pattern)
        return pages(api, params, **{_LIST_NAMES[patterns.kind]: stored})
    # The list takes one word and one timestamp: several patterns are looked for here alone.
    if len(patterns.patterns) == 1:
        params |= _narrow(api.description, patterns.kind, patterns.patterns[0])
    return pages(api, params)


def narrow_to_host(description: Description, domain: str) -> dict[str, str]:
    """Return the list's own filter for the pages of a domain, which leaves a few others; none where
    the host has several spellings."""
    host = Domain.parse(domain).host
    # Other scripts and IPv6 have several.
    if "xn--" in host or ":" in host:
        return {}
    return search_words(description, host)


def search_words(description: Description, text: str) -> dict[str, str]:
    """Return the list's filter for a text in URL, title, tags or id."""
    # Without page texts, of which 0.9.73 would search all.
    mode = {"search_mode": "meta"} if description.takes(LIST, "search_mode") else {}
    return {"search": text, **mode}


async def stored_urls(api: ArchiveBoxApi, url: str) -> list[str]:
    """Return the spellings under which an address is saved, or the address itself where it is not:
    the server finds each under its own spelling alone."""
    if not api.description.has(SEARCH):
        return spellings(url)
    return await list_stored_urls(api, [url]) or [url]


async def list_stored_urls(api: ArchiveBoxApi, urls: Sequence[str]) -> list[str]:
    """Return the spellings under which any of the addresses is saved, by the search since 0.9."""
    kind, texts = Patterns("exact", tuple(urls)).for_server()
    # As one expression: the server tries each on all of its pages (25,000: 0.4 s and not 2 for
    # a hundred addresses).
    filters = {"filter_type": kind, "filter_patterns": ["|".join(texts)]}
    if has_fast_search(api.description):
        stored = await search_urls(api, filters)
    else:
        stored = list(map(itemgetter("url"), await search_rows(api, filters, None)))
    normal = set(map(normalize_url, urls))
    return [other for other in dict.fromkeys(stored) if normalize_url(other) in normal]


async def stored_tags(api: ArchiveBoxApi, name: str) -> list[str]:
    """Return a tag's name as ArchiveBox keeps it, whatever capitals it is asked for with: several
    where there are several spellings, the name itself where there is no such tag."""
    if suggested := await _suggest_spellings(api, name):
        return suggested
    if api.description.has("POST /core/tag/{}/rename"):
        answer = api.get(f"/core/tag/{quote(name.strip(), safe='')}", with_snapshots=False)
        # Ambiguous: crawls can bring `Press` where there is `press`.
        tag = await allow_failure(answer, Code.NOT_FOUND, Code.AMBIGUOUS)
        # A name of digits is taken for an id.
        if tag and has_tag([str(tag.get("name"))], name):
            return [str(tag["name"])]

    async def fetch(offset: int, count: int) -> tuple[list[Record], int]:
        answer = await api.get("/core/tags", limit=count, offset=offset)
        return answer["items"], int(answer["total_items"])

    tags, _ = await every(fetch, _MOST_TAGS, page=500)
    names = map(str, map(itemgetter("name"), tags))
    return list(filter(lambda other: has_tag([other], name), names)) or [name]


async def _suggest_spellings(api: ArchiveBoxApi, name: str) -> list[str]:
    """Return the spellings of a tag among those that the server suggests, which costs a third of a
    look at the tag itself; none where it does not suggest them all."""
    # Its database knows no capitals but those of ASCII.
    if not name.isascii() or not api.description.has(_SUGGEST):
        return []
    answer = await api.get(_SUGGEST.partition(" ")[2], q=name.strip())
    if len(answer["tags"]) >= _MOST_SUGGESTED:
        return []
    names = map(str, map(itemgetter("name"), answer["tags"]))
    return list(filter(lambda other: has_tag([other], name), names))


_SPELLINGS = {"tag": stored_tags, "exact": stored_urls}
"""By kind of pattern: what finds the spellings that are stored."""
_LIST_NAMES = {"tag": "tags", "exact": "urls"}
_DATES = {"after": "bookmarked_at__gte", "before": "bookmarked_at__lt"}
"""The dates of a command -> the list's own parameters for them."""


def _stamp(seconds: float) -> str:
    # Beyond the calendar nothing more is before or after.
    return microsecond_stamp(datetime.fromtimestamp(min(max(seconds, 0), _LAST_SECOND), UTC))


def _narrow(description: Description, kind: str, pattern: str) -> dict[str, str]:
    match kind:
        case "substring":
            return search_words(description, pattern)
        case "domain":
            return narrow_to_host(description, pattern)
        case "timestamp":
            return {"timestamp": pattern}
    return {}


def _one_by_one(name: str, values: Sequence[str]) -> list[dict[str, str]]:
    return [{name: value} for value in values] or [{}]
