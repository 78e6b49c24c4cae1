"""The one module that talks HTTP: a thin adapter over httpx, opened on first use.

It adds what every API client here needs: no redirects, a cap on the answer's size, `*.localhost` as
loopback, and the one question that decides whether a write may be repeated: was the request
provably not sent? Files that answers name by URL are fetched from wherever they are, without a key,
and from nowhere inside.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urljoin, urlsplit
from weakref import WeakSet

import anyio
import httpx

from .errors import Code, Failure
from .origins import is_loopback, is_public, origin, reached_at
from .retry import Transient

MAX_BODY = 8 * 1024 * 1024
"""Bytes of an answer, unpacked; more than any page that fits a result."""

CONNECT_SECONDS = 10.0
_GRACE_SECONDS = 0.2

_MOST_REDIRECTS = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


@dataclass(frozen=True)
class Reply:
    """An answer as it came: header names in lower case, the body unpacked."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    new_connection: bool = False


Resolve = Callable[[str, int], Awaitable[list[str]]]
"""The IP addresses of a host (and port), best first."""


async def addresses(host: str, port: int) -> list[str]:
    """What the system's resolver says of a host."""
    found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


InProcess = Callable[[str, str, Mapping[str, str], bytes], Awaitable[Any]]
"""A server inside this process: (method, path with query, headers, body) -> an object with status,
headers and body."""


class Http:
    """Sends requests to one origin.

    Args:
        url: what is called, for telling the transport and the messages apart.
        name: how messages call the other side.
        in_process: answers instead of the network (the sandbox).
        ca_bundle: CA file for a server that signs its own certificate.
        resolve: finds the addresses of the hosts that files are on.
    """

    def __init__(
        self,
        url: str,
        name: str,
        *,
        in_process: InProcess | None = None,
        ca_bundle: Path | None = None,
        resolve: Resolve = addresses,
    ) -> None:
        parts = urlsplit(url)
        transport = _InProcessTransport(in_process) if in_process else None
        self._name = name
        self._origin = origin(url)
        self._seen: WeakSet[Any] = WeakSet()
        self._files = _Files(self._origin, transport, resolve)
        self._client = httpx.AsyncClient(
            transport=transport,
            verify=_tls(parts.scheme, ca_bundle, in_process is not None),
            # No cap: the pool would lose a slot for each cancelled call. Kept longer than httpx
            # would, because every new connection makes arrivals uneven, and with them everybody's
            # pace slower.
            limits=httpx.Limits(
                max_connections=None, max_keepalive_connections=8, keepalive_expiry=30
            ),
            trust_env=not is_loopback(parts.hostname or ""),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.aclose()
        await self._files.aclose()

    async def post(
        self, url: str, headers: Mapping[str, str], body: bytes, *, seconds: float
    ) -> Reply:
        """`send` a POST."""
        return await self.send("POST", url, headers, body, seconds=seconds)

    async def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes = b"",
        *,
        seconds: float,
    ) -> Reply:
        """Send a request and read the whole answer within `seconds`; redirects are answers like any
        other.

        Raises: Transient: not sent, lost on the way, no answer in time, or one that is unreadable
            or over 8 MB.
        """
        timeout = httpx.Timeout(seconds, connect=min(seconds, CONNECT_SECONDS))
        target, host = reached_at(url)
        request = self._client.build_request(
            method, target, content=body or None, headers={**headers, **host}, timeout=timeout
        )
        try:
            # httpx bounds each step; this bounds them together, late enough to let a failed connect
            # be told as such.
            with anyio.fail_after(seconds + _GRACE_SECONDS):
                response = await self._client.send(request, stream=True)
                try:
                    content = await self._read(response)
                finally:
                    await response.aclose()
        except _NOT_SENT as error:
            raise self._unreachable(error) from None
        except (httpx.TimeoutException, TimeoutError):
            raise self._late(seconds) from None
        except httpx.TransportError:
            raise self._lost() from None
        except httpx.DecodingError:
            raise self._unreadable() from None
        return Reply(response.status_code, response.headers, content, self._is_new(response))

    async def fetch(self, url: str, headers: Mapping[str, str], *, seconds: float) -> Reply:
        """Read a file that an answer names, within `seconds`; `headers` must hold no secret.

        No cookies, no proxy, nothing unpacked. Hosts other than this API's own must be public ones,
        by https, after each redirect too; the connection is made to the very addresses that were
        checked.

        Raises: Failure: an address that is not public, a host that does not answer, more than 8 MB.
            The message is a clause without the URL, which may be signed.
        """
        with anyio.move_on_after(seconds):
            return await self._files.read(url, headers, seconds)
        raise Failure(Code.TIMEOUT, f"its host did not answer within {seconds:.0f} s")

    async def _read(self, response: httpx.Response) -> bytes:
        chunks: list[bytes] = []
        size = 0
        async for chunk in response.aiter_bytes():
            size += len(chunk)
            if size > MAX_BODY:
                raise Transient(
                    Code.BAD_RESPONSE,
                    f"{self._name} sent an answer of more than {MAX_BODY // 2**20} MB.",
                    "Ask for fewer records (`limit`) or fewer `fields`.",
                    worth_repeating=False,
                )
            chunks.append(chunk)
        return b"".join(chunks)

    def _is_new(self, response: httpx.Response) -> bool:
        stream = response.extensions.get("network_stream")
        if stream is None or stream in self._seen:
            return False
        self._seen.add(stream)
        return True

    def _unreachable(self, error: httpx.TransportError) -> Transient:
        untrusted = "certificate" in str(error).lower()
        why = "its TLS certificate is not trusted" if untrusted else "no connection could be made"
        bundle = (
            "For a self-signed ArchiveBox set ARCHIVEBOX_CA_BUNDLE to its CA file. "
            if untrusted
            else ""
        )
        return Transient(
            Code.UNAVAILABLE,
            f"{self._name} could not be reached at {self._origin}: {why}. Nothing was sent.",
            f"{bundle}Check the network and the configured URL; `archive-mcp doctor` tells which part fails.",
            may_have_happened=False,
            worth_repeating=not untrusted,
        )

    def _late(self, seconds: float) -> Transient:
        return Transient(
            Code.TIMEOUT,
            f"{self._name} did not answer within {seconds:.0f} s.",
            "Try again later, or ask for less at once (a smaller `limit`, fewer `fields`).",
            worth_repeating=False,
        )

    def _lost(self) -> Transient:
        return Transient(
            Code.UNAVAILABLE,
            f"The connection to {self._name} broke before its answer arrived.",
            "Try again.",
        )

    def _unreadable(self) -> Transient:
        return Transient(
            Code.BAD_RESPONSE,
            f"{self._name} sent an answer that cannot be unpacked.",
            "Try again later.",
            worth_repeating=False,
        )


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


def _tls(scheme: str, ca_bundle: Path | None, in_process: bool) -> ssl.SSLContext | bool:
    if ca_bundle is not None:
        return ssl.create_default_context(cafile=ca_bundle)
    if scheme == "https" and not in_process:
        return True
    # Plain http needs no CA store, and loading one costs 0.1 s and 10 MB: this context trusts
    # nobody at all.
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class _InProcessTransport(httpx.AsyncBaseTransport):
    def __init__(self, answer: InProcess) -> None:
        self._answer = answer

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        target = request.url.raw_path.decode("ascii")
        found = await self._answer(request.method, target, request.headers, body)
        return httpx.Response(found.status, headers=dict(found.headers), content=found.body)
