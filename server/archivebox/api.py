"""One ArchiveBox as tools use it: single requests to one server, as an interactive call or as a
job."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import anyio

from server.archivebox.client import ArchiveBox, Send, Upload
from server.archivebox.openapi import Description
from server.errors import Failure
from server.http.transport import Reply
from server.limiter import Admit, Lane
from server.tool.result import drop_nulls


@dataclass(frozen=True)
class ArchiveBoxApi:
    """A server and what it can do; `deadline` is on the client's monotonic clock, in seconds."""

    client: ArchiveBox
    description: Description
    deadline: float
    lane: Lane = "interactive"

    async def get(self, path: str, **params: Any) -> Any:
        """Return the JSON at a path; parameters that are None are left out."""
        # Written out, None would be a word to look for, or no number, which the server refuses.
        given = drop_nulls(params)
        return await self.client.send(
            Send("GET", path, self.deadline, params=given, lane=self.lane)
        )

    async def change(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None,
        *,
        repeatable: bool,
        verify: str,
        admit: Admit | None = None,
    ) -> Any:
        """Send a change and return the JSON answer; `admit` is awaited just before each send."""
        send = Send(
            method,
            path,
            self.deadline,
            body=body,
            repeatable=repeatable,
            verify=verify,
            lane=self.lane,
            admit=admit,
        )
        return await self.client.send(send)

    async def form(
        self,
        method: str,
        path: str,
        body: dict[str, Any],
        *,
        verify: str,
        file: Upload | None = None,
    ) -> Any:
        """Send a change as `change` does, to an endpoint that takes a form, with a file or without;
        none of them may be repeated."""
        # No job sends a form, so the lane is always that of calls.
        send = Send(
            method,
            path,
            self.deadline,
            body=body,
            form=True,
            file=file,
            repeatable=False,
            verify=verify,
        )
        return await self.client.send(send)

    async def file(self, path: str) -> Reply:
        """Return the file at an API path.

        Raises:
            Failure: decoded as for any other answer.
        """
        return await self.client.raw(Send("GET", path, self.deadline, lane=self.lane))

    async def text(self, path: str, params: Mapping[str, Any] | None = None) -> str:
        """Return the text at an API path.

        Raises:
            Failure: decoded as for any other answer.
        """
        reply = await self.client.raw(Send("GET", path, self.deadline, params=params or {}))
        # A file with broken bytes is still worth reading: each becomes a replacement character.
        return reply.body.decode("utf-8", "replace")


async def read_at_once(*reads: Callable[[], Awaitable[Any]]) -> list[Any]:
    """Return the answers of reads that do not depend on one another, in their order.

    Raises:
        Failure: that of the first read that failed; the others are then given up.
    """
    answers: list[Any] = [None] * len(reads)
    failures: list[Failure] = []

    async def run(number: int, read: Callable[[], Awaitable[Any]]) -> None:
        try:
            answers[number] = await read()
        except Failure as failure:
            failures.append(failure)
            group.cancel_scope.cancel()

    async with anyio.create_task_group() as group:
        for number, read in enumerate(reads):
            group.start_soon(run, number, read)
    if failures:
        raise failures[0]
    return answers
