"""What the HTTP client is built on: replies, TLS, and a transport that stays in this process."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

MAX_BODY = 8 * 1024 * 1024
"""The most bytes of an unpacked reply; more than any page that fits a result."""

CONNECT_SECONDS = 10.0

# The errors that come before the first byte is sent: only after these may a write be repeated.
NOT_SENT_ERRORS = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


@dataclass(frozen=True)
class Reply:
    """A reply of a server: header names in lower case, the body unpacked."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    new_connection: bool = False


InProcess = Callable[[str, str, Mapping[str, str], bytes], Awaitable[Any]]
"""A server inside this process: it takes method, path with query, headers and body, and returns an
object with status, headers and body."""


def choose_tls(scheme: str, ca_bundle: Path | None, in_process: bool) -> ssl.SSLContext | bool:
    """Return what httpx verifies certificates with: a context, or True for its own default.

    Args:
        ca_bundle: the CA file of a server that signs its own certificate.
        in_process: whether no connection is made at all.
    """
    if ca_bundle is not None:
        return ssl.create_default_context(cafile=ca_bundle)
    if scheme == "https" and not in_process:
        return True
    # Plain http needs no CA store, and loading one costs 0.1 s and 10 MB. This context trusts no
    # certificate, so that a mistake fails instead of passing unverified.
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class InProcessTransport(httpx.AsyncBaseTransport):
    """Hands requests to a server inside this process instead of the network."""

    def __init__(self, answer: InProcess) -> None:
        self._answer = answer

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        target = request.url.raw_path.decode("ascii")
        answer = await self._answer(request.method, target, request.headers, body)
        stream = httpx.ByteStream(answer.body)
        return httpx.Response(answer.status, headers=dict(answer.headers), stream=stream)
