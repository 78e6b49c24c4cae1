"""Billing credits are counted before they are spent, and taken back where nothing was spent."""

from __future__ import annotations

import pytest

from server.errors import Code, Failure
from server.shared_state.spending import UnlimitedSpending, spend


class Purse:
    """Credits that run out."""

    def __init__(self, credits: int) -> None:
        self.left = credits

    async def reserve(self, credits: int) -> None:
        if credits > self.left:
            raise Failure(Code.FORBIDDEN, "Spent.")
        self.left -= credits

    async def give_back(self, credits: int) -> None:
        self.left += credits


async def test_what_is_spent_stays_counted() -> None:
    purse = Purse(9)
    async with spend(purse, 6):
        assert purse.left == 3
    assert purse.left == 3


async def test_nothing_is_sent_without_enough_credits() -> None:
    with pytest.raises(Failure, match="Spent"):
        async with spend(Purse(2), 3):
            raise AssertionError


@pytest.mark.parametrize(("code", "left"), [(Code.REJECTED, 9), (Code.OUTCOME_UNKNOWN, 3)])
async def test_credits_come_back_only_where_nothing_happened(code: Code, left: int) -> None:
    purse = Purse(9)
    with pytest.raises(Failure):
        async with spend(purse, 6):
            raise Failure(code, "No.")
    assert purse.left == left


async def test_a_call_that_costs_nothing_counts_nothing() -> None:
    async with spend(Purse(0), 0):
        pass


async def test_over_stdio_there_is_no_limit() -> None:
    async with spend(UnlimitedSpending(), 10**9):
        pass
