"""What happens to one job leaves the others in the same file as they were."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from server.jobs import JobRow, JobState, Journal, NewRecord, Phase, RecordRow, RecordState
from server.jobs.lease import LEASE_SECONDS, Lease
from server.jobs.model import End, Mark
from tests.support.jobs.doubles import JOB, Clock, begun

Standing = tuple[JobRow, list[RecordRow]]


def start_job(journal: Journal) -> Lease:
    """A job with a record in each state."""
    lease = begun(journal, 6, repeatable=False)
    journal.admit(lease, [1, 2])
    ends = (RecordState.DONE, RecordState.FAILED, RecordState.UNKNOWN)
    journal.mark(lease, [Mark(number, state, "X") for number, state in enumerate(ends, 2)])
    journal.admit(lease, [5])
    return lease


def read_job(journal: Journal, lease: Lease) -> Standing:
    return journal.job(lease.job), journal.records(lease.job)


def send_again(journal: Journal, lease: Lease) -> None:
    journal.end(lease, End(JobState.DONE))
    journal.take(lease.job, "second", again=True)


def resume(journal: Journal, lease: Lease) -> None:
    journal.end(lease, End(JobState.PAUSED))
    journal.take(lease.job, "second")


ACTIONS: dict[str, Callable[[Journal, Lease], object]] = {
    "renewed": lambda journal, lease: journal.renew(lease),
    "in another phase": lambda journal, lease: journal.enter(lease, Phase.FINISHING),
    "longer": lambda journal, lease: journal.add(lease, [NewRecord("new")], "x", {"pages": 1}),
    "further on": lambda journal, lease: journal.checkpoint(lease, "x", {"pages": 2}, 99),
    "sending": lambda journal, lease: journal.admit(lease, [6]),
    "marked": lambda journal, lease: journal.mark(lease, [Mark(1, RecordState.DONE)]),
    "cancelling to stop": lambda journal, lease: journal.cancel(lease.job),
    "done": lambda journal, lease: journal.end(lease, End(JobState.DONE, result={"a": 1})),
    "cancelled": lambda journal, lease: journal.end(lease, End(JobState.CANCELLED)),
    "paused": lambda journal, lease: journal.end(lease, End(JobState.PAUSED, {"code": "X"})),
    "sent again": send_again,
    "resumed": resume,
}


@pytest.mark.parametrize("action", ACTIONS)
def test_a_job_stays_as_it_is_when_another_is(
    opened: Callable[[], Journal], clock: Clock, action: str
) -> None:
    journal = opened()
    before, lease, after = start_job(journal), start_job(journal), start_job(journal)
    others = [read_job(journal, other) for other in (before, after)]
    own = read_job(journal, lease)
    clock.now += 1
    ACTIONS[action](journal, lease)

    assert [read_job(journal, other) for other in (before, after)] == others
    assert read_job(journal, lease) != own or action == "renewed"
    assert not journal.is_cancelled(before)
    assert journal.is_cancelled(lease) is (action == "cancelling to stop")


def test_jobs_number_and_name_their_records_each_for_itself(
    opened: Callable[[], Journal],
) -> None:
    journal = opened()
    for lease in (begun(journal, 2), begun(journal, 3)):
        assert journal.add(lease, [NewRecord("k1"), NewRecord("k9")]) == 1
        numbers = [row.number for row in journal.records(lease.job)]
        assert numbers == sorted(set(numbers))
        assert journal.records(lease.job)[-1].key == "k9"
        assert journal.job(lease.job).counts == {RecordState.PENDING: len(numbers)}


def test_a_lease_of_one_job_is_none_of_another(opened: Callable[[], Journal]) -> None:
    journal = opened()
    one, two = begun(journal), begun(journal)
    journal.end(one, End(JobState.PAUSED))

    assert journal.renew(two) is False
    assert (one.owner, one.fence) == (two.owner, two.fence)
    assert not journal.job(one.job).owned
    assert journal.job(two.job).owned


def test_records_are_counted_by_state_and_states_without_any_are_left_out(
    opened: Callable[[], Journal],
) -> None:
    journal = opened()
    lease = begun(journal, 2)
    journal.admit(lease, [1, 2])
    assert journal.job(lease.job).counts == {RecordState.SENDING: 2}

    journal.mark(lease, [Mark(1, RecordState.DONE), Mark(2, RecordState.SENDING)])
    assert journal.job(lease.job).counts == {RecordState.DONE: 1, RecordState.SENDING: 1}


@pytest.mark.parametrize(("expected", "total"), [(None, 3), (2, 3), (3, 3), (10, 10)])
def test_the_expected_number_is_at_least_what_was_gathered(
    opened: Callable[[], Journal], expected: int | None, total: int
) -> None:
    journal = opened()
    lease = begun(journal, 3, phase=Phase.GATHERING)
    journal.checkpoint(lease, total=expected)
    journal.enter(lease, Phase.SENDING)

    assert journal.job(lease.job).total == total


def test_orphans_are_unfinished_jobs_of_the_same_api_and_account_that_nobody_works_on(
    opened: Callable[[], Journal], clock: Clock
) -> None:
    journal = opened()

    def make(end: End | None, *, origin: str = JOB.origin, account: str = JOB.account) -> str:
        job = replace(JOB, origin=origin, account=account)
        lease = journal.create(job, "first", writes=False, repeatable=True, phase=Phase.SENDING)
        journal.start(lease)
        if end:
            journal.end(lease, end)
        return lease.job

    pause = End(JobState.PAUSED)
    died = make(None)
    cancelling = make(None)
    journal.cancel(cancelling)
    clock.now += LEASE_SECONDS + 1
    paused = make(pause)
    make(None)
    make(pause, origin="https://other.test")
    make(pause, account="somebody else")
    make(End(JobState.PAUSED, {"code": "FORBIDDEN"}))
    for state in (JobState.DONE, JobState.FAILED, JobState.CANCELLED):
        make(End(state))

    assert [row.id for row in journal.orphans(JOB.origin, JOB.account)] == [died, paused]


def test_what_is_tidied_up_is_only_what_is_dead_and_old_or_was_never_begun(
    opened: Callable[[], Journal], clock: Clock
) -> None:
    journal = opened()
    old = begun(journal)
    journal.end(old, End(JobState.PAUSED))
    unborn = journal.create(JOB, "first", writes=True, repeatable=True, phase=Phase.SENDING)
    journal.add(unborn, [NewRecord("k1")])
    clock.now += 31 * 24 * 3600
    alive, recent = begun(journal), begun(journal)
    starting = journal.create(JOB, "first", writes=True, repeatable=True, phase=Phase.SENDING)
    journal.add(starting, [NewRecord("k1")])
    journal.end(recent, End(JobState.PAUSED))

    later = opened()
    assert [row.id for row in later.jobs()] == [recent.job, alive.job]
    assert [len(later.records(lease.job)) for lease in (old, unborn, alive, recent, starting)] == [
        0,
        0,
        3,
        3,
        1,
    ]
    later.start(starting)
    assert later.job(starting.job).state is JobState.RUNNING
