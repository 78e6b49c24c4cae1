"""When a schedule of ArchiveBox runs: its words and cron expressions, all in UTC.

A schedule that never comes, such as `0 0 30 2 *`, is stored by 0.9.73 all the same; after that its
runner ends with an error at each start, and nothing is archived any more. So each is worked out
here before it is sent.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import product

from server.errors import Code, Failure

_MINUTE, _HOUR, _DAY = "* * * * *", "0 * * * *", "0 0 * * *"
_WEEK, _MONTH, _YEAR = "0 0 * * 0", "0 0 1 * *", "0 0 1 1 *"
WORDS = {
    "minute": _MINUTE,
    "minutely": _MINUTE,
    "hour": _HOUR,
    "hourly": _HOUR,
    "day": _DAY,
    "daily": _DAY,
    "week": _WEEK,
    "weekly": _WEEK,
    "month": _MONTH,
    "monthly": _MONTH,
    "year": _YEAR,
    "yearly": _YEAR,
}
"""The server's words and what they stand for."""
ADVERBS = {
    _MINUTE: "every minute",
    _HOUR: "every hour",
    _DAY: "every day",
    _WEEK: "every week",
    _MONTH: "every month",
    _YEAR: "every year",
}
"""How often they come, in a sentence."""

_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_LONGEST_MONTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
_ITEM = re.compile(r"(\*|(\w+)(?:-(\w+))?)(?:/(\d{1,2}))?\Z")
# A leap day comes within eight years, also over a year 2100 without one.
_DAYS_AHEAD = 8 * 366 + 1


@dataclass(frozen=True)
class Cron:
    """A cron expression, worked out; `expression` is its text."""

    expression: str
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]

    @classmethod
    def parse(cls, text: str) -> Cron:
        """Return the schedule that one of the words or a cron expression of five fields means.

        Raises:
            Failure: `INVALID_ARGUMENT` for anything else, and for one that never comes.
        """
        expression = " ".join(WORDS.get(text.strip().lower(), text).lower().split())
        fields = expression.split(" ")
        if len(fields) != 5:
            raise _make_failure(f"{text!r} is neither a word for a schedule nor a cron expression")
        minute, hour, day, month, weekday = fields
        cron = cls(
            expression,
            _numbers(minute, 0, 59, []),
            _numbers(hour, 0, 23, []),
            _numbers(day, 1, 31, []),
            _numbers(month, 1, 12, _MONTHS),
            # Sunday is both 0 and 7.
            frozenset(number % 7 for number in _numbers(weekday, 0, 7, _WEEKDAYS)),
        )
        # Also where days of the week would come: the server looks for either.
        if not any(min(cron.days) <= _LONGEST_MONTHS[month - 1] for month in cron.months):
            raise _make_failure(f"{text!r} never comes")
        return cron

    def next_run(self, after: datetime) -> datetime | None:
        """Return the first moment after that one, in UTC; None if there is none."""
        start = after.astimezone(UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
        times = [time(*parts) for parts in product(sorted(self.hours), sorted(self.minutes))]
        days = (start + timedelta(days=number) for number in range(_DAYS_AHEAD))
        moments = (
            datetime.combine(day, moment, UTC)
            for day in filter(self._has_day, days)
            for moment in times
        )
        return next(filter(start.__le__, moments), None)

    def _has_day(self, day: datetime) -> bool:
        if day.month not in self.months:
            return False
        by_day = day.day in self.days
        by_weekday = day.isoweekday() % 7 in self.weekdays
        # Where both are restricted, one of them is enough, as in every cron.
        _, _, days, _, weekdays = self.expression.split(" ")
        if "*" in (days, weekdays):
            return by_day and by_weekday
        return by_day or by_weekday


def _numbers(field: str, first: int, last: int, names: list[str]) -> frozenset[int]:
    numbers: set[int] = set()
    for item in field.split(","):
        match = _ITEM.match(item)
        if match is None:
            raise _make_failure(f"{item!r} is no part of a cron expression")
        start, end, step = _ends(match, first, last, names)
        if not first <= start <= end <= last or step == 0:
            raise _make_failure(f"{item!r} is outside {first} to {last}")
        numbers.update(range(start, end + 1, step))
    return frozenset(numbers)


def _ends(match: re.Match[str], first: int, last: int, names: list[str]) -> tuple[int, int, int]:
    whole, start, end, written_step = match.groups()
    step = int(written_step or 1)
    if whole == "*":
        return first, last, step
    low = _number(start, first, names)
    if end:
        return low, _number(end, first, names), step
    # `5/15` means from 5 on.
    return low, last if written_step else low, step


def _number(text: str, first: int, names: list[str]) -> int:
    if text in names:
        return names.index(text) + first
    if not text.isdecimal():
        raise _make_failure(f"{text!r} is no part of a cron expression")
    return int(text)


def _make_failure(reason: str) -> Failure:
    return Failure(
        Code.INVALID_ARGUMENT,
        f"{reason}: `every` takes minute, hour, daily, weekly, monthly, yearly, or a cron "
        "expression of five fields (minute hour day month weekday, in UTC).",
        "For example daily, or `30 4 * * 1` for Mondays at 04:30 UTC.",
    )
