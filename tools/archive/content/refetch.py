"""Refreshing the metrics of archived posts, which costs billing credits."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from server.archive.api import PAGE
from server.archive.context import ArchiveContext
from server.archive.operations import Confirmed, Id
from server.archive.selection import select
from server.errors import Code, Failure
from server.text import count_noun, join_first, quote_title
from server.tool.confirmation import Preview
from tools.archive.content.items import SearchItems
from tools.archive.schema.objects import Item, RefetchPayload

CREDITS_PER_ITEM = 3
"""Billing credits of a refreshed item, at most once a day for each (Archive docs, operations;
help: manual refresh)."""
# The question stays readable, and five accounts show whose posts are meant.
MOST_NAMES = 5
"""The most accounts that a preview names."""


class RefetchEngagementBulk(Confirmed[RefetchPayload]):
    """Refresh the engagement of items now, without waiting for it (archive_start_engagement_job
    waits). It spends at most 3 billing credits per item and day, so the user is asked first.
    Stories cannot be refreshed. Pass the returned operationId as `id` to archive_get_operation."""

    operation = "refetchEngagementBulk"
    title = "Refresh engagement (costs credits)"
    search_hint = (
        "refresh metrics, views and comments now, fresh figures, latest numbers, stats are stale, "
        "outdated, recheck, measure again, pull current engagement, refetch, numbers look old, "
        "wrong likes, up to date, update the stats of this post, sync, re-check the view counts, "
        "claims it hit a million, 1M, verify the numbers, fresh ones, update like counts, "
        "current, re-pull, metrics look off, current numbers, statistics, reload"
    )
    risk = "spends"
    repeatable = False
    selected = "operationId processedCount skippedItemIds"
    verify = "{operations} shows whether a refresh was started."

    item_ids: Annotated[list[Id], Field(min_length=1, max_length=1000)] = Field(
        description="Ids of the items to refresh."
    )

    async def preview(self, context: ArchiveContext) -> Preview:
        # An item named twice is charged once, so the price must count it once.
        requested = list(dict.fromkeys(self.item_ids))
        result = await _look_up(context, requested)
        unknown = len(requested) - len(result)
        absent = [count_noun(unknown, "unknown id")] if unknown else []
        return offer(result, absent, context.workspace)[1]

    def billing_credits(self, payload: dict[str, Any] | None = None) -> int:
        if payload is None:
            return len(set(self.item_ids)) * CREDITS_PER_ITEM
        # Skipped items and stories cost nothing.
        return (payload.get("processedCount") or 0) * CREDITS_PER_ITEM

    def present_payload(self, payload: dict[str, Any]) -> dict[str, Any]:
        # Not an error (Archive docs, operations), though it looks like one.
        if payload.get("operationId") is None:
            return {**payload, "notes": ["Nothing was started: these items need no refresh now."]}
        return payload


def offer(
    result: list[dict[str, Any]], absent: list[str], workspace: str
) -> tuple[list[dict[str, Any]], Preview]:
    """The items that can be refreshed, and what the user is asked.

    Args:
        result: items with `id`, `type` and `socialProfile.accountName`.
        absent: what else was named but is not there, in words.
        workspace: its id.

    Raises:
        Failure: `INVALID_ARGUMENT` where none can be.
    """
    # Archive drops stories without listing them as skipped: the user would never learn of it.
    accepted = [entry for entry in result if entry["type"] != "STORY"]
    stories = len(result) - len(accepted)
    left_out = list(absent)
    if stories:
        left_out.insert(0, count_noun(stories, "story", "stories"))
    if not accepted:
        raise Failure(
            Code.INVALID_ARGUMENT,
            "Nothing to refresh: the call names only "
            f"{' and '.join(left_out) or 'what is not there'}.",
            "Nothing was spent. Stories cannot be refreshed; unknown ids may be of another "
            "workspace.",
        )
    message = (
        f"Refresh the engagement of {count_noun(len(accepted), 'Archive item')} (by "
        f"{_some_names(accepted)}) "
        f"for at most {len(accepted) * CREDITS_PER_ITEM} billing credits ({CREDITS_PER_ITEM} "
        "each)?"
    )
    details = {
        "billingCreditsAtMost": len(accepted) * CREDITS_PER_ITEM,
        "items": len(accepted),
        "leftOut": left_out,
        "workspace": workspace,
    }
    if left_out:
        message += f" Left out: {' and '.join(left_out)}."
    return accepted, Preview(message, details)


async def _look_up(context: ArchiveContext, ids: list[str]) -> list[dict[str, Any]]:
    selection = select(Item, ["id", "type", "socialProfile.accountName"])
    result: list[dict[str, Any]] = []
    # A mutation takes 1,000 ids, a page of items only 100.
    for start in range(0, len(ids), PAGE):
        query = SearchItems.model_validate({"filter": {"ids": ids[start : start + PAGE]}})
        result += (await context.api.read_page(query, selection=selection)).records
    return result


def _some_names(items: list[dict[str, Any]]) -> str:
    names = sorted({item["socialProfile"]["accountName"] for item in items})
    return join_first(list(map(quote_title, names)), MOST_NAMES)
