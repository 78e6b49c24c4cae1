"""Everything an ArchiveBox holds: computed from (seed, number) at the start, changed by callers and
by the runner."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from server.sandbox.archivebox.dialect import Dialect
from server.sandbox.archivebox.world.outputs import PLUGINS, PLUGINS_BY_NAME, Plugin, run_on
from server.sandbox.archivebox.world.pages import Page, make_page_at
from server.sandbox.archivebox.world.records import (
    ADMIN,
    Crawl,
    Persona,
    Result,
    Schedule,
    Snapshot,
    Tag,
    User,
    find_all,
    find_first,
    make_time_id,
    split_names,
)

# How many plugins ran on a snapshot that is at work when the sandbox starts.
_STARTED_PLUGINS = 4


class World:
    """One ArchiveBox, empty at first. Its time of day moves with the clock, which counts seconds.

    first_id: the number from which ids are counted; those below it belong to the records of the
    start.
    """

    def __init__(
        self,
        dialect: Dialect,
        first_id: int,
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
        self.schedules: dict[str, Schedule] = {}
        # Folders without a snapshot: the timestamps that they are named after.
        self.left_folders: set[str] = set()
        self._start_reading = clock()
        self._id_count = first_id
        self._tag_count = 0

    def now(self) -> datetime:
        """Return the time of day."""
        return self.to_date(self.clock())

    def to_date(self, reading: float) -> datetime:
        """Return the time of day at a reading of the clock."""
        return self.anchor + timedelta(seconds=reading - self._start_reading)

    def make_id(self, moment: datetime, purpose: int = 60) -> str:
        """Return an id that nothing has yet."""
        self._id_count += 1
        return make_time_id(moment, self.seed, self._id_count, purpose)

    def find_page(self, url: str) -> Page:
        """Return what is on the web at that URL."""
        # The pages of the start are not a function of their URL, so that they come first.
        snapshots = self.list_by_url(url)
        return snapshots[0].page if snapshots else make_page_at(url)

    def list_results(self, snapshot: Snapshot) -> list[Result]:
        """Return the snapshot's results, in the order of the plugins."""
        if snapshot.results is not None:
            return snapshot.results
        # Made on demand: thousands of results would make every start of the sandbox slow.
        snapshot.results = []
        plugins = PLUGINS[:_STARTED_PLUGINS] if snapshot.status == "started" else PLUGINS
        moment = snapshot.created_at + timedelta(seconds=0.5)
        for plugin in plugins:
            self.run_plugin(snapshot, plugin, moment)
            moment += timedelta(seconds=plugin.seconds)
        return snapshot.results

    def list_plugins(self, crawl: Crawl) -> list[Plugin]:
        """Return the plugins that a crawl uses: all, or those that it names."""
        names = split_names(str(crawl.settings.get("PLUGINS", ""))) or PLUGINS_BY_NAME
        return find_all(PLUGINS, lambda plugin: plugin.name in names)

    def run_plugin(self, snapshot: Snapshot, plugin: Plugin, moment: datetime) -> None:
        """Add the result of a plugin that started at that time."""
        if self.dialect.old and plugin.legacy is None:
            return
        if snapshot.results is None:
            snapshot.results = []
        outcome = run_on(snapshot.page, plugin.name, self.dialect.version)
        status = outcome.status
        # The status came with 0.9.
        if self.dialect.old and status == "noresults":
            status = "skipped"
        number = int(snapshot.id[-12:], 16) + PLUGINS.index(plugin)
        snapshot.results.append(
            Result(
                id=make_time_id(moment, self.seed, number, 61),
                snapshot=snapshot,
                plugin=plugin.name,
                hook=plugin.hook,
                status=status,
                output=outcome.output,
                files=outcome.files,
                started=moment,
                ended=moment + timedelta(seconds=plugin.seconds),
                process_id=make_time_id(moment, self.seed, number, 62),
            )
        )

    def iterate_results(self) -> Iterator[Result]:
        """Yield every result, snapshot by snapshot."""
        for snapshot in self.snapshots.values():
            yield from self.list_results(snapshot)

    def list_snapshots(self, crawl: Crawl) -> list[Snapshot]:
        """Return the snapshots of a crawl."""
        return find_all(self.snapshots.values(), lambda snapshot: snapshot.crawl is crawl)

    def list_by_url(self, url: str) -> list[Snapshot]:
        """Return the snapshots of a URL."""
        return find_all(self.snapshots.values(), lambda snapshot: snapshot.url == url)

    def list_tag_names(self, snapshot: Snapshot) -> list[str]:
        """Return the names of the snapshot's tags, sorted."""
        return sorted(self.tags[number].name for number in snapshot.tags)

    def list_tagged(self, tag: Tag) -> list[Snapshot]:
        """Return the snapshots with a tag."""
        return find_all(self.snapshots.values(), lambda snapshot: tag.id in snapshot.tags)

    def find_tag(self, name: str) -> Tag | None:
        """Return the tag of that name, whatever its case."""
        return find_first(self.tags.values(), lambda tag: tag.name.lower() == name.lower())

    def ensure_tag(
        self, name: str, creator: User = ADMIN, moment: datetime | None = None
    ) -> tuple[Tag, bool]:
        """Return the tag of that name, and whether it had to be made."""
        if tag := self.find_tag(name):
            return tag, False
        # Numbers are never used again, or a tag that was deleted would come back as another one.
        self._tag_count += 1
        moment = moment or self.now()
        uuid = make_time_id(moment, self.seed, self._tag_count, 63)
        tag = Tag(self._tag_count, name, moment, moment, creator, uuid)
        self.tags[tag.id] = tag
        return tag, True

    def ensure_tags(self, names: list[str], creator: User = ADMIN) -> set[int]:
        """Return the numbers of the tags of those names, which are made where there are none."""
        return {self.ensure_tag(name, creator)[0].id for name in names}

    def add_persona(self, name: str, creator: User) -> Persona:
        """Return a new persona without settings."""
        moment = self.now()
        persona = Persona(self.make_id(moment, 83), name, moment, creator, {})
        self.personas[persona.id] = persona
        return persona

    def add_crawl(
        self, urls: str, creator: User, *, status: str = "queued", **fields: Any
    ) -> Crawl:
        """Return a new crawl; `fields` are those of the record."""
        moment = self.now()
        crawl = Crawl(
            id=self.make_id(moment),
            created_at=moment,
            modified_at=moment,
            created_by=creator,
            status=status,
            # The runner takes what is due; a crawl that is born sealed never is.
            retry_at=moment if status == "queued" else None,
            urls=urls,
            permissions="public" if self.public else "private",
            **fields,
        )
        self.crawls[crawl.id] = crawl
        self.ensure_tags(crawl.tags, creator)
        return crawl

    def add_snapshot(self, crawl: Crawl, url: str, moment: datetime, depth: int = 0) -> Snapshot:
        """Return a new snapshot of a crawl, queued, with the crawl's tags."""
        page = self.find_page(url)
        snapshot = Snapshot(
            id=self.make_id(moment),
            crawl=crawl,
            url=url,
            page=page,
            title=None,
            created_at=moment,
            modified_at=moment,
            timestamp=self._make_timestamp(moment),
            status="queued",
            retry_at=moment,
            depth=depth,
            tags=self.ensure_tags(crawl.tags, crawl.created_by),
            permissions=crawl.permissions,
            results=[],
        )
        self.snapshots[snapshot.id] = snapshot
        return snapshot

    def remove_snapshot(self, snapshot: Snapshot) -> int:
        """Remove a snapshot and return how many rows of the database went with it."""
        rows = 1 + len(self.list_results(snapshot)) + len(snapshot.tags)
        self.snapshots.pop(snapshot.id, None)
        return rows

    def _make_timestamp(self, moment: datetime) -> str:
        # Timestamps name folders on a server, so that no two snapshots may share one.
        timestamps = {snapshot.timestamp for snapshot in self.snapshots.values()}
        while f"{moment.timestamp():.6f}" in timestamps:
            moment += timedelta(microseconds=1)
        return f"{moment.timestamp():.6f}"
