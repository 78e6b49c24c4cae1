"""Whose job it is, as a worker opens them: by the policy of this moment."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from server.errors import Code, Failure
from server.services import Services
from server.team.policy import Identity, Policy
from server.team.sealing import Seal
from server.team.tenants import NoRoomError, Tenants
from server.tool.catalog import Catalog

PURPOSE = "identity of a job"
"""What identities are sealed for that are kept with jobs."""


@dataclass(frozen=True)
class Person:
    """Somebody whose jobs can be worked on: the tools that they may use, and their services."""

    catalog: Catalog
    services: Services


class People(Protocol):
    """Opens people for the time of a job."""

    def open(
        self, principal_id: str, sealed_identity: str | None
    ) -> AbstractAsyncContextManager[Person]:
        """Open somebody.

        Raises:
            Failure: `FORBIDDEN` where they may not work here any more; `UNAVAILABLE` where that is
                not possible now.
        """


class PolicyPeople:
    """Opens people with the rights that the policy gives them now.

    Args:
        policy: returns the policy that holds now.
        seal: for `PURPOSE`.
    """

    def __init__(self, policy: Callable[[], Policy], tenants: Tenants, seal: Seal) -> None:
        self._policy = policy
        self._tenants = tenants
        self._seal = seal

    @asynccontextmanager
    async def open(self, principal_id: str, sealed_identity: str | None) -> AsyncIterator[Person]:
        """Open somebody. Raises as `People.open`."""
        identity = self._read(principal_id, sealed_identity)
        rights = self._policy().find(identity)
        if rights is None:
            raise Failure(
                Code.FORBIDDEN,
                "Whoever started this job is not in the policy of this server any more.",
                "The administrator adds them again; then the job has to be started anew.",
            )
        try:
            async with self._tenants.use(identity, rights) as tenant:
                yield Person(tenant.offer(), tenant.services)
        except NoRoomError:
            raise Failure(
                Code.UNAVAILABLE, "This worker serves as many people as it can.", retryable=True
            ) from None

    def _read(self, principal_id: str, sealed_identity: str | None) -> Identity:
        text = self._seal.open(sealed_identity or "", principal_id)
        if text is None:
            raise Failure(
                Code.FORBIDDEN,
                "Whoever started this job cannot be identified: the keys of this server have "
                "changed.",
                "The administrator keeps the old key in ARCHIVE_MCP_STATE_KEYS behind the new one "
                "until all jobs have ended. The job has to be started anew.",
            )
        return Identity.decode(text)
