"""Reads public addresses of an issuer: one connection for each of its hosts."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from server.http.client import Http
from server.http.transport import Reply
from server.http.urls import parse_origin


class IssuerWeb:
    """Sends requests without a secret, opened on first use.

    Args:
        ca_bundle: a CA file that is trusted besides the system's certificates.
    """

    def __init__(self, ca_bundle: Path | None) -> None:
        self._ca_bundle = ca_bundle
        self._clients: dict[str, Http] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    async def get(self, url: str, *, seconds: float, largest: int) -> Reply:
        """Return the reply of an address.

        Raises:
            Failure: it cannot be reached, or sends too much.
        """
        origin = parse_origin(url)
        if origin not in self._clients:
            client = Http(url, "The issuer", ca_bundle=self._ca_bundle)
            self._clients[origin] = await self._stack.enter_async_context(client)
        headers = {"accept": "application/json"}
        client = self._clients[origin]
        return await client.send("GET", url, headers, seconds=seconds, largest=largest)
