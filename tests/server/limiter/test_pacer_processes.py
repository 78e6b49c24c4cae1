"""Real processes on one file, with a window of three tenths of a second.

The claims recorded by the processes are judged: what lies between a claim and the arrival of its
send is covered by the gap's allowance for jitter, not by this test.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.support.pace.pacer_process import (
    GAP,
    WINDOW,
    all_claims,
    jain,
    longest_pause,
    processes,
    shortest_span,
)

PATIENCE = 10.0
"""Seconds that no process waits for another, however busy the machine is; one that is held up waits
for ever."""

pytestmark = pytest.mark.skipif(os.name == "nt", reason="stops processes with POSIX signals")


def test_four_saturating_processes_stay_below_the_limit_share_evenly_and_waste_little(
    tmp_path: Path,
) -> None:
    with processes(tmp_path, 25, (), (), (), ()) as started:
        for process in started:
            process.read(25)
    claims = all_claims(started)
    assert len(claims) == 100
    assert shortest_span(claims) >= WINDOW
    first_done = min(process.claims[-1] for process in started)
    assert (
        jain([sum(claim <= first_done for claim in process.claims) for process in started]) >= 0.95
    )
    assert claims[-1] - claims[0] < 2 * 99 * GAP


def test_killed_and_stopped_processes_do_not_hold_up_the_others_and_a_resumed_one_does_no_harm(
    tmp_path: Path,
) -> None:
    with processes(tmp_path, 40, (), (), (), ()) as started:
        killed, stopped, *others = started
        killed.read(8)
        stopped.read(1)
        killed.signal(signal.SIGKILL)
        stopped.signal(signal.SIGSTOP)
        for process in others:
            process.read(40)
        assert all(len(process.claims) == 40 for process in others)
        stopped.signal(signal.SIGCONT)
        stopped.read(39)
        killed.read(40)
    assert len(stopped.claims) == 40
    assert shortest_span(all_claims(started)) >= WINDOW
    assert max(longest_pause(process.claims) for process in others) < PATIENCE


def test_a_process_stopped_inside_a_transaction_is_left_behind_and_its_turn_is_not_valid_later(
    tmp_path: Path,
) -> None:
    with processes(tmp_path, 30, (), (), ("--freeze", 10)) as started:
        first, second, frozen = started
        frozen.read(9).wait_until_stopped()
        stopped_at = time.monotonic()
        first.read(30)
        second.read(30)
        frozen.signal(signal.SIGCONT)
        frozen.read(21)
    assert [len(process.claims) for process in started] == [30, 30, 30]
    assert shortest_span(all_claims(started)) >= WINDOW
    assert frozen.claims[9] > max(first.claims[-1], second.claims[-1])
    assert longest_pause(first.claims) < PATIENCE
    assert first.claims[-1] > stopped_at


def test_a_429_in_one_process_pauses_the_other(tmp_path: Path) -> None:
    with processes(tmp_path, 10, ("--penalty", 5, 1.5), ()) as started:
        for process in started:
            process.read(10)
    _, other = started
    # The other may have claimed its next turn just before the answer was there.
    assert longest_pause(all_claims(started)) >= 1.5 - 2 * GAP
    assert longest_pause(other.claims) >= 1.5 - 2 * GAP
