"""The pace of all replicas of a team's server: records in PostgreSQL or Redis.

A change is made from the record as this process last saw it, and written only if that is still the
record; else it is made anew from the one that came back. So a change mostly costs one question to
the server, no replica ever holds a lock, and one that is suspended in the middle of a change blocks
nobody. A key without a record starts with a pause: the server may have lost it, by a crash or by a
failover to one that never had it.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Generic, Protocol, TypeVar

from server.errors import Failure
from server.limiter.jitter import Rules, robust_maximum
from server.limiter.pace_store import Busy, Record
from server.team.store.clock import StoreClock

T = TypeVar("T")
Version = TypeVar("Version")
A = TypeVar("A", bound="Answer")

# Of more keys the record is read before it is changed.
_MOST_REMEMBERED = 1000
_KEPT_LATENCIES = 16
# Seconds: a server that answers more slowly delays sends, rather than make each wait so long.
_LONGEST_LEAD = 0.1


class Answer(Protocol):
    """What the server answered; `server_time` is its clock, in seconds."""

    @property
    def server_time(self) -> float: ...


@dataclass(frozen=True)
class Reading(Generic[Version]):
    """A record and what tells it from later ones; both None where the key has none."""

    server_time: float
    version: Version | None
    record: Record | None


@dataclass(frozen=True)
class Swap(Generic[Version]):
    """Whether a record was written, and what the key has now; None where that is not known."""

    server_time: float
    is_done: bool
    now: Reading[Version] | None


class SharedPace(ABC, Generic[Version]):
    """A `PaceStore` on a server, by reading and swapping; the two steps are the subclass's.

    Args:
        window: Length of the API's window in seconds.
        clock: Monotonic clock of this process in seconds.
    """

    keeps_history = False

    def __init__(self, *, window: float = 1.0, clock: Callable[[], float] = time.monotonic) -> None:
        rules = Rules(window)
        self.clock = StoreClock(rules.span(rules.slowest), clock)
        self._latencies: deque[float] = deque(maxlen=_KEPT_LATENCIES)
        self._seen: OrderedDict[str, Reading[Version]] = OrderedDict()

    @property
    def offset(self) -> float:
        """See `PaceStore.offset`."""
        return self.clock.offset

    @property
    def safe_from(self) -> float:
        """See `PaceStore.safe_from`."""
        return self.clock.safe_from

    @property
    def lead(self) -> float:
        """See `PaceStore.lead`."""
        return min(_LONGEST_LEAD, robust_maximum(self._latencies))

    async def start(self) -> None:
        """Read the server's clock, so that the pause of a new process begins now."""
        await self._read_latest("", None)

    async def transact(
        self,
        key: str,
        change: Callable[[Record | None], tuple[T, Record]],
        *,
        patience: float | None = None,
    ) -> T:
        """See `PaceStore.transact`."""
        until = None if patience is None else self.clock.now() + patience
        seen = self._seen.get(key) if self.clock.is_fresh else None
        while True:
            latest = seen or await self._read_latest(key, patience)
            try:
                result, record = change(latest.record)
            except Failure:
                if seen is None:
                    raise
                # A refusal that came from an old record may not hold.
                seen = None
                continue
            relied_on = self.clock.safe_from
            asked = self.clock.now()
            swap = await self._ask(partial(self._swap, key, latest, record, patience), patience)
            self._latencies.append(self.clock.now() - asked)
            seen = self._remember(key, swap.now)
            # Where the clock turned out to be wrong, what was decided by it does not hold.
            if swap.is_done and self.clock.safe_from == relied_on:
                return result
            # Somebody else was faster, so there is progress; only the caller's patience may end.
            if until is not None and self.clock.now() > until:
                raise Busy

    def close(self) -> None:
        """Close nothing: the connections belong to whoever opened them."""

    @abstractmethod
    async def _read(self, key: str, patience: float | None) -> Reading[Version]:
        """Return the record of a key."""

    @abstractmethod
    async def _swap(
        self, key: str, latest: Reading[Version], record: Record, patience: float | None
    ) -> Swap[Version]:
        """Write a record in the place of the latest one, if that is still there."""

    async def _read_latest(self, key: str, patience: float | None) -> Reading[Version]:
        if not self.clock.is_trusted:
            # The first question connects, which would blur the clock.
            await self._ask(partial(self._read, "", patience), patience, observe=False)
        return await self._ask(partial(self._read, key, patience), patience)

    async def _ask(
        self, ask: Callable[[], Awaitable[A]], patience: float | None, *, observe: bool = True
    ) -> A:
        """Ask the server something, and take in what it says of its clock."""
        asked = self.clock.now()
        try:
            answer = await ask()
        except Failure:
            self._note_loss()
            if patience is not None:
                raise Busy from None
            raise
        if observe:
            self.clock.observe(asked, self.clock.now(), answer.server_time)
        return answer

    def _remember(self, key: str, reading: Reading[Version] | None) -> Reading[Version] | None:
        if reading is None:
            self._seen.pop(key, None)
            return None
        self._seen[key] = reading
        self._seen.move_to_end(key)
        if len(self._seen) > _MOST_REMEMBERED:
            self._seen.popitem(last=False)
        return reading

    def _note_loss(self) -> None:
        # Whatever answers next may be another server, or have lost the last records.
        self.clock.distrust()
        self._seen.clear()
