"""Points in time as people write them, as UTC instants that both APIs accept.

Archive takes only UTC, written with a `Z` (its getting-started page); ArchiveBox reads a time
without a zone as UTC, which need not be what was meant.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from server.wall_clock import utc_stamp

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z")
_HAS_TIME = re.compile(r"\d[T ]\d", re.IGNORECASE)
_FRACTION = re.compile(r":\d{2}[.,](\d{1,6})")


def to_instant(text: str, timezone: tzinfo, *, end_of_day: bool) -> str:
    """Return the instant in UTC, such as `2026-03-01T00:00:00Z`.

    A plain day is its first second in `timezone`, or its last one where `end_of_day`; a time must
    carry its zone.

    Raises:
        ValueError: unreadable, or a time of day without a zone; the message says what to write.
    """
    # Models and people paste dates with blanks around them, which are no mistake worth an error.
    text = text.strip()
    try:
        return utc_stamp(_moment(text, timezone, end_of_day=end_of_day))
    except OverflowError:
        raise ValueError(f"{text!r} is outside the calendar.") from None


@dataclass(frozen=True)
class Span:
    """The time that a text names, in UTC: from `start` up to `end`, which is outside."""

    start: datetime
    end: datetime


def span(text: str, timezone: tzinfo) -> Span:
    """Return the time that a text names: a whole day in `timezone`, or an instant as exactly as it
    is written.

    Servers store more digits of a second than they show, so that an instant is a span as well.

    Raises:
        ValueError: as `instant`.
    """
    text = text.strip()
    try:
        start = _moment(text, timezone, end_of_day=False).astimezone(UTC)
        if is_day(text):
            return Span(start, _next_day(_day(text), timezone))
        return Span(start, start + _precision(text))
    except OverflowError:
        raise ValueError(f"{text!r} is outside the calendar.") from None


def microsecond_stamp(moment: datetime) -> str:
    """Return a moment with a zone as text in UTC, without a fraction where it has none."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _precision(text: str) -> timedelta:
    fraction = _FRACTION.search(text)
    digits = len(fraction[1]) if fraction else 0
    return timedelta(microseconds=10 ** (6 - digits))


def _moment(text: str, timezone: tzinfo, *, end_of_day: bool) -> datetime:
    if is_day(text):
        return _day_bound(_day(text), timezone, end_of_day=end_of_day)
    # Python also reads week dates and compact forms, which people do not mean: a time is required.
    try:
        moment = datetime.fromisoformat(text) if _HAS_TIME.search(text) else None
    except ValueError:
        moment = None
    if moment is None:
        raise ValueError(
            f"{text!r} is not a date: write a day (2026-03-01) "
            "or an instant with its zone (2026-03-01T00:00:00Z)."
        )
    # Guessing a zone could move the time to another day without anybody noticing.
    if moment.tzinfo is None:
        raise ValueError(
            f"{text!r} has no zone: add Z or an offset ({text}Z), or give the plain day."
        )
    return moment


def is_day(text: str) -> bool:
    """Whether the text names a whole day rather than an instant."""
    return bool(_DAY.match(text.strip()))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a day of the calendar.") from None


def _day_bound(day: date, timezone: tzinfo, *, end_of_day: bool) -> datetime:
    if not end_of_day:
        return datetime.combine(day, time.min, timezone)
    return _next_day(day, timezone) - timedelta(seconds=1)


def _next_day(day: date, timezone: tzinfo) -> datetime:
    # From the next day's start, so that a day of 23 or 25 hours ends where the calendar says.
    return datetime.combine(day + timedelta(days=1), time.min, timezone).astimezone(UTC)
