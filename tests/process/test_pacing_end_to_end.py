"""The limiter between real server processes, at the real rate.

All processes call one workspace of a sandbox that admits 5 requests in any second. The operating
system delays a process by some milliseconds, on a busy machine by many; in a shorter window the
same delays would weigh more than the pacer allows for, and the outcome would be the machine's. One
request that was held up for longer than that may still be answered 429, where processes that do not
share their pace get at least every second one. What callers see has no allowance: no error at all.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.support.pace.pacing import ALLOWED, Load, put
from tests.support.sandboxed import sandbox_process

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals and pipes")

WINDOW = 1.0
REFUSED_AT_MOST = 1
OVER_AT_MOST = 1
"""Arrivals beyond the allowed ones in the worst window: the one that was delayed into the next
one's place."""
PATIENCE = 10.0
"""Seconds that no caller waits for its turn; with every process alive it is one."""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_processes_share_the_rate_evenly_and_no_caller_sees_a_429(tmp_path: Path) -> None:
    load = Load(processes=4, calls=12, window=WINDOW, warm=True)
    with sandbox_process(items=50, window=WINDOW) as sandbox:
        outcome = await put(load, sandbox, tmp_path)

    assert outcome.failures == []
    assert outcome.answered == 48
    assert outcome.refused <= REFUSED_AT_MOST
    assert outcome.most_in_window(WINDOW) <= ALLOWED + OVER_AT_MOST
    # Perfect is 9.6 s, the pacer's careful start makes that 12; the rest is for a busy machine.
    assert outcome.seconds <= 2 * load.ideal
    assert outcome.fairness() >= 0.9
    assert outcome.starvation() <= PATIENCE


async def test_a_killed_and_a_suspended_process_do_not_hold_up_the_others(tmp_path: Path) -> None:
    load = Load(processes=4, calls=10, window=WINDOW, warm=True, interrupt=True)
    with sandbox_process(items=50, window=WINDOW) as sandbox:
        outcome = await put(load, sandbox, tmp_path)
    killed, suspended, *others = outcome.callers

    assert outcome.failures == []
    assert killed.lost
    assert len(killed.answers) < load.calls
    assert [len(caller.answers) for caller in others] == [load.calls, load.calls]
    assert outcome.pause_after_interruption() <= PATIENCE
    assert len(suspended.answers) == load.calls, "the suspended process goes on once it is resumed"
    assert outcome.refused <= REFUSED_AT_MOST
