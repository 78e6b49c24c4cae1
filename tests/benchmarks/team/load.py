"""Fifty people at two replicas, at the real pace: nobody gets another's data, the API refuses
nothing, and no second has more requests than it allows."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import Iterator, Mapping
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
from tests.support.team.engines.debian import Unavailable, unpack_packages
from tests.support.team.engines.postgres import Postgres, serve_postgres
from tests.support.team.engines.redis import serve_redis

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
    return await _measure(quick)


async def measure_load_with_redis(quick: bool) -> list[Figure]:
    """The same, with the pace in Redis and the clocks of the replicas minutes apart."""
    with serve_redis() as redis:
        env = {"ARCHIVE_MCP_REDIS_URL": redis.url}
        return await _measure(quick, env, _set_clock_ahead())


def _set_clock_ahead() -> dict[str, str]:
    """Return what makes a program believe that it is later than it is."""
    unpacked = unpack_packages("libfaketime")
    if isinstance(unpacked, Unavailable):
        print(f"the clocks go alike: {unpacked}")
        return {}
    library = next(unpacked.glob("usr/lib/*/faketime/libfaketime.so.1"))
    return {"LD_PRELOAD": str(library), "FAKETIME": "+137s", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


async def _measure(
    quick: bool, env: Mapping[str, str] | None = None, apart: Mapping[str, str] | None = None
) -> list[Figure]:
    calls = CALLS // 10 if quick else CALLS
    with (
        TemporaryDirectory() as name,
        serve_team(Path(name), PEOPLE, env=env, apart=apart) as team,
    ):
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
    folder: Path,
    people: int,
    *,
    window: float = 1.0,
    command: tuple[str, ...] = LAUNCHER,
    env: Mapping[str, str] | None = None,
    apart: Mapping[str, str] | None = None,
) -> Iterator[Team]:
    """Run a database, an API, and two replicas for so many people.

    Args:
        env: further settings of the replicas.
        apart: further settings of one of them.
    """
    with serve_postgres() as postgres, wide_sandbox(window) as sandbox:
        members = make_members(people, WORKSPACES)
        settings = {**make_environment(postgres, sandbox, folder, members), **(env or {})}
        with serve_replicas(2, folder, settings, command, apart) as replicas:
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
        # As a client does when it connects.
        await caller.ask(replica, "tools/list")
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
