"""Which URLs requests may go to: the checks that run before any secret is sent."""

from __future__ import annotations

import ipaddress
import re
from typing import Any
from urllib.parse import urlsplit

from server.errors import Code, Failure


def is_loopback(host: str) -> bool:
    """Return whether a host can only be this machine; RFC 6761 reserves `*.localhost` for it."""
    host = host.rstrip(".").lower()
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


# The only IPv6 range from which public addresses are given out (RFC 4291): what lies outside it,
# such as `fec0::/10`, `64:ff9b:1::/48` or `::127.0.0.1`, belongs to a local network or wraps one.
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")

# RFC 6052: addresses under this prefix are translated to the IPv4 address in their last 32 bits.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")

# RFC 5214: an interface id of these 32 bits is followed by the IPv4 address of a tunnel's end.
_ISATAP = (0x00005EFE, 0x02005EFE)


def is_public(address: str) -> bool:
    """Return whether an IP address is on the internet, not on this machine or a network around it.

    An IPv6 address that only wraps an IPv4 one is judged by that one. A NAT64 prefix that a
    network chose for itself cannot be told from other addresses.
    """
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        ip = _unwrap(ip)
    if isinstance(ip, ipaddress.IPv6Address) and ip not in _GLOBAL_UNICAST:
        return False
    return ip.is_global and not ip.is_multicast


def _unwrap(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Return the IPv4 address that an IPv6 one stands for, or itself where it wraps none."""
    # Python judges the wrapping address alone: `64:ff9b::7f00:1` is global to it, and is 127.0.0.1.
    if ip in _NAT64 or (int(ip) >> 32) & 0xFFFFFFFF in _ISATAP:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or ip


# With the underscore, which containers have in their names.
_HOST = re.compile(rb"[A-Za-z0-9._-]+")

# Resolvers read `127.1` and `0x7f000001` as addresses, whatever stands before the last label.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")

# Names that only a network of one's own resolves (RFC 6762, RFC 8375, RFC 9476 and common use).
_LOCAL_SUFFIXES = (
    "localhost",
    "local",
    "localdomain",
    "internal",
    "intranet",
    "lan",
    "home",
    "corp",
    "private",
    "home.arpa",
    "alt",
    "test",
    "invalid",
)


def is_local_name(host: str) -> bool:
    """Return whether a host, by its name or address alone, is not on the internet."""
    host = host.rstrip(".").lower()
    if ":" in host or _NUMBER.fullmatch(host.rpartition(".")[2]):
        return not is_public(host)
    if "." not in host:
        return True
    return any(host.endswith(f".{suffix}") for suffix in _LOCAL_SUFFIXES)


def find_url_problem(variable: str, url: str, *, allow_insecure: bool) -> str:
    """Return why a URL cannot be used, in a sentence that names the variable; empty if it can."""
    try:
        parts = urlsplit(url)
        # The port is read only because reading it raises the ValueError of one that is no number.
        host, _ = parts.hostname, parts.port
    except ValueError:
        return f"{variable} is not a URL."
    if parts.scheme not in ("http", "https") or not host:
        return f"{variable} must start with https:// (or http://) and name a host."
    if not _is_host(host):
        return f"{variable} names a host that cannot exist: {host!r}."
    if parts.username is not None or parts.password is not None:
        return f"{variable} must not contain a user name or password."
    if parts.scheme == "http" and not (allow_insecure or is_loopback(host)):
        return (
            f"{variable} is plain http to another machine ({host}): "
            "the key would travel unencrypted. "
            "Use https, or set ARCHIVE_MCP_ALLOW_INSECURE=1 if you accept that."
        )
    return ""


def _is_host(host: str) -> bool:
    """Return whether a host is an address or a name that can be looked up."""
    if ":" in host:
        return True
    try:
        # Both ways: letters of other alphabets become `xn--`, and a bad `xn--` is no name.
        ascii_name = host.encode("idna")
        ascii_name.decode("idna")
        if not host.isascii() or "xn--" in host:
            _check_letters(host)
    except UnicodeError:
        return False
    return _HOST.fullmatch(ascii_name) is not None


def _check_letters(host: str) -> None:
    """Raise the UnicodeError of a name that the HTTP client cannot look up.

    The standard library knows the rules of 2003, the client those of 2008.
    """
    # Few addresses have such letters, and the tables take a while to load.
    import idna

    idna.decode(idna.encode(host))


def parse_origin(url: str) -> str:
    """Return scheme, host and port of a URL."""
    parts = urlsplit(url)
    # Messages show the origin, so a user name and a password in the URL are left out.
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def rewrite_loopback(url: str) -> tuple[str, dict[str, str]]:
    """Return the URL to connect to and the headers that go with it.

    Python resolves no `*.localhost`, so those names are reached at 127.0.0.1 with their own Host
    header.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    if not host.endswith(".localhost"):
        return url, {}
    port = f":{parts.port}" if parts.port else ""
    return parts._replace(netloc=f"127.0.0.1{port}").geturl(), {"host": f"{host}{port}"}


# Between links that have no blank between them.
_BEFORE_SCHEME = re.compile(r"[,;|\uff0c\u3001](?=https?://)", re.IGNORECASE)
# What stands before each link of a pasted list.
_BULLET = re.compile(r"^[ \t]*(?:[-*\u2022\u00b7]|\d{1,4}[.)])[ \t]+", re.MULTILINE)
_SCHEME = re.compile(r"^https?://", re.IGNORECASE)
_LINK = re.compile(r"https?://|(?:[\w-]+\.)+[a-z]{2,}", re.IGNORECASE)
# What pasted texts put around a link.
_AROUND = "<>\"'`,; \t\r\n"
_WITHOUT_SCHEME = re.compile(r"(?:[\w-]+\.)+[a-z]{2,}(?::\d+)?(?:[/?#]\S*)?", re.IGNORECASE)


def split_links(value: Any) -> Any:
    """Return the links that a list of texts means: several in one text, with blanks around them, or
    without a scheme."""
    entries = value if isinstance(value, list) else [value]
    # Anything else is refused by its type.
    if not all(isinstance(entry, str) for entry in entries):
        return value
    return [complete_link(piece) for entry in entries for piece in _split(entry)]


def _split(text: str) -> list[str]:
    plain = _BEFORE_SCHEME.sub(" ", _BULLET.sub("", text))
    words = [word.strip(_AROUND) for word in plain.split()]
    words = list(filter(None, words))
    # A text with other words is no list of links: it is quoted whole when it is refused. An empty
    # one stays, so that it is refused instead of left out.
    return words if words and all(map(_LINK.match, words)) else [text]


def complete_link(text: str) -> str:
    """Return a link with the scheme that browsers hide, in small letters; any other text as is."""
    if _WITHOUT_SCHEME.fullmatch(text):
        return f"https://{text}"
    # ArchiveBox compares letter by letter, and saves `HTTPS://...` beside `https://...`.
    return _SCHEME.sub(lambda match: match[0].lower(), text)


def check_web_address(url: str) -> None:
    """Refuse whatever is not an http(s) URL with a host.

    Some versions of ArchiveBox would archive `file:///etc/passwd`.

    Raises:
        Failure: `INVALID_ARGUMENT`.
    """
    stripped = url.strip()
    try:
        parts = urlsplit(stripped)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        valid = False
    # `urlsplit` drops tabs and line breaks, so it would accept two addresses on two lines.
    if not valid or len(stripped.split()) > 1:
        raise Failure(
            Code.INVALID_ARGUMENT,
            f"{url!r} is not a web address.",
            "Write it in full, with http:// or https://.",
        )
