"""Remembers the names of records for a while, so that typing does not read them at every letter."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import anyio

from server.errors import Failure
from server.resources.matching import Row
from server.resources.templates import Source

FRESH_SECONDS = 60.0
"""Seconds for which completions use the names that were read."""
PATIENCE_SECONDS = 8.0
"""Seconds that a completion waits for names."""
REST_SECONDS = 10.0
"""Seconds for which completions do not ask again for names that could not be read."""
_MOST_LISTS = 32

Read = Callable[[Source, Mapping[str, str]], Awaitable[list[Row]]]
Note = Callable[[Failure, Mapping[str, str]], Awaitable[None]]


@dataclass
class _NameList:
    """The names of one source, with the times of the last reading and failure in seconds."""

    lock: anyio.Lock = field(default_factory=anyio.Lock)
    rows: list[Row] = field(default_factory=list)
    read_at: float = -math.inf
    failed_at: float = -math.inf


class NameCache:
    """The names of the sources that were used last.

    Args:
        read: reads id and name of every record of a source.
        clock: the time in seconds.
        note: called with what kept names from being read.
    """

    def __init__(self, read: Read, clock: Callable[[], float], note: Note | None = None) -> None:
        self._read = read
        self._clock = clock
        self._note = note
        self._lists: dict[tuple[str, ...], _NameList] = {}

    async def get(self, source: Source, parts: Mapping[str, str]) -> list[Row]:
        """Return id and name of the records, none where they cannot be read soon."""
        names = self._open(source, parts)
        # Keystrokes overtake one another: the first reads, the others wait for what it gets.
        async with names.lock:
            now = self._clock()
            if now - names.read_at < FRESH_SECONDS:
                return names.rows
            if now - names.failed_at < REST_SECONDS:
                return []
            try:
                with anyio.fail_after(PATIENCE_SECONDS):
                    return await self.refresh(source, parts)
            except TimeoutError:
                names.failed_at = self._clock()
            except Failure as failure:
                names.failed_at = self._clock()
                if self._note is not None:
                    await self._note(failure, parts)
            return []

    async def refresh(self, source: Source, parts: Mapping[str, str]) -> list[Row]:
        """Read id and name of the records now."""
        rows = await self._read(source, parts)
        # Opened only now: meanwhile the list may have been dropped for others.
        names = self._open(source, parts)
        names.rows, names.read_at, names.failed_at = rows, self._clock(), -math.inf
        return rows

    def _open(self, source: Source, parts: Mapping[str, str]) -> _NameList:
        arguments = source.fill_arguments(parts)
        key = (source.find_operation(parts), *map(str, arguments.items()))
        # Put at the end as the one that was used last, so that the first one is the oldest.
        names = self._lists.pop(key, None) or _NameList()
        self._lists[key] = names
        while len(self._lists) > _MOST_LISTS:
            del self._lists[next(iter(self._lists))]
        return names
