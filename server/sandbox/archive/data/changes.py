"""What callers change: an overlay over records that are otherwise computed.

Collections keep only the items that were put in or taken out; a refresh of metrics is finished by
the clock alone, so nothing runs in the background.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

# Long enough for a test to see a refresh queued and half done, short enough to wait for its end.
QUEUED_SECONDS = 1.0
REFRESH_SECONDS = 4.0
# Price: Archive docs, operations ("3 credits per accepted item").
CREDITS_PER_ITEM = 3
CREDITS = 6_000
# From the request to import a post until it is in the archive; the API says minutes.
UPLOAD_SECONDS = 3.0


@dataclass(frozen=True)
class Refresh:
    """A paid refresh of metrics; `requested_at` is a reading of the clock in seconds."""

    number: int
    requested_at: float
    items: tuple[int, ...]


@dataclass(frozen=True)
class Upload:
    """An import of a post, which its platform's code identifies; `requested_at` is a reading of the
    clock in seconds."""

    number: int
    requested_at: float
    url: str
    provider: str
    code: str


@dataclass
class Changes:
    """Everything that differs from the computed records of one workspace.

    moves: by collection and item number, whether the item was put in. revision: grows with every
    change of a collection, so that counts and search results know when they are stale.
    """

    clock: Callable[[], float]
    anchor: datetime
    moves: dict[int, dict[int, bool]] = field(default_factory=dict)
    refreshes: list[Refresh] = field(default_factory=list)
    uploads: list[Upload] = field(default_factory=list)
    credits: int = CREDITS
    revision: int = 0
    started: float = 0.0
    _latest: dict[int, Refresh] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.started = self.clock()

    def move(self, collection: int, item: int, *, inside: bool) -> None:
        """Put an item into a collection or take it out."""
        self.moves.setdefault(collection, {})[item] = inside
        self.revision += 1

    def drop_moves(self, collection: int) -> None:
        """Forget what was put into a deleted collection or taken out of it."""
        self.moves.pop(collection, None)
        self.revision += 1

    @property
    def now(self) -> datetime:
        """The time of day."""
        return self.anchor + timedelta(seconds=self.clock() - self.started)

    def start_refresh(self, items: tuple[int, ...]) -> Refresh:
        """Start a refresh of these items and pay for it."""
        refresh = Refresh(
            number=len(self.refreshes),
            requested_at=self.clock(),
            items=items,
        )
        self.refreshes.append(refresh)
        self.credits -= CREDITS_PER_ITEM * len(items)
        self._latest.update(dict.fromkeys(items, refresh))
        return refresh

    def start_upload(self, url: str, provider: str, code: str) -> None:
        """Start an import, unless the same post is on its way already."""
        if any((upload.provider, upload.code) == (provider, code) for upload in self.uploads):
            return
        upload = Upload(
            # Downwards from -1, where no item that the archive itself found has its number.
            number=-1 - len(self.uploads),
            requested_at=self.clock(),
            url=url,
            provider=provider,
            code=code,
        )
        self.uploads.append(upload)

    @property
    def arrivals(self) -> list[Upload]:
        """Uploads that are in the archive by now, oldest first."""
        return [upload for upload in self.uploads if self.age(upload) >= UPLOAD_SECONDS]

    def age(self, request: Refresh | Upload) -> float:
        """Return the seconds since the request."""
        return self.clock() - request.requested_at

    def moment(self, request: Refresh | Upload, after: float = 0.0) -> datetime:
        """Return the time of day `after` seconds into a refresh or an upload."""
        return self.anchor + timedelta(seconds=request.requested_at - self.started + after)

    def is_refreshing(self, item: int) -> bool:
        latest = self._latest.get(item)
        return latest is not None and self.age(latest) < REFRESH_SECONDS

    def refresh_time(self, item: int) -> datetime | None:
        """Return when the item's metrics were last refreshed on demand, or None."""
        latest = self._latest.get(item)
        if latest is None or self.age(latest) < REFRESH_SECONDS:
            return None
        return self.moment(latest, REFRESH_SECONDS)
