"""What callers changed: an overlay over records that are otherwise computed.

Collections keep only the items that were put in or taken out; a refresh of metrics is finished by
the clock alone, so nothing runs in the background.
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
# From the request to import a post until it is in the archive; the API says minutes.
UPLOAD_SECONDS = 3.0


@dataclass(frozen=True)
class Refresh:
    """A paid refresh of metrics that somebody asked for; `asked` is a reading of the clock."""

    number: int
    asked: float
    items: tuple[int, ...]


@dataclass(frozen=True)
class Upload:
    """A post that somebody asked to import, told by its platform's code; `asked` is a reading of
    the clock."""

    number: int
    asked: float
    url: str
    provider: str
    code: str


@dataclass
class Changes:
    """Everything that differs from the computed records of one workspace."""

    clock: Callable[[], float]
    anchor: datetime
    moved: dict[int, dict[int, bool]] = field(default_factory=dict)
    refreshes: list[Refresh] = field(default_factory=list)
    uploads: list[Upload] = field(default_factory=list)
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

    def empty(self, collection: int) -> None:
        """Forget what was put into a collection or taken out of it, because it is gone."""
        self.moved.pop(collection, None)
        self.revision += 1

    @property
    def now(self) -> datetime:
        """The time of day."""
        return self.anchor + timedelta(seconds=self.clock() - self.started)

    def refresh(self, items: tuple[int, ...]) -> Refresh:
        """Start a refresh of these items and pay for it."""
        made = Refresh(len(self.refreshes), self.clock(), items)
        self.refreshes.append(made)
        self.wallet -= PRICE * len(items)
        self._latest.update(dict.fromkeys(items, made))
        return made

    def upload(self, url: str, provider: str, code: str) -> None:
        """Start an import, unless the same post is on its way already. Uploads are numbered
        downwards from -1."""
        if all((made.provider, made.code) != (provider, code) for made in self.uploads):
            self.uploads.append(Upload(-1 - len(self.uploads), self.clock(), url, provider, code))

    @property
    def arrived(self) -> list[Upload]:
        """Uploads that are in the archive by now, oldest first."""
        return [made for made in self.uploads if self.age(made) >= UPLOAD_SECONDS]

    def age(self, refresh: Refresh | Upload) -> float:
        """Seconds since it was asked for."""
        return self.clock() - refresh.asked

    def moment(self, refresh: Refresh | Upload, after: float = 0.0) -> datetime:
        """The time of day of a refresh or an upload, `after` seconds into it."""
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
