"""How a person's jobs are opened: queued in a server, worked on in a worker."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from server.jobs import Account, Jobs, LocalJobs
from server.jobs.lease import LEASE_SECONDS
from server.jobs.observer import Meter, OnEnd
from server.team.jobs.journal import PostgresJournal
from server.team.jobs.people import PURPOSE
from server.team.jobs.queue import Nudges, QueuedJobs
from server.team.policy import Identity
from server.team.sealing import Seal
from server.team.store.database import Database

if TYPE_CHECKING:
    from server.services import OpenJobs

# Returns how the jobs of somebody are opened.
OpenJobsOf = Callable[[Identity], "OpenJobs"]


def queue_jobs(database: Database, nudges: Nudges, keys: tuple[bytes, ...]) -> OpenJobsOf:
    """Return what opens jobs that workers do.

    Args:
        keys: seal who started a job, until it ends; the first one seals.
    """
    seal = Seal(keys, PURPOSE)

    def open_of(identity: Identity) -> OpenJobs:
        principal = identity.principal.id
        sealed = seal.close(identity.encode(), principal)
        journal = PostgresJournal(database, principal, sealed_identity=sealed)

        @asynccontextmanager
        async def open_jobs(
            accounts: set[Account] | None, meter: Meter, on_end: OnEnd
        ) -> AsyncIterator[Jobs]:
            del meter, on_end  # only who works on a job looks ahead, and sees it end
            yield QueuedJobs(journal, nudges, accounts=accounts)

        return open_jobs

    return open_of


def host_jobs(database: Database, *, lease_seconds: float = LEASE_SECONDS) -> OpenJobsOf:
    """Return what opens jobs that this process works on.

    Args:
        lease_seconds: how long this process may be silent before others take its jobs.
    """

    def open_of(identity: Identity) -> OpenJobs:
        journal = PostgresJournal(database, identity.principal.id, lease_seconds=lease_seconds)

        @asynccontextmanager
        async def open_jobs(
            accounts: set[Account] | None, meter: Meter, on_end: OnEnd
        ) -> AsyncIterator[Jobs]:
            local = LocalJobs(journal, accounts=accounts, meter=meter, on_end=on_end)
            async with local as jobs:
                yield jobs

        return open_jobs

    return open_of
