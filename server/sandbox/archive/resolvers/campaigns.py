"""Campaigns: Archive docs, campaigns."""

from __future__ import annotations

from server.sandbox.archive.paging import Page, paginate
from server.sandbox.archive.resolvers.context import Info, Resolver


def campaigns(_: None, info: Info, *, first: int | None, after: str | None) -> Page:
    """Return campaigns, newest first; their ids narrow `items`."""
    workspace = info.context.workspace
    records = workspace.campaigns
    return paginate(
        f"campaigns{workspace.index}",
        range(len(records)),
        records.__getitem__,
        first=first,
        after=after,
    )


TABLE: dict[str, Resolver] = {"campaigns": campaigns}
