"""Leases in the journal's file."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable

from server.jobs.lease import LEASE_SECONDS, Lease
from server.jobs.model import LostLease

# SQL condition: a process works on the job. A lease that ends later than a new one would is from
# before a reboot, which resets the clock.
LIVE = "(runs.owner IS NOT NULL AND runs.lease_until > :now AND runs.lease_until <= :now + :lease)"


class Leases:
    """Leases in the journal; each method runs inside a transaction of the caller.

    Args:
        seconds: how long an owner may be silent.
        clock: monotonic clock in seconds that all processes of the machine share.
    """

    def __init__(
        self, seconds: float = LEASE_SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.seconds = seconds
        self._clock = clock

    def moment(self) -> dict[str, float]:
        """Return the values that `LIVE` refers to: `now` and `lease`, in seconds."""
        return {"now": self._clock(), "lease": self.seconds}

    def is_live(self, db: sqlite3.Connection, job: str) -> bool:
        """Whether a process works on the job."""
        result = db.execute(
            f"SELECT {LIVE} FROM runs WHERE job = :job",  # noqa: S608  # a constant
            {**self.moment(), "job": job},
        ).fetchone()
        return bool(result and result[0])

    def take(self, db: sqlite3.Connection, job: str, owner: str) -> Lease:
        """Make `owner` the owner of the job, whoever was it before."""
        db.execute(
            # Cancelling was meant for the run before: whoever takes the job means it to go on.
            "UPDATE runs SET owner = ?, fence = fence + 1, lease_until = ?, cancel = 0 "
            "WHERE job = ?",
            (owner, self._clock() + self.seconds, job),
        )
        # Read back in the caller's transaction, where no other process can have raised it since.
        (fence,) = db.execute("SELECT fence FROM runs WHERE job = ?", (job,)).fetchone()
        return Lease(job, owner, fence)

    def hold(self, db: sqlite3.Connection, lease: Lease) -> bool:
        """Renew the lease, and return whether the job is to be cancelled.

        Raises:
            LostLease: another process took the job, or the job is gone.
        """
        content = db.execute(
            # By fence and owner, not by time: a lease that ran out untaken is still the owner's.
            "SELECT cancel FROM runs WHERE job = ? AND fence = ? AND owner = ?",
            (lease.job, lease.fence, lease.owner),
        ).fetchone()
        if content is None:
            raise LostLease(lease.job)
        db.execute(
            "UPDATE runs SET lease_until = ? WHERE job = ?",
            (self._clock() + self.seconds, lease.job),
        )
        return bool(content[0])

    def drop(self, db: sqlite3.Connection, job: str) -> None:
        """Leave the job without an owner."""
        # The number grows here too: a late change of the old owner must fail.
        db.execute(
            "UPDATE runs SET owner = NULL, fence = fence + 1, lease_until = 0 WHERE job = ?", (job,)
        )
