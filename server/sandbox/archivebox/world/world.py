"""Everything an ArchiveBox holds: computed from (seed, number) at the start, changed by callers and
by the runner."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from server.sandbox.archivebox.dialect import Dialect
from server.sandbox.archivebox.world.outputs import (
    PLUGINS,
    Plugin,
    found_title,
    outcome,
)
from server.sandbox.archivebox.world.pages import Page, page_at, page_of
from server.sandbox.archivebox.world.pages_sites import SITES, SPARE_TAGS
from server.sandbox.archivebox.world.records import (
    Crawl,
    Persona,
    Result,
    Snapshot,
    Tag,
    User,
    time_id,
)
from server.sandbox.ids import draw

ADMIN = User(1, "admin", "sandbox", True)
SYSTEM = User(2, "system", "", True)
READER = User(3, "reader", "reader", False)
USERS = (ADMIN, SYSTEM, READER)

# How many snapshots the crawls have, newest first, and what is still going on in the two newest.
_SIZES = (4, 2, 3, 1, 4, 2, 7, 1, 3, 5, 1, 9)
_UNFINISHED = ("queued", "queued", "started", "sealed", "paused", "paused")
_DAYS, _DENSITY = 130.0, 1.7
_STARTED_PLUGINS = 4


class World:
    """One ArchiveBox. `moment` is its time of day, which moves with the clock."""

    def __init__(
        self,
        dialect: Dialect,
        count: int,
        seed: int,
        anchor: datetime,
        clock: Callable[[], float],
        *,
        public: bool,
    ) -> None:
        self.dialect = dialect
        self.seed = seed
        self.anchor = anchor
        self.public = public
        self.clock = clock
        self.tags: dict[int, Tag] = {}
        self.crawls: dict[str, Crawl] = {}
        self.snapshots: dict[str, Snapshot] = {}
        self.personas: dict[str, Persona] = {}
        self.schedules: dict[str, str] = {}
        self._started = clock()
        self._made = count
        self._last_tag = 0
        self._fill(count)

    def moment(self, at: float | None = None) -> datetime:
        """The time of day now, or at a reading of the clock."""
        return self.anchor + timedelta(seconds=(self.clock() if at is None else at) - self._started)

    def new_id(self, moment: datetime, purpose: int = 60) -> str:
        """An id that nothing has yet."""
        self._made += 1
        return time_id(moment, self.seed, self._made, purpose)

    def page(self, url: str) -> Page:
        """What is on the web at that URL."""
        known = next((each.page for each in self.snapshots.values() if each.url == url), None)
        return known or page_at(url)

    def results(self, snapshot: Snapshot) -> list[Result]:
        """The snapshot's results, in the order of the plugins."""
        if snapshot.results is None:
            snapshot.results = []
            plugins = PLUGINS if snapshot.status != "started" else PLUGINS[:_STARTED_PLUGINS]
            at = snapshot.created_at + timedelta(seconds=0.5)
            for plugin in plugins:
                self.run_plugin(snapshot, plugin, at)
                at += timedelta(seconds=plugin.seconds)
        return snapshot.results

    def plugins(self, crawl: Crawl) -> list[Plugin]:
        """The plugins that a crawl uses: all, or those that it names."""
        wanted = {
            name.strip()
            for name in str(crawl.settings.get("PLUGINS", "")).split(",")
            if name.strip()
        }
        return [plugin for plugin in PLUGINS if not wanted or plugin.name in wanted]

    def run_plugin(self, snapshot: Snapshot, plugin: Plugin, at: datetime) -> None:
        """Add the result of a plugin that ran at that time."""
        if self.dialect.old and plugin.legacy is None:
            return
        made = outcome(snapshot.page, plugin.name)
        number = int(snapshot.id[-12:], 16) + PLUGINS.index(plugin)
        ended = at + timedelta(seconds=plugin.seconds)
        found = snapshot.results if snapshot.results is not None else []
        snapshot.results = found
        status = "skipped" if self.dialect.old and made.status == "noresults" else made.status
        found.append(
            Result(
                time_id(at, self.seed, number, 61),
                snapshot,
                plugin.name,
                plugin.hook,
                status,
                made.output,
                made.files,
                at,
                ended,
                time_id(at, self.seed, number, 62),
            )
        )

    def all_results(self) -> Iterator[Result]:
        """Every result, snapshot by snapshot."""
        for snapshot in self.snapshots.values():
            yield from self.results(snapshot)

    def of_crawl(self, crawl: Crawl) -> list[Snapshot]:
        """The snapshots of a crawl."""
        return [snapshot for snapshot in self.snapshots.values() if snapshot.crawl is crawl]

    def names(self, snapshot: Snapshot) -> list[str]:
        """The snapshot's tags, sorted."""
        return sorted(self.tags[number].name for number in snapshot.tags)

    def tagged(self, tag: Tag) -> list[Snapshot]:
        """The snapshots with a tag."""
        return [snapshot for snapshot in self.snapshots.values() if tag.id in snapshot.tags]

    def tag_named(self, name: str) -> Tag | None:
        """The tag of that name, whatever its case."""
        return next((tag for tag in self.tags.values() if tag.name.lower() == name.lower()), None)

    def tag(self, name: str, creator: User = ADMIN, at: datetime | None = None) -> tuple[Tag, bool]:
        """The tag of that name, and whether it had to be made."""
        if found := self.tag_named(name):
            return found, False
        self._last_tag += 1
        moment = at or self.moment()
        tag = Tag(
            self._last_tag,
            name,
            moment,
            moment,
            creator,
            time_id(moment, self.seed, self._last_tag, 63),
        )
        self.tags[tag.id] = tag
        return tag, True

    def add_crawl(self, urls: str, creator: User, **given: Any) -> Crawl:
        """A new crawl, queued."""
        moment = self.moment()
        status = given.pop("status", "queued")
        permissions = "public" if self.public else "private"
        crawl = Crawl(
            self.new_id(moment), moment, moment, creator, status, moment if status == "queued" else None, urls,
            permissions=permissions, **given,
        )  # fmt: skip
        self.crawls[crawl.id] = crawl
        for name in crawl.tags:
            self.tag(name, creator)
        return crawl

    def add_snapshot(self, crawl: Crawl, url: str, at: datetime, depth: int = 0) -> Snapshot:
        """A new snapshot of a crawl, queued, with the crawl's tags."""
        page = self.page(url)
        snapshot = Snapshot(
            self.new_id(at), crawl, url, page, None, at, at, self._timestamp(at), "queued", at, None, depth,
            {self.tag(name, crawl.created_by)[0].id for name in crawl.tags}, crawl.permissions, [],
        )  # fmt: skip
        self.snapshots[snapshot.id] = snapshot
        return snapshot

    def remove(self, snapshot: Snapshot) -> int:
        """Take a snapshot away; the number of database rows that went with it."""
        rows = 1 + len(self.results(snapshot)) + len(snapshot.tags)
        self.snapshots.pop(snapshot.id, None)
        return rows

    def _timestamp(self, at: datetime) -> str:
        taken = {snapshot.timestamp for snapshot in self.snapshots.values()}
        while f"{at.timestamp():.6f}" in taken:
            at += timedelta(microseconds=1)
        return f"{at.timestamp():.6f}"

    def _fill(self, count: int) -> None:
        self._personas()
        for name in dict.fromkeys([tag for site in SITES for tag in site.tags] + list(SPARE_TAGS)):
            self.tag(name, ADMIN, self.anchor - timedelta(days=200 - self._last_tag))
        groups: list[range] = []
        while (done := groups[-1].stop if groups else 0) < count:
            groups.append(range(done, min(count, done + _SIZES[len(groups) % len(_SIZES)])))
        for group in range(len(groups) - 1, -1, -1):
            self._past_crawl(group, len(groups), groups[group], count)

    def _past_crawl(self, group: int, groups: int, backs: range, count: int) -> None:
        age = (0.01, 0.06)[group] if group < 2 else 0.2 + _DAYS * ((group - 1) / groups) ** _DENSITY
        jitter = draw(self.seed, group, 64) % 1_000_000
        at = self.anchor - timedelta(days=age, microseconds=jitter)
        creator = SYSTEM if group % 9 == 5 else READER if group % 13 == 7 else ADMIN
        site = SITES[draw(self.seed, group, 65) % len(SITES)]
        status = ("started", "paused")[group] if group < 2 else "sealed"
        crawl = Crawl(
            time_id(at, self.seed, group, 66), at, at + timedelta(seconds=30), creator, self._known(status),
            at + timedelta(hours=9) if group < 2 else None, "", max_depth=int(len(backs) > 4), tags=list(site.tags),
            permissions="private" if site.private or not self.public else "public",
            label=f"{creator.name}@tidewater $ archivebox add [{at:%Y-%m-%d__%H-%M-%S}]",
        )  # fmt: skip
        self.crawls[crawl.id] = crawl
        for place, back in enumerate(reversed(backs)):
            self._past_snapshot(
                crawl, group, count - 1 - back, back, at + timedelta(seconds=1 + 2 * place)
            )
        roots = [snapshot.url for snapshot in self.of_crawl(crawl)]
        crawl.urls = "\n".join(roots[:1] if crawl.max_depth else roots)

    def _past_snapshot(
        self, crawl: Crawl, group: int, number: int, back: int, at: datetime
    ) -> None:
        taken = {snapshot.url for snapshot in self.of_crawl(crawl)}
        page = page_of(self.seed, number, back, group)
        for again in range(1, 40):
            if page.url not in taken:
                break
            page = page_of(self.seed, number + again * 1_000_003, back, group)
        status = self._known(_UNFINISHED[back] if back < len(_UNFINISHED) else "sealed")
        done = at + timedelta(seconds=8) if status == "sealed" else None
        names = [*page.tags, *self._extra_tags(number)]
        snapshot = Snapshot(
            time_id(at, self.seed, number, 67), crawl, page.url, page, found_title(page) if done else None, at,
            done or at, f"{at.timestamp():.6f}", status, None if done else at + timedelta(hours=9), done,
            int(crawl.max_depth > 0 and bool(taken)), {self.tag(name)[0].id for name in names},
            "private" if page.private or not self.public else "public", None if status in ("sealed", "started") else [],
        )  # fmt: skip
        self.snapshots[snapshot.id] = snapshot

    def _extra_tags(self, number: int) -> list[str]:
        bits = draw(self.seed, number, 68)
        chances = (("to-read", 12), ("research", 15), ("Long Reads", 20), ("café", 25))
        return [
            name
            for place, (name, one_in) in enumerate(chances)
            if (bits >> 8 * place) % one_in == 0
        ]

    def _known(self, status: str) -> str:
        return status if status in self.dialect.statuses else "queued"

    def _personas(self) -> None:
        born = self.anchor - timedelta(days=240)
        plain = {"RESOLUTION": "1440,2000", "USER_AGENT": ""}
        secret = {
            "COOKIES_FILE": "/data/personas/Reader/cookies.txt",
            "TWOCAPTCHA_API_KEY": "sandbox-captcha-secret",
        }
        for number, (name, config) in enumerate(
            (("Default", plain), ("Reader", {**plain, **secret}))
        ):
            persona = Persona(time_id(born, self.seed, number, 69), name, born, ADMIN, dict(config))
            self.personas[persona.id] = persona
