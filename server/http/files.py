"""Files that answers name by URL, fetched from public hosts only."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

import anyio
import httpx

from server.errors import Code, Failure
from server.http.transport import _NOT_SENT, CONNECT_SECONDS, MAX_BODY, Reply, _tls
from server.http.urls import (
    is_public,
    origin,
    reached_at,
)

_MOST_REDIRECTS = 3


_REDIRECTS = frozenset({301, 302, 303, 307, 308})


Resolve = Callable[[str, int], Awaitable[list[str]]]
"""The IP addresses of a host (and port), best first."""


async def addresses(host: str, port: int) -> list[str]:
    """What the system's resolver says of a host."""
    found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


class _Files:
    """Files on hosts that nobody configured."""

    def __init__(
        self, own: str, in_process: httpx.AsyncBaseTransport | None, resolve: Resolve
    ) -> None:
        self._own = own
        self._in_process = in_process
        self._resolve = resolve
        self._transports: dict[str, httpx.AsyncBaseTransport] = {}

    async def aclose(self) -> None:
        for transport in self._transports.values():
            await transport.aclose()

    async def read(self, url: str, headers: Mapping[str, str], seconds: float) -> Reply:
        for _ in range(_MOST_REDIRECTS + 1):
            reply = await self._read_one(url, headers, seconds)
            target = reply.headers.get("location")
            if reply.status not in _REDIRECTS or not target:
                return reply
            url = urljoin(url, target)
        raise Failure(Code.BAD_RESPONSE, "its host redirects again and again")

    async def _read_one(self, url: str, headers: Mapping[str, str], seconds: float) -> Reply:
        if self._in_process is not None:
            return await self._send(self._in_process, url, headers, {}, seconds)
        try:
            parts, port = urlsplit(url), urlsplit(url).port
        except ValueError:
            raise Failure(Code.FORBIDDEN, "its address is no URL") from None
        if origin(url) == self._own:
            target, host = reached_at(url)
            return await self._send(
                self._transport(parts.scheme), target, {**headers, **host}, {}, seconds
            )
        if (
            parts.scheme != "https"
            or not parts.hostname
            or "@" in parts.netloc
            or not parts.netloc.isascii()
        ):
            raise Failure(Code.FORBIDDEN, "its address is not a plain https one")
        headers = {**headers, "host": parts.netloc}
        for address in await self._public(parts.hostname, port or 443):
            place = f"[{address}]" if ":" in address else address
            target = parts._replace(netloc=f"{place}:{port or 443}", fragment="").geturl()
            named = {"sni_hostname": parts.hostname}
            try:
                return await self._send(self._transport("https"), target, headers, named, seconds)
            except _NOT_SENT:
                continue
        raise Failure(Code.UNAVAILABLE, "its host could not be reached")

    async def _public(self, host: str, port: int) -> list[str]:
        try:
            found = await self._resolve(host, port)
        except (OSError, UnicodeError):
            raise Failure(Code.UNAVAILABLE, "its host is not known") from None
        if not all(is_public(each) for each in found):
            raise Failure(Code.FORBIDDEN, "its host is not a public one")
        return found

    async def _send(
        self,
        transport: httpx.AsyncBaseTransport,
        url: str,
        headers: Mapping[str, str],
        extensions: Mapping[str, str],
        seconds: float,
    ) -> Reply:
        timeout = httpx.Timeout(
            None, connect=min(seconds, CONNECT_SECONDS)
        ).as_dict()  # `fetch` bounds the whole
        try:
            request = httpx.Request(
                "GET", url, headers=headers, extensions={**extensions, "timeout": timeout}
            )
            response = await transport.handle_async_request(request)
            try:
                return Reply(response.status_code, response.headers, await _packed(response.stream))
            finally:
                await response.aclose()
        except _NOT_SENT:
            if extensions:
                raise
            raise Failure(Code.UNAVAILABLE, "its host could not be reached") from None
        except (httpx.InvalidURL, httpx.UnsupportedProtocol):
            raise Failure(Code.FORBIDDEN, "its address is no URL") from None
        except httpx.TransportError:
            raise Failure(Code.UNAVAILABLE, "the connection to its host broke") from None

    def _transport(self, scheme: str) -> httpx.AsyncBaseTransport:
        if scheme not in self._transports:
            # No connection is kept: the next host at the same address must show a certificate of
            # its own.
            limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
            tls = (
                httpx.create_ssl_context()
                if scheme == "https"
                else _tls(scheme, None, in_process=False)
            )
            self._transports[scheme] = httpx.AsyncHTTPTransport(verify=tls, limits=limits)
        return self._transports[scheme]


async def _packed(stream: Any) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in stream:  # as sent: unpacking is where small files turn large
        size += len(chunk)
        if size > MAX_BODY:
            raise Failure(Code.BAD_RESPONSE, f"it has more than {MAX_BODY // 2**20} MB")
        chunks.append(chunk)
    return b"".join(chunks)
