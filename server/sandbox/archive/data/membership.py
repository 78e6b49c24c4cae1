"""Which items the collections of a workspace contain.

What a collection held at the start is computed from its rule; what callers moved since is kept in
`Changes`.
"""

from __future__ import annotations

from bisect import bisect_left
from functools import cache

from server.sandbox.archive.data.archive_base import ArchiveBase
from server.sandbox.ids import draw


class Membership:
    """The items of all collections of one workspace, collections and items by their numbers."""

    def __init__(self, workspace: ArchiveBase) -> None:
        self._workspace = workspace
        self._changes = workspace.changes
        self._specs = workspace.brand.collections
        self._counts: dict[int, tuple[int, int]] = {}
        # Counting looks at every item of a window of time, but its result never changes.
        self._count_at_start = cache(self._find_count_at_start)

    def contains(self, collection: int, item: int) -> bool:
        inside = self._changes.moves.get(collection, {}).get(item)
        return self._contained_at_start(collection, item) if inside is None else inside

    def count(self, collection: int) -> int:
        revision = self._changes.revision
        if self._counts.get(collection, (-1, 0))[0] != revision:
            moves = self._changes.moves.get(collection, {}).items()
            gain = sum(
                inside - self._contained_at_start(collection, item) for item, inside in moves
            )
            self._counts[collection] = revision, self._count_at_start(collection) + gain
        return self._counts[collection][1]

    def _contained_at_start(self, collection: int, item: int) -> bool:
        # Collections and uploads that callers made start without each other.
        if collection >= len(self._specs) or item < 0:
            return False
        spec = self._specs[collection]
        if draw(self._workspace.seed, item, 100 + collection) % spec.every:
            return False
        return spec.newest <= self._workspace.days_old(item) < spec.oldest

    def _find_count_at_start(self, collection: int) -> int:
        if collection >= len(self._specs):
            return 0
        spec = self._specs[collection]
        numbers = range(self._workspace.item_count)
        # Items are numbered by age, so the window of a collection is one stretch of numbers.
        start = bisect_left(numbers, spec.newest, key=self._workspace.days_old)
        end = bisect_left(numbers, spec.oldest, key=self._workspace.days_old)
        return sum(self._contained_at_start(collection, item) for item in numbers[start:end])
