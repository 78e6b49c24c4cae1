"""Copies of a page, as the server lists them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from server.archivebox.api import ArchiveBoxApi
from tools.archivebox.listing import stored_urls

_COPIES = 20
_EARLIEST = "1970-01-01T00:00:00Z"

Json = dict[str, Any]


async def copies(api: ArchiveBoxApi, url: str) -> list[Json]:
    """Return the newest saved pages of a URL with their outputs, oldest first."""
    requested = {"url": url, "with_archiveresults": True, "limit": _COPIES}
    answer = await api.get("/core/snapshots", **requested)
    # The list is oldest first and cannot be sorted: the newest are at its end.
    if (total := int(answer["total_items"])) > _COPIES:
        answer = await api.get("/core/snapshots", **requested, offset=total - _COPIES)
    # 0.9.73 shows a deleted page until its runner has removed it.
    pages: list[Json] = [item for item in answer["items"] if item.get("status") != "deleting"]
    return pages


async def find_copies(api: ArchiveBoxApi, url: str) -> list[Json]:
    """Return the newest saved pages of an address however it is written, oldest first."""
    if pages := await copies(api, url):
        return pages
    # Only then: mostly an address is saved as it is asked for.
    for spelling in await stored_urls(api, url):
        pages += [] if spelling == url else await copies(api, spelling)
    return sorted(pages, key=lambda page: parse_time(page["created_at"]))


async def time_of_newest(api: ArchiveBoxApi) -> str:
    """Return when the newest of all saved pages was made, by the server's clock."""
    answer = await api.get("/core/snapshots", limit=1)
    if (total := int(answer["total_items"])) > 1:
        # Oldest first, whatever is asked for.
        answer = await api.get("/core/snapshots", limit=1, offset=total - 1)
    return str(answer["items"][0]["created_at"]) if total else _EARLIEST


def parse_time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=moment.tzinfo or UTC)
