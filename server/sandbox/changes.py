"""What callers changed: an overlay over records that are otherwise computed.

Collections keep only the items that were put in or taken out; a refresh of metrics is finished by the clock alone,
so nothing runs in the background.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

QUEUED_SECONDS = 1.0
SECONDS = 4.0
# Price and wallet: Archive docs, operations ("3 credits per accepted item").
PRICE = 3
WALLET = 6_000


@dataclass(frozen=True)
class Refresh:
    """A paid refresh of metrics that somebody asked for; `asked` is a reading of the clock."""

    number: int
    asked: float
    items: tuple[int, ...]


@dataclass
class Changes:
    """Everything that differs from the computed records of one workspace."""

    clock: Callable[[], float]
    anchor: datetime
    created: list[str] = field(default_factory=list)
    moved: dict[int, dict[int, bool]] = field(default_factory=dict)
    refreshes: list[Refresh] = field(default_factory=list)
    wallet: int = WALLET
    revision: int = 0
    started: float = 0.0
    _latest: dict[int, Refresh] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.started = self.clock()

    def move(self, collection: int, item: int, *, inside: bool) -> None:
        """Put an item into a collection or take it out."""
        self.moved.setdefault(collection, {})[item] = inside
        self.revision += 1

    def refresh(self, items: tuple[int, ...]) -> Refresh:
        """Start a refresh of these items and pay for it."""
        made = Refresh(len(self.refreshes), self.clock(), items)
        self.refreshes.append(made)
        self.wallet -= PRICE * len(items)
        self._latest.update(dict.fromkeys(items, made))
        return made

    def age(self, refresh: Refresh) -> float:
        """Seconds since it was asked for."""
        return self.clock() - refresh.asked

    def moment(self, refresh: Refresh, after: float = 0.0) -> datetime:
        """The time of day of a refresh, `after` seconds into it."""
        return self.anchor + timedelta(seconds=refresh.asked - self.started + after)

    def active(self, item: int) -> bool:
        """Whether a running refresh covers the item."""
        latest = self._latest.get(item)
        return latest is not None and self.age(latest) < SECONDS

    def refreshed_at(self, item: int) -> datetime | None:
        """When the item's metrics were last refreshed on demand."""
        if not self._latest:
            return None
        latest = self._latest.get(item)
        if latest is None or self.age(latest) < SECONDS:
            return None
        return self.moment(latest, SECONDS)
