"""Which items a query means, and in which order.

The default order needs no work, because items are numbered by time; anything else looks at every
item once and keeps the numbers (not the items) of the latest few answers, so that the next page
costs nothing.
"""

from __future__ import annotations

import json
from array import array
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import anyio.lowlevel

from server.sandbox.archive import filters
from server.sandbox.archive.data.workspace import Workspace
from server.sandbox.archive.resolvers import conditions as attribute_conditions
from server.sandbox.ids import Kind

_KEPT = 8
# Items looked at before other requests get a turn; about ten milliseconds.
_TURN = 500
_DEFAULT = ("TAKEN_AT", "DESC")

Sorting = list[dict[str, str]]


class Results:
    """The latest answers of one workspace."""

    def __init__(self, home: Workspace) -> None:
        self._home = home
        self._kept: OrderedDict[str, Sequence[int]] = OrderedDict()

    async def find(
        self,
        given: dict[str, Any] | None,
        conditions: list[dict[str, Any]] | None,
        sorting: Sorting | None,
    ) -> Sequence[int]:
        """Numbers of the matching items. Raises GraphQLError for a filter or condition that the API
        refuses."""
        changes = self._home.changes
        finished = sum(not changes.active(r.items[0]) for r in changes.refreshes)
        key = json.dumps(
            [given, conditions, sorting, changes.revision, finished, len(changes.arrived)],
            default=str,
            sort_keys=True,
        )
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        found = await _find(self._home, given, conditions, sorting)
        self._kept[key] = found
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return found


async def _find(
    home: Workspace,
    given: dict[str, Any] | None,
    conditions: list[dict[str, Any]] | None,
    sorting: Sorting | None,
) -> Sequence[int]:
    tests = filters.item_tests(home, given)
    held = attribute_conditions.tests(home, "ITEM", conditions)
    order = [(level["sortKey"], level["sortOrder"]) for level in sorting or ()] or [_DEFAULT]
    found: Sequence[int] = _candidates(home, given or {})
    if tests or held:
        kept = array("i")
        for number in found:
            if number % _TURN == 0:
                await anyio.lowlevel.checkpoint()
            item = home.item(number)
            if all(test(item) for test in tests) and all(
                test(item.custom_attributes) for test in held
            ):
                kept.append(number)
        found = kept
    return found if order[0] == _DEFAULT else await _sorted(home, found, order)


def _candidates(home: Workspace, given: dict[str, Any]) -> Sequence[int]:
    """Numbers in the order of time, newest first, narrowed by what needs no look at the items."""
    window = between(home, given.get("takenAt") or {})
    ids = given.get("ids")
    if not ids:
        return window
    numbers = {home.number_of(Kind.ITEM, text) for text in ids}
    return sorted(number for number in numbers if number is not None and number in window)


def between(home: Workspace, limits: Mapping[str, datetime | None]) -> range:
    """Numbers of the items of a window of time, both ends included."""
    everything = home.numbers

    def age(number: int) -> float:
        return -home.taken_at(number).timestamp()

    newest, oldest = limits.get("to"), limits.get("from")
    start = bisect_left(everything, -newest.timestamp(), key=age) if newest else 0
    end = bisect_right(everything, -oldest.timestamp(), key=age) if oldest else len(everything)
    return everything[start:end]


async def _sorted(
    home: Workspace, numbers: Sequence[int], order: list[tuple[str, str]]
) -> Sequence[int]:
    """Sort by the last key first, which leaves ties in the order of the keys before; unavailable
    figures come last."""
    result = list(numbers)
    for key, direction in reversed(order):
        values: dict[int, Any] = {}
        for number in result:
            if number % _TURN == 0:
                await anyio.lowlevel.checkpoint()
            values[number] = _sort_value(home, number, key)
        missing = [number for number in result if values[number] is None]
        known = [number for number in result if values[number] is not None]
        known.sort(key=values.__getitem__, reverse=direction == "DESC")
        result = known + missing
    return array("i", result)


def _sort_value(home: Workspace, number: int, key: str) -> Any:
    if key == "TAKEN_AT":
        return -number
    item = home.item(number)
    return item.social_profile.account_name if key == "ACCOUNT_NAME" else filters.metric(item, key)
