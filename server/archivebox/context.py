"""What a tool of ArchiveBox works with: one server, and what its version can do."""

from __future__ import annotations

from dataclasses import dataclass

from server.archivebox.api import ArchiveBoxApi
from server.archivebox.client import ArchiveBox
from server.archivebox.openapi import Description
from server.tool.context import Context

JOB_SECONDS = 300.0
"""How long one request of a job may wait for its turn and its answer: interactive calls go
first."""
_REQUEST_SECONDS = 0.1
"""Seconds that a server on a usual machine takes for a small request, about."""


@dataclass(frozen=True)
class ArchiveBoxContext(Context):
    """One ArchiveBox; `description` says what the server can do."""

    client: ArchiveBox
    description: Description

    @property
    def api(self) -> ArchiveBoxApi:
        """The server, for this call."""
        return ArchiveBoxApi(self.client, self.description, self.deadline)

    @property
    def background(self) -> ArchiveBoxApi:
        """The server, for the next request of a job: interactive calls go first, and it has its own
        time."""
        # A property on purpose: each use starts a new deadline, since the call's own is over long
        # before a job is.
        return ArchiveBoxApi(self.client, self.description, self.now() + JOB_SECONDS, "job")

    def now(self) -> float:
        """Return the client's monotonic clock, in seconds."""
        return self.client.now()

    async def estimate_seconds(self, requests: int, credits: float) -> float:
        """Return a guess: an ArchiveBox has no pace of its own, and no credits."""
        return requests * _REQUEST_SECONDS
