"""Leases on jobs: each expires, and carries a fencing number that grows with every new owner.

Every change that an owner journals checks the number in the same transaction. So a process that was
suspended past its lease notices that before it sends or journals anything.
"""

from __future__ import annotations

from dataclasses import dataclass

# Renewed after a third of it, so that one failed renewal does not cost the job.
LEASE_SECONDS = 15.0


@dataclass(frozen=True)
class Lease:
    """The right to work on a job until another process takes it."""

    job: str
    owner: str
    fence: int
