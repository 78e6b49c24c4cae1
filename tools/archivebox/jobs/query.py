"""Which saved pages a change is about, found the same way on every version."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

from server.archivebox.context import ArchiveBoxContext
from server.errors import Code, Failure

MOST = 20_000
"""Records that a query may select or go through."""
PAGE = 200

Json = dict[str, Any]


@dataclass(frozen=True)
class PageQuery:
    """Filters that all have to fit; dates are those of the listed records, as the server reads
    them."""

    search: str | None = None
    tag: str | None = None
    domain: str | None = None
    since: str | None = None
    until: str | None = None

    def given(self) -> bool:
        """Return whether there is any filter."""
        return any(asdict(self).values())

    def is_at(self, url: str) -> bool:
        """Return whether a page is on the domain; True where no domain is asked for."""
        if not self.domain:
            return True
        host, domain = (urlsplit(url).hostname or "").lower(), self.domain.lower().strip(".")
        return host == domain or host.endswith(f".{domain}")

    async def snapshots(self, context: ArchiveBoxContext, **more: Any) -> list[Json]:
        """Return the saved pages that fit, without their outputs."""
        params = {"search": self.search, "tag": self.tag, **self._times(), **more}
        return [
            entry
            async for entry in list_records(context, "/core/snapshots", params)
            # The server's filter takes a whole URL, not a host.
            if self.is_at(entry["url"])
        ]

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
            and self.is_at(entry["snapshot_url"])
            and (self.tag is None or self.tag in entry["snapshot_tags"])
        ]

    def _times(self) -> Json:
        return {"created_at__gte": self.since, "created_at__lt": self.until}


async def list_records(context: ArchiveBoxContext, path: str, params: Json) -> AsyncIterator[Json]:
    """Yield all records of a list under these filters; those that are None are left out.

    Raises: Failure: `UNSUPPORTED` for a filter that the server would ignore, `INVALID_ARGUMENT`
        where there are too many.
    """
    requested = {name: value for name, value in params.items() if value is not None}
    for name in requested:
        if not context.description.takes(f"GET {path}", name):
            raise Failure(
                Code.UNSUPPORTED,
                f"This ArchiveBox ({context.description.version}) cannot filter by `{name}` here.",
                "Leave it out, or the user updates ArchiveBox.",
            )
    offset = 0
    while True:
        answer = await context.api.get(path, **requested, limit=PAGE, offset=offset)
        # With the first page already, before anything is gone through or changed.
        if int(answer["total_items"]) > MOST:
            raise Failure(
                Code.INVALID_ARGUMENT,
                f"The filters leave {answer['total_items']} records; {MOST:,} are gone through "
                "at most.",
                "Narrow them, for example by `since` and `until`.",
            )
        for item in answer["items"]:
            yield item
        offset += len(answer["items"])
        if not answer["items"] or offset >= int(answer["total_items"]):
            return
