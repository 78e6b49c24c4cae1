"""The background runner: what happens by itself as the clock moves on.

Nothing runs in the background here. Everything that is due is done, in order and with its own time,
before a request is looked at, so that a test which moves the clock sees what a caller who waited
would have seen.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from itertools import count

from server.sandbox.archivebox.world.outputs import Plugin, extract_title
from server.sandbox.archivebox.world.records import ACTIVE, OPEN, Crawl, Snapshot, change_status
from server.sandbox.archivebox.world.world import World

# Seconds from adding to the first snapshot, between snapshots, and to the last one of a submission
# at most; shorter than on real servers, so that tests and demos see the end.
APPEAR, BETWEEN, LATEST = 1.0, 0.7, 3.0
# Seconds between one step of the runner and the next.
START = 0.5
# Seconds after which a snapshot that is marked for removal is gone.
REMOVE = 4.0
# Seconds after which a snapshot that is run again is sealed at the earliest.
RERUN = 3.0
_LINKED_PATHS = ("about", "archive")

Step = Callable[[float], None]


class Runner:
    """Archives what is queued, and removes what is to be deleted."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._steps: list[tuple[float, int, Step]] = []
        # Two steps of the same moment run in the order in which they were planned.
        self._order = count()
        # How many snapshots of a crawl are still to appear; a crawl without an entry is not run.
        self._pending: dict[str, int] = {}
        self._deferred: dict[str, list[Step]] = {}

    def run_due_steps(self) -> None:
        """Do everything that is due by now."""
        now = self._world.clock()
        while self._steps and self._steps[0][0] <= now:
            reading, _, step = heapq.heappop(self._steps)
            step(reading)

    def is_running(self, crawl: Crawl) -> bool:
        """Return whether the runner works on the crawl right now."""
        return crawl.status in ACTIVE and crawl.id in self._pending

    def start_crawl(self, crawl: Crawl, urls: list[str]) -> None:
        """Start a crawl: its snapshots appear one after another."""
        now = self._world.clock()
        self._pending[crawl.id] = len(urls)
        for place, url in enumerate(urls):
            delay = min(LATEST, APPEAR + BETWEEN * place)
            self._plan(now + delay, partial(self._create, crawl, url, 0))
        if not urls:
            self._plan(now + APPEAR, partial(self._end, crawl))

    def start_snapshot(self, snapshot: Snapshot) -> None:
        """Start a snapshot that exists already, as soon as it is due."""
        # The real runner looks at dates only: what is queued without one stays queued for ever.
        if snapshot.retry_at is None:
            return
        wait = (snapshot.retry_at - self._world.now()).total_seconds()
        self._pending.setdefault(snapshot.crawl.id, 0)
        reading = self._world.clock() + max(0.0, wait) + START
        self._plan(reading, partial(self._start, snapshot, snapshot.retry_at))

    def archive_now(self, snapshot: Snapshot) -> None:
        """Archive a snapshot while the caller waits."""
        for plugin in self._world.list_plugins(snapshot.crawl):
            self._world.run_plugin(snapshot, plugin, self._world.now())
        self._complete(snapshot, self._world.clock())

    def remove_later(self, snapshot: Snapshot) -> None:
        """Mark a snapshot for removal, and remove it soon."""
        change_status(snapshot, "deleting", self._world.now())
        self._plan(self._world.clock() + REMOVE, partial(self._remove, snapshot))

    def resume_crawl(self, crawl: Crawl) -> None:
        """Continue a crawl that was paused."""
        for step in self._deferred.pop(crawl.id, []):
            self._plan(self._world.clock() + START, step)
        for snapshot in self._world.list_snapshots(crawl):
            if snapshot.status == "queued":
                self.start_snapshot(snapshot)

    def _plan(self, reading: float, step: Step) -> None:
        heapq.heappush(self._steps, (reading, next(self._order), step))

    def _create(self, crawl: Crawl, url: str, depth: int, reading: float) -> None:
        if crawl.status == "paused":
            step = partial(self._create, crawl, url, depth)
            self._deferred.setdefault(crawl.id, []).append(step)
            return
        self._pending[crawl.id] = max(0, self._pending.get(crawl.id, 1) - 1)
        # A crawl that was sealed or deleted in the meantime gets no more snapshots.
        if crawl.status in ACTIVE and crawl.id in self._world.crawls:
            moment = self._world.to_date(reading)
            crawl.status, crawl.modified_at = "started", moment
            if not self._is_skipped(crawl, url):
                snapshot = self._world.add_snapshot(crawl, url, moment, depth)
                step = partial(self._start, snapshot, snapshot.retry_at)
                self._plan(reading + START, step)
        self._end_if_idle(crawl, reading)

    def _is_skipped(self, crawl: Crawl, url: str) -> bool:
        """Return whether the crawl leaves the URL out: it is full, has the URL already, or takes
        only what no other crawl has."""
        if crawl.max_urls and len(self._world.list_snapshots(crawl)) >= crawl.max_urls:
            return True
        snapshots = self._world.list_by_url(url)
        if crawl in [snapshot.crawl for snapshot in snapshots]:
            return True
        # A snapshot that is about to be removed does not stand in the way of a new one.
        statuses = {snapshot.status for snapshot in snapshots}
        return crawl.only_new and bool(statuses - {"deleting"})

    def _start(self, snapshot: Snapshot, due: object, reading: float) -> None:
        # Another date means that somebody asked again, and that a later step does the work.
        if snapshot.status not in ACTIVE or snapshot.retry_at != due:
            return
        snapshot.status, snapshot.modified_at = "started", self._world.to_date(reading)
        finished = self._list_finished(snapshot)
        end = reading
        for plugin in self._world.list_plugins(snapshot.crawl):
            if plugin.name not in finished:
                end += plugin.seconds
                self._plan(end, partial(self._run, snapshot, plugin))
        # With nothing to run it would be sealed before anybody could see that it was started.
        earliest = reading + RERUN if finished else reading
        self._plan(max(end, earliest) + START, partial(self._seal, snapshot))

    def _list_finished(self, snapshot: Snapshot) -> set[str]:
        return {result.plugin for result in self._world.list_results(snapshot)}

    def _run(self, snapshot: Snapshot, plugin: Plugin, reading: float) -> None:
        if snapshot.status != "started":
            return
        # A snapshot that was started twice runs each plugin once.
        if plugin.name in self._list_finished(snapshot):
            return
        start = self._world.to_date(reading) - timedelta(seconds=plugin.seconds)
        self._world.run_plugin(snapshot, plugin, start)
        if plugin.name == "parse_html_urls" and snapshot.depth < snapshot.crawl.max_depth:
            self._follow_links(snapshot, reading)

    def _follow_links(self, snapshot: Snapshot, reading: float) -> None:
        crawl = snapshot.crawl
        for path in _LINKED_PATHS:
            self._pending[crawl.id] = self._pending.get(crawl.id, 0) + 1
            url = f"https://{snapshot.page.host}/{path}"
            step = partial(self._create, crawl, url, snapshot.depth + 1)
            self._plan(reading + BETWEEN, step)

    def _seal(self, snapshot: Snapshot, reading: float) -> None:
        if snapshot.status == "started":
            self._complete(snapshot, reading)

    def _complete(self, snapshot: Snapshot, reading: float) -> None:
        moment = self._world.to_date(reading)
        change_status(snapshot, "sealed", moment)
        snapshot.downloaded_at = snapshot.downloaded_at or moment
        snapshot.title = snapshot.title or extract_title(snapshot.page)
        self._end_if_idle(snapshot.crawl, reading)

    def _end_if_idle(self, crawl: Crawl, reading: float) -> None:
        """Seal the crawl if nothing of it is left to do."""
        if self._pending.get(crawl.id):
            return
        statuses = {snapshot.status for snapshot in self._world.list_snapshots(crawl)}
        if statuses.isdisjoint(OPEN):
            self._plan(reading + START, partial(self._end, crawl))

    def _end(self, crawl: Crawl, reading: float) -> None:
        if crawl.status in ACTIVE:
            change_status(crawl, "sealed", self._world.to_date(reading))
        self._pending.pop(crawl.id, None)

    def _remove(self, snapshot: Snapshot, reading: float) -> None:
        # The status may have changed back in the meantime.
        if snapshot.status == "deleting":
            self._world.remove_snapshot(snapshot)
