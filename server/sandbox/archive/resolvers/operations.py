"""Background operations and the paid refresh of metrics: Archive docs, operations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from server.sandbox.archive.data.changes import (
    PRICE,
    QUEUED_SECONDS,
    SECONDS,
    Refresh,
)
from server.sandbox.archive.data.metrics import STORY_KINDS
from server.sandbox.archive.data.workspace import Workspace
from server.sandbox.archive.paging import Page, page
from server.sandbox.archive.resolvers.context import (
    Info,
    Resolver,
    refused,
    user_error,
)
from server.sandbox.ids import Kind, draw

# Operations from before the sandbox started; numbers from here up belong to refreshes that callers
# asked for.
_HISTORY = 6
_UPDATED, _REFETCHED = "update_custom_attributes", "refetch_engagement"


@dataclass(frozen=True)
class Operation:
    """A background operation; attributes are the API's fields in snake case."""

    id: str
    operation_type: str
    status: str
    created_at: datetime
    completed_at: datetime | None
    succeeded_item_ids: list[str]
    failed_item_ids: list[str]
    pending_item_ids: list[str]

    @property
    def total(self) -> int:
        """Items it is about."""
        return self.processed + len(self.pending_item_ids)

    @property
    def processed(self) -> int:
        """Items it is done with."""
        return len(self.succeeded_item_ids) + len(self.failed_item_ids)


def operations(_: None, info: Info, *, first: int | None, after: str | None) -> Page:
    """All operations, newest first."""
    home = info.context.workspace
    numbers = range(_HISTORY + len(home.changes.refreshes) - 1, -1, -1)
    return page(
        f"operations{home.index}",
        numbers,
        lambda number: _operation(home, number),
        first=first,
        after=after,
    )


def operation(_: None, info: Info, **given: str) -> Operation | None:
    """One operation; null for an unknown id."""
    home = info.context.workspace
    number = home.number_of(Kind.OPERATION, given["id"])
    if number is None or number >= _HISTORY + len(home.changes.refreshes):
        return None
    return _operation(home, number)


def _operation(home: Workspace, number: int) -> Operation:
    if number >= _HISTORY:
        return _running(home, number, home.changes.refreshes[number - _HISTORY])
    bits = draw(home.seed, number, 30)
    ids = [home.id_of(Kind.ITEM, (bits + 37 * n) % home.items) for n in range(5 + bits % 20)]
    status = ("COMPLETED", "PARTIAL", "COMPLETED", "FAILED", "COMPLETED", "COMPLETED")[number]
    failed = {"COMPLETED": 0, "PARTIAL": 2, "FAILED": len(ids)}[status]
    created = home.anchor - timedelta(days=3 * (_HISTORY - number), seconds=bits & 0xFFFF)
    return Operation(
        id=home.id_of(Kind.OPERATION, number),
        operation_type=_UPDATED if number % 2 else _REFETCHED,
        status=status,
        created_at=created,
        completed_at=created + timedelta(seconds=40),
        succeeded_item_ids=ids[failed:],
        failed_item_ids=ids[:failed],
        pending_item_ids=[],
    )


def _running(home: Workspace, number: int, refresh: Refresh) -> Operation:
    """A refresh as far as the clock says it has come: a second in the queue, then item by item."""
    changes, age = home.changes, home.changes.age(refresh)
    share = min(1.0, max(0.0, (age - QUEUED_SECONDS) / (SECONDS - QUEUED_SECONDS)))
    done = int(len(refresh.items) * share)
    finished = [home.item(n) for n in refresh.items[:done]]
    failed = [item.id for item in finished if item.unreachable]
    over = age >= SECONDS
    return Operation(
        id=home.id_of(Kind.OPERATION, number),
        operation_type=_REFETCHED,
        status=_outcome(done, len(failed))
        if over
        else "QUEUED"
        if age < QUEUED_SECONDS
        else "PROCESSING",
        created_at=changes.moment(refresh),
        completed_at=changes.moment(refresh, SECONDS) if over else None,
        succeeded_item_ids=[item.id for item in finished if not item.unreachable],
        failed_item_ids=failed,
        pending_item_ids=[home.id_of(Kind.ITEM, n) for n in refresh.items[done:]],
    )


def _outcome(done: int, failed: int) -> str:
    if failed == 0:
        return "COMPLETED"
    return "FAILED" if failed == done else "PARTIAL"


def refetch_engagement_bulk(_: None, info: Info, **given: list[str]) -> dict[str, Any]:
    """Stories and foreign ids drop out silently; items in a running refresh are listed as
    skipped."""
    home = info.context.workspace
    if not home.brand.refetch:
        raise refused("Engagement refetch is not enabled for this workspace", "UNAUTHORIZED")
    found = {
        item.number: item for item in map(home.item_by_id, given["itemIds"]) if item is not None
    }
    able = [item for item in found.values() if item.kind not in STORY_KINDS]
    skipped = [item.id for item in able if home.changes.active(item.number)]
    accepted = tuple(item.number for item in able if not home.changes.active(item.number))
    nothing = {
        "operation_id": None,
        "processed_count": 0,
        "skipped_item_ids": skipped,
        "user_errors": [],
    }
    if not accepted:
        return nothing
    if PRICE * len(accepted) > home.changes.wallet:
        return {
            **nothing,
            "user_errors": [user_error("itemIds", "Not enough credits to refresh these items")],
        }
    started = home.changes.refresh(accepted)
    name = home.id_of(Kind.OPERATION, _HISTORY + started.number)
    return {**nothing, "operation_id": name, "processed_count": len(accepted)}


TABLE: dict[str, Resolver] = {
    "operations": operations,
    "operation": operation,
    "refetchEngagementBulk": refetch_engagement_bulk,
}
