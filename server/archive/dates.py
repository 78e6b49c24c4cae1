"""Points in time as people write them, as the UTC instants that Archive accepts.

Archive takes only UTC, written with a `Z` (its getting-started page); anything else is an error or,
worse, another day.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from server.wall_clock import utc_stamp

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z")
_HAS_TIME = re.compile(r"\d[T ]\d", re.IGNORECASE)


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
    # From the next day's start, so that a day of 23 or 25 hours ends where the calendar says.
    next_start = datetime.combine(day + timedelta(days=1), time.min, timezone)
    return next_start.astimezone(UTC) - timedelta(seconds=1)
