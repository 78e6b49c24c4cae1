"""The weeks of a chart: from Monday to Sunday in UTC, cut to the period that was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

# The most weeks of a chart: two years.
MOST_WEEKS = 104
_WEEK, _TO_SUNDAY = timedelta(days=7), timedelta(days=6)


@dataclass(frozen=True)
class Period:
    """The first and the last day that posts can be from; None where nothing limits them."""

    first: date | None = None
    last: date | None = None


OPEN = Period()


@dataclass(frozen=True)
class Week:
    """A week, by the days of it that lie within the period."""

    monday: date
    first: date
    last: date

    @property
    def is_partial(self) -> bool:
        """Whether days of the week lie outside the period."""
        return self.last - self.first < _TO_SUNDAY

    @property
    def name(self) -> str:
        """The week's name by ISO 8601, such as 2026-W28."""
        return f"{self.monday:%G-W%V}"

    @property
    def label(self) -> str:
        """The first day, such as "Jul 6"; of a partial week all, such as "Jul 1-5"."""
        days = [_render_day(self.first), _render_end(self.first, self.last)]
        shown = 2 if self.is_partial and self.last > self.first else 1
        return "-".join(days[:shown])


def list_weeks(mondays: Sequence[date], period: Period, today: date) -> list[Week]:
    """Return the weeks of the period, without a gap.

    Args:
        mondays: those of the weeks with posts, at least one; they bound a period that is open.
        today: the last day that can have posts.
    """
    earliest, latest = min(mondays), max(mondays)
    end = min(period.last or latest, today)
    first = _find_monday(min(earliest, period.first or earliest))
    last = _find_monday(max(latest, end))
    number = (last - first) // _WEEK + 1
    days = Period(period.first, min(period.last or today, today))
    return [_cut_week(first + place * _WEEK, days) for place in range(number)]


def render_weeks(weeks: Sequence[Week]) -> list[str]:
    """Return the label of each week, with the year where there are several."""
    if weeks[0].first.year == weeks[-1].first.year:
        return [week.label for week in weeks]
    return [f"{week.label} '{week.first:%y}" for week in weeks]


def name_partial_weeks(weeks: Sequence[Week]) -> str:
    """Return the names of the partial weeks and their days, nothing where there are none."""
    names = [f"{week.name} ({week.first} to {week.last})" for week in weeks if week.is_partial]
    return ", ".join(names)


def _cut_week(monday: date, days: Period) -> Week:
    sunday = monday + _TO_SUNDAY
    week = Week(monday, monday, sunday)
    # Only a limit within the week cuts it: a post beyond the limits still has its whole week.
    if days.first is not None and days.first <= sunday:
        week = replace(week, first=max(monday, days.first))
    if days.last is not None and days.last >= monday:
        week = replace(week, last=min(sunday, days.last))
    return week


def _find_monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _render_day(day: date) -> str:
    return f"{day:%b} {day.day}"


def _render_end(first: date, last: date) -> str:
    return str(last.day) if last.month == first.month else _render_day(last)
