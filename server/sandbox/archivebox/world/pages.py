"""The archived pages, each a pure function of (seed, number) or of its URL."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit
from zlib import crc32

from server.sandbox.archivebox.world.sites import Fate, Pinned, load_catalog
from server.sandbox.ids import draw
from server.sandbox.words import load_words, pick

_WORD = re.compile(r"[\w']+")
# `.invalid` is reserved for names that never resolve (RFC 2606).
_UNREACHABLE = (".invalid", "unreachable.example")
# Of 100 pages of the archive: below which percentage they end how. The rest is unreachable.
_FATES: tuple[tuple[int, Fate], ...] = (
    (76, "good"),
    (90, "partial"),
    (94, "blocked"),
    (97, "missing"),
)


@dataclass(frozen=True)
class Page:
    """A page on the web.

    voice: a key of the catalog's voices. fate: what happens to whoever archives the page. extra: a
    key of the catalog's extras, or empty.
    """

    url: str
    title: str
    subject: str
    voice: str
    bits: int
    fate: Fate
    tags: tuple[str, ...] = ()
    private: bool = False
    extra: str = ""

    @property
    def host(self) -> str:
        """The host name."""
        return urlsplit(self.url).hostname or "unknown"


def make_page(seed: int, number: int, back: int, group: int) -> Page:
    """Return page `number` of the archive, which has `back` newer ones.

    The pages of a group are of one site.
    """
    catalog = load_catalog()
    if pinned := catalog.pinned.get(back):
        return _make_pinned_page(pinned, draw(seed, number, 70))
    bits = draw(seed, number, 71)
    site = catalog.sites[draw(seed, group, 65) % len(catalog.sites)]
    # Each choice reads other bits of one draw, so that title and year do not depend on each other.
    subject = site.subjects[(bits >> 8) % len(site.subjects)]
    title = _capitalize(site.angles[(bits >> 16) % len(site.angles)].format(s=subject))
    year = 2025 if bits >> 20 & 3 else 2024
    return Page(
        url=f"https://{site.host}{site.path.format(y=year, slug=make_slug(title))}",
        title=title,
        subject=subject,
        voice=site.voice,
        bits=bits,
        fate=_choose_fate(bits >> 24),
        tags=site.tags,
        private=site.private,
    )


def make_page_at(url: str) -> Page:
    """Return the page at a URL that the archive does not hold: always the same for one URL."""
    parts = urlsplit(url)
    host = parts.hostname or "unknown"
    file_name = parts.path.strip("/").rpartition("/")[2].partition(".")[0]
    subject = " ".join(_WORD.findall(re.sub("[-_]", " ", file_name))) or host
    voices = {site.host: site.voice for site in load_catalog().sites}
    return Page(
        url=url,
        title=_capitalize(subject),
        subject=subject,
        voice=voices.get(host, "blog"),
        bits=draw(crc32(url.encode()), len(url), 72),
        fate="unreachable" if host.endswith(_UNREACHABLE) else _find_pinned_fate(url),
    )


@lru_cache(maxsize=2048)
def write_article(page: Page) -> tuple[str, ...]:
    """Return the page's paragraphs."""
    catalog, bits = load_catalog(), page.bits
    voice = catalog.voices[page.voice]
    order = sorted(range(len(voice.bodies)), key=lambda index: draw(bits, index, 73))
    templates = [voice.bodies[index] for index in order]
    if page.extra:
        # In the middle: who reads only the beginning or the end of a page misses it.
        templates.insert(len(templates) // 2, catalog.extras[page.extra])
    sentences = [_fill(template, page, index) for index, template in enumerate(templates)]
    paragraphs = [_fill(voice.openers[bits % len(voice.openers)], page, 90)]
    while sentences:
        size = 2 + draw(bits, len(sentences), 74) % 3
        paragraphs.append(" ".join(sentences[:size]))
        sentences = sentences[size:]
    paragraphs.append(_fill(voice.closers[bits % len(voice.closers)], page, 91))
    return tuple(paragraphs)


@lru_cache(maxsize=2048)
def collect_words(page: Page) -> frozenset[str]:
    """Return the words of the page's title and text, in lower case."""
    return frozenset(_WORD.findall(f"{page.title} {' '.join(write_article(page))}".lower()))


def make_slug(title: str) -> str:
    """Return the title as a part of a URL."""
    return "-".join(re.findall(r"[a-z0-9]+", title.lower()))


def _make_pinned_page(pinned: Pinned, bits: int) -> Page:
    site = load_catalog().sites[pinned.site]
    return Page(
        url=f"https://{site.host}{site.path.format(y=2026, slug=pinned.slug)}",
        title=pinned.title,
        subject=pinned.subject,
        voice=site.voice,
        bits=bits,
        fate=pinned.fate,
        tags=pinned.tags,
        private=site.private,
        extra=pinned.extra,
    )


def _capitalize(text: str) -> str:
    """Return the text with a capital at its start; `str.capitalize` would lower the rest."""
    return text[:1].upper() + text[1:]


def _choose_fate(bits: int) -> Fate:
    percent = bits % 100
    for limit, fate in _FATES:
        if percent < limit:
            return fate
    return "unreachable"


def _find_pinned_fate(url: str) -> Fate:
    # A pinned page that somebody adds again ends as it did the first time.
    for pinned in load_catalog().pinned.values():
        if url.endswith(f"/{pinned.slug}"):
            return pinned.fate
    return "good"


def _fill(template: str, page: Page, index: int) -> str:
    bits = draw(page.bits, index, 75)
    words = load_words()
    person = f"{pick(words.first_names, bits)} {pick(words.last_names, bits >> 8)}"
    organisations = load_catalog().organisations
    sentence = template.format(
        s=page.subject,
        p=person,
        o=organisations[(bits >> 16) % len(organisations)],
        c=pick(words.places, bits >> 24).city,
        n=3 + (bits >> 32) % 58,
    )
    return _capitalize(sentence)
