"""Billing credits of a day, counted in the memory of this process."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from server import wall_clock
from server.errors import Code, Failure
from server.shared_state.spending import Spending, UnlimitedSpending


class NoSpending:
    """Refuses to spend anything: the last check, whatever a call passed before."""

    async def reserve(self, credits: int) -> None:
        """Refuse.

        Raises:
            Failure: `FORBIDDEN`.
        """
        raise Failure(
            Code.FORBIDDEN,
            "This user may not spend billing credits.",
            "Tell the user; the administrators of this server decide.",
        )

    async def give_back(self, credits: int) -> None:
        """Do nothing: nothing was counted."""


class DailySpending:
    """Allows so many credits a day, in UTC.

    Args:
        now: the time of day.

    The methods are those of `Spending`.
    """

    def __init__(self, per_day: int, now: Callable[[], datetime] = wall_clock.utc_now) -> None:
        self._per_day = per_day
        self._now = now
        self._day = now().date()
        self._spent = 0

    async def reserve(self, credits: int) -> None:
        """Count credits.

        Raises:
            Failure: `FORBIDDEN`, with what is left and until when.
        """
        self._turn()
        left = self._per_day - self._spent
        if credits > left:
            raise refuse_credits(credits, left, self._per_day, self._now())
        self._spent += credits

    async def give_back(self, credits: int) -> None:
        self._turn()
        self._spent = max(0, self._spent - credits)

    def _turn(self) -> None:
        today = self._now().date()
        if today != self._day:
            self._day, self._spent = today, 0


def refuse_credits(credits: int, left: int, per_day: int, now: datetime) -> Failure:
    """Return the refusal of a call that would spend more than is left for the day."""
    tomorrow = (now + timedelta(days=1)).strftime("%Y-%m-%dT00:00:00Z")
    return Failure(
        Code.FORBIDDEN,
        f"This would spend {credits} billing credits, and {max(0, left)} of this user's {per_day} "
        f"for today are left until {tomorrow}.",
        "Nothing was spent. Refresh fewer items, or wait; the administrators of this server set "
        "the limit.",
    )


def make_spending(*, may_spend: bool, per_day: int | None) -> Spending:
    """Return what counts the credits of somebody with these rights."""
    if not may_spend:
        return NoSpending()
    return UnlimitedSpending() if per_day is None else DailySpending(per_day)
