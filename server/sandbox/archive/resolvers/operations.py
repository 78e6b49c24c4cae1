"""Background operations and the paid refresh of metrics: Archive docs, operations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from server.sandbox.archive.data.changes import (
    CREDITS_PER_ITEM,
    QUEUED_SECONDS,
    REFRESH_SECONDS,
    Refresh,
)
from server.sandbox.archive.data.posts import STORY_KINDS
from server.sandbox.archive.data.workspace import Workspace
from server.sandbox.archive.errors import ensure
from server.sandbox.archive.paging import Page, paginate
from server.sandbox.archive.resolvers.context import (
    Info,
    Payload,
    Resolver,
    user_error,
)
from server.sandbox.ids import Kind, draw

# How the operations from before the sandbox started ended; numbers from here up belong to
# refreshes that callers start.
_OUTCOMES = ("COMPLETED", "PARTIAL", "COMPLETED", "FAILED", "COMPLETED", "COMPLETED")
_HISTORY = len(_OUTCOMES)
_UPDATE, _REFETCH = "update_custom_attributes", "refetch_engagement"


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
    """Return all operations, newest first."""
    workspace = info.context.workspace
    count = _HISTORY + len(workspace.changes.refreshes)
    return paginate(
        f"operations{workspace.index}",
        range(count - 1, -1, -1),
        lambda number: _operation(workspace, number),
        first=first,
        after=after,
    )


def operation(_: None, info: Info, **arguments: str) -> Operation | None:
    """Return one operation; None for an unknown id."""
    workspace = info.context.workspace
    number = workspace.number_of(Kind.OPERATION, arguments["id"])
    if number is None or number >= _HISTORY + len(workspace.changes.refreshes):
        return None
    return _operation(workspace, number)


def _operation(workspace: Workspace, number: int) -> Operation:
    if number >= _HISTORY:
        return _refresh_operation(workspace, workspace.changes.refreshes[number - _HISTORY])
    bits = draw(workspace.seed, number, 30)
    # Spread over the archive: neighbours would mostly be posts of one day.
    places = [(bits + 37 * step) % workspace.item_count for step in range(5 + bits % 20)]
    ids = [workspace.id_of(Kind.ITEM, place) for place in places]
    status = _OUTCOMES[number]
    failure_count = {"COMPLETED": 0, "PARTIAL": 2, "FAILED": len(ids)}[status]
    age = timedelta(days=3 * (_HISTORY - number), seconds=bits & 0xFFFF)
    created = workspace.anchor - age
    return Operation(
        id=workspace.id_of(Kind.OPERATION, number),
        operation_type=_UPDATE if number % 2 else _REFETCH,
        status=status,
        created_at=created,
        completed_at=created + timedelta(seconds=40),
        succeeded_item_ids=ids[failure_count:],
        failed_item_ids=ids[:failure_count],
        pending_item_ids=[],
    )


def _refresh_operation(workspace: Workspace, refresh: Refresh) -> Operation:
    """Return a refresh as far as it has come by the clock.

    It waits in the queue for a second and then processes item by item.
    """
    changes, age = workspace.changes, workspace.changes.age(refresh)
    # Nothing runs in the background, so the progress follows from the time alone.
    share = min(1.0, max(0.0, (age - QUEUED_SECONDS) / (REFRESH_SECONDS - QUEUED_SECONDS)))
    done = int(len(refresh.items) * share)
    succeeded: list[str] = []
    failed: list[str] = []
    for item in map(workspace.item, refresh.items[:done]):
        outcome = failed if item.is_unreachable else succeeded
        outcome.append(item.id)
    completed_at: datetime | None = None
    status = "QUEUED" if age < QUEUED_SECONDS else "PROCESSING"
    if age >= REFRESH_SECONDS:
        completed_at = changes.moment(refresh, REFRESH_SECONDS)
        status = _final_status(len(succeeded), len(failed))
    return Operation(
        id=workspace.id_of(Kind.OPERATION, _HISTORY + refresh.number),
        operation_type=_REFETCH,
        status=status,
        created_at=changes.moment(refresh),
        completed_at=completed_at,
        succeeded_item_ids=succeeded,
        failed_item_ids=failed,
        pending_item_ids=[workspace.id_of(Kind.ITEM, number) for number in refresh.items[done:]],
    )


def _final_status(success_count: int, failure_count: int) -> str:
    if failure_count == 0:
        return "COMPLETED"
    return "PARTIAL" if success_count else "FAILED"


def refetch_engagement_bulk(_: None, info: Info, **arguments: list[str]) -> Payload:
    """Start a paid refresh of items.

    Stories and foreign ids drop out silently; items in a running refresh are listed as skipped.
    """
    workspace = info.context.workspace
    changes = workspace.changes
    ensure(
        workspace.brand.can_refetch,
        "Engagement refetch is not enabled for this workspace",
        "UNAUTHORIZED",
    )
    # By number, because an item that is listed twice is refreshed and paid once.
    items = {item.number: item for item in map(workspace.item_by_id, arguments["itemIds"]) if item}
    skipped: list[str] = []
    accepted: list[int] = []
    for number, item in items.items():
        if item.kind in STORY_KINDS:
            continue
        if changes.is_refreshing(number):
            skipped.append(item.id)
        else:
            accepted.append(number)
    payload = {
        "operation_id": None,
        "processed_count": 0,
        "skipped_item_ids": skipped,
        "user_errors": [],
    }
    if not accepted:
        return payload
    # All or nothing: the API starts no refresh that the credits cover only in part.
    if CREDITS_PER_ITEM * len(accepted) > changes.credits:
        return payload | {
            "user_errors": [user_error("itemIds", "Not enough credits to refresh these items")],
        }
    refresh = changes.start_refresh(tuple(accepted))
    return payload | {
        "operation_id": workspace.id_of(Kind.OPERATION, _HISTORY + refresh.number),
        "processed_count": len(accepted),
    }


TABLE: dict[str, Resolver] = {
    "operations": operations,
    "operation": operation,
    "refetchEngagementBulk": refetch_engagement_bulk,
}
