"""The one module that talks HTTP: a thin adapter over httpx, opened on first use.

It adds what every API client here needs: no redirects, a cap on the answer's size, `*.localhost` as
loopback, and the one question that decides whether a write may be repeated: was the request
provably not sent? Files that answers name by URL are fetched from wherever they are, without a key,
and from nowhere inside.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit
from weakref import WeakSet

import anyio
import httpx

from server.errors import Code, Failure
from server.http.files import Resolve, _Files, addresses
from server.http.retry import Transient
from server.http.transport import (
    _NOT_SENT,
    CONNECT_SECONDS,
    MAX_BODY,
    InProcess,
    Reply,
    _InProcessTransport,
    _tls,
)
from server.http.urls import (
    is_loopback,
    origin,
    reached_at,
)

_GRACE_SECONDS = 0.2


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
