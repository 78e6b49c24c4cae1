"""Two processes and one job: only one of them changes anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from server.errors import Failure
from server.jobs import (
    Journal,
    Leases,
    LostLease,
    NewRecord,
    Phase,
    RecordState,
)
from server.jobs.lease import LEASE_SECONDS, Lease
from server.jobs.model import End, JobState, Mark
from tests.support.jobs.doubles import JOB, some


class Machine:
    """Two processes on one machine: their journals and their clock."""

    def __init__(self, folder: Path) -> None:
        self.now = 1000.0
        self.one, self.two = (
            Journal(folder, leases=Leases(clock=lambda: self.now)) for _ in range(2)
        )
        self.lease = self.one.create(JOB, "one", writes=True, repeatable=False, phase=Phase.SENDING)
        self.one.add(self.lease, some(3))
        self.one.start(self.lease)

    def orphans(self) -> list[str]:
        return [row.id for row in self.two.orphans(JOB.origin, JOB.account)]


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    running = Machine(tmp_path)
    yield running
    running.one.close()
    running.two.close()


def test_a_job_is_not_taken_from_a_live_owner(machine: Machine) -> None:
    machine.now += LEASE_SECONDS - 0.1
    assert machine.orphans() == []
    with pytest.raises(Failure, match="Another server"):
        machine.two.take(machine.lease.job, "two")
    with pytest.raises(Failure, match="Another server"):
        machine.two.take(machine.lease.job, "two", again=True)


def test_a_job_is_taken_when_its_lease_has_run_out(machine: Machine) -> None:
    machine.now += LEASE_SECONDS
    assert machine.orphans() == [machine.lease.job]
    assert machine.two.job(machine.lease.job).state is JobState.PAUSED

    taken = machine.two.take(machine.lease.job, "two")
    assert taken.fence > machine.lease.fence
    assert machine.two.job(machine.lease.job).state is JobState.RUNNING
    assert machine.orphans() == []


KEEPING: dict[str, Callable[[Journal, Lease], object]] = {
    "renew": lambda journal, lease: journal.renew(lease),
    "enter": lambda journal, lease: journal.enter(lease, Phase.FINISHING),
    "add": lambda journal, lease: journal.add(lease, [NewRecord("new")], "cursor"),
    "checkpoint": lambda journal, lease: journal.checkpoint(lease, "cursor", {"n": 1}, 5),
    "admit": lambda journal, lease: journal.admit(lease, [1]),
    "mark": lambda journal, lease: journal.mark(lease, [Mark(1, RecordState.DONE)]),
}
WRITES: dict[str, Callable[[Journal, Lease], object]] = {
    **KEEPING,
    "start": lambda journal, lease: journal.start(lease),
    "end": lambda journal, lease: journal.end(lease, End(JobState.DONE)),
}


@pytest.mark.parametrize("write", WRITES)
def test_whoever_lost_the_job_changes_nothing_any_more(machine: Machine, write: str) -> None:
    machine.now += LEASE_SECONDS
    machine.two.take(machine.lease.job, "two")
    before = machine.two.job(machine.lease.job), machine.two.records(machine.lease.job)

    with pytest.raises(LostLease):
        WRITES[write](machine.one, machine.lease)
    assert (machine.two.job(machine.lease.job), machine.two.records(machine.lease.job)) == before


@pytest.mark.parametrize("write", WRITES)
def test_whoever_gave_the_job_back_changes_nothing_any_more(machine: Machine, write: str) -> None:
    machine.one.end(machine.lease, End(JobState.PAUSED))
    before = machine.two.job(machine.lease.job), machine.two.records(machine.lease.job)

    with pytest.raises(LostLease):
        WRITES[write](machine.one, machine.lease)
    assert (machine.two.job(machine.lease.job), machine.two.records(machine.lease.job)) == before


@pytest.mark.parametrize("write", KEEPING)
def test_every_change_renews_the_lease(machine: Machine, write: str) -> None:
    machine.now += LEASE_SECONDS - 1
    KEEPING[write](machine.one, machine.lease)
    machine.now += LEASE_SECONDS - 1
    assert machine.two.job(machine.lease.job).owned


def test_an_owner_that_slept_past_its_lease_goes_on_if_nobody_took_the_job(
    machine: Machine,
) -> None:
    machine.now += 10 * LEASE_SECONDS
    machine.one.admit(machine.lease, [1])
    assert machine.two.job(machine.lease.job).owned


def test_a_job_that_is_paused_is_free_at_once(machine: Machine) -> None:
    machine.one.admit(machine.lease, [1])
    machine.one.end(machine.lease, End(JobState.PAUSED))

    assert machine.orphans() == [machine.lease.job]
    assert machine.two.records(machine.lease.job)[0].state is RecordState.SENDING
    machine.two.take(machine.lease.job, "two")
    assert machine.two.records(machine.lease.job)[0].state is RecordState.UNKNOWN


def test_a_lease_from_before_a_reboot_binds_nobody(machine: Machine) -> None:
    machine.now = 5.0
    assert machine.orphans() == [machine.lease.job]
    machine.two.take(machine.lease.job, "two")
    with pytest.raises(LostLease):
        machine.one.renew(machine.lease)


def test_a_job_taken_back_and_forth_obeys_only_its_last_owner(machine: Machine) -> None:
    machine.now += LEASE_SECONDS
    second = machine.two.take(machine.lease.job, "two")
    machine.now += LEASE_SECONDS
    third = machine.one.take(machine.lease.job, "one")

    for journal, lease in ((machine.one, machine.lease), (machine.two, second)):
        with pytest.raises(LostLease):
            journal.admit(lease, [1])
    machine.one.admit(third, [1])


def test_orphans_are_those_of_the_same_api_and_account_and_not_those_that_an_error_paused(
    machine: Machine,
) -> None:
    machine.one.end(machine.lease, End(JobState.PAUSED))
    assert machine.orphans() == [machine.lease.job]
    assert machine.two.orphans("https://other.test", JOB.account) == []
    assert machine.two.orphans(JOB.origin, "other") == []

    lease = machine.two.take(machine.lease.job, "two")
    machine.two.end(lease, End(JobState.PAUSED, {"code": "FORBIDDEN"}))
    assert machine.orphans() == []
    machine.one.take(machine.lease.job, "one")
