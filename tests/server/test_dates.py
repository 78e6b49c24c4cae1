from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.dates import is_day, to_instant

BERLIN = ZoneInfo("Europe/Berlin")
SAO_PAULO = ZoneInfo("America/Sao_Paulo")
SAMOA = ZoneInfo("Pacific/Apia")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-01T12:00:00Z", "2026-03-01T12:00:00Z"),
        ("2026-03-01T12:00:00+00:00", "2026-03-01T12:00:00Z"),
        ("2026-03-01T12:00:00-00:00", "2026-03-01T12:00:00Z"),
        ("2026-03-01T12:00:00+02:00", "2026-03-01T10:00:00Z"),
        ("2026-03-01T23:30:00-05:00", "2026-03-02T04:30:00Z"),
        ("2026-03-01T12:00:00.999Z", "2026-03-01T12:00:00Z"),
        ("2026-03-01T12:00Z", "2026-03-01T12:00:00Z"),
        ("2026-03-01 12:00:00Z", "2026-03-01T12:00:00Z"),
        ("20260301T120000Z", "2026-03-01T12:00:00Z"),
        ("  2026-03-01T12:00:00Z\n", "2026-03-01T12:00:00Z"),
    ],
)
@pytest.mark.parametrize("end_of_day", [False, True])
def test_an_instant_with_a_zone_is_the_same_instant_in_utc(
    text: str, expected: str, end_of_day: bool
) -> None:
    assert to_instant(text, BERLIN, end_of_day=end_of_day) == expected


@pytest.mark.parametrize(
    ("day", "zone", "first", "last"),
    [
        ("2026-03-01", UTC, "2026-03-01T00:00:00Z", "2026-03-01T23:59:59Z"),
        ("2026-01-15", BERLIN, "2026-01-14T23:00:00Z", "2026-01-15T22:59:59Z"),
        ("2026-03-29", BERLIN, "2026-03-28T23:00:00Z", "2026-03-29T21:59:59Z"),
        ("2026-10-25", BERLIN, "2026-10-24T22:00:00Z", "2026-10-25T22:59:59Z"),
        ("2018-11-04", SAO_PAULO, "2018-11-04T03:00:00Z", "2018-11-05T01:59:59Z"),
        ("2024-02-29", UTC, "2024-02-29T00:00:00Z", "2024-02-29T23:59:59Z"),
        ("0001-01-01", UTC, "0001-01-01T00:00:00Z", "0001-01-01T23:59:59Z"),
        (
            "2026-03-01",
            timezone(timedelta(hours=14)),
            "2026-02-28T10:00:00Z",
            "2026-03-01T09:59:59Z",
        ),
    ],
    ids=[
        "UTC",
        "winter",
        "23 hours",
        "25 hours",
        "no midnight",
        "leap day",
        "first day",
        "far east",
    ],
)
def test_a_plain_day_is_that_whole_day_in_the_users_zone(
    day: str, zone: tzinfo, first: str, last: str
) -> None:
    assert to_instant(day, zone, end_of_day=False) == first
    assert to_instant(day, zone, end_of_day=True) == last


@given(
    st.dates(min_value=date(1950, 1, 2), max_value=date(2100, 12, 30)),
    st.sampled_from(
        [UTC, BERLIN, SAO_PAULO, ZoneInfo("Asia/Kolkata"), ZoneInfo("America/New_York")]
    ),
)
def test_each_day_ends_one_second_before_the_next_begins(day: date, zone: tzinfo) -> None:
    ends = datetime.fromisoformat(to_instant(day.isoformat(), zone, end_of_day=True))
    begins = datetime.fromisoformat(
        to_instant((day + timedelta(days=1)).isoformat(), zone, end_of_day=False)
    )

    assert begins - ends == timedelta(seconds=1)
    assert ends.utcoffset() == timedelta(0)


@given(
    st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2200, 1, 1)),
    st.integers(-14 * 60, 14 * 60),
)
def test_a_zoned_time_never_moves(naive: datetime, minutes: int) -> None:
    moment = naive.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=minutes)))

    assert (
        datetime.fromisoformat(to_instant(moment.isoformat(), BERLIN, end_of_day=False)) == moment
    )


@pytest.mark.parametrize(
    "text", ["2026-03-01T12:00:00", "2026-03-01T12:00", "2026-03-01 00:00:00.5", "20260301T12"]
)
def test_a_time_of_day_without_a_zone_is_refused_with_the_remedy(text: str) -> None:
    with pytest.raises(
        ValueError, match=r"has no zone: add Z or an offset .* or give the plain day"
    ):
        to_instant(text, BERLIN, end_of_day=False)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "03/01/2026",
        "2026-3-1",
        "2026",
        "20260301",
        "2026-W10-1",
        "1772323200",
        "2026-03-01T25:00:00Z",
        "2026-03-01T12:00:00 CET",
    ],
)
def test_what_is_no_date_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="is not a date: write a day"):
        to_instant(text, BERLIN, end_of_day=False)


@pytest.mark.parametrize(
    "text", ["2026-02-29", "2026-13-01", "2026-00-10", "2026-04-31", "0000-01-01"]
)
def test_a_day_that_no_calendar_has_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=f"'{text}' is not a day of the calendar"):
        to_instant(text, BERLIN, end_of_day=False)


@pytest.mark.parametrize(
    ("text", "zone", "end_of_day"),
    [
        ("9999-12-31", UTC, True),
        ("0001-01-01", BERLIN, False),
        ("0001-01-01T00:00:00+05:00", UTC, False),
        ("9999-12-31T23:59:59-05:00", UTC, True),
    ],
)
def test_an_instant_beyond_the_calendar_is_refused(
    text: str, zone: tzinfo, end_of_day: bool
) -> None:
    with pytest.raises(ValueError, match="is outside the calendar"):
        to_instant(text, zone, end_of_day=end_of_day)


@pytest.mark.parametrize(
    ("text", "day"), [("2026-03-01", True), (" 2026-03-01 ", True), ("2026-03-01T00:00:00Z", False)]
)
def test_a_whole_day_is_told_from_an_instant(text: str, day: bool) -> None:
    assert is_day(text) is day


def test_a_day_that_a_country_skipped_still_has_an_order() -> None:
    # Samoa went from 29 to 31 December 2011: the day between has no hours of its own.
    before = to_instant("2011-12-29", SAMOA, end_of_day=True)
    after = to_instant("2011-12-31", SAMOA, end_of_day=False)

    assert before <= to_instant("2011-12-30", SAMOA, end_of_day=False)
    assert to_instant("2011-12-30", SAMOA, end_of_day=True) <= after
