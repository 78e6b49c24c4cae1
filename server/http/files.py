"""Fetches the files that replies name by URL, from public hosts only."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

import anyio
import httpx

from server.errors import Code, Failure
from server.http.connection import build_transport, choose_proxy, make_tls
from server.http.transport import (
    CONNECT_SECONDS,
    MAX_BODY,
    NOT_SENT_ERRORS,
    Reply,
)
from server.http.urls import is_local_name, is_public, parse_origin, rewrite_loopback

_MOST_REDIRECTS = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})

# A function that returns the IP addresses of a host and port, best first.
Resolve = Callable[[str, int], Awaitable[list[str]]]


async def resolve_addresses(host: str, port: int) -> list[str]:
    """Return the IP addresses that the system's resolver knows for a host, best first."""
    entries = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = (str(socket_address[0]) for *_, socket_address in entries)
    return list(dict.fromkeys(addresses))


class FileFetcher:
    """Reads files on hosts that nobody configured.

    Args:
        own_origin: the origin of the API itself, which may be a private host.
        in_process: what reads files instead of the network (the sandbox), None for the network.
        resolve: finds the addresses of a host.
        ca_bundle: a CA file that is trusted besides the system's certificates.
    """

    def __init__(
        self,
        own_origin: str,
        in_process: httpx.AsyncBaseTransport | None,
        resolve: Resolve,
        ca_bundle: Path | None = None,
    ) -> None:
        self._own_origin = own_origin
        self._in_process = in_process
        self._resolve = resolve
        self._ca_bundle = ca_bundle
        # By scheme and proxy: one for each way out of this machine.
        self._transports: dict[tuple[str, str | None], httpx.AsyncBaseTransport] = {}

    async def aclose(self) -> None:
        for transport in self._transports.values():
            await transport.aclose()

    async def read(self, url: str, headers: Mapping[str, str], seconds: float) -> Reply:
        """Return the reply at the end of the redirects; `seconds` bounds each connect."""
        # Redirects are followed here and not by httpx, so that every target passes the checks.
        for _ in range(_MOST_REDIRECTS + 1):
            reply = await self._read_once(url, headers, seconds)
            target = reply.headers.get("location")
            if reply.status not in _REDIRECTS or not target:
                return reply
            try:
                url = urljoin(url, target)
            except ValueError:
                raise Failure(Code.BAD_RESPONSE, "its host redirects to what is no URL") from None
        raise Failure(Code.BAD_RESPONSE, "its host redirects again and again")

    async def _read_once(self, url: str, headers: Mapping[str, str], seconds: float) -> Reply:
        if self._in_process is not None:
            return await self._send(self._in_process, url, headers, {}, seconds)
        try:
            parts = urlsplit(url)
            port = parts.port or 443
        except ValueError:
            raise Failure(Code.FORBIDDEN, "its address is not a URL") from None
        # A self-hosted API is configured on purpose, so its own host may be private or plain http.
        if parse_origin(url) == self._own_origin:
            target, host = rewrite_loopback(url)
            transport = self._open_transport(parts.scheme, choose_proxy(url))
            return await self._send(transport, target, {**headers, **host}, {}, seconds)
        if not _is_plain_https(parts):
            raise Failure(Code.FORBIDDEN, "its address is not a plain https one")
        if proxy := choose_proxy(url):
            return await self._read_by_proxy(parts, proxy, headers, seconds)
        return await self._read_public(parts, port, headers, seconds)

    async def _read_by_proxy(
        self, parts: SplitResult, proxy: str, headers: Mapping[str, str], seconds: float
    ) -> Reply:
        """Return a file that is read through a proxy.

        The proxy resolves the name, so its addresses cannot be checked here: the proxy itself has
        to keep callers away from its network.
        """
        host = parts.hostname or ""
        if is_local_name(host):
            raise Failure(Code.FORBIDDEN, "its host is not a public one")
        transport = self._open_transport("https", proxy)
        url = parts._replace(fragment="").geturl()
        return await self._send(transport, url, headers, {}, seconds)

    async def _read_public(
        self, parts: SplitResult, port: int, headers: Mapping[str, str], seconds: float
    ) -> Reply:
        host = parts.hostname or ""
        # The connection goes to an address, not to the name: a second look-up of the name could
        # give another, private address. Host header and SNI still carry the name.
        headers = {**headers, "host": parts.netloc}
        extensions = {"sni_hostname": host}
        transport = self._open_transport("https", None)
        for address in await self._resolve_public(host, port):
            literal = f"[{address}]" if ":" in address else address
            target = parts._replace(netloc=f"{literal}:{port}", fragment="").geturl()
            try:
                return await self._send(transport, target, headers, extensions, seconds)
            except NOT_SENT_ERRORS:
                continue
        raise Failure(Code.UNAVAILABLE, "its host could not be reached")

    async def _resolve_public(self, host: str, port: int) -> list[str]:
        try:
            addresses = await self._resolve(host, port)
        # A label that IDNA cannot encode raises UnicodeError.
        except (OSError, UnicodeError):
            raise Failure(Code.UNAVAILABLE, "its host could not be found") from None
        # One private address is enough to refuse: which one is tried first is up to the resolver.
        if not all(map(is_public, addresses)):
            raise Failure(Code.FORBIDDEN, "its host is not a public one")
        return addresses

    async def _send(
        self,
        transport: httpx.AsyncBaseTransport,
        url: str,
        headers: Mapping[str, str],
        extensions: Mapping[str, str],
        seconds: float,
    ) -> Reply:
        # Only the connect is bounded here: `Http.fetch` bounds the whole.
        timeout = httpx.Timeout(None, connect=min(seconds, CONNECT_SECONDS)).as_dict()
        try:
            request = httpx.Request(
                "GET", url, headers=headers, extensions={**extensions, "timeout": timeout}
            )
            response = await transport.handle_async_request(request)
            try:
                body = await _read_packed(response.stream)
                return Reply(response.status_code, response.headers, body)
            finally:
                await response.aclose()
        except NOT_SENT_ERRORS:
            # With extensions this is one of several addresses, and the caller tries the next.
            if extensions:
                raise
            raise Failure(Code.UNAVAILABLE, "its host could not be reached") from None
        except (httpx.InvalidURL, httpx.UnsupportedProtocol):
            raise Failure(Code.FORBIDDEN, "its address is not a URL") from None
        except httpx.TransportError:
            raise Failure(Code.UNAVAILABLE, "the connection to its host broke") from None

    def _open_transport(self, scheme: str, proxy: str | None) -> httpx.AsyncBaseTransport:
        if (scheme, proxy) not in self._transports:
            # No connection is reused: the next host at the same address must show a certificate of
            # its own.
            limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
            tls = make_tls(scheme, self._ca_bundle)
            self._transports[scheme, proxy] = build_transport(proxy, tls, limits=limits)
        return self._transports[scheme, proxy]


def _is_plain_https(parts: SplitResult) -> bool:
    """Return whether a URL is https with a host in ASCII and without a user name."""
    if parts.scheme != "https" or not parts.hostname:
        return False
    return "@" not in parts.netloc and parts.netloc.isascii()


async def _read_packed(stream: Any) -> bytes:
    chunks: list[bytes] = []
    size = 0
    # As sent: unpacking is where small files turn large.
    async for chunk in stream:
        size += len(chunk)
        if size > MAX_BODY:
            raise Failure(Code.BAD_RESPONSE, f"it is larger than {MAX_BODY // 2**20} MB")
        chunks.append(chunk)
    return b"".join(chunks)
