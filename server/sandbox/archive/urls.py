"""Public URLs of posts: how the sandbox writes them, and how it reads the ones it is given.

Shapes that are recognised and the three outcomes: Archive docs, looking up items by URL.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, parse_qs, urlsplit

from server.sandbox.ids import mix

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
# TikTok's ids have nineteen digits and start with a seven these days.
_TIKTOK_BASE = 7_000_000_000_000_000_000
_CHECK_BITS = 28
_CHECK = (1 << _CHECK_BITS) - 1
_INSTAGRAM = re.compile(r"/(?:p|reel|reels)/([\w-]+)/?")
_TIKTOK = re.compile(r"/@[\w.]+/(?:video|photo)/(\d+)/?")
_YOUTUBE_SHORT = re.compile(r"/shorts/([\w-]+)/?")
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
    """The platform's id of an item: digits on TikTok and for stories, a short code elsewhere."""
    value = _hide(seed, number)
    if kind.startswith("TIKTOK") or kind == "STORY":
        return str(_TIKTOK_BASE + value)
    code = "".join(_ALPHABET[value >> shift & 0x3F] for shift in range(54, -1, -6))
    return ("D" if kind in {"POST", "REEL"} else _ALPHABET[value % 61]) + code


def number_of(seed: int, external: str) -> int | None:
    """The item number behind a platform's id; whether that item really has this id is for the
    caller to check."""
    if external.isdecimal() and len(external) == len(str(_TIKTOK_BASE)):
        return _reveal(seed, int(external) - _TIKTOK_BASE)
    if len(external) != 11 or not set(external) <= set(_ALPHABET):
        return None
    value = 0
    for letter in external[1:]:
        value = value << 6 | _ALPHABET.index(letter)
    return _reveal(seed, value)


def original_url(kind: str, external: str, account: str, *, photo: bool) -> str | None:
    """The address of a post; stories have none."""
    if kind not in _FORMS:
        return None
    url = _FORMS[kind].format(id=external, account=account)
    return url.replace("/video/", "/photo/") if photo else url


def is_valid(url: str) -> bool:
    """Whether the URL is well-formed, HTTP(S) and not on a private host."""
    if url != url.strip() or any(c.isspace() for c in url):
        return False
    try:
        parts = urlsplit(url)
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
    """Platform and platform's id in a valid URL of a recognised shape, else None (short links,
    profiles, others)."""
    parts = urlsplit(url)
    host = (parts.hostname or "").removeprefix("www.").removeprefix("m.")
    found = _code(host, parts)
    return (_PLATFORMS[host], found) if found else None


_PLATFORMS = {
    "instagram.com": "INSTAGRAM",
    "tiktok.com": "TIKTOK",
    "youtube.com": "YOUTUBE",
    "youtu.be": "YOUTUBE",
}


def _code(host: str, parts: SplitResult) -> str | None:
    if host == "instagram.com":
        return _group(_INSTAGRAM, parts.path)
    if host == "tiktok.com":
        return _group(_TIKTOK, parts.path)
    if host == "youtu.be":
        return parts.path.strip("/") or None
    if host != "youtube.com":
        return None
    if parts.path == "/watch":
        return parse_qs(parts.query).get("v", [None])[0]
    return _group(_YOUTUBE_SHORT, parts.path)


def _group(pattern: re.Pattern[str], path: str) -> str | None:
    match = pattern.fullmatch(path)
    return match.group(1) if match else None
