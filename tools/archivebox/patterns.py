"""Which saved pages a command's patterns select: asked of the server, or found here where its own
search is broken."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from server.archivebox.api import ArchiveBoxApi
from server.archivebox.failures import get_command_result
from server.archivebox.pagination import Record, every
from server.errors import Code, Failure
from tools.archivebox.snapshots.lookup import pages

MOST = 1000
"""Pages that a search gives at most."""
# 25 requests, within one call.
_MOST_READ = 5000


async def matches(
    api: ArchiveBoxApi, patterns: list[str], filters: dict[str, Any], more: dict[str, Any]
) -> list[Record]:
    """Return the snapshots that the filters select, at most 1,000; nothing is changed.

    Args:
        filters: `filter_type`, and `after` and `before` in Unix seconds; every version has them.
        more: filters that only newer servers have.

    Raises:
        Failure: `UNSUPPORTED` for a filter that this server would ignore.
    """
    # 0.9 has no `list` any more, and 0.8.5 no `search` yet.
    operation = "POST /cli/search" if api.description.has("POST /cli/search") else "POST /cli/list"
    body = _body(api, operation, patterns, {**filters, **more})
    try:
        result = get_command_result(
            await api.change("POST", operation.partition(" ")[2], body, repeatable=True, verify="")
        )
    except Failure as failure:
        # What only newer servers filter by cannot be looked for here.
        if failure.code is not Code.UNAVAILABLE or more:
            raise
        # 0.8.5 cannot write its own answer down with the libraries it is installed with today.
        return await _search_here(api, patterns, filters)
    if isinstance(result, dict):
        result = list(result.values())  # 0.8.5 answers by folder
    return (
        [entry for entry in result if isinstance(entry, dict)] if isinstance(result, list) else []
    )


def _body(
    api: ArchiveBoxApi, operation: str, patterns: list[str], requested: dict[str, Any]
) -> dict[str, Any]:
    body = {**requested, "as_json": True}
    if patterns:
        body["filter_patterns"] = patterns
    elif not api.description.takes(operation, "limit"):
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
    # Without a limit 0.9.73 sends everything: 1,202 pages took 29 s.
    return {**body, "limit": MOST} if api.description.takes(operation, "limit") else body


async def _search_here(
    api: ArchiveBoxApi, patterns: list[str], filters: dict[str, Any]
) -> list[Record]:
    snapshots, total = await every(pages(api, {}), _MOST_READ)
    if total > _MOST_READ:
        raise Failure(
            Code.UNSUPPORTED,
            f"This ArchiveBox's own search fails, and its {total} pages are too many to go "
            "through here.",
            "Use {GET /core/snapshots} with its filters.",
        )
    fits = _FITS[filters["filter_type"]]
    after, before = filters.get("after", 0.0), filters.get("before", float("inf"))
    return [
        snapshot
        for snapshot in snapshots
        if after <= float(snapshot["timestamp"]) < before
        and (not patterns or any(fits(snapshot, pattern) for pattern in patterns))
    ][:MOST]


def _in_domain(snapshot: Record, domain: str) -> bool:
    # Stricter than 0.9, which compares the start of the URL: another host may begin alike.
    host = urlsplit(snapshot["url"]).hostname or ""
    return host == domain.lower() or host.endswith(f".{domain.lower()}")


_FITS: dict[str, Callable[[Record, str], bool]] = {
    "exact": lambda snapshot, pattern: bool(snapshot["url"] == pattern),
    "substring": lambda snapshot, pattern: pattern.lower() in snapshot["url"].lower(),
    "regex": lambda snapshot, pattern: re.search(pattern, snapshot["url"]) is not None,
    "domain": _in_domain,
    "tag": lambda snapshot, pattern: pattern in (snapshot.get("tags") or []),
    "timestamp": lambda snapshot, pattern: bool(snapshot["timestamp"] == pattern),
}
