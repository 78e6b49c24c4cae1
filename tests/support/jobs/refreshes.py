"""Paid refreshes as tests start them and count what was sent."""

from __future__ import annotations

from collections import Counter
from typing import Any

from server.sandbox import MAIN
from tests.support.tools.working import Json, Worker
from tools.archive.jobs.engagement import StartEngagementJob


async def refresh(one: Worker, **raw: Any) -> tuple[Json, Json]:
    told = await one.agreed(StartEngagementJob, mode="refresh", **raw)
    return told, await one.ended(told)


def refetched(one: Worker) -> Counter[str]:
    """How often each item was sent to be refreshed."""
    sent = [
        given["itemIds"] for name, given in one.sandbox.asked if name == "RefetchEngagementBulk"
    ]
    return Counter(each for ids in sent for each in ids)


def home(one: Worker) -> Any:
    return one.sandbox.world.by_id(MAIN)
