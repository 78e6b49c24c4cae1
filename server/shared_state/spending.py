"""What a call may spend of the billing credits that the user pays."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from server.errors import Code, Failure


class Spending(Protocol):
    """Counts billing credits before they are spent."""

    async def reserve(self, credits: int) -> None:
        """Count credits that the next request spends.

        Raises:
            Failure: `FORBIDDEN`, with what is left and until when.
        """

    async def give_back(self, credits: int) -> None:
        """Take back credits that were counted and not spent."""


class UnlimitedSpending:
    """No limit: over stdio the user's own account decides."""

    async def reserve(self, credits: int) -> None:
        """Do nothing."""

    async def give_back(self, credits: int) -> None:
        """Do nothing."""


@asynccontextmanager
async def spend(spending: Spending, credits: int) -> AsyncIterator[None]:
    """Count credits around the request that spends them.

    Raises:
        Failure: `FORBIDDEN` before anything is sent, where they are more than what is left.
    """
    if not credits:
        yield
        return
    await spending.reserve(credits)
    try:
        yield
    except Failure as failure:
        # Where the outcome is unknown, the credits may be gone.
        if failure.code is not Code.OUTCOME_UNKNOWN:
            await spending.give_back(credits)
        raise
