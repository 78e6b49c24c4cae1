"""Which saved pages a command's patterns select: asked of the command, or found in the list of
pages where the command is slow, fails, or does not exist."""

from __future__ import annotations

import json
from itertools import chain
from typing import Any

import anyio.to_thread

from server.archivebox.api import ArchiveBoxApi
from server.archivebox.filters import Patterns
from server.archivebox.pagination import LARGEST_SERVED, Record
from server.child import SECONDS, TookTooLong, shared
from server.errors import Code, Failure
from tools.archivebox.command import (
    has_fast_search,
    make_unsupported,
    search_rows,
    search_urls,
)
from tools.archivebox.listing import match_pages, stored_tags

MOST = 1000
"""Pages that a search gives at most."""
_MOST_ASKED = 1000
# A page of the list takes up to 2 s.
_RESERVE_SECONDS = 6.0


async def matches(
    api: ArchiveBoxApi,
    patterns: Patterns,
    times: dict[str, Any],
    more: dict[str, Any],
    most: int = MOST,
) -> list[Record]:
    """Return the snapshots that the filters select, at most `most`; nothing is changed.

    Args:
        times: `after` and `before` in Unix seconds; every version has them.
        more: filters that only newer servers have.

    Raises:
        Failure: `UNSUPPORTED` for a filter that this server would ignore.
    """
    rows, _ = await find_matches(api, patterns, times, more, most)
    return rows


async def find_matches(
    api: ArchiveBoxApi,
    patterns: Patterns,
    times: dict[str, Any],
    more: dict[str, Any],
    most: int,
) -> tuple[list[Record], bool]:
    """Return the first snapshots that the filters select, as `matches`, and whether they are
    all."""
    wanted = _drop_words(patterns, more)
    if not has_fast_search(api.description):
        refuse_filters(api, more)
        return await _look_through(api, patterns, times, most)
    filters = {**await server_filters(api, patterns), **times, **more}
    # One more says whether there are more. A row takes the server some 15 ms.
    size = most + 1
    while True:
        rows = await search_rows(api, filters, size)
        fitting = await _choose(wanted, rows)
        if len(rows) < size or len(fitting) > most or size > _MOST_ASKED:
            return fitting[:most], len(rows) < size and len(fitting) <= most
        # The server's filters are wider than ours: the pages that fit come later.
        size *= 4


async def find_urls(
    api: ArchiveBoxApi, patterns: Patterns, times: dict[str, Any], more: dict[str, Any]
) -> list[str]:
    """Return the URLs of all snapshots that the filters select, newest first, one for each
    snapshot; only for servers with `has_fast_search`, others would send whole pages."""
    filters = {**await server_filters(api, patterns), **times, **more}
    urls = await search_urls(api, filters)
    # Tags and timestamps are no matter of the address: the server compares these exactly.
    if patterns.kind in ("tag", "timestamp"):
        return urls
    fitting = await _choose(_drop_words(patterns, more), [{"url": url} for url in urls])
    return [page["url"] for page in fitting]


def _drop_words(patterns: Patterns, more: dict[str, Any]) -> Patterns:
    """Return the patterns that a page's address has to fit."""
    # A search by words takes the patterns for words, which also fit by what a page says.
    return Patterns(patterns.kind, ()) if more.get("search") else patterns


def refuse_filters(api: ArchiveBoxApi, more: dict[str, Any]) -> None:
    """Refuse filters that only the newer command has.

    Raises:
        Failure: `UNSUPPORTED`.
    """
    for name in more:
        raise make_unsupported(api.description, name)


async def server_filters(api: ArchiveBoxApi, patterns: Patterns) -> dict[str, Any]:
    """Return kind and patterns as the command takes them."""
    kind, texts = patterns.for_server()
    if kind == "tag":
        lists = [await stored_tags(api, text) for text in texts]
        texts = list(chain.from_iterable(lists))
    return {"filter_type": kind, "filter_patterns": texts} if texts else {}


async def _look_through(
    api: ArchiveBoxApi, patterns: Patterns, times: dict[str, Any], most: int
) -> tuple[list[Record], bool]:
    """Go through the list of pages until there are more than `most`."""
    fetch = await match_pages(api, patterns, times)
    fitting: list[Record] = []
    offset, total = 0, 1
    while offset < total:
        records, total = await fetch(offset, LARGEST_SERVED)
        if not records:
            break
        fitting += await _choose(patterns, records)
        offset += len(records)
        if len(fitting) > most:
            return fitting[:most], False
        if offset < total and api.deadline - api.client.now() < _RESERVE_SECONDS:
            raise _make_slow_failure(api, total)
    return fitting, True


def _make_slow_failure(api: ArchiveBoxApi, total: int) -> Failure:
    return Failure(
        Code.UNSUPPORTED,
        f"ArchiveBox {api.description.version} selects {total:,} pages here, which are too many to "
        "go through within one call.",
        "Narrow it: one pattern, a domain, a tag or dates are filtered by the server itself.",
    )


async def _choose(patterns: Patterns, pages: list[Record]) -> list[Record]:
    """Return the pages that fit; regular expressions, which may be endless, are tried in a process
    of their own.

    Raises:
        Failure: `INVALID_ARGUMENT` for one that takes too long.
    """
    if patterns.kind != "regex" or not patterns.patterns:
        return list(filter(patterns.keep(), pages))
    texts = json.dumps([page["url"] for page in pages]).encode()
    try:
        answer, _ = await anyio.to_thread.run_sync(
            shared.ask, {"task": "match", "patterns": patterns.patterns}, texts
        )
    except TookTooLong:
        raise Failure(
            Code.INVALID_ARGUMENT,
            f"The regular expression takes longer than {SECONDS:g} s on the saved addresses.",
            "Write a simpler one, without repetitions inside repetitions, or use `substring`.",
        ) from None
    return [page for page, fits in zip(pages, answer["fits"], strict=True) if fits]
