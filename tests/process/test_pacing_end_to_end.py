"""The limiter between real server processes, at ten times the real rate so that it takes seconds.

All processes call one workspace of a sandbox that admits 5 requests in any 0.1 s. What the scaling
cannot scale is the machine: the operating system delays a process by as many milliseconds as ever,
which weighs ten times as much. So arrivals are judged with a stated allowance: at most one request
in fifty may be answered 429, where processes that do not share their pace get at least every second
one. What callers see has no allowance: no error at all.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.support.pacing import ALLOWED, Load, put
from tests.support.sandboxed import sandbox_process

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals and pipes")

WINDOW = 0.1
REFUSED_AT_MOST = 0.02
OVER_AT_MOST = 1
"""Arrivals beyond the allowed ones in the worst window: the one that was delayed into the next
one's place."""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_processes_share_the_rate_evenly_and_no_caller_sees_a_429(tmp_path: Path) -> None:
    load = Load(processes=4, calls=50, window=WINDOW, warm=True)
    with sandbox_process(items=50, window=WINDOW) as sandbox:
        outcome = await put(load, sandbox, tmp_path)

    assert outcome.failures == []
    assert outcome.answered == 200
    assert outcome.refused <= REFUSED_AT_MOST * len(outcome.arrivals)
    assert outcome.most_in_window(WINDOW) <= ALLOWED + OVER_AT_MOST
    # Perfect is 4 s, the pacer's careful start makes that 5; the rest is for starting to call on a
    # busy machine.
    assert outcome.seconds <= 2 * load.ideal
    assert outcome.fairness() >= 0.9
    assert outcome.starvation() <= 3.0


async def test_a_killed_and_a_suspended_process_do_not_hold_up_the_others(tmp_path: Path) -> None:
    load = Load(processes=4, calls=40, window=WINDOW, warm=True, interrupt=True)
    with sandbox_process(items=50, window=WINDOW) as sandbox:
        outcome = await put(load, sandbox, tmp_path)
    killed, suspended, *others = outcome.callers

    assert outcome.failures == []
    assert killed.lost
    assert len(killed.answers) < load.calls
    assert [len(caller.answers) for caller in others] == [load.calls, load.calls]
    # A 429 in that moment alone costs a whole second: `Retry-After` has no fractions, whatever the
    # window.
    assert outcome.pause_after_interruption() <= 2.5
    assert len(suspended.answers) == load.calls, "the suspended process goes on once it is resumed"
    assert outcome.refused <= REFUSED_AT_MOST * len(outcome.arrivals)
