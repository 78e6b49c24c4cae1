"""Where audit records go."""

from __future__ import annotations

from typing import Protocol

from server.audit.event import Event


class AuditLog(Protocol):
    """Keeps audit records."""

    async def record(self, event: Event) -> None:
        """Keep a record, so that a crash right after does not lose it.

        Raises:
            Failure: `UNAVAILABLE` where it cannot be kept.
        """


class SeveralLogs:
    """Keeps each record in several places; where one of them fails, the record counts as lost."""

    def __init__(self, *logs: AuditLog) -> None:
        self._logs = logs

    async def record(self, event: Event) -> None:
        """Keep a record in all places. Raises as `AuditLog.record`."""
        for log in self._logs:
            await log.record(event)
