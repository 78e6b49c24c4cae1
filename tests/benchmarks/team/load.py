"""Fifty people at two replicas, at the real pace: nobody gets another's data, the API refuses
nothing, and no second has more requests than it allows."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from server.sandbox import TOKEN
from server.team.store.schema import migrate
from tests.benchmarks.figures import Figure
from tests.benchmarks.team.cases import CASES, Case, digest, learn_answers
from tests.benchmarks.team.replicas import (
    Caller,
    Member,
    Refused,
    Replica,
    make_members,
    open_callers,
    serve_replicas,
    write_policy,
)
from tests.benchmarks.team.wide_sandbox import WORKSPACES, wide_sandbox
from tests.support.machine.procfs import resident
from tests.support.pace.pacing import ALLOWED, most_within
from tests.support.sandboxed import LAUNCHER, SandboxProcess
from tests.support.team.engines.postgres import Postgres, serve_postgres

PEOPLE = 50
CALLS = 2000
_SETTLE_SECONDS = 3.0


@dataclass
class Tally:
    """What came of the calls."""

    answered: int = 0
    mixed_up: int = 0
    failures: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Team:
    """A running team's server."""

    members: list[Member]
    replicas: list[Replica]
    sandbox: SandboxProcess


async def measure_load(quick: bool) -> list[Figure]:
    """2,000 calls in random order, and the memory of those who then do nothing."""
    calls = CALLS // 10 if quick else CALLS
    with TemporaryDirectory() as name, serve_team(Path(name), PEOPLE) as team:
        expected = await learn_answers(team.sandbox, WORKSPACES, Path(name))
        team.sandbox.reset()
        async with open_callers(team.members) as callers:
            memory = await _measure_memory(team, callers)
            team.sandbox.reset()
            began = time.monotonic()
            tally = await _make_calls(team, callers, expected, calls)
            seconds = time.monotonic() - began
        return [*_judge(team, tally, calls, seconds), memory]


@contextmanager
def serve_team(
    folder: Path, people: int, *, window: float = 1.0, command: tuple[str, ...] = LAUNCHER
) -> Iterator[Team]:
    """Run a database, an API, and two replicas for so many people."""
    with serve_postgres() as postgres, wide_sandbox(window) as sandbox:
        members = make_members(people, WORKSPACES)
        env = make_environment(postgres, sandbox, folder, members)
        with serve_replicas(2, folder, env, command) as replicas:
            yield Team(members, replicas, sandbox)


def make_environment(
    postgres: Postgres, sandbox: SandboxProcess, folder: Path, members: list[Member]
) -> dict[str, str]:
    """Return the settings of the replicas, over a new database with the schema."""
    url = postgres.url(postgres.create_database())
    migrate(url)
    policy = folder / "policy.toml"
    write_policy(policy, members)
    return {
        "ARCHIVE_API_URL": sandbox.url,
        "ARCHIVE_MCP_DATABASE_URL": url,
        "ARCHIVE_MCP_POLICY": str(policy),
        "TEAM_TOKEN": TOKEN,
    }


async def _make_calls(
    team: Team, callers: list[Caller], expected: dict[tuple[str, Case], str], calls: int
) -> Tally:
    """Let everybody call at once, each in an order of their own, every time at any replica."""
    tally = Tally()

    async def work(caller: Caller, seed: int) -> None:
        chance = random.Random(seed)
        workspace = caller.member.workspace
        for _ in range(calls // len(callers)):
            case = chance.choice(CASES)
            arguments = {**case.parse(), "workspace": workspace}
            try:
                answer = await caller.call(chance.choice(team.replicas), case.tool, arguments)
            except Refused as refusal:
                tally.failures.append(str(refusal))
                continue
            tally.answered += 1
            tally.mixed_up += digest(answer) != expected[workspace, case]

    async with asyncio.TaskGroup() as group:
        for seed, caller in enumerate(callers):
            group.create_task(work(caller, seed))
    return tally


async def _measure_memory(team: Team, callers: list[Caller]) -> Figure:
    """Let all but a few people make one call at each replica, and see what they cost it then."""
    first, rest = callers[: len(WORKSPACES)], callers[len(WORKSPACES) :]
    # What the first ones cost is the process's own: modules, connections, the tools' classes.
    await _call_everywhere(team, first)
    before = [resident(replica.pid) for replica in team.replicas]
    await _call_everywhere(team, rest)
    await asyncio.sleep(_SETTLE_SECONDS)
    after = [resident(replica.pid) for replica in team.replicas]
    added = sum(after) - sum(before)
    return Figure("memory of an idle person", added / len(rest) / len(after), "MiB", goal=3)


async def _call_everywhere(team: Team, callers: list[Caller]) -> None:
    for caller, replica in itertools.product(callers, team.replicas):
        workspace = {"workspace": caller.member.workspace}
        await caller.call(replica, CASES[1].tool, {**CASES[1].parse(), **workspace})


def _judge(team: Team, tally: Tally, calls: int, seconds: float) -> list[Figure]:
    worst = max(most_within(team.sandbox.arrivals(key), 1.0) for key in WORKSPACES)
    ideal = calls / len(WORKSPACES) / ALLOWED
    for failure in sorted(set(tally.failures))[:5]:
        print(f"a call failed: {failure}")
    return [
        Figure("calls answered", tally.answered, "", calls),
        Figure("answers with another's data", tally.mixed_up, goal=0),
        Figure("errors seen by callers", len(tally.failures), goal=0),
        Figure("answered 429", team.sandbox.stats()["refused"], goal=0),
        Figure("most arrivals at a workspace in a second", worst, goal=ALLOWED),
        Figure("total time", seconds, "s", ideal, goal=1.35, judged="ratio"),
    ]
