"""The records of an ArchiveBox: crawls, their snapshots, the results of the plugins, tags, users,
personas."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from server.sandbox.archivebox.world.pages import Page
from server.sandbox.ids import draw

T = TypeVar("T")
# When something that is paused, or waits for its removal, is due again: a date stands for "never"
# because the runner of ArchiveBox selects by `retry_at <= now`.
FOREVER = datetime(9999, 1, 1, tzinfo=UTC)
ACTIVE = ("queued", "started")
OPEN = (*ACTIVE, "paused")
# Crockford's base 32 leaves out I, L, O and U, which are easily misread.
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ABID_LENGTH = 26


@dataclass(frozen=True)
class User:
    """A user of the server; an empty password means that nobody can sign in as this user."""

    id: int
    name: str
    password: str
    superuser: bool


ADMIN = User(1, "admin", "sandbox", True)
SYSTEM = User(2, "system", "", True)
READER = User(3, "reader", "reader", False)
USERS = (ADMIN, SYSTEM, READER)


# Records are compared by identity: two crawls of the same URLs are two crawls.
@dataclass(eq=False)
class Tag:
    """A tag; `id` counts from 1, `uuid` is what stands for it before 0.9."""

    id: int
    name: str
    created_at: datetime
    modified_at: datetime
    created_by: User
    uuid: str


@dataclass(eq=False)
class Crawl:
    """A submission of URLs; `settings` are what was overridden for it."""

    id: str
    created_at: datetime
    modified_at: datetime
    created_by: User
    status: str
    retry_at: datetime | None
    urls: str
    max_depth: int = 0
    tags: list[str] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    permissions: str = "public"
    persona: str = "Default"
    label: str = ""
    notes: str = ""
    only_new: bool = True
    max_urls: int = 0
    max_size: int = 0


@dataclass(frozen=True)
class Schedule:
    """What repeats a crawl; `every` is a word or a cron expression."""

    template_id: str
    every: str


@dataclass(eq=False)
class Result:
    """What one plugin made of a snapshot; `files` are names below the plugin's folder."""

    id: str
    snapshot: Snapshot
    plugin: str
    hook: str
    status: str
    output: str
    files: tuple[str, ...]
    started: datetime
    ended: datetime | None
    process_id: str | None = None
    data: dict[str, Any] | None = None
    uploads: dict[str, tuple[str, bytes]] = field(default_factory=dict)


@dataclass(eq=False)
class Snapshot:
    """One archived page.

    results: None until somebody asks for those of a snapshot that is long finished. tags: their
    numbers.
    """

    id: str
    crawl: Crawl
    url: str
    page: Page
    title: str | None
    created_at: datetime
    modified_at: datetime
    timestamp: str
    status: str
    retry_at: datetime | None = None
    downloaded_at: datetime | None = None
    depth: int = 0
    tags: set[int] = field(default_factory=set)
    permissions: str = "public"
    results: list[Result] | None = None
    fs_version: str = "0.9.4"

    @property
    def bookmarked_at(self) -> datetime:
        """When somebody asked for the snapshot: in this sandbox always when it was created."""
        return self.created_at


@dataclass(eq=False)
class Persona:
    """A browser profile that pages are fetched with."""

    id: str
    name: str
    created_at: datetime
    created_by: User
    config: dict[str, Any]


def change_status(record: Crawl | Snapshot, status: str, moment: datetime) -> None:
    """Set the status of a record together with the dates that go with it."""
    # What is sealed is never due again.
    retry_dates = {"queued": moment, "paused": FOREVER, "deleting": FOREVER}
    record.status, record.modified_at = status, moment
    record.retry_at = retry_dates.get(status)


def find_all(records: Iterable[T], fits: Callable[[T], object]) -> list[T]:
    """Return the records that fit."""
    return list(filter(fits, records))


def find_first(records: Iterable[T], fits: Callable[[T], object]) -> T | None:
    """Return the first record that fits, or None."""
    return next(filter(fits, records), None)


def split_names(text: str) -> list[str]:
    """Return the names in a text that commas separate, without blanks around them."""
    return strip_names(text.split(","))


def strip_names(names: Iterable[str | None]) -> list[str]:
    """Return the names without blanks around them and without those that are blank."""
    stripped = [(name or "").strip() for name in names]
    return list(filter(None, stripped))


def make_time_id(moment: datetime, seed: int, number: int, purpose: int) -> str:
    """Return the 32 hexadecimal digits of a version 7 UUID (RFC 9562)."""
    # The time comes first, so that ids of one minute look alike and short ones are ambiguous.
    milliseconds = int(moment.timestamp() * 1000)
    bits = draw(seed, number, purpose)
    variant = 0x8000000000000000 | bits & 0x3FFFFFFFFFFFFFFF
    return f"{milliseconds:012x}7{bits >> 52:03x}{variant:016x}"


def add_dashes(id: str) -> str:
    """Return the id in the notation with dashes."""
    return f"{id[:8]}-{id[8:12]}-{id[12:16]}-{id[16:20]}-{id[20:]}"


def make_abid(prefix: str, id: str) -> str:
    """Return the id as ArchiveBox 0.8 shows it beside the UUID: a prefix and 26 characters."""
    value, letters = int(id, 16), ""
    for _ in range(_ABID_LENGTH):
        value, digit = divmod(value, 32)
        letters = _CROCKFORD[digit] + letters
    return f"{prefix}_{letters}"
