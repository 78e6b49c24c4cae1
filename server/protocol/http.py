"""Serves the MCP server of one person over HTTP, in both protocol eras, without sessions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import anyio
from anyio.abc import TaskStatus
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecurityMiddleware, TransportSecuritySettings
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from server.redaction import holds_secret, redact, redact_message


class HttpServer:
    """Answers requests to one MCP server; hosted in a task of its own (`run`).

    Args:
        most_bytes: bytes of a request.
    """

    def __init__(self, server: Server[Any], most_bytes: int) -> None:
        self._manager = StreamableHTTPSessionManager(
            server, stateless=True, max_request_body_size=most_bytes
        )

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Host what requests open, until cancelled."""
        async with self._manager.run():
            task_status.started()
            await anyio.sleep_forever()

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        await self._manager.handle_request(scope, receive, RedactedSend(send).send)


class RedactedSend:
    """Sends an answer without the secrets that an API may have repeated in it.

    Whole answers are JSON; of a stream each line of data is.

    The headers wait for the first part of the answer. Proxies written in Go cut an answer off if it
    begins in the moment in which they read the end of the request (golang/go issue 40747), and the
    SDK begins a stream just then: behind a busy Caddy one call in a hundred came back empty.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message | None = None
        self._is_stream = False
        self._body = b""

    async def send(self, message: Message) -> None:
        """Send a message of the app's protocol."""
        if message["type"] == "http.response.start":
            kind = Headers(raw=message["headers"]).get("content-type", "")
            self._is_stream = kind.startswith("text/event-stream")
            self._start = message
            return
        if message["type"] != "http.response.body":
            await self._send(message)
            return
        if self._is_stream:
            await self._send_start()
            await self._send(self._redact_events(message))
            return
        self._body += message.get("body", b"")
        if not message.get("more_body", False):
            await self._finish()

    async def _send_start(self) -> None:
        if self._start is not None:
            start, self._start = self._start, None
            await self._send(start)

    async def _finish(self) -> None:
        body = _redact(self._body)
        if self._start is not None and body != self._body:
            headers = MutableHeaders(raw=list(self._start["headers"]))
            headers["content-length"] = str(len(body))
            self._start = {**self._start, "headers": headers.raw}
        await self._send_start()
        await self._send({"type": "http.response.body", "body": body, "more_body": False})

    def _redact_events(self, message: Message) -> Message:
        # The SDK sends each event in one piece.
        body = message.get("body", b"")
        if not holds_secret(body.decode("utf-8", "replace")):
            return message
        lines = [_redact_event(line) for line in body.split(b"\n")]
        return {**message, "body": b"\n".join(lines)}


def _redact_event(line: bytes) -> bytes:
    name, colon, data = line.partition(b":")
    if name != b"data":
        return line
    return name + colon + b" " + _redact(data.strip()) + b"\r"


def _redact(body: bytes) -> bytes:
    text = body.decode("utf-8", "replace")
    if not holds_secret(text):
        return body
    try:
        return redact_message(text).encode()
    except ValueError:
        return redact(text).encode()


class NameCheck:
    """Refuses requests for another name than this server's, and from other web pages.

    A page that had its own name point to this server would come with that name.

    Args:
        hosts: the values that the header `Host` may have.
        origins: the values that the header `Origin` may have, where a request has one.
    """

    def __init__(self, hosts: Sequence[str], origins: Sequence[str]) -> None:
        settings = TransportSecuritySettings(
            enable_dns_rebinding_protection=True,
            allowed_hosts=list(hosts),
            allowed_origins=list(origins),
        )
        self._check = TransportSecurityMiddleware(settings)

    async def find_refusal(self, scope: Scope) -> Response | None:
        """Return the answer to a request that is refused; None where it may pass."""
        return await self._check.validate_request(Request(scope))
