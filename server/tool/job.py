"""From the arguments of a tool to a job: its plan, the user's yes, the start, and the answer that
it allows."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, ClassVar

from pydantic import Field

from server.errors import Code, Failure
from server.jobs.engine import Jobs
from server.jobs.model import (
    JobRow,
    JobState,
    NewJob,
    NewRecord,
    RecordState,
)
from server.jobs.work import Work
from server.tool.arguments import parse
from server.tool.confirmation import Preview
from server.tool.context import Desk, Place
from server.tool.request import Input
from server.tool.result import Link, Result, whole

ANSWER_SECONDS = 20.0
"""How long a call waits for its job: one that ends within is simply answered."""
_RESERVE_SECONDS = 3.0


@dataclass(frozen=True)
class Plan:
    """What a job will do, as far as it can be told before.

    `credits` are rate credits; `billing` is what the user pays, in billing credits; `known` are the
    records where nothing has to be gathered; `preview` is what the user has to agree to, None where
    nothing needs a yes.
    """

    title: str
    records: int | None
    requests: int
    credits: float
    billing: int = 0
    known: Sequence[NewRecord] | None = None
    preview: Preview | None = None
    details: dict[str, Any] = field(default_factory=dict)


class StartJob(Input):
    """The arguments that every tool has that starts a job, and what it does with them.

    `watch` tells how to look at the job; it names a tool.
    """

    watch: ClassVar[str]

    dry_run: bool = Field(False, description="Only tell what it would do.")
    resume: str | None = Field(None, description="Job to go on with, or to retry failures of.")

    @abstractmethod
    async def plan(self, desk: Any) -> Plan:
        """What the job will do; reads the API as needed."""

    @abstractmethod
    def work(self, desk: Any) -> Work:
        """The work itself, with arguments alone as its state."""


class StartChange(StartJob):
    """A job that happens only after the user's yes to its preview."""

    confirm: str | None = Field(None, description="Token of the preview.")


def raw_arguments(request: Input) -> dict[str, Any]:
    """The arguments as they can be given again, without those that are about the start."""
    return request.model_dump(
        by_alias=True,
        exclude_unset=True,
        mode="json",
        exclude={"dry_run", "resume", "confirm", "workspace"},
    )


async def begin(request: Any, desk: Desk) -> Result:
    """Start (or resume) the job that a request describes and answer with its result, or with where
    it stands.

    Raises:
        Failure: whatever keeps it from being started.
    """
    jobs = await desk.shared.jobs()
    if request.resume is not None:
        return _answered(await _taken_up(request, desk, jobs), request.watch)
    plan = await request.plan(desk)
    about = await _told(plan, desk)
    if request.dry_run:
        return whole({"dryRun": True, **about})
    if plan.preview is not None:
        arguments = raw_arguments(request)
        await desk.agreed(
            _whole(plan, plan.preview),
            [request.tool_name(), arguments],
            getattr(request, "confirm", None),
        )
    row = await jobs.start(new_job(request, desk, plan), request.work(desk), plan.known)
    return _answered(await _followed(jobs, row, desk), request.watch).with_fields(plan=about)


async def read_by_job(request: Any, desk: Desk, plan: Plan) -> Result:
    """Start a job that changes nothing, about which nobody need be asked. Where it ends in time,
    its result is the answer; else where it stands.

    Raises:
        Failure: whatever keeps it from being started.
    """
    jobs = await desk.shared.jobs()
    about = await _told(plan, desk)
    row = await jobs.start(new_job(request, desk, plan), request.work(desk), plan.known)
    answer = _answered(await _followed(jobs, row, desk), request.watch)
    found = answer.structured.get("result")
    return answer.with_fields(plan=about) if found is None else whole(found)


def new_job(request: Any, desk: Desk, plan: Plan) -> NewJob:
    """The job as it is journalled."""
    place = desk.place
    return NewJob(
        tool=request.tool_name(),
        title=plan.title,
        origin=place.origin,
        account=place.account,
        workspace=place.workspace,
        arguments=raw_arguments(request),
        total=plan.records,
    )


def require_own(row: JobRow, place: Place) -> None:
    """Refuse a job of another server address, token or workspace.

    Raises:
        Failure: `INVALID_ARGUMENT`.
    """
    if (row.origin, row.account) != (place.origin, place.account):
        raise Failure(
            Code.INVALID_ARGUMENT,
            f"{row.id} belongs to another token or server address.",
            "Tell the user: only with the settings that it was started with can it be used.",
        )
    if row.workspace != place.workspace:
        raise Failure(
            Code.INVALID_ARGUMENT,
            f"{row.id} belongs to another workspace: {row.workspace}.",
            "Repeat the call with `workspace` set to that id.",
        )


def _whole(plan: Plan, preview: Preview) -> Preview:
    """The preview with what holds for every job."""
    figures = {"requests": plan.requests, "rateCredits": round(plan.credits)}
    message = f"{preview.message} The job pauses when this client is closed."
    return replace(preview, message=message, details={**figures, **preview.details})


async def _taken_up(request: Any, desk: Desk, jobs: Jobs) -> JobRow:
    row = await _followed(jobs, await _resumed(request, desk, jobs), desk)
    if row.state is JobState.PAUSED and row.error is None:
        # It was another process's until that ended, or until the lease of a dead one ran out.
        row = await _followed(jobs, await _resumed(request, desk, jobs), desk)
    return row


async def _resumed(request: Any, desk: Desk, jobs: Jobs) -> JobRow:
    row = await jobs.get(request.resume)
    if row.tool != request.tool_name():
        raise Failure(
            Code.INVALID_ARGUMENT,
            f"{row.id} was started by {row.tool}.",
            f"Resume it with {row.tool}.",
        )
    require_own(row, desk.place)
    _refuse_others(request, row)
    if row.state is JobState.RUNNING and row.owned:
        return row
    first = parse(type(request), row.arguments, {"timezone": UTC, "instants": []})
    work = first.work(desk)
    if row.state is JobState.PAUSED or (row.state is JobState.RUNNING and not row.owned):
        return await jobs.resume(row.id, work)
    return await jobs.retry_failed(row.id, work)


def _refuse_others(request: Any, row: JobRow) -> None:
    """A job goes on with its own arguments: others beside `resume` would be ignored."""
    if request.dry_run:
        raise Failure(
            Code.INVALID_ARGUMENT,
            f"`resume` goes on with {row.id} now; a dry run of that there is not.",
            "Leave out one of the two; {get_job} shows how it stands.",
        )
    given = raw_arguments(request)
    if other := [f"`{name}`" for name, value in given.items() if row.arguments.get(name) != value]:
        raise Failure(
            Code.INVALID_ARGUMENT,
            f"{row.id} goes on with its own arguments; {', '.join(other)} would change them.",
            "Leave them out, or start a new job without `resume`.",
        )


async def _followed(jobs: Jobs, row: JobRow, desk: Desk) -> JobRow:
    async def tell(done: int, total: int | None, message: str) -> None:
        await desk.asker.report(done, total, message)

    seconds = min(ANSWER_SECONDS, desk.deadline - desk.now() - _RESERVE_SECONDS)
    return await jobs.wait(row.id, max(0.0, seconds), tell)


def _answered(row: JobRow, watch: str) -> Result:
    notes = [] if row.ended else [_standing(row, watch)]
    return whole({**summary(row), **({"notes": notes} if notes else {})}).with_links(*links(row))


def _standing(row: JobRow, watch: str) -> str:
    if row.state is JobState.PAUSED:
        return f"The job paused. {watch}"
    return f"The job goes on while this server runs, and pauses when the client is closed. {watch}"


async def _told(plan: Plan, desk: Desk) -> dict[str, Any]:
    seconds = await desk.seconds(plan.requests, plan.credits)
    return {
        "title": plan.title,
        "records": plan.records,
        "requests": plan.requests,
        "rateCredits": round(plan.credits),
        "minutes": round(seconds / 60, 1),
        **({"billingCredits": plan.billing} if plan.billing else {}),
        **plan.details,
    }


def summary(row: JobRow) -> dict[str, Any]:
    """A job as a result: where it stands, what it found, what went wrong."""
    counts = {str(state): row.counts[state] for state in RecordState if row.counts.get(state)}
    return {
        "jobId": row.id,
        "title": row.title,
        "state": str(row.state),
        **({} if row.ended else {"phase": str(row.phase)}),
        "records": {"total": row.total, **_gathered(row), **counts},
        **({"result": row.result} if row.result is not None else {}),
        **({"error": row.error} if row.error is not None else {}),
        "startedAt": _instant(row.created),
        **({"finishedAt": _instant(row.finished)} if row.finished is not None else {}),
    }


def links(row: JobRow) -> list[Link]:
    """The resource that a job's result names as `resource`, as a link."""
    found = (row.result or {}).get("resource")
    return [Link(found["uri"], found["name"], found["mimeType"], found["size"])] if found else []


def _gathered(row: JobRow) -> dict[str, Any]:
    """What a job that sends nothing has found so far: its counter `gathered`."""
    return {"gathered": row.counters["gathered"]} if "gathered" in row.counters else {}


def _instant(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
