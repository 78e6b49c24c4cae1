"""Sends the requests to an API: a thin adapter over httpx, opened on first use.

It adds what every API client here needs: no redirects, a cap on the reply's size, `*.localhost` as
loopback, and it says whether a request was provably not sent, so that a write may be repeated.
Files that replies name by URL are fetched from any public host, without a key.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from weakref import WeakSet

import anyio
import httpx

from server.errors import Code, Failure
from server.http.connection import choose_proxy, describe_proxy, open_transport
from server.http.files import FileFetcher, Resolve, resolve_addresses
from server.http.retry import Transient
from server.http.transport import (
    CONNECT_SECONDS,
    MAX_BODY,
    NOT_SENT_ERRORS,
    InProcess,
    InProcessTransport,
    Reply,
    SendProgress,
)
from server.http.urls import parse_origin, rewrite_loopback

_GRACE_SECONDS = 0.2
# No cap: the pool would lose a slot for each cancelled call. Connections are kept longer than httpx
# would, because every new one makes arrivals uneven, and the limiter then slows all callers down.
_LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=8, keepalive_expiry=30)


def _ignore() -> None:
    """Take note of nothing."""


class Http:
    """Sends requests to one origin.

    Args:
        url: the API's URL; its scheme and host choose TLS and proxies, messages show its origin.
        name: how messages call the API.
        in_process: a server that replies instead of the network (the sandbox).
        ca_bundle: a CA file that is trusted besides the system's certificates.
        resolve: finds the addresses of the hosts that files are on.

    Raises:
        Failure: `NOT_CONFIGURED`: the proxy or the certificates of this machine cannot be used.
    """

    def __init__(
        self,
        url: str,
        name: str,
        *,
        in_process: InProcess | None = None,
        ca_bundle: Path | None = None,
        resolve: Resolve = resolve_addresses,
    ) -> None:
        transport = InProcessTransport(in_process) if in_process else None
        self._name = name
        self._url = url
        self._origin = parse_origin(url)
        # Weak, so that a closed connection is forgotten with its stream.
        self._known_streams: WeakSet[Any] = WeakSet()
        self._files = FileFetcher(self._origin, transport, resolve, ca_bundle)
        self._client = httpx.AsyncClient(
            transport=transport or open_transport(url, limits=_LIMITS, ca_bundle=ca_bundle),
            # The transport has the proxy and the certificates already.
            trust_env=False,
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
        self,
        url: str,
        headers: Mapping[str, str],
        body: bytes,
        *,
        seconds: float,
        on_sent: Callable[[], None] = _ignore,
    ) -> Reply:
        """Send a POST request as `send` does."""
        return await self.send("POST", url, headers, body, seconds=seconds, on_sent=on_sent)

    async def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes = b"",
        *,
        seconds: float,
        packed: bool = False,
        largest: int = MAX_BODY,
        on_sent: Callable[[], None] = _ignore,
    ) -> Reply:
        """Send a request and return the whole reply; a redirect is a reply like any other.

        Args:
            seconds: the time for all of it.
            packed: whether the body is left as it came, and not unpacked: of a file that consists
                of several packed parts, httpx would unpack the first alone.
            largest: the most bytes of the reply.
            on_sent: called when the request begins to leave, once it has a connection.

        Raises:
            Transient: the request was not sent or got lost, or the reply is late, unreadable or
                over `largest`.
        """
        timeout = httpx.Timeout(seconds, connect=min(seconds, CONNECT_SECONDS))
        target, host = rewrite_loopback(url)
        progress = SendProgress(on_sent)
        request = self._client.build_request(
            method,
            target,
            content=body or None,
            headers={**headers, **host},
            timeout=timeout,
            extensions={"trace": progress.note},
        )
        try:
            # httpx bounds each step; this bounds them together, late enough that a connect that
            # takes too long is reported as a failed connect: then nothing was sent.
            with anyio.fail_after(seconds + _GRACE_SECONDS):
                response = await self._client.send(request, stream=True)
                try:
                    content = await self._read(response, largest, packed=packed)
                finally:
                    await response.aclose()
        except (httpx.TransportError, TimeoutError) as error:
            raise self._make_failure(error, progress, seconds) from None
        except httpx.DecodingError:
            raise self._make_unreadable() from None
        return Reply(response.status_code, response.headers, content, self._is_new(response))

    async def fetch(self, url: str, headers: Mapping[str, str], *, seconds: float) -> Reply:
        """Read a file that a reply names.

        It sends no cookies, uses no proxy and unpacks nothing. Hosts other than this API's own must
        be public and are read by https, after each redirect too; the connection is made to the very
        addresses that were checked.

        Args:
            headers: must hold no secret.
            seconds: the time for all of it.

        Raises:
            Failure: the address is not public, the host does not answer, or the file has more than
                8 MB. The message is a clause without the URL, which may be signed.
        """
        with anyio.move_on_after(seconds):
            return await self._files.read(url, headers, seconds)
        raise Failure(Code.TIMEOUT, f"its host did not answer within {seconds:.0f} s")

    async def _read(self, response: httpx.Response, largest: int, *, packed: bool) -> bytes:
        chunks: list[bytes] = []
        size = 0
        async for chunk in response.aiter_raw() if packed else response.aiter_bytes():
            size += len(chunk)
            if size > largest:
                raise Transient(
                    Code.BAD_RESPONSE,
                    f"{self._name} sent an answer of more than {largest // 2**20} MB.",
                    "Ask for fewer records (`limit`) or fewer `fields`.",
                    worth_repeating=False,
                )
            chunks.append(chunk)
        return b"".join(chunks)

    def _is_new(self, response: httpx.Response) -> bool:
        # httpx does not report new connections, but each has a stream of its own.
        stream = response.extensions.get("network_stream")
        if stream is None or stream in self._known_streams:
            return False
        self._known_streams.add(stream)
        return True

    def _make_failure(
        self, error: httpx.TransportError | TimeoutError, progress: SendProgress, seconds: float
    ) -> Transient:
        if isinstance(error, httpx.ProxyError):
            return self._make_proxy_refusal(error)
        if isinstance(error, NOT_SENT_ERRORS) or progress.is_unsent:
            return self._make_unreachable(error)
        if isinstance(error, (httpx.TimeoutException, TimeoutError)):
            return self._make_timeout(seconds)
        return self._make_interruption()

    def _make_proxy_refusal(self, error: httpx.ProxyError) -> Transient:
        variable = describe_proxy(self._url)
        hint = f"Check {variable} and who may use that proxy; `archive-mcp doctor` tests it."
        # It wants a user name and a password.
        if str(error).startswith("407"):
            hint = f"Put the user name and the password of the proxy into the URL of {variable}."
        return Transient(
            Code.UNAVAILABLE,
            f"The proxy of {variable} did not open a connection to {self._origin}: {error}. "
            "Nothing was sent.",
            hint,
            may_have_happened=False,
            worth_repeating=False,
        )

    def _make_unreachable(self, error: Exception) -> Transient:
        # httpx has no exception of its own for a certificate, only the text of OpenSSL's error.
        is_untrusted = "certificate" in str(error).lower()
        reason, hint = "no connection could be made", ""
        proxy = f"the proxy of {describe_proxy(self._url)}" if choose_proxy(self._url) else ""
        if _is_unknown_name(error):
            # A proxy looks up the names behind it by itself: it is its own that nobody knows.
            reason = f"no computer of the name of {proxy or 'that host'} can be found"
        elif proxy:
            reason += f" through {proxy}"
        if is_untrusted:
            reason = "its TLS certificate is not trusted"
            hint = (
                "Where it signs its own certificate, or a proxy replaces certificates, set "
                "ARCHIVE_MCP_CA_BUNDLE to the CA file. "
            )
        return Transient(
            Code.UNAVAILABLE,
            f"{self._name} could not be reached at {self._origin}: {reason}. Nothing was sent.",
            f"{hint}Check the network and the configured URL; "
            "`archive-mcp doctor` shows which part fails.",
            may_have_happened=False,
            worth_repeating=not is_untrusted,
        )

    def _make_timeout(self, seconds: float) -> Transient:
        return Transient(
            Code.TIMEOUT,
            f"{self._name} did not answer within {seconds:.0f} s.",
            "Try again later, or ask for less at once (a smaller `limit`, fewer `fields`).",
            worth_repeating=False,
        )

    def _make_interruption(self) -> Transient:
        return Transient(
            Code.UNAVAILABLE,
            f"The connection to {self._name} broke before its answer arrived.",
            "Try again.",
        )

    def _make_unreadable(self) -> Transient:
        return Transient(
            Code.BAD_RESPONSE,
            f"{self._name} sent an answer that cannot be unpacked.",
            "Try again later.",
            worth_repeating=False,
        )


def _is_unknown_name(error: BaseException | None) -> bool:
    """Return whether a name could not be looked up; httpx keeps the cause behind its own errors."""
    while error is not None:
        if isinstance(error, socket.gaierror):
            return True
        error = error.__cause__ or error.__context__
    return False
