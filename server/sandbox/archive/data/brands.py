"""The brands behind the three workspaces, each described by a TOML file beside this module."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from server.sandbox.words import read_toml

# The ids stand here and not in the files, because tests and tools import them as constants.
MAIN = "7c1f6a52-3d0e-4b8a-9a41-52e0c6d9b117"
OUTDOOR = "b25d0e94-8f63-4c17-8e2b-0d7a41f3c6a8"
COFFEE = "e90a7b3c-15d4-4f2e-b6c8-93f51a2d704e"
# The order is part of every record: ids and draws start from the place of the workspace in it.
_FILES = {
    MAIN: "northwind_skincare.toml",
    OUTDOOR: "northwind_outdoor.toml",
    COFFEE: "bluebird_coffee.toml",
}


@dataclass(frozen=True)
class Theme:
    """What people say about a brand, in texts with places to fill.

    `{p}` is the product, `{c}` the city and `{h}` the handle of the brand.
    """

    products: tuple[str, ...]
    openers: tuple[str, ...]
    bodies: tuple[str, ...]
    closers: tuple[str, ...]
    spoken: tuple[str, ...]
    hashtags: tuple[str, ...]


@dataclass(frozen=True)
class IntegrationSpec:
    """An account that the brand connected to Archive."""

    handle: str
    provider: str
    status: str


@dataclass(frozen=True)
class ViewSpec:
    """A saved view: conditions and order as the inputs of `items` and `creators` spell them.

    `days` adds a takenAt window that ends now, for views such as "last 30 days".
    """

    name: str
    filters: dict[str, Any] = field(default_factory=dict)
    conditions: tuple[dict[str, Any], ...] = ()
    sort: tuple[dict[str, str], ...] = ()
    days: int | None = None


@dataclass(frozen=True)
class CollectionSpec:
    """A collection: one item in `every` among those between `newest` and `oldest` days old."""

    name: str
    newest: int
    oldest: int
    every: int


@dataclass(frozen=True)
class GroupSpec:
    """A group of collections and views, by their names and in its order."""

    name: str
    collections: tuple[str, ...] = ()
    content_views: tuple[str, ...] = ()
    creator_views: tuple[str, ...] = ()
    profile_views: tuple[str, ...] = ()


@dataclass(frozen=True)
class Insights:
    """What a plan with Competitor Insights shows.

    competitors: names of the tracked brands. products: what these sell. unavailable: the brand
    whose metrics cannot be read at present. has_own_metrics: whether the own brand is measured too.
    """

    competitors: tuple[str, ...]
    products: tuple[str, ...]
    unavailable: str | None = None
    has_own_metrics: bool = True


@dataclass(frozen=True)
class Brand:
    """One brand and the plan of its workspace.

    item_count: None where the sandbox decides. can_refetch: whether metrics may be refreshed on
    demand. has_earned_media_value: whether the plan reports it. has_legacy_collections: whether
    collections have the older format, which takes items but cannot be managed itself. insights:
    None where the plan is without Competitor Insights.
    """

    id: str
    name: str
    handle: str
    theme: Theme
    creator_count: int
    can_refetch: bool
    has_earned_media_value: bool
    keywords: tuple[str, ...]
    integrations: tuple[IntegrationSpec, ...]
    campaigns: tuple[str, ...]
    collections: tuple[CollectionSpec, ...]
    content_views: tuple[ViewSpec, ...]
    creator_views: tuple[ViewSpec, ...] = ()
    profile_views: tuple[ViewSpec, ...] = ()
    insights: Insights | None = None
    groups: tuple[GroupSpec, ...] = ()
    has_legacy_collections: bool = False
    item_count: int | None = None


@cache
def load_brands() -> tuple[Brand, ...]:
    """Return the brands in the order of their workspaces."""
    # Every sandbox starts from the same brands, so the files are read once.
    folder = Path(__file__).parent
    return tuple(read_toml(Brand, folder / name, id=key) for key, name in _FILES.items())
