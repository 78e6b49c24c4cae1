"""The records of an ArchiveBox: crawls, their snapshots, the results of the plugins, tags, users,
personas."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from server.sandbox.archivebox.world.pages import Page
from server.sandbox.ids import draw

FOREVER = datetime(9999, 1, 1, tzinfo=UTC)
"""When something that is paused, or waits for its removal, is due again."""
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True)
class User:
    """Somebody who may sign in."""

    id: int
    name: str
    password: str
    superuser: bool


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
    """One archived page; `results` is None until somebody asks for those of a snapshot that is long
    finished."""

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
        """When somebody asked for it."""
        return self.created_at


@dataclass(eq=False)
class Persona:
    """A browser profile that pages are fetched with."""

    id: str
    name: str
    created_at: datetime
    created_by: User
    config: dict[str, Any]


def time_id(moment: datetime, seed: int, number: int, purpose: int) -> str:
    """32 hexadecimal digits that begin with the time (a version 7 UUID), so that ids of one minute
    look alike."""
    milliseconds = int(moment.timestamp() * 1000)
    bits = draw(seed, number, purpose)
    return (
        f"{milliseconds:012x}7{bits >> 52:03x}{0x8000000000000000 | bits & 0x3FFFFFFFFFFFFFFF:016x}"
    )


def dashed(text: str) -> str:
    """The id with dashes."""
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def abid(prefix: str, text: str) -> str:
    """The id as ArchiveBox 0.8 shows it beside the UUID: a prefix and 26 characters."""
    value, found = int(text, 16), ""
    for _ in range(26):
        value, digit = divmod(value, 32)
        found = _CROCKFORD[digit] + found
    return f"{prefix}_{found}"
