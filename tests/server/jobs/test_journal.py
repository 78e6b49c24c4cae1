"""The journal: what a crash at each point leaves, and what others may do with a job."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from server.errors import Failure
from server.jobs import JobRow, JobState, Journal, Phase, RecordState, Stopped
from server.jobs.lease import LEASE_SECONDS, Lease
from server.jobs.model import End, Mark
from tests.support.jobs.doubles import (
    JOB,
    Clock,
    begun,
    some,
    states,
    tidied,
)


async def crashed(
    open_: Callable[[], Journal], clock: Clock, lease: Lease
) -> tuple[Journal, JobRow, Lease]:
    """What the next process finds, and its lease."""
    clock.now += LEASE_SECONDS + 1
    journal = open_()
    row = await journal.job(lease.job)
    return journal, row, await journal.take(lease.job, "second")


async def test_a_job_reads_back_as_it_was_journalled(opened: Callable[[], Journal]) -> None:
    lease = await begun(opened())
    row = await opened().job(lease.job)

    assert (row.tool, row.title, row.origin, row.account, row.workspace) == (
        "a_tool",
        "A title",
        "https://api.test",
        "account",
        "workspace",
    )
    assert (row.arguments, row.writes, row.repeatable) == ({"argument": 1}, True, True)
    assert (row.state, row.owned, row.counts) == (JobState.RUNNING, True, {RecordState.PENDING: 3})


async def test_a_crash_before_the_job_began_leaves_nothing(
    opened: Callable[[], Journal], clock: Clock
) -> None:
    journal = opened()
    lease = await journal.create(JOB, "first", writes=True, repeatable=True, phase=Phase.SENDING)
    await journal.add(lease, some(2))
    assert await journal.jobs() == []

    clock.now += LEASE_SECONDS + 1
    later = await tidied(opened())
    assert await later.jobs() == []
    assert await later.records(lease.job) == []


async def test_a_crash_while_gathering_goes_on_at_the_last_page(
    opened: Callable[[], Journal], clock: Clock
) -> None:
    journal = opened()
    lease = await begun(journal, 0, phase=Phase.GATHERING)
    await journal.add(lease, some(2), {"after": "x"}, {"pages": 1})

    _, row, _ = await crashed(opened, clock, lease)
    assert (row.phase, row.state, row.cursor, row.counters) == (
        Phase.GATHERING,
        JobState.PAUSED,
        {"after": "x"},
        {"pages": 1},
    )
    assert row.counts == {RecordState.PENDING: 2}


@pytest.mark.parametrize(("repeatable", "becomes"), [(True, "pending"), (False, "unknown")])
async def test_a_crash_after_admission_has_the_record_sent_again_only_where_that_is_harmless(
    opened: Callable[[], Journal], clock: Clock, repeatable: bool, becomes: str
) -> None:
    journal = opened()
    lease = await begun(journal, repeatable=repeatable)
    await journal.admit(lease, [1])
    assert await states(journal, lease) == ["sending", "pending", "pending"]

    later, _, _ = await crashed(opened, clock, lease)
    row = (await later.records(lease.job))[0]
    assert (str(row.state), row.sends) == (becomes, 1)
    assert (row.code == "OUTCOME_UNKNOWN" and bool(row.reason)) is not repeatable


@pytest.mark.parametrize("repeatable", [True, False])
async def test_a_crash_after_the_mark_leaves_the_record_done(
    opened: Callable[[], Journal], clock: Clock, repeatable: bool
) -> None:
    journal = opened()
    lease = await begun(journal, repeatable=repeatable)
    await journal.admit(lease, [1])
    await journal.mark(lease, [Mark(1, RecordState.DONE, detail='{"a":1}')])

    later, _, second = await crashed(opened, clock, lease)
    assert await states(later, lease) == ["done", "pending", "pending"]
    assert (await later.records(lease.job))[0].detail == {"a": 1}
    with pytest.raises(ValueError, match="not to be sent"):
        await later.admit(second, [1])


async def test_a_crash_between_phases_goes_on_in_the_right_one(
    opened: Callable[[], Journal], clock: Clock
) -> None:
    journal = opened()
    lease = await begun(journal, 2, phase=Phase.GATHERING)
    await journal.enter(lease, Phase.SENDING)
    _, row, second = await crashed(opened, clock, lease)
    assert (row.phase, row.total) == (Phase.SENDING, 2)

    await opened().enter(second, Phase.FINISHING)
    _, row, _ = await crashed(opened, clock, second)
    assert row.phase is Phase.FINISHING


async def test_an_admission_of_several_is_of_all_or_none(opened: Callable[[], Journal]) -> None:
    journal = opened()
    lease = await begun(journal)
    await journal.admit(lease, [2])

    with pytest.raises(ValueError, match="not to be sent"):
        await journal.admit(lease, [1, 2, 3])
    assert await states(journal, lease) == ["pending", "sending", "pending"]


async def test_the_counts_follow_every_change(opened: Callable[[], Journal]) -> None:
    journal = opened()
    lease = await begun(journal, 5)
    await journal.admit(lease, [1, 2, 3])
    await journal.mark(
        lease, [Mark(1, RecordState.DONE), Mark(2, RecordState.FAILED, "REJECTED", "no")]
    )
    assert (await journal.job(lease.job)).counts == {
        RecordState.DONE: 1,
        RecordState.FAILED: 1,
        RecordState.SENDING: 1,
        RecordState.PENDING: 2,
    }


async def test_records_of_several_states_come_in_order_and_in_pieces(
    opened: Callable[[], Journal],
) -> None:
    journal = opened()
    lease = await begun(journal, 6)
    marks = [
        Mark(n, RecordState.UNKNOWN if n % 2 else RecordState.FAILED, "X", "why")
        for n in (1, 2, 3, 4, 5)
    ]
    await journal.mark(lease, marks)
    wanted = (RecordState.FAILED, RecordState.UNKNOWN)

    assert [row.number for row in await journal.records(lease.job, wanted, limit=3)] == [1, 2, 3]
    assert [row.number for row in await journal.records(lease.job, wanted, after=3, limit=3)] == [
        4,
        5,
    ]


async def test_cancelling_a_job_that_nobody_works_on_ends_it_at_once(
    opened: Callable[[], Journal], clock: Clock
) -> None:
    lease = await begun(opened(), repeatable=False)
    await opened().admit(lease, [1])
    clock.now += LEASE_SECONDS + 1
    journal = opened()
    await journal.cancel(lease.job)

    assert (await journal.job(lease.job)).state is JobState.CANCELLED
    assert await states(journal, lease) == ["unknown", "skipped", "skipped"]
    with pytest.raises(Failure, match="ended already"):
        await journal.take(lease.job, "second")


async def test_cancelling_a_job_of_another_process_stops_its_next_admission_but_not_its_marks(
    opened: Callable[[], Journal],
) -> None:
    owner = opened()
    lease = await begun(owner)
    await owner.admit(lease, [1])
    await opened().cancel(lease.job)

    assert (await owner.job(lease.job)).cancelling
    with pytest.raises(Stopped):
        await owner.admit(lease, [2])
    with pytest.raises(Stopped):
        await owner.add(lease, some(9))
    await owner.mark(lease, [Mark(1, RecordState.DONE)])
    await owner.end(lease, End(JobState.PAUSED))
    assert (await owner.job(lease.job)).state is JobState.CANCELLED
    assert await states(owner, lease) == ["done", "skipped", "skipped"]


async def test_a_job_whose_owner_died_before_it_obeyed_is_cancelled(
    opened: Callable[[], Journal], clock: Clock
) -> None:
    lease = await begun(opened())
    await opened().cancel(lease.job)
    clock.now += LEASE_SECONDS + 1
    journal = await tidied(opened())

    assert await journal.orphans(JOB.origin, JOB.account) == []
    assert (await journal.job(lease.job)).state is JobState.CANCELLED
    assert await states(journal, lease) == ["skipped"] * 3


async def test_a_cancelled_owner_that_died_is_not_succeeded_but_what_failed_can_be_sent_again(
    opened: Callable[[], Journal], clock: Clock
) -> None:
    journal = opened()
    lease = await begun(journal)
    await journal.mark(lease, [Mark(1, RecordState.FAILED)])
    await journal.cancel(lease.job)
    clock.now += LEASE_SECONDS + 1

    assert (await journal.job(lease.job)).state is JobState.CANCELLED
    assert await journal.orphans(JOB.origin, JOB.account) == []
    with pytest.raises(Failure, match="ended already"):
        await journal.take(lease.job, "second")
    second = await journal.take(lease.job, "second", again=True)
    assert await states(journal, lease) == ["pending", "skipped", "skipped"]
    await journal.admit(second, [1])


async def test_a_record_that_is_done_stays_so(opened: Callable[[], Journal]) -> None:
    journal = opened()
    lease = await begun(journal)
    await journal.mark(lease, [Mark(1, RecordState.DONE)])
    await journal.mark(lease, [Mark(1, RecordState.PENDING)])
    assert await states(journal, lease) == ["done", "pending", "pending"]


async def test_only_failed_records_and_harmless_unknown_ones_are_sent_again(
    opened: Callable[[], Journal],
) -> None:
    for repeatable, expected in (
        (True, ["done", "pending", "pending"]),
        (False, ["done", "pending", "unknown"]),
    ):
        journal = opened()
        lease = await begun(journal, repeatable=repeatable)
        marks = [
            Mark(1, RecordState.DONE),
            Mark(2, RecordState.FAILED),
            Mark(3, RecordState.UNKNOWN),
        ]
        await journal.mark(lease, marks)
        await journal.enter(lease, Phase.FINISHING)
        await journal.end(lease, End(JobState.DONE, result={"old": 1}))

        await journal.take(lease.job, "second", again=True)
        row = await journal.job(lease.job)
        assert await states(journal, lease) == expected
        assert (row.state, row.phase, row.result, row.finished) == (
            JobState.RUNNING,
            Phase.SENDING,
            None,
            None,
        )


async def test_a_job_without_failed_records_is_not_begun_again(
    opened: Callable[[], Journal],
) -> None:
    journal = opened()
    lease = await begun(journal)
    await journal.end(lease, End(JobState.DONE))

    with pytest.raises(Failure, match="No record"):
        await journal.take(lease.job, "second", again=True)
    assert (await journal.job(lease.job)).state is JobState.DONE


async def test_jobs_are_listed_newest_first_of_one_account_or_of_all(
    opened: Callable[[], Journal],
) -> None:
    journal = opened()
    names = [(await begun(journal)).job for _ in range(3)]

    assert [row.id for row in await journal.jobs()] == names[::-1]
    assert [
        row.id
        for row in await journal.jobs(accounts=[(JOB.origin, JOB.account)], limit=1, offset=1)
    ] == [names[1]]
    assert await journal.jobs(accounts=[(JOB.origin, "somebody else")]) == []


async def test_a_job_that_does_not_exist_is_said_not_to(opened: Callable[[], Journal]) -> None:
    journal = opened()
    for ask in (journal.job, journal.cancel, lambda name: journal.take(name, "me")):
        with pytest.raises(Failure, match="There is no job 'nope'") as caught:
            await ask("nope")
        assert caught.value.code == "NOT_FOUND"


async def test_a_job_is_forgotten_thirty_days_after_the_last_thing_that_happened_to_it(
    opened: Callable[[], Journal], clock: Clock
) -> None:
    journal = opened()
    old, young = await begun(journal), await begun(journal)
    await journal.end(old, End(JobState.DONE))
    clock.now += 30 * 24 * 3600
    await journal.take(young.job, "second")
    await journal.end(Lease(young.job, "second", 2), End(JobState.PAUSED))
    assert len(await (await tidied(opened())).jobs()) == 2
    clock.now += 1

    later = await tidied(opened())
    assert [row.id for row in await later.jobs()] == [young.job]
    assert await later.records(old.job) == []
