"""What a call at a replica costs more than the same call over stdio, with a pace that nobody waits
for."""

from __future__ import annotations

import asyncio
import itertools
import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from server.sandbox import TOKEN
from tests.benchmarks.figures import Figure
from tests.benchmarks.team.cases import SMALL
from tests.benchmarks.team.load import PEOPLE, Team, serve_team
from tests.benchmarks.team.open_pace import WINDOW
from tests.benchmarks.team.replicas import OPEN_PACE, Caller, open_callers
from tests.support.sandboxed import PACED, clean
from tests.support.stdio import StdioServer

_WARM_UP = 20


async def measure_overhead(quick: bool) -> list[Figure]:
    """One caller in turns with stdio, then fifty at once."""
    calls = 40 if quick else 400
    with (
        TemporaryDirectory() as name,
        serve_team(Path(name), PEOPLE, window=WINDOW, command=OPEN_PACE) as team,
    ):
        async with open_callers(team.members) as callers:
            return [
                await _compare_with_stdio(team, callers[0], Path(name), calls),
                *await _call_at_once(team, callers, calls),
            ]


async def _compare_with_stdio(team: Team, caller: Caller, folder: Path, calls: int) -> Figure:
    env = {
        **clean(folder),
        "ARCHIVE_API_URL": team.sandbox.url,
        "ARCHIVE_APP_TOKEN": TOKEN,
        "ARCHIVE_MCP_STATE_DIR": str(folder / "stdio"),
    }
    arguments = {"workspace": caller.member.workspace}
    ours: list[float] = []
    theirs: list[float] = []
    command = (*PACED, "--window", str(WINDOW))
    async with StdioServer.spawn(command, env=env, cwd=folder) as server:
        await server.handshake()
        for number in range(calls + _WARM_UP):
            replica = team.replicas[number % len(team.replicas)]
            started = time.perf_counter()
            await caller.call(replica, SMALL.tool, arguments)
            ours.append(1000 * (time.perf_counter() - started))
            started = time.perf_counter()
            await server.call_tool(SMALL.tool, arguments)
            theirs.append(1000 * (time.perf_counter() - started))
    value, baseline = find_p95(ours[_WARM_UP:]), find_p95(theirs[_WARM_UP:])
    name = "p95 of one caller's call, over stdio's"
    return Figure(name, value, "ms", baseline, goal=15, judged="added", runs=calls)


async def _call_at_once(team: Team, callers: list[Caller], calls: int) -> list[Figure]:
    """Let fifty people call at once, on the cores of the replicas, the API and the database."""
    took: list[float] = []
    replicas = itertools.cycle(team.replicas)

    async def work(caller: Caller) -> None:
        arguments = {"workspace": caller.member.workspace}
        for number in range(2 + max(4, calls // 20)):
            started = time.perf_counter()
            await caller.call(next(replicas), SMALL.tool, arguments)
            # Of the first ones each opens a person's connections.
            if number >= 2:
                took.append(1000 * (time.perf_counter() - started))

    began = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for caller in callers:
            group.create_task(work(caller))
    seconds = time.monotonic() - began
    return [
        Figure("fifty at once: p50 of a call", statistics.median(took), "ms", runs=len(took)),
        Figure("fifty at once: p95 of a call", find_p95(took), "ms", runs=len(took)),
        Figure("fifty at once: calls a second", (len(took) + 2 * len(callers)) / seconds),
    ]


def find_p95(samples: list[float]) -> float:
    """Return what 95 of 100 samples do not exceed."""
    return statistics.quantiles(samples, n=20)[-1]
