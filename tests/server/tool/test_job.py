"""From a tool's arguments to a job: the plan, the start, the resumption and the answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any, ClassVar, cast

import pytest

from server.errors import Code, Failure
from server.jobs.forecast import Forecast
from server.jobs.interface import Work
from server.jobs.model import JobRow, JobState, NewJob, NewRecord, Phase, RecordState
from server.tool.confirmation import Confirmations, Preview
from server.tool.context import Caller, Context, Scope
from server.tool.elicitation import Nobody
from server.tool.job import (
    Plan,
    StartChange,
    describe_plan,
    list_links,
    new_job,
    read_by_job,
    require_own,
    summarise,
)
from server.tool.request import Risk
from server.tool.result import Link

SCOPE = Scope("https://api.test", "account", "main")
PLAN = Plan(
    "A title",
    2,
    requests=90,
    credits=10.4,
    billing=6,
    records_known=[NewRecord("a"), NewRecord("b")],
    preview=Preview("Do it?", {"items": 2}),
    details={"left": 1},
)
ROW = JobRow(
    id="job_1",
    tool="archive_start_things",
    title="A title",
    origin=SCOPE.origin,
    account=SCOPE.account,
    workspace="main",
    arguments={"name": "x"},
    writes=True,
    repeatable=False,
    phase=Phase.SENDING,
    state=JobState.RUNNING,
    created=0.0,
    updated=0.0,
    finished=None,
    total=2,
    cursor=None,
    counters={},
    result=None,
    error=None,
    owned=True,
    cancelling=False,
    counts={},
)
DONE = replace(ROW, state=JobState.DONE, owned=False, finished=60.0, result={"things": 2})
WORK = cast("Work", object())


@dataclass
class StubJobs:
    """Jobs that answer with the rows they were made with, and record what they are asked."""

    waits: list[JobRow] = field(default_factory=list)
    row: JobRow = ROW
    calls: list[Any] = field(default_factory=list)

    async def start(self, job: NewJob, work: Work, records: Sequence[NewRecord] | None) -> JobRow:
        self.calls.append(("start", job, work, records))
        return self.row

    async def get(self, job_id: str) -> JobRow:
        return self.row

    async def resume(self, job_id: str, work: Work) -> JobRow:
        self.calls.append(("resume", job_id, work))
        return self.row

    async def retry_failed(self, job_id: str, work: Work) -> JobRow:
        self.calls.append(("retry", job_id, work))
        return self.row

    async def wait(self, job_id: str, seconds: float, report: Any) -> JobRow:
        self.calls.append(("wait", job_id, seconds))
        return self.waits.pop(0)

    @property
    def names(self) -> list[str]:
        return [call[0] for call in self.calls]


class StubContext(Context):
    """A context at second 100 whose requests take a second each."""

    def now(self) -> float:
        return 100.0

    async def estimate_seconds(self, requests: int, credits: float) -> float:
        return float(requests)


class StartThings(StartChange[Any, StubContext]):
    """Start things."""

    backend = "archive"
    operation_kind = "workflow"
    operation = "things"
    title = "Start things"
    risk: ClassVar[Risk] = "changes"
    repeatable = False
    watch: ClassVar[str] = "Look at it: {call}."

    name: str | None = None
    most_items: int | None = None

    async def plan(self, context: StubContext) -> Plan:
        return PLAN

    def work(self, context: StubContext) -> Work:
        return WORK


def make_context(jobs: StubJobs, *, seconds: float = 45.0) -> StubContext:
    async def open_jobs() -> StubJobs:
        return jobs

    process = SimpleNamespace(jobs=open_jobs, read_only=False)
    caller = Caller(Nobody(), 100.0 + seconds)
    return StubContext(SCOPE, cast("Any", process), Confirmations("ask"), caller)


async def run(jobs: StubJobs, seconds: float = 45.0, **arguments: Any) -> dict[str, Any]:
    request = StartThings.model_validate(arguments)
    return (await request.run(make_context(jobs, seconds=seconds))).structured


async def fail(jobs: StubJobs, **arguments: Any) -> Failure:
    with pytest.raises(Failure) as caught:
        await run(jobs, **arguments)
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert "wait" not in jobs.names
    return caught.value


async def test_the_preview_shows_what_holds_for_every_job() -> None:
    preview = await StartThings().preview(make_context(StubJobs()))
    assert preview is not None
    assert preview.message == "Do it? The job pauses when this client is closed."
    assert preview.outlook == "It takes about 2 min."
    # What the user asked about comes first.
    assert list(preview.details.items()) == [("items", 2), ("requests", 90), ("rateCredits", 10)]


@pytest.mark.parametrize("arguments", [{"dry_run": True}, {"resume": "job_1"}])
async def test_nobody_is_asked_about_a_dry_run_or_a_resumed_job(arguments: dict[str, Any]) -> None:
    request = StartThings.model_validate({}).model_copy(update=arguments)
    assert await request.preview(make_context(StubJobs())) is None


async def test_nobody_is_asked_where_the_plan_needs_no_confirmation() -> None:
    assert replace(PLAN, preview=None).complete_preview(90) is None


async def test_a_dry_run_only_reports_the_plan() -> None:
    jobs = StubJobs()
    assert await run(jobs, dryRun=True) == {
        "dryRun": True,
        "title": "A title",
        "records": 2,
        "requests": 90,
        "rateCredits": 10,
        "minutes": 1.5,
        "billingCreditsAtMost": 6,
        "left": 1,
    }
    assert jobs.calls == []


async def test_a_job_is_started_with_its_arguments_and_followed() -> None:
    jobs = StubJobs(waits=[DONE])
    result = await run(jobs, name="x", mostItems=3, confirm="token")
    (_, job, work, records), (_, job_id, seconds) = jobs.calls
    assert (job.tool, job.title, job.total) == ("archive_start_things", "A title", 2)
    assert (job.origin, job.account, job.workspace) == (SCOPE.origin, SCOPE.account, "main")
    assert job.arguments == {"name": "x", "mostItems": 3}
    assert (work, records) == (WORK, PLAN.records_known)
    assert (job_id, seconds) == ("job_1", 20.0)
    assert result["result"] == {"things": 2}
    # What it did says more than what it was to do.
    assert result.keys().isdisjoint({"plan", "notes"})


async def test_a_job_that_goes_on_is_answered_with_its_plan() -> None:
    result = await run(StubJobs(waits=[ROW]))
    assert result["plan"]["billingCreditsAtMost"] == 6


async def test_a_plan_counts_minutes_to_a_tenth_and_billing_credits_where_there_are_any() -> None:
    plan = Plan("A title", None, requests=1234, credits=0)
    assert await describe_plan(plan, make_context(StubJobs())) == {
        "title": "A title",
        "records": None,
        "requests": 1234,
        "rateCredits": 0,
        "minutes": 20.6,
    }


def test_a_dry_run_and_a_job_that_only_reads_are_no_change() -> None:
    class Reading(StartThings):
        risk: ClassVar[Risk] = "reads"

    assert StartThings().changes_something()
    assert not StartThings.model_validate({"dryRun": True}).changes_something()
    assert not Reading().changes_something()


async def test_a_job_spends_the_billing_credits_of_its_plan() -> None:
    class Paid(StartThings):
        async def plan(self, context: StubContext) -> Plan:
            return replace(PLAN, billing=7)

    request = Paid()
    assert request.billing_credits() == 0
    await request.preview(make_context(StubJobs()))
    assert request.billing_credits() == 7


@pytest.mark.parametrize("method", ["plan", "work"])
def test_a_tool_that_starts_a_job_has_a_plan_and_work(method: str) -> None:
    assert method in StartChange.__abstractmethods__


@pytest.mark.parametrize(("seconds", "wait"), [(13.0, 10.0), (2.0, 0.0)])
async def test_the_call_leaves_time_for_its_answer(seconds: float, wait: float) -> None:
    jobs = StubJobs(waits=[ROW])
    await run(jobs, seconds)
    assert jobs.calls[-1] == ("wait", "job_1", wait)


async def test_what_was_shown_is_what_is_started() -> None:
    class Counting(StartThings):
        plans: ClassVar[int] = 0

        async def plan(self, context: StubContext) -> Plan:
            type(self).plans += 1
            return PLAN

    request = Counting()
    context = make_context(StubJobs(waits=[DONE]))
    await request.preview(context)
    await request.run(context)
    assert Counting.plans == 1


async def test_a_job_that_goes_on_says_where_to_look() -> None:
    running = await run(StubJobs(waits=[ROW]))
    assert running["notes"] == [
        "The job goes on while this server runs, and pauses when the client is closed. "
        'Look at it: {"id":"job_1","wait":40}.'
    ]
    paused = await run(StubJobs(waits=[replace(ROW, state=JobState.PAUSED)]))
    assert paused["notes"] == ['The job paused. Look at it: {"id":"job_1"}.']


async def test_a_long_job_is_not_asked_after_again_and_again() -> None:
    forecast = {"active": 1.0, "speed": 2.0, "left": 200.0, "waitsFor": "", "reason": ""}
    row = replace(ROW, counters={"forecast": forecast})
    (note,) = (await run(StubJobs(waits=[row])))["notes"]
    assert "Tell the user, and ask again in about 3 min, not before." in note


@pytest.mark.parametrize(
    ("row", "call"),
    [
        (replace(ROW, state=JobState.PAUSED, owned=False), ["resume"]),
        (replace(ROW, owned=False), ["resume"]),
        (replace(DONE, state=JobState.FAILED), ["retry"]),
        (DONE, ["retry"]),
        (ROW, []),
    ],
)
async def test_a_resumed_job_goes_on_by_its_state(row: JobRow, call: list[str]) -> None:
    jobs = StubJobs(waits=[DONE], row=row)
    result = await run(jobs, resume="job_1")
    assert jobs.names == [*call, "wait"]
    assert "plan" not in result


async def test_a_job_that_another_process_left_is_resumed_once_more() -> None:
    paused = replace(ROW, state=JobState.PAUSED, owned=False)
    jobs = StubJobs(waits=[paused, DONE], row=paused)
    assert (await run(jobs, resume="job_1"))["state"] == "done"
    assert jobs.names == ["resume", "wait", "resume", "wait"]


async def test_a_job_that_an_error_paused_is_not_resumed_by_itself() -> None:
    failed = replace(ROW, state=JobState.PAUSED, owned=False, error={"code": "FORBIDDEN"})
    jobs = StubJobs(waits=[failed], row=failed)
    assert (await run(jobs, resume="job_1"))["error"] == {"code": "FORBIDDEN"}
    assert jobs.names == ["resume", "wait"]


async def test_a_job_is_resumed_by_its_own_tool_alone() -> None:
    failure = await fail(StubJobs(row=replace(ROW, tool="other")), resume="job_1")
    assert failure.hint == "Resume it with other."


async def test_other_arguments_beside_resume_are_refused() -> None:
    assert "`name`" in (await fail(StubJobs(), resume="job_1", name="y")).message
    assert "dry run" in (await fail(StubJobs(), resume="job_1", dryRun=True)).message
    assert (await run(StubJobs(waits=[DONE]), resume="job_1", name="x"))["jobId"] == "job_1"


@pytest.mark.parametrize(
    "row",
    [
        replace(ROW, origin="https://other.test"),
        replace(ROW, account="other"),
        replace(ROW, workspace="other"),
    ],
)
def test_a_job_of_another_scope_is_refused(row: JobRow) -> None:
    require_own(ROW, SCOPE)
    with pytest.raises(Failure) as caught:
        require_own(row, SCOPE)
    assert caught.value.code is Code.INVALID_ARGUMENT


async def test_a_read_that_ends_in_time_is_its_result_alone() -> None:
    jobs = StubJobs(waits=[DONE, ROW])
    context, request = make_context(jobs), StartThings(name="x")
    assert (await read_by_job(request, context, PLAN)).structured == {"things": 2}
    assert jobs.calls[0] == (
        "start",
        new_job(request, context, PLAN, 90.0),
        WORK,
        PLAN.records_known,
    )
    later = (await read_by_job(request, context, PLAN)).structured
    assert (later["state"], later["plan"]["minutes"]) == ("running", 1.5)


@pytest.mark.parametrize(
    ("state", "owned"), [(JobState.PAUSED, False), (JobState.DONE, False), (JobState.DONE, True)]
)
def test_only_a_job_that_somebody_works_on_has_a_pace(state: JobState, owned: bool) -> None:
    row = replace(ROW, counters={"forecast": Forecast(60.0, speed=0.5, left=120.0).to_dict()})
    assert summarise(row)["pace"] == {"recordsPerMinute": 30.0, "minutesLeft": 2.0}
    assert "pace" not in summarise(replace(row, state=state, owned=owned))


@pytest.mark.parametrize(("seconds", "outlook"), [(20, "It takes about 20 s."), (19.9, "")])
def test_a_person_is_told_of_twenty_seconds_and_more(seconds: float, outlook: str) -> None:
    preview = PLAN.complete_preview(seconds)
    assert preview is not None
    assert preview.outlook == outlook


def test_a_summary_leaves_out_what_is_not_there() -> None:
    counts = {RecordState.DONE: 2, RecordState.FAILED: 0}
    assert summarise(replace(ROW, total=None, counts=counts, counters={"gathered": 0})) == {
        "jobId": "job_1",
        "title": "A title",
        "state": "running",
        "phase": "sending",
        "records": {"total": None, "gathered": 0, "done": 2},
        "startedAt": "1970-01-01T00:00:00Z",
    }
    ended = summarise(replace(DONE, error={"code": "X"}))
    assert "phase" not in ended
    assert (ended["error"], ended["finishedAt"]) == ({"code": "X"}, "1970-01-01T00:01:00Z")


def test_the_resource_of_a_result_is_a_link() -> None:
    assert list_links(ROW) == list_links(DONE) == []
    resource = {"uri": "archive-mcp://x", "name": "x", "mimeType": "text/csv", "size": 3}
    (link,) = list_links(replace(DONE, result={"resource": resource}))
    assert link == Link("archive-mcp://x", "x", "text/csv", 3)
