"""Answers that are the number of records alone, and what is said where it is 0."""

from __future__ import annotations

from typing import Any

from server.archive.api import Api
from server.archive.context import ArchiveContext
from server.archive.operations import Connection
from server.tool.result import Result, drop_empty, whole

COUNT_ONLY = "Return only the number, as `totalCount`."


async def count_records(request: Connection[Any], context: ArchiveContext) -> Result:
    """Return how many records a search finds; they are not read.

    Raises:
        Failure: as `Archive.execute`.
    """
    # The count comes with any page, so the smallest one will do.
    page = await context.api.read_page(request, size=1, selection={"id": {}})
    notes = request.notes()
    if not page.total:
        notes += request.notes_if_empty()
    return whole({"totalCount": page.total, **drop_empty({"notes": notes})})


async def count_all(request: Connection[Any], context: ArchiveContext, api: Api) -> int | None:
    """Return how many records a search finds, for comparing: a conversation asks for it once."""
    key = (context.workspace, repr((request.operation, sorted(request.variables().items()))))
    totals = context.lists.totals
    if key not in totals:
        page = await api.read_page(request, size=1, selection={"id": {}})
        totals[key] = page.total
    return totals[key]


def describe_emptiness(conditions: list[str]) -> list[str]:
    """Return what an empty result says about the conditions that nothing meets."""
    if not conditions:
        return []
    if len(conditions) == 1:
        return [f"Nothing meets {conditions[0]}: check its values, or leave it out."]
    return [
        f"Nothing meets {', '.join(conditions)} together: leave out one after the other to see "
        "which excludes everything."
    ]
