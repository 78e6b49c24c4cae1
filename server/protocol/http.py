"""Serves the MCP server of one person over HTTP, in both protocol eras, without sessions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import anyio
from anyio.abc import TaskStatus
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecurityMiddleware, TransportSecuritySettings
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send


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
        await self._manager.handle_request(scope, receive, send)


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
