"""Tenants open with the first call, close when idle, and make room for others."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import anyio
import pytest

from server.team.policy import Identity, Rights
from server.team.tenant import Tenant
from server.team.tenants import NoRoomError, Tenants
from tests.support.doubles import Clock

ANNA, BEN, CARL = (Identity("oidc", name, name) for name in ("anna", "ben", "carl"))
RIGHTS = Rights()


class Room:
    """A tenant without services: it notes when it opens and closes."""

    def __init__(self, identity: Identity, rights: Rights, clock: Clock) -> None:
        self.identity = identity
        self.rights = rights
        self.calls = 0
        self.used_at = clock()
        self.ended = anyio.Event()
        self.services = self
        self.is_busy = False
        self._ending = anyio.Event()

    @property
    def is_closing(self) -> bool:
        return self._ending.is_set()

    async def run(self, *, task_status: Any) -> None:
        await anyio.lowlevel.checkpoint()
        task_status.started()
        await self._ending.wait()
        self.ended.set()

    def close(self) -> None:
        self._ending.set()


class House:
    """Tenants whose clock stands still."""

    def __init__(self, most: int = 2) -> None:
        self.clock = Clock()
        self.opened: list[Room] = []
        self.tenants = Tenants(
            self._build, most=most, idle_seconds=60, clock=self.clock, sleep=self._sleep
        )

    def _build(self, identity: Identity, rights: Rights) -> Tenant:
        self.opened.append(Room(identity, rights, self.clock))
        return cast(Tenant, self.opened[-1])

    async def _sleep(self, seconds: float) -> None:
        await anyio.sleep_forever()

    async def visit(self, identity: Identity, rights: Rights = RIGHTS) -> None:
        async with self.tenants.use(identity, rights):
            pass

    @property
    def names(self) -> list[str]:
        return [room.identity.name for room in self.opened if not room.is_closing]


@asynccontextmanager
async def house(most: int = 2) -> AsyncIterator[House]:
    made = House(most)
    async with made.tenants:
        yield made


async def test_the_first_calls_of_somebody_open_one_tenant() -> None:
    async with house() as home:
        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(home.visit, ANNA)
        assert home.names == ["anna"]
        assert len(home.opened) == 1


async def test_whom_nobody_has_called_for_long_is_closed() -> None:
    async with house() as home:
        await home.visit(ANNA)
        home.clock.now += 30
        await home.visit(BEN)
        home.clock.now += 30
        home.tenants.close_idle()
        assert home.names == ["ben"]


async def test_neither_calls_nor_jobs_are_interrupted_by_idleness() -> None:
    async with house() as home:
        await home.visit(BEN)
        home.opened[0].is_busy = True
        async with home.tenants.use(ANNA, RIGHTS):
            home.clock.now += 1000
            home.tenants.close_idle()
            assert home.names == ["ben", "anna"]
        home.opened[0].is_busy = False
        home.tenants.close_idle()
        assert home.names == ["anna"]


async def test_room_is_made_by_whoever_was_idle_longest() -> None:
    async with house() as home:
        await home.visit(ANNA)
        home.clock.now += 1
        await home.visit(BEN)
        home.clock.now += 1
        await home.visit(ANNA)
        await home.visit(CARL)
        assert home.names == ["anna", "carl"]


async def test_where_all_are_busy_there_is_no_room() -> None:
    async with house(1) as home, home.tenants.use(ANNA, RIGHTS):
        with pytest.raises(NoRoomError):
            await home.visit(BEN)
        await home.visit(ANNA)


async def test_other_rights_are_another_tenant() -> None:
    async with house() as home:
        await home.visit(ANNA)
        await home.visit(ANNA, Rights(read_only=False))
        assert [room.is_closing for room in home.opened] == [True, False]


async def test_a_reload_closes_those_whose_rights_changed() -> None:
    async with house(3) as home:
        for identity in (ANNA, BEN, CARL):
            await home.visit(identity)
        rights = {"anna": RIGHTS, "ben": Rights(may_spend=True)}
        assert home.tenants.close_changed(lambda who: rights.get(who.name)) == 2
        assert home.names == ["anna"]


async def test_a_tenant_that_ended_by_itself_is_opened_again() -> None:
    async with house() as home:
        await home.visit(ANNA)
        home.opened[0].close()
        await home.visit(ANNA)
        assert home.names == ["anna"]


async def test_the_end_closes_everybody_in_order() -> None:
    async with house() as home:
        await home.visit(ANNA)
        await home.visit(BEN)
    assert all(room.ended.is_set() for room in home.opened)
