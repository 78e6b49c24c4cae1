"""Sorting items here, as Archive sorts them: for presets, where the API ignores `sorting`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

Records = list[dict[str, Any]]

SORT_PATHS = {
    "TAKEN_AT": "takenAt",
    "EARNED_MEDIA_VALUE": "currentEngagement.earnedMediaValue",
    "LIKE_COUNT": "currentEngagement.likes",
    "COMMENT_COUNT": "currentEngagement.comments",
    "SHARE_COUNT": "currentEngagement.shares",
    "MERGED_VIEW_PLAY_COUNT": "currentEngagement.impressions",
    "FOLLOWERS_COUNT": "socialProfile.followers",
    "ACCOUNT_NAME": "socialProfile.accountName",
    "LINEAR_VIRALITY": "currentEngagement.linearViralityScore",
    "EXPONENTIAL_VIRALITY": "currentEngagement.linearViralityScore",
}
"""Sort key -> the field it sorts by. The virality multiples are not in the API: their classes stand
in for them. Views merged with plays, and estimates where there are neither, are `impressions`
(Archive docs, schema)."""

_VIRALITY = {"NOT_VIRAL": 0, "LOW": 1, "MEDIUM": 2, "HIGH": 3}


def sorter(keys: list[tuple[str, str]]) -> Callable[[Records], Records]:
    """Return a function that sorts by (sort key, ASC or DESC) pairs, the first counting first;
    nulls always last."""

    def sort_records(records: Records) -> Records:
        result = list(records)
        # Python's sort is stable: sorting by the last key first leaves the first key in charge.
        for key, direction in reversed(keys):
            read = partial(_read, path=SORT_PATHS[key].split("."))
            # null is no number: it cannot be compared, and as 0 it would come first in ascending
            # order.
            unknown = [entry for entry in result if read(entry) is None]
            existing = [entry for entry in result if read(entry) is not None]
            result = sorted(existing, key=read, reverse=direction == "DESC") + unknown
        return result

    return sort_records


def _read(record: dict[str, Any], path: list[str]) -> Any:
    """Return the value that a record is sorted by; None where it has none."""
    value: Any = record
    for step in path:
        value = (value or {}).get(step)
    if not isinstance(value, str):
        return value
    if path[-1] == "linearViralityScore":
        # By name the classes would sort HIGH, LOW, MEDIUM.
        return _VIRALITY.get(value)
    # Numbers beyond what JSON holds exactly stay text; they still have to sort among the others.
    is_number = path[-1] != "accountName" and value.lstrip("-").isdecimal()
    return int(value) if is_number else value.casefold()
