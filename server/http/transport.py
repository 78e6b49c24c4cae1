"""What the HTTP client is built on: answers as they come, TLS, and a transport that stays in this process."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

MAX_BODY = 8 * 1024 * 1024
"""Bytes of an answer, unpacked; more than any page that fits a result."""


CONNECT_SECONDS = 10.0


_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


@dataclass(frozen=True)
class Reply:
    """An answer as it came: header names in lower case, the body unpacked."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    new_connection: bool = False


InProcess = Callable[[str, str, Mapping[str, str], bytes], Awaitable[Any]]
"""A server inside this process: (method, path with query, headers, body) -> an object with status,
headers and body."""


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
