"""The background runner: what happens by itself as the clock moves on.

Nothing runs in the background here. Everything that is due is worked off, in order and with its own
time, before a request is looked at, so that a test which moves the clock sees what a caller who
waited would have seen.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from itertools import count

from server.sandbox.archivebox.world.outputs import Plugin, found_title
from server.sandbox.archivebox.world.records import FOREVER, Crawl, Snapshot
from server.sandbox.archivebox.world.world import World

APPEAR, BETWEEN, LATEST = 1.0, 0.7, 3.0
"""Seconds from adding to the first snapshot, between snapshots, and to the last one of a submission
at most."""
START = 0.5
REMOVE = 4.0
AGAIN = 3.0
"""Seconds after which a snapshot that is run again is sealed at the earliest."""
_OPEN = ("queued", "started", "paused")

Step = Callable[[float], None]


class Runner:
    """Archives what is queued, and removes what is to be deleted."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._due: list[tuple[float, int, Step]] = []
        self._order = count()
        self._coming: dict[str, int] = {}
        self._waiting: dict[str, list[Step]] = {}

    def settle(self) -> None:
        """Do everything that is due by now."""
        now = self._world.clock()
        while self._due and self._due[0][0] <= now:
            at, _, step = heapq.heappop(self._due)
            step(at)

    def running(self, crawl: Crawl) -> bool:
        """Whether the runner works on the crawl right now."""
        return crawl.status in ("queued", "started") and crawl.id in self._coming

    def take(self, crawl: Crawl, urls: list[str]) -> None:
        """Start on a crawl: its snapshots appear one after another."""
        now = self._world.clock()
        self._coming[crawl.id] = len(urls)
        for place, url in enumerate(urls):
            self._at(
                now + min(LATEST, APPEAR + BETWEEN * place), partial(self._create, crawl, url, 0)
            )
        if not urls:
            self._at(now + APPEAR, partial(self._end, crawl))

    def take_snapshot(self, snapshot: Snapshot) -> None:
        """Start on a snapshot that exists already, when it is due."""
        if snapshot.retry_at is None:
            return
        wait = (snapshot.retry_at - self._world.moment()).total_seconds()
        self._coming.setdefault(snapshot.crawl.id, 0)
        self._at(
            self._world.clock() + max(0.0, wait) + START,
            partial(self._start, snapshot, snapshot.retry_at),
        )

    def finish(self, snapshot: Snapshot) -> None:
        """Archive a snapshot while the caller waits."""
        for plugin in self._world.plugins(snapshot.crawl):
            self._world.run_plugin(snapshot, plugin, self._world.moment())
        self._complete(snapshot, self._world.clock())

    def remove(self, snapshot: Snapshot) -> None:
        """Mark a snapshot for removal, and remove it soon."""
        snapshot.status, snapshot.retry_at, snapshot.modified_at = (
            "deleting",
            FOREVER,
            self._world.moment(),
        )
        self._at(self._world.clock() + REMOVE, partial(self._remove, snapshot))

    def resume(self, crawl: Crawl) -> None:
        """Go on with a crawl that was paused."""
        for step in self._waiting.pop(crawl.id, []):
            self._at(self._world.clock() + START, step)
        for snapshot in self._world.of_crawl(crawl):
            if snapshot.status == "queued":
                self.take_snapshot(snapshot)

    def _at(self, when: float, step: Step) -> None:
        heapq.heappush(self._due, (when, next(self._order), step))

    def _create(self, crawl: Crawl, url: str, depth: int, at: float) -> None:
        if crawl.status == "paused":
            self._waiting.setdefault(crawl.id, []).append(partial(self._create, crawl, url, depth))
            return
        self._coming[crawl.id] = max(0, self._coming.get(crawl.id, 1) - 1)
        if crawl.status in ("queued", "started") and crawl.id in self._world.crawls:
            crawl.status = "started"
            crawl.modified_at = self._world.moment(at)
            if not self._known(crawl, url):
                snapshot = self._world.add_snapshot(crawl, url, self._world.moment(at), depth)
                self._at(at + START, partial(self._start, snapshot, snapshot.retry_at))
        self._close(crawl, at)

    def _known(self, crawl: Crawl, url: str) -> bool:
        """Whether the URL is not archived again: the crawl has it or is full, or only new ones are
        wanted."""
        if crawl.max_urls and len(self._world.of_crawl(crawl)) >= crawl.max_urls:
            return True
        return any(
            each.url == url
            and (each.crawl is crawl or (crawl.only_new and each.status != "deleting"))
            for each in self._world.snapshots.values()
        )

    def _start(self, snapshot: Snapshot, asked: object, at: float) -> None:
        if snapshot.status not in ("queued", "started") or snapshot.retry_at != asked:
            return
        snapshot.status, snapshot.modified_at = "started", self._world.moment(at)
        done = {result.plugin for result in self._world.results(snapshot)}
        when = at
        for plugin in self._world.plugins(snapshot.crawl):
            if plugin.name not in done:
                self._at(when + plugin.seconds, partial(self._run, snapshot, plugin))
                when += plugin.seconds
        self._at(max(when, at + (AGAIN if done else 0.0)) + START, partial(self._seal, snapshot))

    def _run(self, snapshot: Snapshot, plugin: Plugin, at: float) -> None:
        if snapshot.status != "started" or any(
            each.plugin == plugin.name for each in self._world.results(snapshot)
        ):
            return
        self._world.run_plugin(
            snapshot, plugin, self._world.moment(at) - timedelta(seconds=plugin.seconds)
        )
        if plugin.name == "parse_html_urls" and snapshot.depth < snapshot.crawl.max_depth:
            for path in ("about", "archive"):
                self._coming[snapshot.crawl.id] = self._coming.get(snapshot.crawl.id, 0) + 1
                url = f"https://{snapshot.page.host}/{path}"
                self._at(
                    at + BETWEEN, partial(self._create, snapshot.crawl, url, snapshot.depth + 1)
                )

    def _seal(self, snapshot: Snapshot, at: float) -> None:
        if snapshot.status == "started":
            self._complete(snapshot, at)

    def _complete(self, snapshot: Snapshot, at: float) -> None:
        moment = self._world.moment(at)
        snapshot.status, snapshot.retry_at, snapshot.modified_at = "sealed", None, moment
        snapshot.downloaded_at = snapshot.downloaded_at or moment
        snapshot.title = snapshot.title or found_title(snapshot.page)
        self._close(snapshot.crawl, at)

    def _close(self, crawl: Crawl, at: float) -> None:
        """Seal the crawl if nothing of it is left to do."""
        busy = any(each.status in _OPEN for each in self._world.of_crawl(crawl))
        if not busy and not self._coming.get(crawl.id):
            self._at(at + START, partial(self._end, crawl))

    def _end(self, crawl: Crawl, at: float) -> None:
        if crawl.status in ("queued", "started"):
            crawl.status, crawl.retry_at, crawl.modified_at = "sealed", None, self._world.moment(at)
        self._coming.pop(crawl.id, None)

    def _remove(self, snapshot: Snapshot, at: float) -> None:
        if snapshot.status == "deleting":
            self._world.remove(snapshot)
