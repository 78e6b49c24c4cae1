"""Dates as arguments of the ArchiveBox tools: a plain day is the whole day in the user's zone, and
the result shows the instants."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationInfo

from server.dates import Span, is_day, microsecond_stamp, span

_STEP = timedelta(microseconds=1)
"""The least difference between two dates of ArchiveBox."""
_EXACT = ("created_at", "modified_at")


def _start(text: str, info: ValidationInfo) -> str:
    return _echo(microsecond_stamp(_span(text, info).start), text, info)


def _last(text: str, info: ValidationInfo) -> str:
    # The last moment, not the first one after it: a job's own arguments are read once more when it
    # is resumed.
    return _echo(microsecond_stamp(_span(text, info).end - _STEP), text, info)


def _whole(text: str, info: ValidationInfo) -> str:
    named = _span(text, info)
    ends = f"{microsecond_stamp(named.start)}/{microsecond_stamp(named.end)}"
    return _echo(ends, text, info)


def _seconds(text: str, info: ValidationInfo) -> str:
    try:
        return str(float(text))
    except ValueError:
        pass
    start = _span(text, info).start
    _echo(microsecond_stamp(start), text, info)
    return str(start.timestamp())


From = Annotated[str, Field(min_length=1), AfterValidator(_start)]
"""A day or an instant, as the first moment of it."""
To = Annotated[str, Field(min_length=1), AfterValidator(_last)]
"""A day or an instant, as the last moment of it."""
At = Annotated[str, Field(min_length=1), AfterValidator(_whole)]
"""A day or an instant, as first moment and the first one after it, with a slash between them:
ArchiveBox stores more digits than it shows."""
Seconds = Annotated[str, Field(min_length=1), AfterValidator(_seconds)]
"""A day, an instant or Unix seconds, as Unix seconds."""


def after_last(stamp: str) -> str:
    """Return the first moment that a `To` leaves out."""
    return microsecond_stamp(datetime.fromisoformat(stamp) + _STEP)


def split_exact(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return query parameters with each exact date as the two ends that ArchiveBox compares with;
    an end that is there already stays where it is the narrower one."""
    result = dict(values)
    for name in _EXACT:
        start, _, end = str(result.pop(name, "")).partition("/")
        if start:
            # All are UTC, but with different numbers of digits: text would compare wrongly.
            result[f"{name}__gte"] = max(_ends(start, result.get(f"{name}__gte")), key=_moment)
            result[f"{name}__lt"] = min(_ends(end, result.get(f"{name}__lt")), key=_moment)
    return result


def _ends(one: str, other: str | None) -> list[str]:
    return [one] if other is None else [one, other]


def _moment(stamp: str) -> datetime:
    return datetime.fromisoformat(stamp)


def _span(text: str, info: ValidationInfo) -> Span:
    return span(text, (info.context or {})["timezone"])


def _echo(stamp: str, text: str, info: ValidationInfo) -> str:
    # A day became an instant by the zone: the result says which, so that it can be checked.
    if is_day(text) and info.field_name:
        (info.context or {})["instants"].append({info.field_name.rstrip("_"): stamp})
    return stamp
