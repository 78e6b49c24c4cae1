"""Background operations: what was started, and how far it is."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from server.archive.context import ArchiveContext
from server.archive.operations import Connection, Id, Query, Workflow
from server.errors import Code, Failure
from server.limiter import Snapshot
from server.tool.result import Result, whole
from tools.archive.schema.objects import Operation, OperationSummary
from tools.archive.workspace import GetWorkspace

# A refresh names its operation `operationId`, and callers pass it on under that name.
_SYNONYMS = {"operationId": "id"}


class GetOperations(Connection[OperationSummary]):
    """List background operations of the workspace, such as engagement refreshes, with their
    status."""

    operation = "operations"
    title = "List operations"
    search_hint = (
        "background operations, recent refreshes, refresh requests in Archive, status of "
        "refreshes, engagement refresh queue, processes, finished or failed at Archive, history "
        "of refreshes, past refreshes, is anything still processing at Archive, pending "
        "operations, did all refreshes go through, running operations, requests to Archive, "
        "recent"
    )


class GetOperation(Query[Operation]):
    """Show how far a background operation is: QUEUED, PROCESSING, then COMPLETED, PARTIAL or FAILED
    (all three are final), with the ids of its items. Wait some seconds between calls, and longer
    each time."""

    operation = "operation"
    title = "Show an operation"
    search_hint = (
        "is the refresh done, did the refresh finish, progress of one operation, operation id, "
        "status of the engagement refresh, how far is it, completed, partial, still processing, "
        "check on the refresh, ready yet, finished refreshing, did the update of numbers go "
        "through, operation failed why, came of it, this operation number, through yet, finished, "
        "status of operation"
    )
    synonyms = _SYNONYMS
    missing = "No operation has that id in this workspace."
    instead = "{operations} lists the operations."

    id: Id = Field(description="Operation id.")


# So that a person's single call goes through while a job works.
RESERVE = (
    "Jobs leave a tenth of the burst untouched, or what comes back in ten seconds if that is less; "
    "calls like this one a fifth of that."
)


class GetBudget(Workflow[dict[str, Any]]):
    """Show the workspace's rate budget: plan, burst, refill, the rate credits left and the pace of
    requests. Check it before large reads. Rate credits cost nothing. Archive's API does not report
    billing credits, which refreshes spend."""

    operation = "budget"
    title = "Show the rate budget"
    search_hint = (
        "quota, credits left, how many credits remain, API credits, requests per second, why so "
        "slow, slow today, throttled, too many requests, allowance, usage, can we afford a large "
        "read, how much can I still ask, remaining requests, hit a limit, speed, capacity, "
        "subscription, tier of our plan, API allowance left, will we hit the rate limit, full "
        "again, when is it refilled, big report, calls, throttling, requests remaining, hourly, "
        "minute"
    )
    risk = "reads"
    repeatable = True

    async def run(self, context: ArchiveContext) -> Result:
        # Others spend the same credits: only an answer of now tells how many are left.
        notes = await _read_level(context)
        budget = await context.archive.budget(context.workspace)
        # Older answers of Archive have no rate headers: then only the flat pace is known.
        if budget is None or budget.burst is None:
            note = "Archive has not reported the budget; requests are paced at five a second."
            return whole({"plan": None, "notes": [*notes, note]})
        return whole(
            {
                "plan": budget.plan,
                "burst": budget.burst,
                "refillPerSecond": _round(budget.refill),
                **_show_stated_refill(budget),
                "rateCreditsLeft": _round(budget.credits),
                "secondsBetweenRequests": round(budget.gap, 3),
                "heldBackForSeconds": round(budget.penalty, 1),
                "notes": [*notes, RESERVE],
            }
        )


async def _read_level(context: ArchiveContext) -> list[str]:
    """Let Archive report the credits that are left; return what keeps it from that, in words."""
    try:
        await context.api.read(GetWorkspace.model_validate({"fields": ["id"]}))
    except Failure as failure:
        if failure.code not in (Code.RATE_LIMITED, Code.BUDGET_EXHAUSTED):
            raise
        return [f"`rateCreditsLeft` is computed from earlier answers. {failure.message}"]
    return []


def _show_stated_refill(budget: Snapshot) -> dict[str, Any]:
    """Return the refill that the plan states, where less was seen."""
    if budget.refill == budget.stated_refill:
        return {}
    return {"statedRefillPerSecond": _round(budget.stated_refill)}


def _round(number: float | None) -> float | None:
    """Return credits as people read them: whole ones, and tenths of small figures."""
    if number is None:
        return None
    return round(number) if number >= 10 else round(number, 1)
