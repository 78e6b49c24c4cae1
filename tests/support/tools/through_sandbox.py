"""Calls of the tools against the sandbox, in this process and without its pace."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from server.archive.backend import ArchiveBackend
from server.archive.client import Archive
from server.archive.operations import ArchiveRequest
from server.errors import Failure
from server.http.client import Http
from server.sandbox import MAIN, TOKEN
from server.settings import DEFAULT_API_URL
from server.shared_state.tokens import MemoryTokens
from server.tool.confirmation import Confirmations
from server.tool.context import Caller
from server.tool.elicitation import Asker, Nobody
from tests.support.clocks import fixed_sandbox
from tests.support.doubles import Clock, IdleProcess, OpenLimiter
from tests.support.tools.calling import parsed

Json = dict[str, Any]


class Desk:
    """Somebody who calls tools by their classes, on a clock that is moved by hand."""

    def __init__(self, backend: ArchiveBackend, clock: Clock) -> None:
        self.clock = clock
        self._backend = backend

    async def call(
        self, request: type[ArchiveRequest[Any]], asker: Asker | None = None, **raw: Any
    ) -> Json:
        """What the tool answers to the raw arguments."""
        result = await self._backend.run(
            parsed(request, **raw), Caller(asker or Nobody(), self.clock() + 45)
        )
        return result.structured

    async def refused(
        self, request: type[ArchiveRequest[Any]], asker: Asker | None = None, **raw: Any
    ) -> Failure:
        """The failure that the raw arguments meet at the API."""
        with pytest.raises(Failure) as caught:
            await self.call(request, asker, **raw)
        return caught.value


@asynccontextmanager
async def desk() -> AsyncIterator[Desk]:
    """A desk at a fresh sandbox, in its main workspace."""
    clock = Clock()
    sandbox = fixed_sandbox(items=400, clock=clock)
    async with Http(DEFAULT_API_URL, "Archive", in_process=sandbox.handle) as http:
        archive = Archive(
            url=DEFAULT_API_URL,
            token=TOKEN,
            http=http,
            limiter=OpenLimiter(),
            user_agent="test",
            clock=clock,
        )
        yield Desk(
            ArchiveBackend(archive, MAIN, Confirmations("ask", MemoryTokens(clock)), IdleProcess()),
            clock,
        )
