"""How much the journal hands out, how long an owner may be silent, and what it says of a job."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from server.errors import Code, Failure
from server.jobs import JobState, Journal, Phase, RecordState
from server.jobs.model import End, Mark
from tests.support.jobs.doubles import JOB, Clock, begun


async def test_fifty_jobs_are_listed_unless_somebody_asks_for_more(
    opened: Callable[[], Journal],
) -> None:
    journal = opened()
    names = [(await begun(journal, 0)).job for _ in range(52)]

    assert [row.id for row in await journal.jobs()] == names[:1:-1]
    assert [row.id for row in await journal.jobs(limit=60)] == names[::-1]


async def test_a_hundred_records_are_handed_out_from_the_first_one_on(
    opened: Callable[[], Journal],
) -> None:
    journal = opened()
    lease = await begun(journal, 102)

    assert [row.number for row in await journal.records(lease.job)] == [*range(1, 101)]


async def test_orphans_come_oldest_first_and_a_thousand_at_most(
    opened: Callable[[], Journal], clock: Clock
) -> None:
    journal = opened()
    names = []
    for _ in range(1002):
        clock.now += 1
        lease = await journal.create(
            JOB, "first", writes=False, repeatable=True, phase=Phase.SENDING
        )
        await journal.end(lease, End(JobState.PAUSED))
        names.append(lease.job)

    assert [row.id for row in await journal.orphans(JOB.origin, JOB.account)] == names[2:]


async def test_an_owner_may_be_silent_for_fifteen_seconds(
    opened: Callable[[], Journal], clock: Clock
) -> None:
    journal = opened()
    lease = await begun(journal)
    clock.now += 14.9
    with pytest.raises(Failure, match="Another server") as caught:
        await opened().take(lease.job, "second")
    assert (caught.value.code, caught.value.retryable) == (Code.UNAVAILABLE, True)

    clock.now += 0.1
    assert (await opened().take(lease.job, "second")).owner == "second"


async def test_the_expected_number_of_records_stays_until_another_is_named(
    opened: Callable[[], Journal],
) -> None:
    journal = opened()
    lease = await begun(journal, 0, phase=Phase.GATHERING)
    assert (await journal.job(lease.job)).total is None

    await journal.checkpoint(lease, total=7)
    await journal.checkpoint(lease, "a place")
    row = await journal.job(lease.job)
    assert (row.total, row.cursor) == (7, "a place")

    await journal.checkpoint(lease, total=0)
    assert (await journal.job(lease.job)).total == 0


@pytest.mark.parametrize(("unit", "counters"), [("records", {}), ("items", {"unit": "items"})])
async def test_a_job_says_what_its_records_are_called_where_that_is_not_records(
    opened: Callable[[], Journal], unit: str, counters: dict[str, str]
) -> None:
    journal, job = opened(), replace(JOB, unit=unit)
    lease = await journal.create(job, "first", writes=True, repeatable=True, phase=Phase.SENDING)
    await journal.start(lease)

    row = await journal.job(lease.job)
    assert (row.unit, row.counters) == (unit, counters)


async def test_a_long_name_of_a_job_that_does_not_exist_is_cut(
    opened: Callable[[], Journal],
) -> None:
    with pytest.raises(Failure) as caught:
        await opened().job("x" * 150)
    assert caught.value.message == f"There is no job '{'x' * 100}'."


@pytest.mark.parametrize(
    ("state", "ended"),
    [
        (JobState.DONE, True),
        (JobState.FAILED, True),
        (JobState.CANCELLED, True),
        (JobState.PAUSED, False),
    ],
)
async def test_a_paused_job_has_not_ended(
    opened: Callable[[], Journal], state: JobState, ended: bool
) -> None:
    journal = opened()
    lease = await begun(journal)
    assert (await journal.job(lease.job)).ended is False

    await journal.end(lease, End(state))
    assert (await journal.job(lease.job)).ended is ended


async def test_settled_records_are_those_with_which_nothing_more_will_be_done(
    opened: Callable[[], Journal],
) -> None:
    journal = opened()
    lease = await begun(journal, 7)
    ends = (RecordState.DONE, RecordState.FAILED, RecordState.UNKNOWN, RecordState.SKIPPED)
    await journal.mark(lease, [Mark(number, state) for number, state in enumerate(ends, 1)])
    await journal.admit(lease, [5])

    assert (await journal.job(lease.job)).finished_records == 4
