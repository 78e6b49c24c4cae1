"""From the arguments of a tool to a job: its plan, the user's confirmation, the start, and the
answer of the call."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from pydantic import Field, PrivateAttr

from server.errors import Code, Failure
from server.jobs.forecast import (
    describe_correction,
    describe_seconds,
    read_estimate,
    read_forecast,
)
from server.jobs.interface import Jobs, Work
from server.jobs.model import (
    RECORDS,
    Estimate,
    JobRow,
    JobState,
    NewJob,
    NewRecord,
    RecordState,
)
from server.jobs.ownership import make_foreign
from server.text import clean_sentence
from server.tool.arguments import parse_in_utc
from server.tool.confirmation import Preview
from server.tool.context import LOCAL_USER, Context, Scope
from server.tool.request import C, R, Request
from server.tool.result import Link, Result, compact, drop_nulls, whole
from server.wall_clock import utc_stamp

C_contra = TypeVar("C_contra", bound=Context, contravariant=True)

# Seconds that a call waits for its job; one that ends by then is answered with its result.
ANSWER_SECONDS = 20.0
# Characters of a job's title, which may name what strangers wrote.
_LONGEST_TITLE = 200
# Seconds that a call for a job can wait for its end.
LONGEST_WAIT = 40
# What is left of a call for rendering and sending its answer.
_RESERVE_SECONDS = 3.0
# Nobody asks how long a job of fewer seconds takes, and what it awaits in the end comes on top.
_WORTH_TELLING = 20.0


@dataclass(frozen=True)
class Plan:
    """What a job will do, as far as it is known before.

    `credits` are rate credits; `billing` is what the user pays, in billing credits;
    `records_known` are the records where nothing has to be gathered; `preview` is what the user has
    to confirm, None where nothing needs a confirmation; `unit` is what the records are called where
    one of them is more than one of what the user named.
    """

    title: str
    records: int | None
    requests: int
    credits: float
    billing: int = 0
    records_known: Sequence[NewRecord] | None = None
    preview: Preview | None = None
    details: dict[str, Any] = field(default_factory=dict)
    unit: str = RECORDS

    def complete_preview(self, seconds: float, *, outlives_client: bool = False) -> Preview | None:
        """Return the preview with what holds for every job; None where nobody needs to be asked.

        Args:
            seconds: About how long the job takes, as things stand.
            outlives_client: Whether the job goes on when the client is closed.
        """
        if self.preview is None:
            return None
        figures = {"requests": self.requests, "rateCredits": round(self.credits)}
        verb = "goes on" if outlives_client else "pauses"
        message = f"{self.preview.message} The job {verb} when this client is closed."
        return replace(
            self.preview,
            message=message,
            details={**self.preview.details, **figures},
            outlook=_describe_outlook(seconds),
        )


def _describe_outlook(seconds: float) -> str:
    # With the credits that are left now, which are others a moment later.
    return f"It takes about {describe_seconds(seconds)}." if seconds >= _WORTH_TELLING else ""


class StartJob(Request[R, C], Generic[R, C]):
    """Base of the tools that start a job: what it will do is planned, confirmed where it has to be,
    and followed for a while.

    `watch` tells how to look at the job: it names a tool, and `{call}` stands for its arguments.
    """

    watch: ClassVar[str]

    dry_run: bool = Field(False, description="Only report what the job would do at most.")
    resume: str | None = Field(
        None, description="Id of a job to continue, or whose failed records to retry."
    )

    _plan: Plan | None = PrivateAttr(default=None)
    """The plan that the last preview showed: the start uses exactly that."""

    @abstractmethod
    async def plan(self, context: C) -> Plan:
        """Return what the job will do; reads the API as needed."""

    @abstractmethod
    def work(self, context: C) -> Work:
        """Return the work itself, with arguments alone as its state."""

    def call_arguments(self) -> dict[str, Any]:
        """Return the arguments as they are journalled, without those about the start."""
        # A resume compares the journalled arguments with its own, and these differ by nature.
        about_the_start = {"dry_run", "resume", "confirm", "workspace"}
        return self.model_dump(
            by_alias=True, exclude_unset=True, mode="json", exclude=about_the_start
        )

    def changes_something(self) -> bool:
        # A dry run only looks.
        return super().changes_something() and not self.dry_run

    def billing_credits(self, payload: dict[str, Any] | None = None) -> int:
        return 0 if self._plan is None else self._plan.billing

    async def preview(self, context: C) -> Preview | None:
        # A resumed job was confirmed when it was started; a dry run changes nothing.
        if self.resume is not None or self.dry_run:
            return None
        self._plan = plan = await self.plan(context)
        seconds = await context.estimate_seconds(plan.requests, plan.credits)
        return plan.complete_preview(seconds, outlives_client=_outlives_client(context))

    async def run(self, context: C) -> Result:
        """Start or resume the job, and return its result or where it stands."""
        if self.resume is not None:
            jobs = await context.jobs()
            row = await _resume_and_follow(self, self.resume, context, jobs)
            return _render(row, self.watch, context)
        plan = self._plan or await self.plan(context)
        about = await describe_plan(plan, context)
        if self.dry_run:
            return whole({"dryRun": True, **about})
        row = await _start(self, context, plan, about)
        answer = _render(row, self.watch, context)
        # What a job did says more than what it was to do.
        return answer if row.ended else answer.with_fields(plan=about)


class StartChange(StartJob[R, C], Generic[R, C]):
    """A job that happens only after the user's confirmation of its preview."""

    confirm: str | None = Field(None, description="Token from the preview.")


class ReadsByJob(Protocol[C_contra]):
    """A request whose answer may take a job."""

    watch: ClassVar[str]

    @classmethod
    def tool_name(cls) -> str:
        """Return the name of the tool."""

    def call_arguments(self) -> dict[str, Any]:
        """Return the arguments as they are journalled."""

    def work(self, context: C_contra) -> Work:
        """Return the work itself."""


async def read_by_job(request: ReadsByJob[C], context: C, plan: Plan) -> Result:
    """Start a job that changes nothing, so that nobody has to be asked. Where it ends in time, its
    result is the answer; else where it stands.

    Raises:
        Failure: whatever keeps it from being started.
    """
    about = await describe_plan(plan, context)
    row = await _start(request, context, plan, about)
    answer = _render(row, request.watch, context)
    # A job that ended in time looks like any read: its result alone.
    result = answer.structured.get("result")
    return answer.with_fields(plan=about) if result is None else whole(result)


async def _start(request: ReadsByJob[C], context: C, plan: Plan, about: dict[str, Any]) -> JobRow:
    """Start a job and follow it for a while; `about` describes its plan."""
    jobs = await context.jobs()
    job = new_job(request, context, plan, 60 * about["minutes"])
    row = await jobs.start(job, request.work(context), plan.records_known)
    return await _follow(jobs, row, context)


def new_job(request: ReadsByJob[C], context: C, plan: Plan, seconds: float) -> NewJob:
    """Return the job as it is journalled; `seconds` is about how long it takes."""
    scope = context.scope
    return NewJob(
        tool=request.tool_name(),
        title=clean_sentence(plan.title, _LONGEST_TITLE),
        origin=scope.origin,
        account=scope.account,
        workspace=scope.workspace,
        arguments=request.call_arguments(),
        total=plan.records,
        estimate=Estimate(plan.requests, plan.credits, seconds, plan.records),
        unit=plan.unit,
    )


def require_own(row: JobRow, scope: Scope) -> None:
    """Refuse a job of another server address, token or workspace.

    Raises:
        Failure: `INVALID_ARGUMENT`.
    """
    # The ids in a job's records mean nothing under another account.
    if (row.origin, row.account) != (scope.origin, scope.account):
        raise make_foreign(row.id)
    if row.workspace != scope.workspace:
        raise Failure(
            Code.INVALID_ARGUMENT,
            f"{row.id} belongs to another workspace: {row.workspace}.",
            "Repeat the call with `workspace` set to that id.",
        )


async def _resume_and_follow(
    request: StartJob[Any, C], job_id: str, context: C, jobs: Jobs
) -> JobRow:
    row = await _follow(jobs, await _resume(request, job_id, context, jobs), context)
    if row.state is JobState.PAUSED and row.error is None:
        # It was another process's until that ended, or until the lease of a dead one ran out.
        row = await _follow(jobs, await _resume(request, job_id, context, jobs), context)
    return row


async def _resume(request: StartJob[Any, C], job_id: str, context: C, jobs: Jobs) -> JobRow:
    row = await jobs.get(job_id)
    if row.tool != request.tool_name():
        raise Failure(
            Code.INVALID_ARGUMENT,
            f"{row.id} was started by {row.tool}.",
            f"Resume it with {row.tool}.",
        )
    require_own(row, context.scope)
    _refuse_other_arguments(request, row)
    # It runs already, here or in another process: there is only something to follow.
    if row.state is JobState.RUNNING and row.owned:
        return row
    first = parse_in_utc(type(request), row.arguments)
    # Whoever started it may have lost the right since.
    context.permissions.refuse(row.id, first.call_risk())
    work = first.work(context)
    if row.ended:
        return await jobs.retry_failed(row.id, work)
    # Paused, or running without an owner: the process that ran it died.
    return await jobs.resume(row.id, work)


def _refuse_other_arguments(request: StartJob[Any, C], row: JobRow) -> None:
    """Refuse arguments beside `resume`: a job goes on with its own, and others would be ignored."""
    if request.dry_run:
        raise Failure(
            Code.INVALID_ARGUMENT,
            f"`resume` continues {row.id}; it has no dry run.",
            "Leave out one of the two; {get_job} shows how it stands.",
        )
    others: list[str] = []
    for name, value in request.call_arguments().items():
        if row.arguments.get(name) != value:
            others.append(f"`{name}`")
    if others:
        raise Failure(
            Code.INVALID_ARGUMENT,
            f"{row.id} goes on with its own arguments; {', '.join(others)} would change them.",
            "Leave them out, or start a new job without `resume`.",
        )


async def _follow(jobs: Jobs, row: JobRow, context: Context) -> JobRow:
    seconds = min(ANSWER_SECONDS, context.deadline - context.now() - _RESERVE_SECONDS)
    return await jobs.wait(row.id, max(0.0, seconds), context.report)


def _render(row: JobRow, watch: str, context: Context) -> Result:
    result = summarise(row)
    if not row.ended:
        result["notes"] = [*result.get("notes", []), _describe_standing(row, watch, context)]
    return whole(result).with_links(*list_links(row))


def _describe_standing(row: JobRow, watch: str, context: Context) -> str:
    is_paused = row.state is JobState.PAUSED
    # The very arguments: the model may not have seen that tool yet.
    call = {"id": row.id} if is_paused else {"id": row.id, "wait": LONGEST_WAIT}
    watch = watch.replace("{call}", compact(call))
    if is_paused:
        return f"The job paused. {watch}"
    until = "also when the client is closed"
    if not _outlives_client(context):
        until = "while this server runs, and pauses when the client is closed"
    return f"The job goes on {until}. {_advise_waiting(row)}{watch}"


def _advise_waiting(row: JobRow) -> str:
    """Return what to do meanwhile, where the job takes longer than a call can wait for it."""
    forecast = read_forecast(row.counters)
    if forecast is None or forecast.left is None or forecast.left <= LONGEST_WAIT:
        return ""
    return f"Tell the user, and ask again in about {describe_seconds(forecast.left)}, not before. "


def _outlives_client(context: Context) -> bool:
    """Return whether jobs go on when the client is closed: a server over stdio ends with it."""
    return context.principal != LOCAL_USER


async def describe_plan(plan: Plan, context: Context) -> dict[str, Any]:
    """Return what the job will do, with about how many minutes it takes at this account's pace."""
    seconds = await context.estimate_seconds(plan.requests, plan.credits)
    return {
        "title": plan.title,
        # What the user pays comes before what only limits the pace.
        **drop_nulls({"billingCreditsAtMost": plan.billing or None}),
        plan.unit: plan.records,
        "requests": plan.requests,
        "rateCredits": round(plan.credits),
        "minutes": round(seconds / 60, 1),
        **plan.details,
    }


def summarise(row: JobRow) -> dict[str, Any]:
    """Return a job as a result: where it stands, what came of it, what went wrong."""
    counts = {str(state): row.counts.get(state) or None for state in RecordState}
    # A job that sends nothing counts what it gathered instead.
    gathered = {"gathered": row.counters.get("gathered"), **counts}
    summary = {
        "jobId": row.id,
        "title": row.title,
        "state": str(row.state),
        "phase": None if row.ended else str(row.phase),
        row.unit: {"total": row.total, **drop_nulls(gathered)},
        "pace": _describe_pace(row),
        "result": row.result,
        "error": row.error,
        "startedAt": _format_instant(row.created),
        "finishedAt": _format_instant(row.finished),
        "notes": _list_corrections(row) or None,
    }
    return drop_nulls(summary)


def _describe_pace(row: JobRow) -> dict[str, Any] | None:
    """Return how fast a running job is, how long it still takes and what it waits for."""
    forecast = read_forecast(row.counters)
    # Of a job that nobody works on the last figures mean nothing any more.
    if forecast is None or not row.owned or row.ended:
        return None
    speed, left = forecast.speed, forecast.left
    return drop_nulls(
        {
            f"{row.unit}PerMinute": None if speed is None else round(60 * speed, 1),
            "minutesLeft": None if left is None else round(left / 60, 1),
            "waitsFor": forecast.waits_for or None,
        }
    )


def _list_corrections(row: JobRow) -> list[str]:
    """Return how the plan of a job turned out wrong, if it did."""
    estimate, forecast = read_estimate(row.counters), read_forecast(row.counters)
    correction = describe_correction(estimate, forecast, ended=row.ended)
    return [] if correction is None else [correction]


def list_links(row: JobRow) -> list[Link]:
    """Return the resource that a job's result names as `resource`, as a link."""
    resource = (row.result or {}).get("resource")
    if not resource:
        return []
    return [Link(resource["uri"], resource["name"], resource["mimeType"], resource["size"])]


def _format_instant(seconds: float | None) -> str | None:
    return None if seconds is None else utc_stamp(datetime.fromtimestamp(seconds, UTC))
