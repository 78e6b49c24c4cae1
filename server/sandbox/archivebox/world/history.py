"""The records that an ArchiveBox holds when the sandbox starts: personas, tags, and crawls that
become rarer the longer ago they were."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import cycle

from server.sandbox.archivebox.world.outputs import extract_title
from server.sandbox.archivebox.world.pages import Page, make_page
from server.sandbox.archivebox.world.records import (
    ADMIN,
    READER,
    SYSTEM,
    Crawl,
    Persona,
    Snapshot,
    User,
    make_time_id,
)
from server.sandbox.archivebox.world.sites import Site, load_catalog
from server.sandbox.archivebox.world.world import World
from server.sandbox.ids import draw

# How many snapshots the crawls have, newest first, over and over.
_SIZES = (4, 2, 3, 1, 4, 2, 7, 1, 3, 5, 1, 9)
# What is still going on in the two newest crawls, by the place of the snapshot.
_OPEN_CRAWLS = ("started", "paused")
_OPEN_CRAWL_AGES = (0.01, 0.06)
_OPEN_SNAPSHOTS = ("queued", "queued", "started", "sealed", "paused", "paused")
_DAYS, _DENSITY = 130.0, 1.7
# Later than any test or demo runs, so that the runner does not finish them by itself.
_RETRY_AFTER = timedelta(hours=9)
_PERSONA_CONFIG = {"RESOLUTION": "1440,2000", "USER_AGENT": ""}
_PERSONA_SECRETS = {
    "COOKIES_FILE": "/data/personas/Reader/cookies.txt",
    "TWOCAPTCHA_API_KEY": "sandbox-captcha-secret",
}
# One snapshot in so many carries these tags, whatever its site.
_EXTRA_TAGS = (("to-read", 12), ("research", 15), ("Long Reads", 20), ("café", 25))
_MOST_DRAWS = 40


def fill_world(world: World, count: int) -> None:
    """Add the personas, the tags and the crawls with `count` snapshots to an empty world."""
    _add_personas(world)
    catalog = load_catalog()
    names = [tag for site in catalog.sites for tag in site.tags]
    for number, name in enumerate(dict.fromkeys([*names, *catalog.spare_tags])):
        world.ensure_tag(name, ADMIN, world.anchor - timedelta(days=200 - number))
    groups = _divide(count)
    # Oldest first: records are numbered and listed in the order in which they came to be.
    for group in reversed(range(len(groups))):
        _add_crawl(world, group, groups, count)


def _divide(count: int) -> list[range]:
    """Return which snapshots belong to which crawl, newest first."""
    groups: list[range] = []
    start = 0
    for size in cycle(_SIZES):
        if start >= count:
            break
        groups.append(range(start, min(count, start + size)))
        start += size
    return groups


def _add_personas(world: World) -> None:
    birth = world.anchor - timedelta(days=240)
    configs = {"Default": {**_PERSONA_CONFIG}, "Reader": {**_PERSONA_CONFIG, **_PERSONA_SECRETS}}
    for number, (name, config) in enumerate(configs.items()):
        id = make_time_id(birth, world.seed, number, 69)
        world.personas[id] = Persona(id, name, birth, ADMIN, config)


def _add_crawl(world: World, group: int, groups: list[range], count: int) -> None:
    backs = groups[group]
    is_open = group < len(_OPEN_CRAWLS)
    start = _choose_start(world, group, len(groups))
    creator = _choose_creator(group)
    sites = load_catalog().sites
    site = sites[draw(world.seed, group, 65) % len(sites)]
    crawl = Crawl(
        id=make_time_id(start, world.seed, group, 66),
        created_at=start,
        modified_at=start + timedelta(seconds=30),
        created_by=creator,
        status=_restrict(world, _OPEN_CRAWLS[group] if is_open else "sealed"),
        retry_at=start + _RETRY_AFTER if is_open else None,
        urls="",
        max_depth=int(len(backs) > 4),
        tags=list(site.tags),
        permissions=_choose_permissions(world, site),
        label=f"{creator.name}@tidewater $ archivebox add [{start:%Y-%m-%d__%H-%M-%S}]",
    )
    world.crawls[crawl.id] = crawl
    for place, back in enumerate(reversed(backs)):
        number = count - 1 - back
        _add_snapshot(world, crawl, group, number, back, start + timedelta(seconds=1 + 2 * place))
    urls = [snapshot.url for snapshot in world.list_snapshots(crawl)]
    # A crawl that followed links was given the first address only and found the others.
    crawl.urls = "\n".join(urls[:1] if crawl.max_depth else urls)


def _choose_start(world: World, group: int, groups: int) -> datetime:
    if group < len(_OPEN_CRAWL_AGES):
        age = _OPEN_CRAWL_AGES[group]
    else:
        age = 0.2 + _DAYS * ((group - 1) / groups) ** _DENSITY
    # Without it all crawls would start at the same fraction of a second.
    jitter = draw(world.seed, group, 64) % 1_000_000
    return world.anchor - timedelta(days=age, microseconds=jitter)


def _choose_creator(group: int) -> User:
    if group % 9 == 5:
        return SYSTEM
    if group % 13 == 7:
        return READER
    return ADMIN


def _add_snapshot(
    world: World, crawl: Crawl, group: int, number: int, back: int, start: datetime
) -> None:
    crawl_urls = {snapshot.url for snapshot in world.list_snapshots(crawl)}
    page = _choose_page(world, group, number, back, crawl_urls)
    is_open = back < len(_OPEN_SNAPSHOTS)
    status = _restrict(world, _OPEN_SNAPSHOTS[back] if is_open else "sealed")
    end = start + timedelta(seconds=8) if status == "sealed" else None
    snapshot = Snapshot(
        id=make_time_id(start, world.seed, number, 67),
        crawl=crawl,
        url=page.url,
        page=page,
        title=extract_title(page) if end else None,
        created_at=start,
        modified_at=end or start,
        timestamp=f"{start.timestamp():.6f}",
        status=status,
        retry_at=None if end else start + _RETRY_AFTER,
        downloaded_at=end,
        depth=int(crawl.max_depth > 0 and bool(crawl_urls)),
        tags=world.ensure_tags([*page.tags, *_choose_extra_tags(world, number)]),
        permissions=_choose_permissions(world, page),
        # None: the results are made when somebody asks for them.
        results=None if status in ("sealed", "started") else [],
    )
    world.snapshots[snapshot.id] = snapshot


def _choose_page(world: World, group: int, number: int, back: int, crawl_urls: set[str]) -> Page:
    """Return a page that the crawl does not have yet, as long as there is one."""
    page = make_page(world.seed, number, back, group)
    for attempt in range(1, _MOST_DRAWS):
        if page.url not in crawl_urls:
            break
        page = make_page(world.seed, number + attempt * 1_000_003, back, group)
    return page


def _choose_extra_tags(world: World, number: int) -> list[str]:
    bits = draw(world.seed, number, 68)
    return [
        name
        for place, (name, one_in) in enumerate(_EXTRA_TAGS)
        if (bits >> 8 * place) % one_in == 0
    ]


def _choose_permissions(world: World, source: Site | Page) -> str:
    return "public" if world.public and not source.private else "private"


def _restrict(world: World, status: str) -> str:
    """Return the status, or the nearest one that the release knows."""
    return status if status in world.dialect.statuses else "queued"
