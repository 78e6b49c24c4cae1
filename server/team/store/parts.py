"""What a person's services are made with where several replicas serve the same people."""

from __future__ import annotations

import hashlib

from server.settings import Settings
from server.shared_state.spending import Spending
from server.team.building import Parts
from server.team.jobs.opening import OpenJobsOf
from server.team.policy import Access, Identity, Rights
from server.team.spending import NoSpending
from server.team.store.database import Database
from server.team.store.state import make_shared_state


class StoredParts:
    """Makes the state of each person in the team's database.

    Args:
        keys: What seals the state of questions, the current key first.
        open_jobs_of: Returns what opens the jobs of somebody; None for jobs of this process alone.
    """

    def __init__(
        self, database: Database, keys: tuple[bytes, ...], open_jobs_of: OpenJobsOf | None = None
    ) -> None:
        self._database = database
        self._keys = keys
        self._open_jobs_of = open_jobs_of

    def __call__(self, identity: Identity, rights: Rights, settings: Settings) -> Parts:
        """Return the parts for somebody with these rights."""
        spending: Spending | None = None if rights.may_spend else NoSpending()
        return Parts(
            make_shared_state(
                self._database,
                identity.principal.id,
                account=_fingerprint(rights.archive),
                credits_a_day=rights.credits_a_day,
                spending=spending,
                keys=self._keys,
            ),
            self._open_jobs_of(identity) if self._open_jobs_of else None,
        )


def _fingerprint(access: Access | None) -> str:
    """Return a text that differs from token to token and does not reveal the token."""
    secret = access.secret.reveal() if access and access.secret else ""
    return hashlib.sha256(f"archive-mcp account {secret}".encode()).hexdigest()
