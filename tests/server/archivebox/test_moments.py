"""Dates of the ArchiveBox tools: whole days in the user's zone, and the instants shown."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import BaseModel, ValidationError

from server.archivebox.moments import At, From, Seconds, To, after_last, split_exact


class Dates(BaseModel):
    since: From | None = None
    until: To | None = None
    created_at: At | None = None
    after_: Seconds | None = None


def read(**dates: str) -> tuple[Dates, list[Any]]:
    context: dict[str, Any] = {"timezone": ZoneInfo("Europe/Berlin"), "instants": []}
    return Dates.model_validate(dates, context=context), context["instants"]


def test_a_plain_day_is_the_whole_day_in_the_zone() -> None:
    # Summer time begins on that day: it has 23 hours.
    dates, instants = read(since="2026-03-29", until="2026-03-29")
    assert dates.since == "2026-03-28T23:00:00Z"
    assert dates.until == "2026-03-29T21:59:59.999999Z"
    assert after_last(dates.until) == "2026-03-29T22:00:00Z"
    assert instants == [{"since": dates.since}, {"until": dates.until}]


def test_dates_that_were_read_are_read_as_the_same_again() -> None:
    dates, _ = read(since="2026-03-29", until="2026-03-29")
    again, instants = read(since=str(dates.since), until=str(dates.until))
    assert again == dates
    assert instants == []


@pytest.mark.parametrize("text", ["2026-03-01T10:00", "tomorrow", "2026-02-30", "2026-W10", ""])
@pytest.mark.parametrize("name", ["since", "until", "created_at", "after_"])
def test_a_time_without_a_zone_and_what_is_no_date_are_refused(name: str, text: str) -> None:
    with pytest.raises(ValidationError):
        read(**{name: text})


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2026-03-01T10:00:00.123Z", "10:00:00.123000Z", "10:00:00.124000Z"),
        ("2026-03-01T10:00:00Z", "10:00:00Z", "10:00:01Z"),
        ("2026-03-01T11:00:00.123456+01:00", "10:00:00.123456Z", "10:00:00.123457Z"),
    ],
)
def test_an_instant_is_as_exact_as_it_is_written(text: str, start: str, end: str) -> None:
    dates, _ = read(created_at=text)
    assert split_exact({"created_at": dates.created_at}) == {
        "created_at__gte": f"2026-03-01T{start}",
        "created_at__lt": f"2026-03-01T{end}",
    }


def test_an_exact_day_stays_within_other_ends() -> None:
    dates, instants = read(created_at="2026-03-01")
    inside = {"created_at__gte": "2026-03-01T10:00:00Z", "created_at__lt": "2027-01-01T00:00:00Z"}
    assert split_exact({"created_at": dates.created_at, **inside, "tag": "x"}) == {
        "created_at__gte": "2026-03-01T10:00:00Z",
        "created_at__lt": "2026-03-01T23:00:00Z",
        "tag": "x",
    }
    assert instants == [{"created_at": dates.created_at}]


def test_seconds_may_be_a_day() -> None:
    dates, instants = read(after_="2026-03-01")
    assert dates.after_ == "1772319600.0"
    assert instants == [{"after": "2026-02-28T23:00:00Z"}]
    assert read(after_="1772319600.5")[0].after_ == "1772319600.5"
