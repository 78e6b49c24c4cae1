"""Which saved pages a command's patterns select: asked of the server, or found here where its own
search is broken."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import anyio.to_thread

from server.archivebox.api import ArchiveBoxApi
from server.archivebox.failures import get_command_result
from server.archivebox.filters import Patterns, has_tag, spellings
from server.archivebox.pagination import Fetch, Record, chain, distinct, every
from server.child import SECONDS, TookTooLong, shared
from server.errors import Code, Failure

MOST = 1000
"""Pages that a search gives at most."""
_MOST_ASKED = 1000
# 25 requests, within one call.
_MOST_READ = 5000
_MOST_TAGS = 20_000


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
    # 0.9 has no `list` any more, and 0.8.5 no `search` yet.
    operation = "POST /cli/search" if api.description.has("POST /cli/search") else "POST /cli/list"
    filters = await server_filters(api, patterns)
    body = _body(api, operation, {**filters, **times, **more})
    # A search by words takes the patterns for words, which also fit by what a page says.
    wanted = Patterns(patterns.kind, ()) if more.get("search") else patterns
    # One more says whether there are more. A row takes the server some 15 ms.
    size = most + 1
    while True:
        try:
            rows = await _ask(api, operation, body, size)
        except Failure as failure:
            # What only newer servers filter by cannot be looked for here.
            if failure.code is not Code.UNAVAILABLE or more:
                raise
            # 0.8.5 cannot write its own answer down with the libraries it is installed with today.
            pages = await _search_here(api, patterns, times)
            return pages[:most], len(pages) <= most
        fitting = await _choose(wanted, rows)
        # A server without a limit sends everything, be it less or more than was asked for.
        is_end = len(rows) != size
        if is_end or len(fitting) > most or size > _MOST_ASKED:
            return fitting[:most], is_end and len(fitting) <= most
        # The server's filters are wider than ours: the pages that fit come later.
        size *= 4


async def _ask(api: ArchiveBoxApi, operation: str, body: dict[str, Any], size: int) -> list[Record]:
    """Return the rows of a search, at most `size` where the server takes a limit."""
    # Without a limit 0.9.73 sends everything: 1,202 pages took 29 s.
    limit = {"limit": size} if api.description.takes(operation, "limit") else {}
    path = operation.partition(" ")[2]
    answer = await api.change("POST", path, {**body, **limit}, repeatable=True, verify="")
    return _rows(get_command_result(answer))


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


def _one_by_one(name: str, values: Sequence[str]) -> list[dict[str, str]]:
    return [{name: value} for value in values] or [{}]


async def stored_urls(api: ArchiveBoxApi, url: str) -> list[str]:
    """Return the spellings under which an address is saved, or the address itself where it is not:
    the server finds each under its own spelling alone."""
    if not api.description.has("POST /cli/search"):
        return spellings(url)
    rows = await matches(api, Patterns("exact", (url,)), {}, {})
    return list(dict.fromkeys(str(row["url"]) for row in rows)) or [url]


async def stored_tags(api: ArchiveBoxApi, name: str) -> list[str]:
    """Return a tag's name as ArchiveBox keeps it, whatever capitals it is asked for with: several
    where there are several spellings, the name itself where there is no such tag."""
    if api.description.has("POST /core/tag/{}/rename"):
        try:
            tag = await api.get(f"/core/tag/{quote(name.strip(), safe='')}", with_snapshots=False)
        except Failure as failure:
            # Ambiguous: crawls can bring `Press` where there is `press`.
            if failure.code not in (Code.NOT_FOUND, Code.AMBIGUOUS):
                raise
            tag = {}
        # A name of digits is taken for an id.
        if has_tag([str(tag.get("name"))], name):
            return [str(tag["name"])]

    async def fetch(offset: int, count: int) -> tuple[list[Record], int]:
        answer = await api.get("/core/tags", limit=count, offset=offset)
        return answer["items"], int(answer["total_items"])

    tags, _ = await every(fetch, _MOST_TAGS, page=500)
    return [str(tag["name"]) for tag in tags if has_tag([str(tag["name"])], name)] or [name]


async def server_filters(api: ArchiveBoxApi, patterns: Patterns) -> dict[str, Any]:
    """Return kind and patterns as the command takes them."""
    kind, texts = patterns.for_server()
    if kind == "tag":
        texts = [name for text in texts for name in await stored_tags(api, text)]
    if texts:
        return {"filter_type": kind, "filter_patterns": texts}
    return {}


def _body(api: ArchiveBoxApi, operation: str, requested: dict[str, Any]) -> dict[str, Any]:
    body = {**requested, "as_json": True}
    if "filter_patterns" not in body and not api.description.takes(operation, "limit"):
        # Without patterns older servers look for https://example.com, and for nothing else.
        body |= {"filter_patterns": [".*"], "filter_type": "regex"}
    # The server ignores unknown names: without its filter a search selects too much to delete.
    for name in body:
        if not api.description.takes(operation, name):
            raise Failure(
                Code.UNSUPPORTED,
                f"This ArchiveBox ({api.description.version}) does not know `{name}` here and "
                "would ignore it.",
                "Leave it out, or use {GET /core/snapshots}.",
            )
    return body


def _rows(result: Any) -> list[Record]:
    # 0.8.5 answers by folder.
    entries = list(result.values()) if isinstance(result, dict) else result
    if not isinstance(entries, list):
        return []
    return [entry for entry in entries if isinstance(entry, dict)]


async def _search_here(
    api: ArchiveBoxApi, patterns: Patterns, times: dict[str, Any]
) -> list[Record]:
    snapshots, total = await every(pages(api, {}), _MOST_READ)
    if total > _MOST_READ:
        raise Failure(
            Code.UNSUPPORTED,
            f"This ArchiveBox's own search fails, and its {total} pages are too many to go "
            "through here.",
            "Use {GET /core/snapshots} with its filters.",
        )
    after, before = times.get("after", 0.0), times.get("before", float("inf"))
    in_time = [page for page in snapshots if after <= float(page["timestamp"]) < before]
    return (await _choose(patterns, in_time))[:MOST]


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
