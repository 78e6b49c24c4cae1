"""The sites that were archived: how their pages talk, what they write about, and the pages that a
test or a demo can count on.

The texts stand in `sites.json`. In its sentences `{s}` is what a page is about, `{p}` a person,
`{o}` an organisation, `{c}` a town and `{n}` a number. There are enough of each kind that no page
repeats itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from pydantic import TypeAdapter

Fate = Literal["good", "partial", "blocked", "missing", "unreachable"]


@dataclass(frozen=True)
class Voice:
    """How one kind of page talks: its first, its middle (in any order) and its last paragraph."""

    openers: tuple[str, ...]
    bodies: tuple[str, ...]
    closers: tuple[str, ...]


@dataclass(frozen=True)
class Site:
    """One site.

    voice: a key of the catalog's voices. path: the address of a page, with `{y}` and `{slug}`.
    angles: sentences that make titles from a subject.
    """

    host: str
    voice: str
    path: str
    subjects: tuple[str, ...]
    angles: tuple[str, ...]
    tags: tuple[str, ...]
    private: bool


@dataclass(frozen=True)
class Pinned:
    """A page that is always there.

    site: the index of its site. extra: a key of the catalog's extras, or empty.
    """

    site: int
    slug: str
    title: str
    subject: str
    fate: Fate
    tags: tuple[str, ...]
    extra: str


@dataclass(frozen=True)
class Catalog:
    """Everything that pages are made of.

    extras: sentences that only one page has. One of them is aimed at an assistant: web pages are
    untrusted content, and a client of the sandbox has to meet that. pinned: by how many pages are
    newer. spare_tags: tags beyond those of the sites; the first one is on no snapshot.
    """

    voices: dict[str, Voice]
    extras: dict[str, str]
    sites: tuple[Site, ...]
    pinned: dict[int, Pinned]
    spare_tags: tuple[str, ...]
    organisations: tuple[str, ...]


@cache
def load_catalog() -> Catalog:
    """Return the catalog from the file beside this module."""
    # Read on first use: importing the sandbox stays cheap for whoever asks only for its constants.
    text = files(__package__).joinpath("sites.json").read_text(encoding="utf-8")
    return TypeAdapter(Catalog).validate_json(text)
