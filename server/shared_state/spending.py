"""What a call may spend of the billing credits that the user pays."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Protocol

import anyio

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


class Purchase:
    """The credits that were counted for one request.

    is_sent: whether the request left.
    spent: how many it really spent, once that is known.
    """

    def __init__(self, credits: int) -> None:
        self.is_sent = False
        self.spent = credits
        self._credits = credits

    async def note_send(self) -> None:
        """Note that the request leaves now; to be awaited as `admit`."""
        self.is_sent = True

    @property
    def unspent(self) -> int:
        """Return the credits that were counted and not spent."""
        return max(0, self._credits - self.spent)


@asynccontextmanager
async def spend(spending: Spending, credits: int) -> AsyncIterator[Purchase]:
    """Count credits before the request that spends them, and take back those that it did not.

    Raises:
        Failure: `FORBIDDEN` before anything is sent, where they are more than what is left.
    """
    purchase = Purchase(credits)
    if not credits:
        yield purchase
        return
    await spending.reserve(credits)
    try:
        yield purchase
    except Failure as failure:
        # Where the outcome is unknown, the credits may be gone.
        if failure.code is not Code.OUTCOME_UNKNOWN:
            purchase.spent = 0
        raise
    except BaseException:  # cancelled while it waited for its turn, or the job is another's by now
        if not purchase.is_sent:
            purchase.spent = 0
        raise
    finally:
        if purchase.unspent:
            await _give_back(spending, purchase.unspent)


async def _give_back(spending: Spending, credits: int) -> None:
    # Also for a cancelled caller. What cannot be given back now stays counted until the day ends.
    with anyio.CancelScope(shield=True), suppress(Failure):
        await spending.give_back(credits)
