"""How addresses share the events of a minute."""

from __future__ import annotations

import pytest

from server.team.identity.fair_share import WINDOW_SECONDS, FairShare
from tests.support.doubles import Clock


def _count(share: FairShare, address: str, tries: int = 100) -> int:
    return sum(share.admit(address) for _ in range(tries))


@pytest.mark.parametrize(("greedy", "each"), [(1, 15), (2, 10), (5, 5), (29, 1)])
def test_those_who_take_all_they_get_leave_as_much_as_each_of_them_has(
    greedy: int, each: int
) -> None:
    share = FairShare(30, Clock())
    counts = dict.fromkeys(map(str, range(greedy)), 0)
    for _ in range(100):
        for address in counts:
            counts[address] += share.admit(address)

    assert set(counts.values()) == {each}
    # One more than any of them, at least, is left for somebody new.
    assert share.admit("newcomer")


def test_after_a_minute_there_is_room_again() -> None:
    clock = Clock()
    share = FairShare(30, clock)
    assert _count(share, "a") == 15
    clock.now += WINDOW_SECONDS
    assert _count(share, "a") == 15


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("2001:db8::1", "2001:db8:0:0:ffff::2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("192.0.2.1", "192.0.2.2", False),
        ("", "", True),
        ("unknown", "192.0.2.1", False),
    ],
)
def test_addresses_of_one_caller_are_one(one: str, other: str, *, same: bool) -> None:
    share = FairShare(30, Clock())
    _count(share, one)
    assert share.admit(other) is not same
