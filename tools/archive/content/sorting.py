"""Sorting items here, as Archive sorts them: for presets, where the API ignores `sorting`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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


def sorter(keys: Sequence[tuple[str, str]]) -> Callable[[Records], Records]:
    """Return a function that sorts by (sort key, ASC or DESC) pairs, the first counting first;
    nulls always last."""

    def sort_records(records: Records) -> Records:
        result = list(records)
        # Python's sort is stable: sorting by the last key first leaves the first key in charge.
        for key, direction in reversed(keys):
            read = partial(_read, path=SORT_PATHS[key].split("."))
            # null is no number: it cannot be compared, and as 0 it would come first in ascending
            # order.
            measured: Records = []
            unknown: Records = []
            for record in result:
                (unknown if read(record) is None else measured).append(record)
            measured.sort(key=read, reverse=direction == "DESC")
            result = measured + unknown
        return result

    return sort_records


def _read(record: dict[str, Any], path: list[str]) -> Any:
    """Return the value that a record is sorted by; None where it has none."""
    value: Any = record
    for step in path:
        value = (value or {}).get(step)
    if not isinstance(value, str):
        return value
    convert = _CONVERSIONS.get(path[-1], _to_number)
    return convert(value)


def _to_number(value: str) -> int | str:
    # Numbers beyond what JSON holds exactly stay text; they still have to sort among the others.
    if value.lstrip("-").isdecimal():
        return int(value)
    return value.casefold()


_CONVERSIONS: dict[str, Callable[[str], int | str | None]] = {
    # By name the classes would sort HIGH, LOW, MEDIUM.
    "linearViralityScore": _VIRALITY.get,
    "accountName": str.casefold,
}
