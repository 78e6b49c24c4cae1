"""Which saved pages a change is about, found the same way on every version."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from typing import Any

from server.archivebox.context import ArchiveBoxContext
from server.archivebox.filters import Domain, has_tag
from server.archivebox.moments import after_last
from server.errors import Code, Failure
from tools.archivebox.patterns import stored_tags

MOST = 20_000
"""Records that a query may select or go through."""
PAGE = 200

Json = dict[str, Any]


@dataclass(frozen=True)
class PageQuery:
    """Filters that all have to fit; dates are those of the listed records, the last moment of the
    time included."""

    search: str | None = None
    tag: str | None = None
    domain: str | None = None
    since: str | None = None
    until: str | None = None

    def given(self) -> bool:
        """Return whether there is any filter."""
        return any(asdict(self).values())

    def has(self, url: str) -> bool:
        """Return whether a page is on the domain; True where no domain is asked for."""
        return self.domain is None or Domain.parse(self.domain).has(url)

    async def snapshots(self, context: ArchiveBoxContext, **more: Any) -> list[Json]:
        """Return the saved pages that fit, without their outputs."""
        params = {"search": self.search, **self._times(), **more}
        # The server compares a tag letter by letter, and has one in several spellings at times.
        tags = await stored_tags(context.api, self.tag) if self.tag else [None]
        result: dict[str, Json] = {}
        for tag in tags:
            async for entry in list_records(context, "/core/snapshots", {**params, "tag": tag}):
                # The server's filter takes a whole URL, not a host.
                if self.has(entry["url"]):
                    result[str(entry["id"])] = entry
        return list(result.values())

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

    def _times(self) -> Json:
        end = after_last(self.until) if self.until else None
        return {"created_at__gte": self.since, "created_at__lt": end}


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
