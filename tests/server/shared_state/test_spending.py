"""Billing credits are counted before they are spent, and taken back where nothing was spent."""

from __future__ import annotations

import anyio
import pytest

from server.errors import Code, Failure
from server.shared_state.spending import UnlimitedSpending, spend
from tests.support.doubles import Purse


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


async def test_what_the_answer_says_was_not_spent_comes_back() -> None:
    purse = Purse(9)
    async with spend(purse, 6) as purchase:
        purchase.spent = 2
    assert purse.left == 7


async def test_what_was_spent_beyond_the_count_is_not_taken_twice() -> None:
    purse = Purse(9)
    async with spend(purse, 6) as purchase:
        purchase.spent = 8
    assert purse.left == 3


@pytest.mark.parametrize(("is_sent", "left"), [(False, 9), (True, 3)])
async def test_credits_of_a_cancelled_call_come_back_unless_it_was_sent(
    is_sent: bool, left: int
) -> None:
    purse = Purse(9)
    with anyio.CancelScope() as scope:
        async with spend(purse, 6) as purchase:
            if is_sent:
                await purchase.note_send()
            scope.cancel()
            await anyio.sleep_forever()
    assert purse.left == left


async def test_what_cannot_be_given_back_hides_no_outcome() -> None:
    class Lost(Purse):
        async def give_back(self, credits: int) -> None:
            raise Failure(Code.UNAVAILABLE, "Lost.")

    with pytest.raises(Failure, match="No"):
        async with spend(Lost(9), 6):
            raise Failure(Code.REJECTED, "No.")


async def test_a_call_that_costs_nothing_counts_nothing() -> None:
    async with spend(Purse(0), 0):
        pass


async def test_over_stdio_there_is_no_limit() -> None:
    async with spend(UnlimitedSpending(), 10**9):
        pass
