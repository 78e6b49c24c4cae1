"""The interface of the journal of jobs and records: each change is one transaction that survives a
crash.

    anybody     create, job, jobs, orphans, records, cancel, take
    the owner   renew, enter, add, checkpoint, admit, mark, end: each checks the lease first

Nothing secret is kept in clear: the account is a fingerprint, the arguments are the tool's own.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from typing import Any, Protocol

from server.jobs.lease import Lease
from server.jobs.model import (
    Account,
    End,
    JobRow,
    Mark,
    NewJob,
    NewRecord,
    Phase,
    RecordRow,
    RecordState,
)

# Seconds after the last change for which a job is kept.
KEPT_SECONDS = 30 * 24 * 3600.0

# State of a job whose records are still being journalled: other processes do not see it, and it is
# dropped when its owner dies.
STARTING = "starting"


def make_job_id() -> str:
    """Return the id of a new job."""
    # Short: people read it in answers and repeat it to resume a job.
    return f"job_{secrets.token_hex(4)}"


class Journal(Protocol):
    """Jobs and records that several processes share.

    Every method raises `Failure` where the journal cannot be used. `renew`, `is_cancelled` and
    `admit` are tried once; the others wait some seconds for a journal that is out of reach.
    """

    @property
    def lease_seconds(self) -> float:
        """Return how long an owner may be silent."""

    async def create(
        self, job: NewJob, owner: str, *, writes: bool, repeatable: bool, phase: Phase
    ) -> Lease:
        """Journal a new job that `owner` works on; others do not see it before `start`."""

    async def start(self, lease: Lease) -> None:
        """Make a new job visible to others, with the records added so far."""

    async def job(self, name: str) -> JobRow:
        """Return the job of that id.

        Raises:
            Failure: `NOT_FOUND`.
        """

    async def jobs(
        self,
        account: str | None = None,
        *,
        accounts: Collection[Account] | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> list[JobRow]:
        """Return the jobs of one token or of some accounts, or of all, newest first."""

    async def count_others(self, accounts: Collection[Account]) -> int:
        """Return how many jobs belong to none of these accounts."""

    async def orphans(self, origin: str, account: str) -> list[JobRow]:
        """Return the interrupted jobs of an account that no process works on, oldest first.

        Jobs that an error paused are left out: somebody has to remove its cause first.
        """

    async def records(
        self, name: str, states: Sequence[RecordState] = (), *, after: int = 0, limit: int = 100
    ) -> list[RecordRow]:
        """Return the records with a number above `after`, in order; of these states, or of all."""

    async def is_cancelled(self, lease: Lease) -> bool:
        """Whether the job is to be cancelled; unlike `renew` it takes no write lock."""

    async def cancel(self, name: str) -> None:
        """Ask the owner to stop at the next record, or end a job that nobody works on.

        A job that has ended stays as it is.

        Raises:
            Failure: `NOT_FOUND`.
        """

    async def take(self, name: str, owner: str, *, again: bool = False) -> Lease:
        """Make `owner` the owner of an interrupted job; what was being sent becomes pending or
        unknown.

        Args:
            again: send failed records once more, and unknown ones of repeatable work; the job may
                have ended.

        Raises:
            Failure: there is no such job, another process works on it, or there is nothing to do.
        """

    async def renew(self, lease: Lease) -> bool:
        """Renew the lease, and return whether the job is to be cancelled.

        Raises:
            LostLease: another process works on the job.
        """

    async def enter(self, lease: Lease, phase: Phase) -> None:
        """Enter the next phase; an unknown total becomes the number of records gathered."""

    async def add(
        self,
        lease: Lease,
        records: Sequence[NewRecord],
        cursor: Any = None,
        counters: dict[str, Any] | None = None,
    ) -> int:
        """Add the records whose keys are new to the job, and return how many were.

        The cursor goes into the same transaction: after a crash it fits the records.

        Raises:
            LostLease: another process works on the job.
            Stopped: the job is to be cancelled.
        """

    async def checkpoint(
        self,
        lease: Lease,
        cursor: Any = None,
        counters: dict[str, Any] | None = None,
        total: int | None = None,
    ) -> None:
        """Journal the cursor, all counters and the expected number of records; None leaves one as
        it is."""

    async def admit(self, lease: Lease, numbers: Sequence[int], *, again: bool = False) -> None:
        """Journal that the bytes of these records are about to leave.

        Args:
            again: they were admitted before, by the same send.

        Raises:
            LostLease: another process works on the job.
            Stopped: the job is to be cancelled.
            ValueError: one of them must not be sent.
        """

    async def mark(self, lease: Lease, marks: Sequence[Mark]) -> None:
        """Journal the new states of records, even of a job that is to be cancelled.

        A detail of None keeps the old one.
        """

    async def end(self, lease: Lease, end: End) -> None:
        """Journal the end of a run, and give the lease back."""
