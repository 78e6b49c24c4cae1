"""What the HTTP client is built on: replies, and a transport that stays in this process."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

# The most bytes of an unpacked reply; more than any page that fits a result.
MAX_BODY = 8 * 1024 * 1024

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


# A server inside this process: it takes method, path with query, headers and body, and returns an
# object with status, headers and body.
InProcess = Callable[[str, str, Mapping[str, str], bytes], Awaitable[Any]]


class SendProgress:
    """Watches how far a request gets, by the events that httpcore reports.

    The errors alone do not show that: a proxy that closes the connection before it opens a tunnel
    looks like a server that has read everything.

    Args:
        on_sent: called when the request begins to leave.
    """

    def __init__(self, on_sent: Callable[[], None]) -> None:
        self._on_sent = on_sent
        self._is_watched = False
        self._is_sent = False

    @property
    def is_unsent(self) -> bool:
        """Whether not a byte of the request itself can have been sent."""
        # Where nothing reports events, nothing is known.
        return self._is_watched and not self._is_sent

    async def note(self, event: str, info: Mapping[str, Any]) -> None:
        """Take an event of httpcore's `trace` extension."""
        self._is_watched = True
        if not event.endswith("send_request_headers.started"):
            return
        # With CONNECT a proxy is asked for a way to the server: that is not the request yet.
        if info["request"].method != b"CONNECT":
            self._is_sent = True
            self._on_sent()


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
