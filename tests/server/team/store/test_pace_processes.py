"""Real processes that share their pace through a server, as replicas on several machines do.

The claims are judged, which the clock of the server dates: what lies between a claim and the
arrival of its send is covered by the gap's allowance for jitter. The last test looks at an API.
"""

from __future__ import annotations

import os
import signal
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
from tests.support.pace.pacing import ALLOWED, Load, put
from tests.support.sandboxed import sandbox_process

pytestmark = pytest.mark.skipif(os.name == "nt", reason="stops processes with POSIX signals")

PATIENCE = 10.0
"""Seconds that no process waits for another, however busy the machine is."""
OVER_AT_MOST = 1
"""Arrivals beyond the allowed ones in the worst second, and refused ones: one that the machine held
up for longer than the pacer allows for."""


def test_four_processes_share_the_pace_evenly_and_stay_below_the_limit(server_place: str) -> None:
    with processes(server_place, 50, (), (), (), ()) as started:
        for process in started:
            process.read(50)
    claims = all_claims(started)
    assert len(claims) == 200
    assert shortest_span(claims) >= WINDOW
    first_done = min(process.claims[-1] for process in started)
    shares = [sum(claim <= first_done for claim in process.claims) for process in started]
    assert jain(shares) >= 0.95
    assert claims[-1] - claims[0] < 2 * 199 * GAP


def test_killed_and_stopped_processes_do_not_hold_up_the_others(server_place: str) -> None:
    with processes(server_place, 30, (), (), (), ()) as started:
        killed, stopped, *others = started
        killed.read(8)
        stopped.read(1)
        killed.signal(signal.SIGKILL)
        stopped.signal(signal.SIGSTOP)
        for process in others:
            process.read(30)
        assert all(len(process.claims) == 30 for process in others)
        stopped.signal(signal.SIGCONT)
        stopped.read(29)
        killed.read(30)
    assert len(stopped.claims) == 30
    assert shortest_span(all_claims(started)) >= WINDOW
    assert max(longest_pause(process.claims) for process in others) < PATIENCE


def test_a_process_stopped_between_reading_and_writing_a_record_holds_nobody_up(
    server_place: str,
) -> None:
    with processes(server_place, 20, (), (), ("--freeze", 10)) as started:
        first, second, frozen = started
        frozen.read(9).wait_until_stopped()
        first.read(20)
        second.read(20)
        frozen.signal(signal.SIGCONT)
        frozen.read(11)
    assert [len(process.claims) for process in started] == [20, 20, 20]
    assert shortest_span(all_claims(started)) >= WINDOW
    assert frozen.claims[9] > max(first.claims[-1], second.claims[-1])


async def test_an_api_gets_at_most_five_requests_in_any_second_from_four_servers(
    server_place: str, tmp_path: Path
) -> None:
    load = Load(processes=4, calls=50, warm=True, store=server_place)
    with sandbox_process(items=50) as sandbox:
        outcome = await put(load, sandbox, tmp_path)
    assert outcome.failures == []
    assert outcome.answered == 200
    assert outcome.refused <= OVER_AT_MOST
    assert outcome.most_in_window(1.0) <= ALLOWED + OVER_AT_MOST
    assert outcome.seconds <= 2 * load.ideal
    assert outcome.fairness() >= 0.9
    assert outcome.starvation() <= PATIENCE
