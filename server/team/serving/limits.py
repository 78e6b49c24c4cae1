"""What stands before everything else: how much at once, how slow, and for which names."""

from __future__ import annotations

import time
from collections.abc import Callable

import anyio
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.protocol.http import NameCheck
from server.team.serving.answers import make_error
from server.team.settings import Limits


class SlowRequestError(Exception):
    """A client took too long to send its request."""


class Gate:
    """Lets so many requests in at once, and only those that come for this server by name.

    Args:
        needs_proxy: returns whether a request should have come through the proxy, and did not.
    """

    def __init__(
        self,
        app: ASGIApp,
        limits: Limits,
        names: NameCheck,
        needs_proxy: Callable[[Scope], bool] = lambda scope: False,
    ) -> None:
        self._app = app
        self._limits = limits
        self._names = names
        self._needs_proxy = needs_proxy
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if refusal := await self._names.find_refusal(scope):
            await refusal(scope, receive, send)
            return
        if self._needs_proxy(scope):
            words = (
                "Use the https:// address of this server. For its administrators: its proxy has to "
                "send X-Forwarded-Proto, from an address in ARCHIVE_MCP_TRUSTED_PROXIES."
            )
            await make_error(403, words)(scope, receive, send)
            return
        if self._under_way >= self._limits.requests:
            busy = make_error(503, "This server is busy. Try again.", {"retry-after": "2"})
            await busy(scope, receive, send)
            return
        self._under_way += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._under_way -= 1


class TimedBody:
    """Receives a request that has to be complete within some seconds.

    Args:
        clock: monotonic seconds.
    """

    def __init__(
        self, receive: Receive, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._receive = receive
        self._clock = clock
        self._until = clock() + seconds
        self._is_complete = False

    async def receive(self) -> Message:
        """Return the next message of the app's protocol.

        Raises:
            SlowRequestError: the time is over.
        """
        # What comes after the request is the news that the client has gone, hours later perhaps.
        if self._is_complete:
            return await self._receive()
        try:
            with anyio.fail_after(max(0.0, self._until - self._clock())):
                message = await self._receive()
        except TimeoutError:
            raise SlowRequestError from None
        if message["type"] != "http.request" or not message.get("more_body", False):
            self._is_complete = True
        return message
