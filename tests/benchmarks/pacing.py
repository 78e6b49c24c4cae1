"""The limiter shared by real processes, against a perfect schedule of the API's rate."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks.figures import Figure
from tests.support.pace.pacing import (
    ALLOWED,
    Load,
    Outcome,
    put,
)
from tests.support.sandboxed import sandbox_process

FULL_RATE = Load(processes=4, calls=50)
CRASH = Load(processes=4, calls=50, interrupt=True)
TENFOLD = Load(processes=4, calls=500, window=0.1, warm=True, delay_share=0.02, delay_most=0.02)


async def at_full_rate(quick: bool) -> list[Figure]:
    """Four processes at the real rate."""
    load = replace(FULL_RATE, calls=15) if quick else FULL_RATE
    outcome = await outcome_of(load)
    return [
        *_safety(outcome),
        Figure("total time", outcome.seconds, "s", load.ideal, goal=1.15, judged="ratio"),
        Figure("longest wait of a process", outcome.starvation(), "s", goal=3),
        Figure("fairness (Jain)", outcome.fairness(), goal=0.95, at_least=True),
    ]


async def with_a_killed_and_a_suspended_process(quick: bool) -> list[Figure]:
    """The same, but half-way one process is killed and one suspended until the other two are
    done."""
    outcome = await outcome_of(replace(CRASH, calls=15) if quick else CRASH)
    return [
        *_safety(outcome),
        Figure(
            "the others: time for the rest",
            outcome.slowdown_after_interruption(),
            "x ideal",
            goal=1.3,
        ),
        Figure("the others: longest pause", outcome.pause_after_interruption(), "s", goal=3),
        Figure("calls answered", outcome.answered, "", outcome.load.processes * outcome.load.calls),
    ]


async def at_ten_times_the_rate(quick: bool) -> list[Figure]:
    """Many calls in a tenth of the time, with delays on the way scaled alike."""
    load = replace(TENFOLD, calls=100) if quick else TENFOLD
    outcome = await outcome_of(load)
    share = 100 * outcome.refused / len(outcome.arrivals)
    return [
        Figure("requests", len(outcome.arrivals), "", load.processes * load.calls),
        Figure("answered 429", share, "%", goal=0.5),
        Figure("errors seen by callers", len(outcome.failures), goal=0),
        Figure("total time", outcome.seconds, "s", load.ideal, goal=1.3, judged="ratio"),
        Figure("longest wait of a process", outcome.starvation(), "s"),
        Figure("fairness (Jain)", outcome.fairness()),
    ]


async def outcome_of(load: Load) -> Outcome:
    """Put the load on a sandbox of its own."""
    with TemporaryDirectory() as folder, sandbox_process(items=50, window=load.window) as sandbox:
        return await put(load, sandbox, Path(folder))


def _safety(outcome: Outcome) -> list[Figure]:
    window = outcome.load.window
    return [
        Figure("answered 429", outcome.refused, goal=0),
        Figure("errors seen by callers", len(outcome.failures), goal=0),
        Figure(f"most arrivals in any {window:g} s", outcome.most_in_window(window), goal=ALLOWED),
    ]
