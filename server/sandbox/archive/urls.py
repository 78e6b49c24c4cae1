"""Public URLs of posts: how the sandbox writes them, and how it reads those that callers send.

Shapes that are recognised and the three outcomes: Archive docs, looking up items by URL.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import parse_qs, urlsplit

from server.sandbox.ids import mix

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
# TikTok's ids have nineteen digits and start with a seven these days.
_TIKTOK_BASE = 7_000_000_000_000_000_000
# A short code is a letter without meaning, then sixty bits.
_CODE_LENGTH = 11
_CHECK_BITS = 28
_CHECK = (1 << _CHECK_BITS) - 1
# Host -> its platform, and the paths of posts on it with the platform's id in them.
_POSTS = {
    "instagram.com": ("INSTAGRAM", re.compile(r"/(?:p|reel|reels)/([\w-]+)/?")),
    "tiktok.com": ("TIKTOK", re.compile(r"/@[\w.]+/(?:video|photo)/(\d+)/?")),
    "youtube.com": ("YOUTUBE", re.compile(r"/shorts/([\w-]+)/?")),
    "youtu.be": ("YOUTUBE", re.compile(r"/*([^/](?:.*[^/])?)/*")),
}
_PRIVATE_SUFFIXES = (".local", ".internal", ".localhost", ".lan")
_FORMS = {
    "POST": "https://www.instagram.com/p/{id}/",
    "REEL": "https://www.instagram.com/reel/{id}/",
    "TIKTOK": "https://www.tiktok.com/@{account}/video/{id}",
    "YOUTUBE": "https://www.youtube.com/watch?v={id}",
    "YOUTUBE_SHORT": "https://www.youtube.com/shorts/{id}",
}


def _hide(seed: int, number: int) -> int:
    check = mix(number ^ seed) & _CHECK
    return (number ^ (mix(check ^ seed) & 0xFFFFFFFF)) << _CHECK_BITS | check


def _reveal(seed: int, value: int) -> int | None:
    check = value & _CHECK
    number = (value >> _CHECK_BITS) ^ (mix(check ^ seed) & 0xFFFFFFFF)
    return number if mix(number ^ seed) & _CHECK == check else None


def external_id(seed: int, number: int, kind: str) -> str:
    """Return the platform's id of an item.

    It has digits on TikTok and for stories, and is a short code elsewhere.
    """
    value = _hide(seed, number)
    if kind.startswith("TIKTOK") or kind == "STORY":
        return str(_TIKTOK_BASE + value)
    # Codes of Instagram start with a D these days; the first letter carries nothing.
    first = "D" if kind in {"POST", "REEL"} else _ALPHABET[value % 61]
    return first + "".join(_ALPHABET[value >> shift & 0x3F] for shift in range(54, -1, -6))


def number_of(seed: int, external: str) -> int | None:
    """Return the item number behind a platform's id, or None.

    Whether the item really has this id is for the caller to check.
    """
    if external.isdecimal() and len(external) == len(str(_TIKTOK_BASE)):
        return _reveal(seed, int(external) - _TIKTOK_BASE)
    if len(external) != _CODE_LENGTH or not set(external) <= set(_ALPHABET):
        return None
    value = 0
    for letter in external[1:]:
        value = value << 6 | _ALPHABET.index(letter)
    return _reveal(seed, value)


def original_url(kind: str, external: str, account: str, *, photo: bool) -> str | None:
    """Return the address of a post, or None for a story."""
    if kind not in _FORMS:
        return None
    url = _FORMS[kind].format(id=external, account=account)
    return url.replace("/video/", "/photo/") if photo else url


def is_valid(url: str) -> bool:
    """Return whether the URL is well-formed, HTTP(S) and not on a private host."""
    # Before splitting, which would drop line breaks and tabs without a word.
    if re.search(r"\s", url):
        return False
    try:
        parts = urlsplit(url)
        # A broken port is noticed only when it is read.
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and _is_public(host)


def _is_public(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return "." in host.strip(".") and not host.endswith(_PRIVATE_SUFFIXES)


def external_in(url: str) -> tuple[str, str] | None:
    """Return platform and platform's id in a valid URL.

    Returns None for a shape that is not recognised (short links, profiles, others).
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").removeprefix("www.").removeprefix("m.")
    if host not in _POSTS:
        return None
    platform, shape = _POSTS[host]
    match = shape.fullmatch(parts.path)
    code = match[1] if match else None
    # Only here the id stands in the query.
    if host == "youtube.com" and parts.path == "/watch":
        code = parse_qs(parts.query).get("v", [None])[0]
    return (platform, code) if code else None
