"""Two processes and one job: only one of them changes anything."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from server.errors import Failure
from server.jobs import (
    Journal,
    LostLease,
    NewRecord,
    Phase,
    RecordState,
)
from server.jobs.lease import LEASE_SECONDS, Lease
from server.jobs.model import End, JobState, Mark
from tests.support.jobs.doubles import JOB, Clock, some


class Machine:
    """Two processes on one machine: their journals and their clock."""

    def __init__(self, one: Journal, two: Journal, lease: Lease, clock: Clock) -> None:
        self.one, self.two, self.lease, self.clock = one, two, lease, clock

    async def orphans(self) -> list[str]:
        return [row.id for row in await self.two.orphans(JOB.origin, JOB.account)]


@pytest.fixture
async def machine(opened: Callable[[], Journal], clock: Clock) -> Machine:
    one, two = opened(), opened()
    lease = await one.create(JOB, "one", writes=True, repeatable=False, phase=Phase.SENDING)
    await one.add(lease, some(3))
    await one.start(lease)
    return Machine(one, two, lease, clock)


async def test_a_job_is_not_taken_from_a_live_owner(machine: Machine) -> None:
    machine.clock.now += LEASE_SECONDS - 0.1
    assert await machine.orphans() == []
    with pytest.raises(Failure, match="Another server"):
        await machine.two.take(machine.lease.job, "two")
    with pytest.raises(Failure, match="Another server"):
        await machine.two.take(machine.lease.job, "two", again=True)


async def test_a_job_is_taken_when_its_lease_has_run_out(machine: Machine) -> None:
    machine.clock.now += LEASE_SECONDS
    assert await machine.orphans() == [machine.lease.job]
    assert (await machine.two.job(machine.lease.job)).state is JobState.PAUSED

    taken = await machine.two.take(machine.lease.job, "two")
    assert taken.fence > machine.lease.fence
    assert (await machine.two.job(machine.lease.job)).state is JobState.RUNNING
    assert await machine.orphans() == []


KEEPING: dict[str, Callable[[Journal, Lease], Awaitable[object]]] = {
    "renew": lambda journal, lease: journal.renew(lease),
    "enter": lambda journal, lease: journal.enter(lease, Phase.FINISHING),
    "add": lambda journal, lease: journal.add(lease, [NewRecord("new")], "cursor"),
    "checkpoint": lambda journal, lease: journal.checkpoint(lease, "cursor", {"n": 1}, 5),
    "admit": lambda journal, lease: journal.admit(lease, [1]),
    "mark": lambda journal, lease: journal.mark(lease, [Mark(1, RecordState.DONE)]),
}
WRITES: dict[str, Callable[[Journal, Lease], Awaitable[object]]] = {
    **KEEPING,
    "start": lambda journal, lease: journal.start(lease),
    "end": lambda journal, lease: journal.end(lease, End(JobState.DONE)),
}


@pytest.mark.parametrize("write", WRITES)
async def test_whoever_lost_the_job_changes_nothing_any_more(machine: Machine, write: str) -> None:
    machine.clock.now += LEASE_SECONDS
    await machine.two.take(machine.lease.job, "two")
    before = await machine.two.job(machine.lease.job), await machine.two.records(machine.lease.job)

    with pytest.raises(LostLease):
        await WRITES[write](machine.one, machine.lease)
    assert (
        await machine.two.job(machine.lease.job),
        await machine.two.records(machine.lease.job),
    ) == before


@pytest.mark.parametrize("write", WRITES)
async def test_whoever_gave_the_job_back_changes_nothing_any_more(
    machine: Machine, write: str
) -> None:
    await machine.one.end(machine.lease, End(JobState.PAUSED))
    before = await machine.two.job(machine.lease.job), await machine.two.records(machine.lease.job)

    with pytest.raises(LostLease):
        await WRITES[write](machine.one, machine.lease)
    assert (
        await machine.two.job(machine.lease.job),
        await machine.two.records(machine.lease.job),
    ) == before


@pytest.mark.parametrize("write", KEEPING)
async def test_every_change_renews_the_lease(machine: Machine, write: str) -> None:
    machine.clock.now += LEASE_SECONDS - 1
    await KEEPING[write](machine.one, machine.lease)
    machine.clock.now += LEASE_SECONDS - 1
    assert (await machine.two.job(machine.lease.job)).owned


async def test_an_owner_that_slept_past_its_lease_goes_on_if_nobody_took_the_job(
    machine: Machine,
) -> None:
    machine.clock.now += 10 * LEASE_SECONDS
    await machine.one.admit(machine.lease, [1])
    assert (await machine.two.job(machine.lease.job)).owned


async def test_a_job_that_is_paused_is_free_at_once(machine: Machine) -> None:
    await machine.one.admit(machine.lease, [1])
    await machine.one.end(machine.lease, End(JobState.PAUSED))

    assert await machine.orphans() == [machine.lease.job]
    assert (await machine.two.records(machine.lease.job))[0].state is RecordState.SENDING
    await machine.two.take(machine.lease.job, "two")
    assert (await machine.two.records(machine.lease.job))[0].state is RecordState.UNKNOWN


async def test_a_lease_from_before_a_reboot_binds_nobody(machine: Machine) -> None:
    machine.clock.now = 5.0
    assert await machine.orphans() == [machine.lease.job]
    await machine.two.take(machine.lease.job, "two")
    with pytest.raises(LostLease):
        await machine.one.renew(machine.lease)


async def test_a_job_taken_back_and_forth_obeys_only_its_last_owner(machine: Machine) -> None:
    machine.clock.now += LEASE_SECONDS
    second = await machine.two.take(machine.lease.job, "two")
    machine.clock.now += LEASE_SECONDS
    third = await machine.one.take(machine.lease.job, "one")

    for journal, lease in ((machine.one, machine.lease), (machine.two, second)):
        with pytest.raises(LostLease):
            await journal.admit(lease, [1])
    await machine.one.admit(third, [1])


async def test_orphans_are_those_of_the_same_api_and_account_and_not_those_that_an_error_paused(
    machine: Machine,
) -> None:
    await machine.one.end(machine.lease, End(JobState.PAUSED))
    assert await machine.orphans() == [machine.lease.job]
    assert await machine.two.orphans("https://other.test", JOB.account) == []
    assert await machine.two.orphans(JOB.origin, "other") == []

    lease = await machine.two.take(machine.lease.job, "two")
    await machine.two.end(lease, End(JobState.PAUSED, {"code": "FORBIDDEN"}))
    assert await machine.orphans() == []
    await machine.one.take(machine.lease.job, "one")
