"""The three workspaces. Two of them share a word of their name, as real brands do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from server.sandbox.words import (
    COFFEE,
    OUTDOOR,
    SKINCARE,
    Theme,
)


@dataclass(frozen=True)
class View:
    """A saved view: conditions and order as the inputs of `items` and `creators` spell them.

    `days` adds a takenAt window that ends now, for views such as "last 30 days".
    """

    name: str
    filters: dict[str, Any]
    conditions: tuple[dict[str, Any], ...] = ()
    sort: tuple[dict[str, str], ...] = ()
    days: int | None = None


@dataclass(frozen=True)
class Folder:
    """A collection: one item in `every` among those between `newest` and `oldest` days old."""

    name: str
    newest: int
    oldest: int
    every: int


@dataclass(frozen=True)
class Shelf:
    """A group of collections and views, by their names and in its order."""

    name: str
    collections: tuple[str, ...] = ()
    views: tuple[str, ...] = ()
    creator_views: tuple[str, ...] = ()
    profile_views: tuple[str, ...] = ()


@dataclass(frozen=True)
class Insights:
    """What a plan with Competitor Insights shows.

    competitors: names of the tracked brands. products: what these sell. unavailable: the brand
    whose metrics cannot be had at present. own: whether there are metrics of the own brand.
    """

    competitors: tuple[str, ...]
    products: tuple[str, ...]
    unavailable: str | None = None
    own: bool = True


@dataclass(frozen=True)
class Brand:
    """One workspace. `items` None means as many as the sandbox was asked for.

    refetch: whether metrics may be refreshed on demand. money: whether the plan reports earned
    media value. insights: None where the plan is without Competitor Insights. old_collections:
    collections are kept in the older format: items can be put in and taken out, but the collections
    themselves not be managed.
    """

    id: str
    name: str
    handle: str
    theme: Theme
    items: int | None
    creators: int
    refetch: bool
    money: bool
    keywords: tuple[str, ...]
    integrations: tuple[tuple[str, str, str], ...]
    campaigns: tuple[str, ...]
    folders: tuple[Folder, ...]
    views: tuple[View, ...]
    creator_views: tuple[View, ...]
    profile_views: tuple[View, ...] = ()
    insights: Insights | None = None
    groups: tuple[Shelf, ...] = ()
    old_collections: bool = False


_TOP = ({"sortKey": "EARNED_MEDIA_VALUE", "sortOrder": "DESC"},)

BRANDS = (
    Brand(
        id="7c1f6a52-3d0e-4b8a-9a41-52e0c6d9b117",
        name="Northwind Skincare",
        handle="northwindskincare",
        theme=SKINCARE,
        items=None,
        creators=640,
        refetch=True,
        money=True,
        keywords=("northwind serum", "glacier serum"),
        integrations=(
            ("northwindskincare", "INSTAGRAM", "CONNECTED"),
            ("northwindskincare", "TIKTOK", "CONNECTED"),
            ("northwind.eu", "INSTAGRAM", "DISCONNECTED"),
            ("northwind-tv", "YOUTUBE", "PENDING"),
        ),
        campaigns=("Glacier Launch", "Summer SPF", "Creator Gifting 2026"),
        folders=(
            Folder("Q3 Report", 50, 142, 9),
            Folder("Q2 Report", 142, 233, 9),
            Folder("Team Favourites", 0, 400, 40),
            Folder("Website Gallery", 0, 700, 60),
            Folder("Holiday Moodboard", 300, 400, 12),
            Folder("Empty Shelf", 0, 0, 1),
        ),
        views=(
            View("All Reels", {"itemTypes": ["REEL"]}),
            View("TikTok Top Earners", {"provider": "TIKTOK", "itemTypes": ["TIKTOK"]}, sort=_TOP),
            View("Stories, last 30 days", {"itemTypes": ["STORY", "TIKTOK_STORY"]}, days=30),
            View("High Virality", {"viralityScore": ["HIGH"]}, sort=_TOP),
            View(
                "Berlin Creators", {"creatorLocations": [{"country": "Germany", "city": "Berlin"}]}
            ),
            View("Rights Approved", {"usageRightsStatus": ["APPROVED"]}),
            View(
                "Five-Star Posts",
                {},
                conditions=(
                    {
                        "field": "review_score",
                        "operator": "MORE_THAN_OR_EQUAL",
                        "type": "NUMBER",
                        "value": 5,
                    },
                ),
            ),
            View("Reels, last 90 days", {"itemTypes": ["REEL"]}, days=90),
        ),
        creator_views=(
            View(
                "VIP Creators",
                {},
                conditions=(
                    {
                        "field": "labels",
                        "operator": "CONTAINS",
                        "type": "MULTIPLE_SELECT_V2",
                        "value": ["VIP"],
                    },
                ),
            ),
            # Narrowed by filters alone: the API stores them and returns everybody.
            View("Berlin Crew", {"locations": [{"city": "Berlin"}]}),
            View(
                "Favourites by Reach",
                {},
                conditions=(
                    {"field": "favourite", "operator": "IS", "type": "BOOLEAN", "value": True},
                ),
                sort=({"sortKey": "FOLLOWERS_COUNT", "sortOrder": "DESC"},),
            ),
        ),
        groups=(
            Shelf("Reporting", ("Q3 Report", "Q2 Report"), ("TikTok Top Earners", "High Virality")),
            Shelf(
                "Community",
                (),
                ("Berlin Creators",),
                ("VIP Creators", "Berlin Crew"),
                ("Verified on TikTok",),
            ),
            Shelf("Website", ("Website Gallery",), ("Rights Approved", "Five-Star Posts")),
        ),
        profile_views=(
            View("Verified on TikTok", {"platform": "TIKTOK"}),
            View(
                "Favourites by Audience",
                {},
                conditions=(
                    {"field": "favourite", "operator": "IS", "type": "BOOLEAN", "value": True},
                ),
                sort=({"sortKey": "FOLLOWERS_COUNT", "sortOrder": "DESC"},),
            ),
        ),
        insights=Insights(
            competitors=(
                "Fjordlight",
                "Dew & Daughter",
                "Salt Orchard",
                "Maison Brume",
                "Plainskin",
                "Nine Petals",
                "Kelp Theory",
                "Halden Apothecary",
            ),
            products=(
                "Hydra Serum",
                "Night Balm",
                "Clay Mask",
                "Milk Cleanser",
                "Sun Fluid SPF 30",
            ),
            unavailable="Nine Petals",
        ),
    ),
    Brand(
        id="b25d0e94-8f63-4c17-8e2b-0d7a41f3c6a8",
        name="Northwind Outdoor",
        handle="northwindoutdoor",
        theme=OUTDOOR,
        items=900,
        creators=180,
        refetch=False,
        money=True,
        keywords=("northwind outdoor",),
        integrations=(
            ("northwindoutdoor", "INSTAGRAM", "CONNECTED"),
            ("northwindoutdoor", "YOUTUBE", "CONNECTED"),
        ),
        campaigns=("Trail Week",),
        folders=(Folder("Q4 Report", 0, 60, 8), Folder("Catalogue 2026", 0, 500, 15)),
        views=(View("YouTube", {"provider": "YOUTUBE"}), View("This week", {}, days=7)),
        creator_views=(View("All Creators", {}),),
        groups=(Shelf("Trail Team", ("Q4 Report",), ("YouTube",), ("All Creators",)),),
        insights=Insights(
            competitors=("Cairn & Co", "Tarn Supply", "Grey Wolf Gear"),
            products=("Daypack", "Rain Shell", "Merino Layer", "Two-Person Tent"),
            own=False,
        ),
    ),
    Brand(
        id="e90a7b3c-15d4-4f2e-b6c8-93f51a2d704e",
        name="Bluebird Coffee",
        handle="bluebirdcoffee",
        theme=COFFEE,
        items=350,
        creators=90,
        refetch=True,
        money=False,
        keywords=(),
        integrations=(("bluebirdcoffee", "INSTAGRAM", "CONNECTED"),),
        campaigns=(),
        folders=(Folder("Menu Photos", 0, 500, 10),),
        old_collections=True,
        views=(View("Latest", {}, days=30),),
        creator_views=(),
    ),
)
