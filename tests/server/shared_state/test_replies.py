"""Replies that count once."""

from __future__ import annotations

from server.shared_state.replies import MemoryReplies


async def test_a_mark_counts_once() -> None:
    used = MemoryReplies()
    mark = used.issue()
    marks = [mark, mark, used.issue()]
    assert [await used.redeem(mark) for mark in marks] == [True, False, True]


async def test_no_mark_never_counts() -> None:
    assert not await MemoryReplies().redeem("")


async def test_marks_are_forgotten_long_after_their_seal_has_run_out() -> None:
    now = [0.0]
    used = MemoryReplies(lambda: now[0])
    for number in range(1000):
        now[0] = number
        assert await used.redeem(used.issue())
    assert len(used._used) == 901
