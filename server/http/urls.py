"""Where requests may go: the checks on a configured URL, before any secret is sent to it."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from server.errors import Code, Failure


def is_loopback(host: str) -> bool:
    """Whether a host can only be this machine; `*.localhost` is, by RFC 6761."""
    host = host.rstrip(".").lower()
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def is_public(address: str) -> bool:
    """Whether an IP address is one of the internet: not of this machine or of a network around it.

    An IPv6 address that only wraps an IPv4 one is judged by that one.
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    inner: ipaddress.IPv4Address | None = None
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour
        if found in _NAT64:
            inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
    judged = inner or found
    return judged.is_global and not judged.is_multicast


def refusal(variable: str, url: str, *, allow_insecure: bool) -> str:
    """Why a URL cannot be used, in a sentence that names the variable; empty if it can."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return f"{variable} is not a URL."
    if parts.scheme not in ("http", "https") or not host:
        return f"{variable} must start with https:// (or http://) and name a host."
    if parts.username is not None or parts.password is not None:
        return f"{variable} must not contain a user name or password."
    if parts.scheme == "http" and not is_loopback(host) and not allow_insecure:
        return (
            f"{variable} is plain http to another machine ({host}): the key would travel unencrypted. "
            "Use https, or set ARCHIVE_MCP_ALLOW_INSECURE=1 if you accept that."
        )
    return ""


def origin(url: str) -> str:
    """Scheme, host and port of a URL."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def reached_at(url: str) -> tuple[str, dict[str, str]]:
    """The URL to connect to and the headers that go with it.

    Python resolves no `*.localhost`, so those names are reached at 127.0.0.1 with their own Host
    header.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    if not host.endswith(".localhost"):
        return url, {}
    port = f":{parts.port}" if parts.port else ""
    return parts._replace(netloc=f"127.0.0.1{port}").geturl(), {"host": f"{host}{port}"}


def http_url(url: str) -> None:
    """Refuse whatever is not an http(s) URL with a host: some versions would archive
    `file:///etc/passwd`.

    Raises:
        Failure: `INVALID_ARGUMENT`.
    """
    try:
        parts = urlsplit(url.strip())
        valid = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        valid = False
    if not valid or any(each.isspace() for each in url.strip()):
        raise Failure(
            Code.INVALID_ARGUMENT,
            f"{url!r} is not a web address.",
            "Write it in full, with http:// or https://.",
        )
