"""Campaigns: Archive docs, campaigns."""

from __future__ import annotations

from server.sandbox.archive.paging import Page, page
from server.sandbox.archive.resolvers.context import Info, Resolver


def campaigns(_: None, info: Info, *, first: int | None, after: str | None) -> Page:
    """Campaigns, newest first; their ids narrow `items`."""
    home = info.context.workspace
    made = home.campaigns
    return page(
        f"campaigns{home.index}", range(len(made)), made.__getitem__, first=first, after=after
    )


TABLE: dict[str, Resolver] = {"campaigns": campaigns}
