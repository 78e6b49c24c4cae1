"""Long work: how it stands, and stopping it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from server.builtin import ServerContext, ServerTool
from server.jobs import JobRow, RecordRow
from server.tool.job import list_links, summarise
from server.tool.result import RecordList, Result, drop_empty, whole

JobId = Annotated[str, Field(min_length=1)]
# Results name a job `jobId`, and callers pass it on under that name.
_SYNONYMS = {"jobId": "id"}

# Clients give up on a call after about a minute; this leaves room for the answer.
LONGEST_WAIT = 40
"""The most seconds that a call may wait for a job to end."""
STOPPING_SECONDS = 3.0
"""Seconds that a cancellation waits for the job to stop: a request under way may end."""


class GetJob(ServerTool[JobRow]):
    """Show how far a job is: its rate, the time left, what it waits for, its result, and the
    records that failed or whose outcome is unknown, each with its reason. With `wait` it answers
    when the job ends, or after that many seconds."""

    operation = "get_job"
    title = "Show a job"
    search_hint = (
        "how far is the job, is it done yet, finished, progress, percent, result of the export, "
        "where's the csv, download the file you made, which ones failed, errors of the job, time "
        "left, stuck, go on, status of the task, how much longer, how long will it take, is the "
        "export ready, how is it going, what went wrong, how many done, waiting for, what "
        "happened to the import, which links of the import failed and why, what didn't work, "
        "failures of the export, how far is the import, status, percentage, ETA, result"
    )
    risk = "reads"
    core = True
    repeatable = True
    synonyms = _SYNONYMS

    id: JobId = Field(description="Job id.")
    wait: int = Field(0, ge=0, le=LONGEST_WAIT, description="Seconds to wait for its end.")
    after: int = Field(0, ge=0, description="`nextAfter` of the previous call, for more failures.")

    async def run(self, context: ServerContext) -> Result:
        jobs = await context.jobs()
        if self.wait:
            row = await jobs.wait(self.id, self.wait, context.report)
        else:
            row = await jobs.get(self.id)
        failures = await jobs.failures(self.id, after=self.after)
        visible = RecordList(len(failures), budget=20_000).fill(map(_failure, failures))
        # A full page of 100 means that more may follow; the journal does not count them.
        more = len(visible.records) < len(failures) or len(failures) == 100
        result = {**summarise(row), **drop_empty({"failures": visible.records})}
        if more:
            result["nextAfter"] = failures[len(visible.records) - 1].number
        return whole(result).with_links(*list_links(row))


class ListJobs(ServerTool[JobRow]):
    """List long jobs (exports, imports, bulk changes) of this user, newest first, whichever client
    started them."""

    operation = "list_jobs"
    title = "List jobs"
    always_loaded = True
    search_hint = (
        "interrupted, laptop closed, last night, continue, go on with what was paused, resume, "
        "earlier exports, files you made, where's the csv, history, unfinished, what are you "
        "working on, anything still running, recent tasks, pick up where we left off, where we "
        "stopped, what happened yesterday, things in progress, background work, everything "
        "long-running, started this week, which links of the import failed, open right now, "
        "long-running tasks, all jobs, background tasks, recent exports, pending"
    )
    risk = "reads"
    repeatable = True

    limit: int = Field(20, ge=1, le=100, description="Most jobs to return.")
    after: int = Field(0, ge=0, description="Number of newest jobs to skip.")

    async def run(self, context: ServerContext) -> Result:
        jobs = await context.jobs()
        # One more than asked for shows whether there are others, without counting.
        rows = await jobs.list(limit=self.limit + 1, offset=self.after)
        result: dict[str, Any] = {"nodes": list(map(_brief, rows[: self.limit]))}
        if len(rows) > self.limit:
            result["nextAfter"] = self.after + self.limit
        return whole(result)


class CancelJob(ServerTool[JobRow]):
    """Stop a job for good; what it has done stays done. Stopping may take a moment if another
    client runs the job."""

    operation = "cancel_job"
    title = "Cancel a job"
    search_hint = (
        "abort the mass tagging, hold on, stop that export, kill the task, wrong dates, never "
        "mind, halt, stop the import, quit, interrupt the refresh, don't continue, stop saving, I "
        "changed my mind, wrong one, stop the run, wrong collection, takes too long, stop the "
        "tagging, call off, kill the export, stop it, stop what you are doing, background"
    )
    risk = "changes"
    repeatable = True
    verify = "{get_job} shows its state."
    synonyms = _SYNONYMS

    id: JobId = Field(description="Job id.")

    async def run(self, context: ServerContext) -> Result:
        jobs = await context.jobs()
        row = await jobs.cancel(self.id)
        # Another process may run the job: it sees the wish only at its next checkpoint.
        if not row.ended:
            row = await jobs.wait(self.id, STOPPING_SECONDS)
        result = summarise(row)
        if not row.ended:
            result["notes"] = ["It was asked to stop, and does so after what it is sending now."]
        return whole(result)


def _failure(record: RecordRow) -> dict[str, Any]:
    return {
        "record": record.key,
        "state": str(record.state),
        "code": record.code,
        "reason": record.reason,
    }


def _brief(row: JobRow) -> dict[str, Any]:
    visible = summarise(row)
    # Results can be long; the list only has to show which job to look at.
    visible.pop("result", None)
    if row.error:
        visible["error"] = {name: row.error[name] for name in ("code", "message")}
    return visible
