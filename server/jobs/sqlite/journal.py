"""The journal of jobs in one file, whose lock others may hold for a moment."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import anyio

from server.jobs.sqlite.database import retry_while_busy
from server.jobs.sqlite.file import JournalFile
from server.jobs.sqlite.leases import Leases

P = ParamSpec("P")
T = TypeVar("T")

_OfFile = Callable[Concatenate[JournalFile, P], T]


def _retried(
    method: _OfFile[P, T],
) -> Callable[Concatenate[SqliteJournal, P], Coroutine[Any, Any, T]]:
    """Return the method of a journal that waits for the file's lock outside SQLite."""

    @wraps(method)
    async def call(journal: SqliteJournal, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await retry_while_busy(lambda: method(journal.file, *args, **kwargs), journal.sleep)

    return call


def _once(method: _OfFile[P, T]) -> Callable[Concatenate[SqliteJournal, P], Coroutine[Any, Any, T]]:
    """Return the method of a journal that is tried once: its caller knows better when to repeat
    it."""

    @wraps(method)
    async def call(journal: SqliteJournal, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return method(journal.file, *args, **kwargs)

    return call


class SqliteJournal:
    """Jobs and records in one file that all processes of a user share.

    Args:
        folder: where the file is; None for a journal of this process alone, gone with it.
        leases: how long an owner may be silent, and the clock for that.
        wall: seconds since the epoch.
        sleep: coroutine function that waits a number of seconds.

    The methods are those of `Journal`; none awaits anything while the file's lock is free.
    """

    def __init__(
        self,
        folder: Path | None,
        *,
        leases: Leases | None = None,
        wall: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[Any]] = anyio.sleep,
    ) -> None:
        self.file = JournalFile(folder, leases=leases, wall=wall)
        self.sleep = sleep

    @property
    def lease_seconds(self) -> float:
        return self.file.leases.seconds

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        self.file.close()

    create = _retried(JournalFile.create)
    start = _retried(JournalFile.start)
    job = _retried(JournalFile.job)
    jobs = _retried(JournalFile.jobs)
    count_others = _retried(JournalFile.count_others)
    orphans = _retried(JournalFile.orphans)
    records = _retried(JournalFile.records)
    cancel = _retried(JournalFile.cancel)
    take = _retried(JournalFile.take)
    enter = _retried(JournalFile.enter)
    add = _retried(JournalFile.add)
    checkpoint = _retried(JournalFile.checkpoint)
    mark = _retried(JournalFile.mark)
    end = _retried(JournalFile.end)
    # The watcher looks again in a second, and a turn that the limiter gave does not wait.
    renew = _once(JournalFile.renew)
    is_cancelled = _once(JournalFile.is_cancelled)
    admit = _once(JournalFile.admit)
