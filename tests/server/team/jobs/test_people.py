"""Whose a job is, as a worker opens them: by the policy of the moment, by what is sealed alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from server.errors import Code, Failure
from server.settings import Secret
from server.team.jobs.people import PURPOSE, PolicyPeople
from server.team.policy import Identity, Policy, Rights
from server.team.policy.policy import MACHINE, OWN_TOKEN, Machine
from server.team.sealing import Seal
from server.team.tenants import NoRoomError

OLD, NEW = bytes(range(32)), bytes(range(1, 33))
ROBOT = Identity(MACHINE, "robot", "robot")
OWNER = Identity(OWN_TOKEN, "ab12", "somebody", token=Secret("arch_live_their_own_token"))


class Opened:
    """Notes who is opened with which rights."""

    services = "services"

    def __init__(self, *, full: bool = False) -> None:
        self.full = full
        self.used: list[tuple[Identity, Rights]] = []

    def offer(self) -> str:
        return "catalog"

    @asynccontextmanager
    async def use(self, identity: Identity, rights: Rights) -> AsyncIterator[Opened]:
        if self.full:
            raise NoRoomError
        self.used.append((identity, rights))
        yield self


def make_people(policy: Policy, opened: Opened, *keys: bytes) -> PolicyPeople:
    tenants: Any = opened
    return PolicyPeople(lambda: policy, tenants, Seal(keys or (NEW, OLD), PURPOSE))


def seal(identity: Identity, key: bytes = NEW) -> str:
    return Seal((key,), PURPOSE).close(identity.encode(), identity.principal.id)


def robots(*, read_only: bool = True) -> Policy:
    return Policy(machines=[Machine("robot", "0" * 64, Rights(read_only=read_only))])


async def test_somebody_is_opened_with_the_rights_that_they_have_now() -> None:
    opened = Opened()
    for read_only in (True, False):
        people = make_people(robots(read_only=read_only), opened)
        async with people.open(ROBOT.principal.id, seal(ROBOT)) as person:
            assert [str(person.catalog), str(person.services)] == ["catalog", "services"]

    assert [rights.read_only for _, rights in opened.used] == [True, False]


async def test_who_signed_in_with_their_own_token_works_on_with_that() -> None:
    opened = Opened()
    people = make_people(Policy(own_tokens=Rights()), opened)
    async with people.open(OWNER.principal.id, seal(OWNER)):
        ((identity, rights),) = opened.used

    assert (identity.principal, identity.token is not None) == (OWNER.principal, True)
    assert rights.archive
    assert rights.archive.secret
    assert OWNER.token
    assert rights.archive.secret.reveal() == OWNER.token.reveal()


async def test_what_an_old_key_sealed_is_still_opened() -> None:
    opened = Opened()
    async with make_people(robots(), opened).open(ROBOT.principal.id, seal(ROBOT, OLD)):
        assert len(opened.used) == 1


@pytest.mark.parametrize(
    ("principal", "sealed", "words"),
    [
        (ROBOT.principal.id, seal(ROBOT, bytes(range(2, 34))), "keys of this server have changed"),
        (OWNER.principal.id, seal(ROBOT), "keys of this server have changed"),
        (ROBOT.principal.id, "", "keys of this server have changed"),
        (ROBOT.principal.id, None, "keys of this server have changed"),
        (OWNER.principal.id, seal(OWNER), "not in the policy of this server any more"),
    ],
    ids=["another key", "another person's", "empty", "nothing", "not in the policy"],
)
async def test_nobody_else_is_opened(principal: str, sealed: str | None, words: str) -> None:
    opened = Opened()
    with pytest.raises(Failure, match=words) as caught:
        async with make_people(robots(), opened).open(principal, sealed):
            pass
    assert (caught.value.code, opened.used) == (Code.FORBIDDEN, [])


async def test_a_worker_that_serves_as_many_people_as_it_can_says_so() -> None:
    with pytest.raises(Failure) as caught:
        async with make_people(robots(), Opened(full=True)).open(ROBOT.principal.id, seal(ROBOT)):
            pass
    assert (caught.value.code, caught.value.retryable) == (Code.UNAVAILABLE, True)


def test_no_token_is_to_be_read_in_what_is_stored() -> None:
    assert OWNER.token
    assert OWNER.token.reveal() not in seal(OWNER)
