"""What the filters of saved pages mean, the same on every version: domains, tags, addresses.

ArchiveBox itself takes the beginning of an address for its domain, compares addresses and most tags
letter by letter, and keeps each address as it was sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import methodcaller
from typing import Any, Literal
from urllib.parse import SplitResult, quote, unquote, urlsplit, urlunsplit

from server.errors import Code, Failure

FilterType = Literal["exact", "substring", "regex", "domain", "tag", "timestamp"]
"""All kinds of patterns there are: any other one takes the server's web process down."""

_PORTS = {"http": 80, "https": 443, "ftp": 21}
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
# What may stand in a path or query as it is; everything else is written as its percent form.
_LITERAL = "!$&'()*+,;=:@/?[]%"
_ENCODED = re.compile(r"%([0-9A-Fa-f]{2})")
# Letters, digits and dashes between points, and other scripts; an address in brackets is IPv6.
_DOMAIN = re.compile(r"(?:[\w-]+(?:\.[\w-]+)*|\[[0-9a-f:.]+\])(?::(\d{1,5}))?\Z")

Keep = Callable[[dict[str, Any]], bool]


@dataclass(frozen=True)
class Domain:
    """A host with its subdomains; with a port, only what is at that port."""

    host: str
    port: int | None = None

    @classmethod
    def parse(cls, text: str) -> Domain:
        """Return the domain that a text names, with or without `*.` before it.

        Raises:
            Failure: `INVALID_ARGUMENT` where the text is no host.
        """
        host = text.strip().lower().removeprefix("*.").strip(".")
        match = _DOMAIN.match(host)
        if match is None:
            raise Failure(
                Code.INVALID_ARGUMENT,
                f"{text!r} is not a domain: write only the host, without scheme and path.",
                "For example example.com, which includes www.example.com.",
            )
        name, port = (host[: match.start(1) - 1], int(match[1])) if match[1] else (host, None)
        return cls(_ascii_host(name.strip("[]")), port)

    def has(self, url: str) -> bool:
        """Return whether an address is on the domain: at the host or below it."""
        parts = _split(url)
        if parts is None:
            return False
        # A point before both, so that a neighbour's host that ends alike does not fit.
        host = f".{_ascii_host(parts.hostname or '')}"
        return host.endswith(f".{self.host}") and self.port in (None, _port(parts))

    def pattern(self) -> str:
        """Return a regular expression for addresses on the domain, whatever their case.

        It may fit a few more, such as those of other ports: look at each result with `has`.
        """
        return rf"^[a-z][a-z0-9+.-]*://([^/?#]*[@.])?{_host_pattern(self.host)}(:[0-9]*)?([/?#]|$)"


def normalize_url(url: str) -> str:
    """Return an address in the one spelling that all spellings of it share.

    Scheme and host are in small letters, the scheme's own port and an empty path are not written,
    percent forms are capital and only where needed. The fragment stays: ArchiveBox saves addresses
    that differ in it as different pages.
    """
    url = url.strip()
    parts = _split(url)
    if parts is None or not parts.hostname:
        return url
    return urlunsplit(
        (
            parts.scheme.lower(),
            _user(parts) + _host(parts) + _written_port(parts),
            _normalize_percent(parts.path) or "/",
            _normalize_percent(parts.query),
            _normalize_percent(parts.fragment),
        )
    )


def same_url(one: str, other: str) -> bool:
    """Return whether two spellings are one address."""
    return one == other or normalize_url(one) == normalize_url(other)


def spellings(url: str) -> list[str]:
    """Return the usual spellings of an address, the given one first, for servers that can only
    compare letter by letter."""
    normal = normalize_url(url)
    # Without path, query and fragment: with one of them the slash belongs to it.
    bare = [normal.removesuffix("/")] if normal.count("/") == 3 and normal.endswith("/") else []
    return list(dict.fromkeys([url.strip(), normal, *bare, unquote(normal)]))


def url_pattern(url: str) -> str:
    """Return a regular expression for all spellings of an address, whatever their case.

    It may fit a few more, as the path's case counts: look at each result with `same_url`.
    """
    parts = _split(normalize_url(url))
    if parts is None or not parts.hostname:
        return f"^{re.escape(url.strip())}$"
    start = f"^{parts.scheme}://{re.escape(_user(parts))}{_host_pattern(parts.hostname)}"
    # A slash, a question mark or a hash with nothing behind it may be there or not.
    path = _part("/", _any_percent(parts.path.removeprefix("/")))
    query = _part(r"\?", _any_percent(parts.query))
    fragment = _part("#", _any_percent(parts.fragment))
    return f"{start}{_port_pattern(parts)}{path}{query}{fragment}$"


def has_tag(tags: Iterable[str] | None, name: str) -> bool:
    """Return whether a tag is among these: capitals do not make another tag."""
    return name.strip().casefold() in map(str.casefold, tags or ())


@dataclass(frozen=True)
class Patterns:
    """Patterns of one kind, of which at least one has to fit a page; none fits every page."""

    kind: FilterType
    patterns: tuple[str, ...]

    @classmethod
    def parse(cls, kind: FilterType, patterns: Sequence[str]) -> Patterns:
        """Return the patterns.

        Raises:
            Failure: `INVALID_ARGUMENT` for one that is no regular expression, or no domain.
        """
        for pattern in patterns:
            _CHECKS.get(kind, str)(pattern)
        return cls(kind, tuple(patterns))

    def for_server(self) -> tuple[FilterType, list[str]]:
        """Return kind and patterns with which the server selects these pages, and maybe some more:
        look at each result with `keep`."""
        make_expression = _EXPRESSIONS.get(self.kind)
        if make_expression is None:
            return self.kind, list(self.patterns)
        return "regex", list(map(make_expression, self.patterns))

    def keep(self) -> Keep:
        """Return the function that says of a page whether a pattern fits it."""
        if not self.patterns:
            return lambda page: True
        return _KEEPS[self.kind](self.patterns)


def _keep_exact(patterns: Sequence[str]) -> Keep:
    urls = {normalize_url(pattern) for pattern in patterns}
    return lambda page: normalize_url(page["url"]) in urls


def _keep_substring(patterns: Sequence[str]) -> Keep:
    parts = list(map(str.lower, patterns))
    return lambda page: any(map(page["url"].lower().__contains__, parts))


def _keep_regex(patterns: Sequence[str]) -> Keep:
    # As the server does: capitals do not matter.
    expressions = [re.compile(pattern, re.IGNORECASE) for pattern in patterns]
    return lambda page: any(map(methodcaller("search", page["url"]), expressions))


def _keep_domain(patterns: Sequence[str]) -> Keep:
    domains = list(map(Domain.parse, patterns))
    return lambda page: any(map(methodcaller("has", page["url"]), domains))


def _keep_tag(patterns: Sequence[str]) -> Keep:
    names = {pattern.strip().casefold() for pattern in patterns}
    return lambda page: not names.isdisjoint(map(str.casefold, page.get("tags") or ()))


def _keep_timestamp(patterns: Sequence[str]) -> Keep:
    timestamps = frozenset(patterns)
    return lambda page: str(page["timestamp"]) in timestamps


_EXPRESSIONS: dict[FilterType, Callable[[str], str]] = {
    "domain": lambda pattern: Domain.parse(pattern).pattern(),
    "exact": url_pattern,
}
"""By kind of pattern that the server takes otherwise: the regular expression for it."""
_KEEPS: dict[FilterType, Callable[[Sequence[str]], Keep]] = {
    "exact": _keep_exact,
    "substring": _keep_substring,
    "regex": _keep_regex,
    "domain": _keep_domain,
    "tag": _keep_tag,
    "timestamp": _keep_timestamp,
}


def _check_regex(pattern: str) -> None:
    # The server answers a pattern that does not compile with a 503, like any other fault.
    try:
        re.compile(pattern)
    except re.error as error:
        raise Failure(
            Code.INVALID_ARGUMENT,
            f"{pattern!r} is not a regular expression: {error}.",
            "Correct the pattern.",
        ) from None


_CHECKS: dict[FilterType, Callable[[str], object]] = {
    "regex": _check_regex,
    "domain": Domain.parse,
}


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url.strip())
        _ = parts.port  # a port that is no number is found only here
    except ValueError:
        return None
    return parts


def _port(parts: SplitResult) -> int | None:
    return parts.port or _PORTS.get(parts.scheme.lower())


def _user(parts: SplitResult) -> str:
    """Return the user before a host, with the sign between them."""
    user, sign, _ = parts.netloc.rpartition("@")
    return user + sign


def _host(parts: SplitResult) -> str:
    host = _ascii_host(parts.hostname or "")
    return f"[{host}]" if ":" in host else host


def _written_port(parts: SplitResult) -> str:
    port = _port(parts)
    usual = _PORTS.get(parts.scheme.lower())
    return "" if port in (None, usual) else f":{port}"


def _port_pattern(parts: SplitResult) -> str:
    """Return a regular expression for the port of a normalized address."""
    if parts.port is not None:
        return f":{parts.port}"
    return f"(:({_PORTS.get(parts.scheme, '')})?)?"


def _host_pattern(host: str) -> str:
    names = sorted({host, _unicode_host(host)})
    choices = "|".join(map(re.escape, names))
    return rf"\[?({choices})\]?\.?"


def _part(mark: str, pattern: str) -> str:
    """Return a regular expression for a part of an address; an empty one may lack its mark."""
    return mark + (pattern or "?")


def _ascii_host(host: str) -> str:
    """Return the host as it goes over the network: other scripts in their ASCII form."""
    host = host.lower().strip(".")
    try:
        return host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        return host


def _unicode_host(host: str) -> str:
    """Return the host as people read it."""
    try:
        return host.encode("ascii").decode("idna") if "xn--" in host else host
    except UnicodeError:
        return host


def _normalize_percent(text: str) -> str:
    """Return a part of an address with percent forms only where needed, in capital letters."""
    plain = _ENCODED.sub(lambda match: _decode_unreserved(match[1]), text)
    return quote(plain, safe=_LITERAL)


def _decode_unreserved(digits: str) -> str:
    character = chr(int(digits, 16))
    return character if character in _UNRESERVED else f"%{digits.upper()}"


def _any_percent(text: str) -> str:
    """Return a regular expression for a normalized part of an address in all its spellings."""
    pieces = re.split(r"((?:%[0-9A-F]{2})+)", text)
    return "".join(_any_form(piece) for piece in pieces)


def _any_form(piece: str) -> str:
    if not piece.startswith("%"):
        return "".join(_any_character(character) for character in piece)
    try:
        plain = unquote(piece, errors="strict")
    except UnicodeDecodeError:
        return piece
    return f"({piece}|{re.escape(plain)})"


def _any_character(character: str) -> str:
    # Letters and digits are left out: written as percent forms they are nobody's spelling.
    if character in _UNRESERVED and not character.isalnum():
        return f"({re.escape(character)}|%{ord(character):02X})"
    return re.escape(character)
