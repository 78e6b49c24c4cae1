"""Removes exports that are older than the days they are kept for, whosever they are."""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import anyio
from anyio import to_thread

from server import wall_clock
from server.errors import Failure
from server.exports import ExportFolder, discard, list_leftovers
from server.team.files.exports import FILES, NAMES, PEOPLE
from server.team.files.store import FileStore

log = logging.getLogger("archive_mcp.team")

_EVERY_SECONDS = 3600.0
# No file takes longer to the store.
_UPLOAD = timedelta(days=1)
_DIGEST = re.compile(r"[0-9a-f]{32}")


class Tidying:
    """Looks every hour; that several servers and workers do makes no difference.

    Args:
        workshops: the folder of this machine that holds the folders where people's files are made.
        days: how long a file stays.
    """

    def __init__(
        self,
        store: FileStore,
        workshops: Path,
        days: int,
        now: Callable[[], datetime] = lambda: wall_clock.utc_now(),
        sleep: Callable[[float], Awaitable[object]] = anyio.sleep,
    ) -> None:
        self._store = store
        self._workshops = workshops
        self._life = timedelta(days=days)
        self._now = now
        self._sleep = sleep

    async def run(self) -> None:
        """Remove what is too old, now and then, until this is cancelled."""
        while True:
            try:
                removed = await to_thread.run_sync(self.remove_old, abandon_on_cancel=True)
            except Failure as failure:
                # The next time will do.
                log.warning("old exports were not removed: %s", failure.message)
            else:
                if removed:
                    log.info("%d exports were removed: they were too old", removed)
            await self._sleep(_EVERY_SECONDS)

    def remove_old(self) -> int:
        """Remove what is too old, and return the number of exports among it.

        Raises:
            Failure: the store fails.
        """
        until = self._now() - self._life
        removed = 0
        self._store.remove_unfinished(PEOPLE, self._now() - _UPLOAD)
        for folder in self._store.list_folders(PEOPLE):
            # What else is in the place is not this program's.
            if _DIGEST.fullmatch(folder):
                removed += self._remove_files(f"{PEOPLE}/{folder}", until)
        for path in self._list_workshops():
            _discard_working_files(ExportFolder(path), until)
        return removed

    def _remove_files(self, folder: str, until: datetime) -> int:
        files = self._store.list_files(f"{folder}/{FILES}")
        old = [file for file in files if file.modified < until]
        for file in old:
            self._store.remove(file.key)
        remaining = {file.name for file in files} - {file.name for file in old}
        # A worker that was killed between the two has claimed a name and stored nothing. Not too
        # soon: a file that comes later than its claim must not lose its name to another.
        abandoned = self._now() - _UPLOAD
        for claim in self._store.list_files(f"{folder}/{NAMES}"):
            if claim.name not in remaining and claim.modified < abandoned:
                self._store.remove(claim.key)
        return len(old)

    def _list_workshops(self) -> Iterator[Path]:
        if self._workshops.is_dir():
            yield from filter(lambda path: _DIGEST.fullmatch(path.name), self._workshops.iterdir())


def _discard_working_files(folder: ExportFolder, until: datetime) -> None:
    """Remove the working files of jobs that nobody went on with for long."""
    modified: dict[str, float] = {}
    for leftover in list_leftovers(folder):
        modified[leftover.job] = max(leftover.modified, modified.get(leftover.job, 0.0))
    for job, moment in modified.items():
        if moment < until.timestamp():
            discard(folder, job)
