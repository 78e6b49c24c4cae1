"""Which items a query means, and in which order.

The default order needs no work, because items are numbered by time; anything else tests every item
once and keeps the numbers (not the items) of the latest few searches, so that the next page costs
nothing.
"""

from __future__ import annotations

import json
from array import array
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import anyio.lowlevel

from server.sandbox.archive.data.workspace import Workspace
from server.sandbox.archive.filters import items as item_filters
from server.sandbox.archive.filters.conditions import make_tests
from server.sandbox.ids import Kind

_MOST_SEARCHES = 8
# Items tested before other requests get their turn; about ten milliseconds.
_BATCH = 500
_DEFAULT = ("TAKEN_AT", "DESC")

Conditions = list[dict[str, Any]]
Sorting = list[dict[str, str]]


class Results:
    """The latest searches of one workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._numbers: OrderedDict[str, Sequence[int]] = OrderedDict()

    async def find(
        self,
        parts: item_filters.Filter | None,
        conditions: Conditions | None,
        sorting: Sorting | None,
    ) -> Sequence[int]:
        """Return the numbers of the matching items, in their order.

        parts: the filter of `items`. Raises GraphQLError for a filter or condition that the API
        refuses.
        """
        key = self._key(parts, conditions, sorting)
        if key in self._numbers:
            self._numbers.move_to_end(key)
            return self._numbers[key]
        numbers = await _find(self._workspace, parts, conditions, sorting)
        self._numbers[key] = numbers
        if len(self._numbers) > _MOST_SEARCHES:
            self._numbers.popitem(last=False)
        return numbers

    def _key(self, *query: Any) -> str:
        """Return what a search depends on: the query, and what callers changed before it."""
        changes = self._workspace.changes
        # A refresh covers all its items for the same time, so its first one stands for it.
        finished = sum(not changes.is_refreshing(row.items[0]) for row in changes.refreshes)
        state = [changes.revision, finished, len(changes.arrivals)]
        return json.dumps([*query, *state], default=str, sort_keys=True)


async def _find(
    workspace: Workspace,
    parts: item_filters.Filter | None,
    conditions: Conditions | None,
    sorting: Sorting | None,
) -> Sequence[int]:
    item_tests = item_filters.item_tests(workspace, parts)
    attribute_tests = make_tests(workspace, "ITEM", conditions)
    order = [(level["sortKey"], level["sortOrder"]) for level in sorting or ()] or [_DEFAULT]
    numbers: Sequence[int] = _candidates(workspace, parts or {})
    if item_tests or attribute_tests:
        matches = array("i")
        for number in numbers:
            await _take_turns(number)
            item = workspace.item(number)
            if not all(test(item) for test in item_tests):
                continue
            if all(test(item.custom_attributes) for test in attribute_tests):
                matches.append(number)
        numbers = matches
    # No two items have the same place in time, so further levels of the default order are moot.
    if order[0] == _DEFAULT:
        return numbers
    return await _sort(workspace, numbers, order)


async def _take_turns(number: int) -> None:
    """Let other requests run now and then: in one go a large search would block them all."""
    if number % _BATCH == 0:
        await anyio.lowlevel.checkpoint()


def _candidates(workspace: Workspace, parts: item_filters.Filter) -> Sequence[int]:
    """Return the numbers that need a test, newest first, narrowed by what no item must be made
    for."""
    limits = parts.get("takenAt") or {}
    window = workspace.numbers_between(limits.get("from"), limits.get("to"))
    ids = parts.get("ids")
    if not ids:
        return window
    numbers = {workspace.number_of(Kind.ITEM, text) for text in ids}
    return sorted(number for number in numbers if number is not None and number in window)


async def _sort(
    workspace: Workspace, numbers: Sequence[int], order: list[tuple[str, str]]
) -> Sequence[int]:
    """Return the numbers in this order; those without a figure come last."""
    result = list(numbers)
    # By the last key first, which leaves ties in the order of the keys before.
    for key, direction in reversed(order):
        values: dict[int, Any] = {}
        missing: list[int] = []
        for number in result:
            await _take_turns(number)
            value = _sort_value(workspace, number, key)
            if value is None:
                missing.append(number)
            else:
                values[number] = value
        ranked = sorted(values, key=values.__getitem__, reverse=direction == "DESC")
        result = ranked + missing
    return array("i", result)


def _sort_value(workspace: Workspace, number: int, key: str) -> Any:
    if key == "TAKEN_AT":
        return -number
    item = workspace.item(number)
    return (
        item.social_profile.account_name
        if key == "ACCOUNT_NAME"
        else item_filters.metric(item, key)
    )
