"""The archived pages, each a pure function of (seed, number) or of its URL."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit
from zlib import crc32

from server.sandbox.archivebox.world.pages_sites import (
    PINNED,
    SITES,
    Fate,
    Pinned,
    Site,
)
from server.sandbox.archivebox.world.pages_text import (
    BLOG,
    INJECTED,
    ONLY_HERE,
    Voice,
)
from server.sandbox.ids import draw
from server.sandbox.words import load_words, pick

_ORGANISATIONS = (
    "the port authority",
    "Tidewater Works",
    "the regional council",
    "Lantern Labs",
    "the Marsh Trust",
)
_WORD = re.compile(r"[\w']+")
# Of 100 pages that somebody adds or added: how many end how.
_FATES: tuple[tuple[int, Fate], ...] = (
    (76, "good"),
    (90, "partial"),
    (94, "blocked"),
    (97, "missing"),
)


@dataclass(frozen=True)
class Page:
    """A page on the web: `fate` is what happens to who archives it, `extra` a sentence that only it
    has."""

    url: str
    title: str
    subject: str
    voice: Voice
    bits: int
    fate: Fate
    tags: tuple[str, ...] = ()
    private: bool = False
    extra: str = ""

    @property
    def host(self) -> str:
        """The host name."""
        return urlsplit(self.url).hostname or "unknown"


def page_of(seed: int, number: int, back: int, group: int) -> Page:
    """Page `number` of the archive, which has `back` newer ones; the pages of a group are of one
    site."""
    for pinned in PINNED:
        if pinned.back == back:
            return _pinned(pinned, draw(seed, number, 70))
    bits = draw(seed, number, 71)
    site = SITES[draw(seed, group, 65) % len(SITES)]
    subject = site.subjects[(bits >> 8) % len(site.subjects)]
    title = _title(site.angles[(bits >> 16) % len(site.angles)], subject)
    path = site.path.format(y=2025 if bits >> 20 & 3 else 2024, slug=slug(title))
    fate = _fate(bits >> 24)
    return Page(
        f"https://{site.host}{path}",
        title,
        subject,
        site.voice,
        bits,
        fate,
        site.tags,
        site.private,
    )


def page_at(url: str) -> Page:
    """A page that is not among the archive's own: made up from its URL, always the same."""
    bits = draw(crc32(url.encode()), len(url), 72)
    parts = urlsplit(url)
    host = parts.hostname or "unknown"
    site = next((site for site in SITES if site.host == host), None)
    name = parts.path.strip("/").rpartition("/")[2].partition(".")[0]
    subject = " ".join(_WORD.findall(name.replace("-", " ").replace("_", " "))) or host
    fate = "unreachable" if host.endswith((".invalid", "unreachable.example")) else _known_fate(url)
    return Page(
        url, subject[:1].upper() + subject[1:], subject, site.voice if site else BLOG, bits, fate
    )


@lru_cache(maxsize=2048)
def article(page: Page) -> tuple[str, ...]:
    """The page's paragraphs."""
    voice, bits = page.voice, page.bits
    order = sorted(range(len(voice.bodies)), key=lambda index: draw(bits, index, 73))
    sentences = [voice.bodies[index] for index in order]
    extra = {"injected": INJECTED, "only-here": ONLY_HERE}.get(page.extra)
    if extra:
        sentences.insert(len(sentences) // 2, extra)
    told = [_fill(sentence, page, index) for index, sentence in enumerate(sentences)]
    paragraphs = [_fill(voice.openers[bits % len(voice.openers)], page, 90)]
    while told:
        size = 2 + draw(bits, len(told), 74) % 3
        paragraphs.append(" ".join(told[:size]))
        told = told[size:]
    paragraphs.append(_fill(voice.closers[bits % len(voice.closers)], page, 91))
    return tuple(paragraphs)


@lru_cache(maxsize=2048)
def words(page: Page) -> frozenset[str]:
    """The words of the page's text, in lower case."""
    return frozenset(_WORD.findall(f"{page.title} {' '.join(article(page))}".lower()))


def slug(title: str) -> str:
    """The title as a part of a URL."""
    return "-".join(re.findall(r"[a-z0-9]+", title.lower()))


def _pinned(pinned: Pinned, bits: int) -> Page:
    site: Site = SITES[pinned.site]
    url = f"https://{site.host}{site.path.format(y=2026, slug=pinned.slug)}"
    return Page(
        url,
        pinned.title,
        pinned.subject,
        site.voice,
        bits,
        pinned.fate,
        pinned.tags,
        site.private,
        pinned.extra,
    )


def _title(angle: str, subject: str) -> str:
    text = angle.format(s=subject)
    return text[:1].upper() + text[1:]


def _fate(bits: int) -> Fate:
    percent = bits % 100
    return next((fate for limit, fate in _FATES if percent < limit), "unreachable")


def _known_fate(url: str) -> Fate:
    return next((pinned.fate for pinned in PINNED if url.endswith(f"/{pinned.slug}")), "good")


def _fill(sentence: str, page: Page, index: int) -> str:
    bits = draw(page.bits, index, 75)
    people = load_words()
    person = f"{pick(people.first_names, bits)} {pick(people.last_names, bits >> 8)}"
    text = sentence.format(
        s=page.subject,
        p=person,
        o=_ORGANISATIONS[(bits >> 16) % len(_ORGANISATIONS)],
        c=pick(people.places, bits >> 24).city,
        n=3 + (bits >> 32) % 58,
    )
    return text[:1].upper() + text[1:]
