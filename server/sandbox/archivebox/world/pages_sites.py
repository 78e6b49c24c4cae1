"""The sites that were archived: who they are, what they write about, and the pages a test or demo
can count on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from server.sandbox.archivebox.world.pages_text import (
    BLOG,
    DOCS,
    NEWS,
    RESEARCH,
    SHOP,
    Voice,
)

Fate = Literal["good", "partial", "blocked", "missing", "unreachable"]


@dataclass(frozen=True)
class Site:
    """One site. `path` takes `{y}` and `{slug}`; `angles` make titles from a subject."""

    host: str
    name: str
    voice: Voice
    path: str
    subjects: tuple[str, ...]
    angles: tuple[str, ...]
    tags: tuple[str, ...]
    private: bool = False


SITES = (
    Site(
        "harborpost.example", "The Harbor Post", NEWS, "/{y}/{slug}",
        ("the ferry terminal", "the night tram", "the fish market roof", "harbor dredging", "the old customs house",
         "quay parking", "the storm barrier", "the swimming pool tax", "shore power for ships", "the tide clock"),
        ("Council divided over {s}", "What the vote on {s} means", "{s}: five questions", "The long road to {s}"),
        ("news",),
    ),
    Site(
        "northline.example", "Northline News", NEWS, "/story/{slug}",
        ("the rail timetable", "wind farm permits", "school lunches", "the border ferry", "rural broadband",
         "library opening hours", "the salt works", "winter road closures"),
        ("Analysis: {s}", "Why {s} will not go away", "Timeline: {s} since 2019", "In pictures: {s}"),
        ("news", "to-read"),
    ),
    Site(
        "smallcomputers.example", "Small Computers, Long Evenings", BLOG, "/posts/{slug}",
        ("a printer that never sleeps", "static site generators", "e-ink dashboards", "backups on a shelf",
         "mechanical keyboards", "plain text calendars", "a home weather station", "feeds and readers"),
        ("Notes on {s}", "A year with {s}", "The case for {s}", "{s}, revisited"),
        ("tech",),
    ),
    Site(
        "breadandstone.example", "Bread and Stone", BLOG, "/{y}/{slug}/",
        ("sourdough in a cold kitchen", "rye crackers", "a clay oven", "olive oil buns", "yesterday's bread",
         "cardamom knots", "pickled beets", "stock from peelings"),
        ("How I make {s}", "{s} for beginners", "Everything I got wrong about {s}", "{s} on a weeknight"),
        ("recipes",),
    ),
    Site(
        "walkinglines.example", "Walking Lines", BLOG, "/trail/{slug}",
        ("the ridge above the tarns", "the coast path in November", "huts without a stove", "a walk between stations",
         "river crossings", "maps on paper", "the pilgrims' shortcut"),
        ("Three days on {s}", "{s}: a field report", "Packing for {s}", "What to eat on {s}"),
        ("hiking", "travel"),
    ),
    Site(
        "docs.lantern.example", "Lantern Framework Documentation", DOCS, "/guide/{slug}",
        ("the task queue", "signed cookies", "template inheritance", "the asset pipeline", "background migrations",
         "rate limiting", "file uploads", "health checks"),
        ("Using {s}", "{s} in production", "Troubleshooting {s}", "Reference: {s}"),
        ("docs", "tech"),
    ),
    Site(
        "tarndb.example", "TarnDB Manual", DOCS, "/manual/{slug}.html",
        ("write-ahead logs", "partial indexes", "logical backups", "the query planner", "connection pooling",
         "vacuum schedules", "JSON columns"),
        ("{s} explained", "Tuning {s}", "{s}: limits and defaults", "Upgrading and {s}"),
        ("docs",),
    ),
    Site(
        "fernandflint.example", "Fern & Flint", SHOP, "/shop/{slug}",
        ("the cast iron griddle", "the oak ladle", "the enamel kettle", "the carbon steel pan", "the pocket whetstone",
         "the linen apron", "the copper measuring set"),
        ("{s}", "{s}, large", "{s} gift set", "{s} (second choice)"),
        ("shopping",),
    ),
    Site(
        "secondreel.example", "Second Reel Cameras", SHOP, "/p/{slug}",
        ("the folding rangefinder", "the waist-level finder", "the 50 mm lens", "the leather half case",
         "the light meter", "the travel tripod"),
        ("{s}, serviced", "{s}, as found", "{s} with manual", "{s} (two left)"),
        ("shopping", "photo"),
    ),
    Site(
        "openmarsh.example", "Open Marsh Notes", RESEARCH, "/articles/{slug}",
        ("bittern calls", "night surveys", "peat depth", "eel passes", "salt meadow plants", "dragonfly counts",
         "water table loggers", "volunteer fatigue"),
        ("Estimating {s} with volunteers", "{s} in managed wetlands", "A cheap method for {s}", "Twelve years of {s}"),
        ("research",),
    ),
    Site(
        "wiki.tidewater.example", "Tidewater Team Wiki", DOCS, "/pages/{slug}",
        ("the on-call rota", "the billing export", "laptop setup", "the office move", "the release checklist"),
        ("How we do {s}", "{s} (draft)", "Decisions about {s}", "Runbook: {s}"),
        ("work",), private=True,
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Pinned:
    """A page that is always there, `back` places before the newest one."""

    back: int
    site: int
    slug: str
    title: str
    subject: str
    fate: Fate
    tags: tuple[str, ...] = ()
    extra: str = ""


PINNED = (
    Pinned(7, 2, "quiet-inbox", "Notes on a quiet inbox", "a quiet inbox", "good", ("tech", "to-read"), "injected"),
    Pinned(9, 0, "ferry-terminal-reopens", "Ferry terminal reopens after two winters", "the ferry terminal", "good",
           ("news", "research")),
    Pinned(11, 1, "storm-warning-live", "Storm warning: live updates", "the storm warning", "unreachable", ("news",)),
    Pinned(12, 5, "rate-limiting", "Rate limiting in production", "rate limiting", "partial", ("docs", "research")),
    Pinned(14, 7, "copper-pot", "The copper pot", "the copper pot", "blocked", ("shopping",)),
    Pinned(16, 9, "night-surveys", "Night surveys with volunteers: a protocol", "night surveys", "good", ("research",),
           "only-here"),
    Pinned(19, 8, "folding-rangefinder-sold", "The folding rangefinder (sold)", "the folding rangefinder", "missing",
           ("shopping", "photo")),
    Pinned(22, 10, "release-checklist", "Release checklist", "the release checklist", "good", ("work",)),
)  # fmt: skip

SPARE_TAGS = ("someday", "Long Reads", "café")
"""Tags beyond those of the sites; the first one is on no snapshot."""
