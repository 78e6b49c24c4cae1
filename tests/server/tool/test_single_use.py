"""Replies that count once."""

from __future__ import annotations

from server.tool.single_use import SingleUse


def test_a_mark_counts_once() -> None:
    used = SingleUse()
    mark = used.issue()
    assert [used.redeem(mark), used.redeem(mark), used.redeem(used.issue())] == [True, False, True]


def test_no_mark_never_counts() -> None:
    assert not SingleUse().redeem("")


def test_marks_are_forgotten_long_after_their_seal_has_run_out() -> None:
    now = [0.0]
    used = SingleUse(lambda: now[0])
    for number in range(1000):
        now[0] = number
        assert used.redeem(used.issue())
    assert len(used._used) == 901
