"""What the plan of a workspace leaves to be sent."""

from __future__ import annotations

from typing import Any

from server.archive.workflows import ArchiveDesk, Workflow
from server.results import Result, whole

from .workspaces import GetWorkspace

RESERVE = "Jobs leave a tenth of the burst untouched; calls like this one a fiftieth."


class GetBudget(Workflow[dict[str, Any]]):
    """Show the workspace's rate budget: plan, burst, refill and the rate credits left, and the pace
    of requests. Look before large reads. Rate credits cost nothing; billing credits, which
    refreshes take, are not told by Archive."""

    operation = "budget"
    toolset = "operations"
    title = "Show the rate budget"
    risk = "reads"
    repeatable = True

    async def run(self, desk: ArchiveDesk) -> Result:
        known = await desk.archive.budget(desk.id)
        if known is None or known.plan is None:  # Archive tells with any answer
            await desk.api.read(GetWorkspace.model_validate({"fields": ["id"]}))
            known = await desk.archive.budget(desk.id)
        if known is None or known.burst is None:
            note = "Archive has not told the budget; requests are paced at five a second."
            return whole({"plan": None, "notes": [note]})
        return whole(
            {
                "plan": known.plan,
                "burst": known.burst,
                "refillPerSecond": known.refill,
                "creditsLeft": None if known.credits is None else round(known.credits),
                "secondsBetweenRequests": round(known.gap, 3),
                "heldBackForSeconds": round(known.penalty, 1),
                "notes": [RESERVE],
            }
        )
