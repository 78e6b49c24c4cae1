"""What happens to one job leaves the others in the same file as they were."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from server.jobs import JobRow, JobState, Journal, NewRecord, Phase, RecordRow, RecordState
from server.jobs.lease import LEASE_SECONDS, Lease
from server.jobs.model import End, Mark
from tests.support.jobs.doubles import JOB, Clock, begun, tidied

Standing = tuple[JobRow, list[RecordRow]]


async def start_job(journal: Journal) -> Lease:
    """A job with a record in each state."""
    lease = await begun(journal, 6, repeatable=False)
    await journal.admit(lease, [1, 2])
    ends = (RecordState.DONE, RecordState.FAILED, RecordState.UNKNOWN)
    await journal.mark(lease, [Mark(number, state, "X") for number, state in enumerate(ends, 2)])
    await journal.admit(lease, [5])
    return lease


async def read_job(journal: Journal, lease: Lease) -> Standing:
    return await journal.job(lease.job), await journal.records(lease.job)


async def send_again(journal: Journal, lease: Lease) -> None:
    await journal.end(lease, End(JobState.DONE))
    await journal.take(lease.job, "second", again=True)


async def resume(journal: Journal, lease: Lease) -> None:
    await journal.end(lease, End(JobState.PAUSED))
    await journal.take(lease.job, "second")


ACTIONS: dict[str, Callable[[Journal, Lease], Awaitable[object]]] = {
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
async def test_a_job_stays_as_it_is_when_another_is(
    opened: Callable[[], Journal], clock: Clock, action: str
) -> None:
    journal = opened()
    before, lease, after = (
        await start_job(journal),
        await start_job(journal),
        await start_job(journal),
    )
    others = [await read_job(journal, other) for other in (before, after)]
    own = await read_job(journal, lease)
    clock.now += 1
    await ACTIONS[action](journal, lease)

    assert [await read_job(journal, other) for other in (before, after)] == others
    assert await read_job(journal, lease) != own or action == "renewed"
    assert not await journal.is_cancelled(before)
    assert await journal.is_cancelled(lease) is (action == "cancelling to stop")


async def test_jobs_number_and_name_their_records_each_for_itself(
    opened: Callable[[], Journal],
) -> None:
    journal = opened()
    for lease in (await begun(journal, 2), await begun(journal, 3)):
        assert await journal.add(lease, [NewRecord("k1"), NewRecord("k9")]) == 1
        numbers = [row.number for row in await journal.records(lease.job)]
        assert numbers == sorted(set(numbers))
        assert (await journal.records(lease.job))[-1].key == "k9"
        assert (await journal.job(lease.job)).counts == {RecordState.PENDING: len(numbers)}


async def test_a_lease_of_one_job_is_none_of_another(opened: Callable[[], Journal]) -> None:
    journal = opened()
    one, two = await begun(journal), await begun(journal)
    await journal.end(one, End(JobState.PAUSED))

    assert await journal.renew(two) is False
    assert (one.owner, one.fence) == (two.owner, two.fence)
    assert not (await journal.job(one.job)).owned
    assert (await journal.job(two.job)).owned


async def test_records_are_counted_by_state_and_states_without_any_are_left_out(
    opened: Callable[[], Journal],
) -> None:
    journal = opened()
    lease = await begun(journal, 2)
    await journal.admit(lease, [1, 2])
    assert (await journal.job(lease.job)).counts == {RecordState.SENDING: 2}

    await journal.mark(lease, [Mark(1, RecordState.DONE), Mark(2, RecordState.SENDING)])
    assert (await journal.job(lease.job)).counts == {RecordState.DONE: 1, RecordState.SENDING: 1}


@pytest.mark.parametrize(("expected", "total"), [(None, 3), (2, 3), (3, 3), (10, 10)])
async def test_the_expected_number_is_at_least_what_was_gathered(
    opened: Callable[[], Journal], expected: int | None, total: int
) -> None:
    journal = opened()
    lease = await begun(journal, 3, phase=Phase.GATHERING)
    await journal.checkpoint(lease, total=expected)
    await journal.enter(lease, Phase.SENDING)

    assert (await journal.job(lease.job)).total == total


async def test_orphans_are_unfinished_jobs_of_the_same_api_and_account_that_nobody_works_on(
    opened: Callable[[], Journal], clock: Clock
) -> None:
    journal = opened()

    async def make(end: End | None, *, origin: str = JOB.origin, account: str = JOB.account) -> str:
        job = replace(JOB, origin=origin, account=account)
        lease = await journal.create(
            job, "first", writes=False, repeatable=True, phase=Phase.SENDING
        )
        await journal.start(lease)
        if end:
            await journal.end(lease, end)
        return lease.job

    pause = End(JobState.PAUSED)
    died = await make(None)
    cancelling = await make(None)
    await journal.cancel(cancelling)
    clock.now += LEASE_SECONDS + 1
    paused = await make(pause)
    await make(None)
    await make(pause, origin="https://other.test")
    await make(pause, account="somebody else")
    await make(End(JobState.PAUSED, {"code": "FORBIDDEN"}))
    for state in (JobState.DONE, JobState.FAILED, JobState.CANCELLED):
        await make(End(state))

    assert [row.id for row in await journal.orphans(JOB.origin, JOB.account)] == [died, paused]


async def test_what_is_tidied_up_is_only_what_is_dead_and_old_or_was_never_begun(
    opened: Callable[[], Journal], clock: Clock
) -> None:
    journal = opened()
    old = await begun(journal)
    await journal.end(old, End(JobState.PAUSED))
    unborn = await journal.create(JOB, "first", writes=True, repeatable=True, phase=Phase.SENDING)
    await journal.add(unborn, [NewRecord("k1")])
    clock.now += 31 * 24 * 3600
    alive, recent = await begun(journal), await begun(journal)
    starting = await journal.create(JOB, "first", writes=True, repeatable=True, phase=Phase.SENDING)
    await journal.add(starting, [NewRecord("k1")])
    await journal.end(recent, End(JobState.PAUSED))

    later = await tidied(opened())
    assert [row.id for row in await later.jobs()] == [recent.job, alive.job]
    assert [
        len(await later.records(lease.job)) for lease in (old, unborn, alive, recent, starting)
    ] == [
        0,
        0,
        3,
        3,
        1,
    ]
    await later.start(starting)
    assert (await later.job(starting.job)).state is JobState.RUNNING
