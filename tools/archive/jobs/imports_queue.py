"""Imports of the same links, in whatever process: one after the other, so that none uploads what
another just did."""

from __future__ import annotations

from server.archive.context import ArchiveContext
from server.jobs import (
    Handle,
    JobRow,
    JobState,
    Phase,
    RecordState,
)

ON_ITS_WAY = 3600.0
"""Seconds after an import's last step for which what it uploaded counts as on its way: Archive says
minutes."""
# Other processes share only the journal, so a turn is found by looking, not by a signal.
_LOOK = 1.0
# Newest first: an import older than these has long been over.
_MOST_JOBS = 200
_SENT_STATES = (RecordState.SENDING, RecordState.DONE, RecordState.UNKNOWN)


class ImportQueue:
    """The imports that have links in common with one.

    Each says in its counters whether it waits. Of two that wait, the older goes first; one that has
    its turn keeps it until it has sent everything or nobody works on it any more.
    """

    def __init__(self, context: ArchiveContext, tool: str, links: frozenset[str]) -> None:
        self._context = context
        self._tool = tool
        self._links = links

    async def wait_for_turn(self, job: Handle) -> None:
        """Return when it is this job's turn to send.

        Raises:
            Stopped, LostLease: as `Handle.checkpoint`.
        """
        await job.checkpoint(waiting=True)
        while True:
            while ahead := await self._list_ahead(job):
                job.set_message(f"waits for {ahead[0].id}, which imports some of the same links")
                await job.sleep(_LOOK)
            await job.checkpoint(waiting=False)
            # Nobody else came meanwhile.
            if not await self._list_ahead(job):
                return
            # Both had announced their turn at once: step back and let the order of creation
            # decide.
            await job.checkpoint(waiting=True)

    async def find_uploads(self, job: Handle) -> dict[str, str]:
        """Return the links that other imports uploaded, or may have uploaded, not long ago, each
        with the job."""
        jobs = await self._context.jobs()
        result: dict[str, str] = {}
        for other in await self._list_others(job):
            # After that long an upload is not on its way any more: the link may be sent again.
            if other.updated < job.row.created - ON_ITS_WAY:
                continue
            async for rows in jobs.record_pages(other.id, _SENT_STATES):
                result |= {row.key: other.id for row in rows if row.key in self._links}
        return result

    async def _list_ahead(self, job: Handle) -> list[JobRow]:
        """Return the imports that go first."""
        others = await self._list_others(job)
        return [other for other in others if _is_ahead(other, job.row)]

    async def _list_others(self, job: Handle) -> list[JobRow]:
        """Return the other imports of some of the same links."""
        jobs = await self._context.jobs()
        place = (self._tool, job.row.origin, job.row.workspace)
        others = []
        for row in await jobs.list(job.row.account, limit=_MOST_JOBS):
            if row.id == job.row.id or (row.tool, row.origin, row.workspace) != place:
                continue
            links = map(str.strip, row.arguments.get("urls", []))
            if not self._links.isdisjoint(links):
                others.append(row)
        return others


def _is_ahead(other: JobRow, job: JobRow) -> bool:
    # A running job that no process owns has crashed: waiting for it could last for ever.
    if other.state is not JobState.RUNNING or not other.owned:
        return False
    # Whoever finishes has sent everything, and may still wait for long.
    if other.phase is Phase.FINISHING:
        return False
    if not other.counters.get("waiting"):
        return True
    # The id breaks a tie, so that every process sees the same order.
    return (other.created, other.id) < (job.created, job.id)
