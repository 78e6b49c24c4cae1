"""What is expected of a job: the time left, what it waits for, and how a plan was wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest

from server.jobs.forecast import (
    Forecast,
    Standing,
    describe_correction,
    describe_seconds,
    make_forecast,
    read_estimate,
    read_forecast,
)
from server.jobs.model import Estimate, NewJob
from server.limiter import Snapshot

# 800 records of 55 credits, planned with a bucket of 15,000 that fills up in a minute.
PLANNED = Estimate(requests=800, credits=44_000, seconds=168, records=800)
ROOMY = Snapshot(0.2, 0, None, "growth", 15_000, 250, 12_000, stated_refill=250, reserve=1_500)
SLOW = replace(ROOMY, refill=8.0, reserve=80)
DRY = replace(SLOW, credits=100)
BEGUN = Standing(finished=80, total=800, speed=4.9, active=20)


def test_with_credits_in_reserve_the_slower_of_both_limits_and_of_the_speed_decides() -> None:
    # 39,600 credits are to come, 10,500 are there to be spent.
    assert make_forecast(BEGUN, PLANNED, ROOMY).left == pytest.approx(720 / 4.9)
    assert make_forecast(replace(BEGUN, speed=2), PLANNED, ROOMY).left == 360
    assert make_forecast(BEGUN, PLANNED, SLOW).left == pytest.approx((39_600 - 11_920) / 8)


def test_without_credits_the_speed_of_late_decides() -> None:
    assert make_forecast(replace(BEGUN, speed=0.1), PLANNED, DRY).left == 7_200


def test_what_nobody_can_tell_is_not_told() -> None:
    assert make_forecast(replace(BEGUN, total=None), PLANNED, DRY).left is None
    assert make_forecast(replace(BEGUN, speed=None), None, None).left is None
    assert (
        make_forecast(replace(BEGUN, speed=None), replace(PLANNED, records=None), DRY).left is None
    )
    assert make_forecast(replace(BEGUN, finished=900), PLANNED, DRY).left == 0


@pytest.mark.parametrize(
    ("standing", "limits", "words"),
    [
        (BEGUN, ROOMY, "its turns: the API takes one request every 0.2 s"),
        (
            BEGUN,
            DRY,
            "rate credits: 100 are left, a request takes about 55, and 480 come back a minute",
        ),
        (BEGUN, replace(ROOMY, penalty=12.2), "the API, which asked to wait 12 s"),
        (
            replace(BEGUN, retry=8, trouble="Archive answered HTTP 502."),
            ROOMY,
            "the next attempt in 8 s, after: Archive answered HTTP 502.",
        ),
        (replace(BEGUN, message="waits for job_2"), ROOMY, "job_2"),
        (replace(BEGUN, speed=1), ROOMY, ""),
        (replace(BEGUN, speed=None), None, ""),
    ],
)
def test_what_a_job_waits_for_is_said(
    standing: Standing, limits: Snapshot | None, words: str
) -> None:
    assert make_forecast(standing, PLANNED, limits).waits_for == words


@pytest.mark.parametrize(
    ("standing", "limits", "reason"),
    [
        (BEGUN, ROOMY, ""),
        (
            BEGUN,
            SLOW,
            "the workspace refills 480 rate credits a minute, not the 15,000 of its plan; others "
            "may use them too",
        ),
        (
            BEGUN,
            replace(ROOMY, refill=50, stated_refill=50),
            "the workspace refills 3,000 rate credits a minute",
        ),
        (replace(BEGUN, total=4_000), ROOMY, "there are 4,000 records, not 800"),
        (replace(BEGUN, speed=1), ROOMY, "the API answers more slowly than its limits allow"),
        (
            replace(BEGUN, speed=1, trouble="Archive answered HTTP 502."),
            ROOMY,
            "requests failed and were repeated, at last with: Archive answered HTTP 502.",
        ),
    ],
)
def test_a_wrong_plan_has_a_reason(standing: Standing, limits: Snapshot, reason: str) -> None:
    assert make_forecast(standing, PLANNED, limits).reason == reason


def test_where_the_api_has_no_limits_a_plan_was_a_guess_and_is_not_corrected() -> None:
    assert make_forecast(replace(BEGUN, speed=0.1), PLANNED, None).reason == ""


@pytest.mark.parametrize("records", [None, 0])
def test_a_plan_without_a_number_of_records_was_not_wrong_about_it(records: int | None) -> None:
    planned = replace(PLANNED, records=records)
    forecast = make_forecast(replace(BEGUN, speed=1), planned, ROOMY)
    assert forecast.reason == "the API answers more slowly than its limits allow"


def test_a_job_without_a_plan_waits_for_credits_only_below_the_reserve() -> None:
    below, at = (make_forecast(BEGUN, None, replace(ROOMY, credits=n)) for n in (1_499, 1_500))
    assert below.waits_for.startswith("rate credits: 1,499 are left")
    assert at.waits_for == ""


def test_a_correction_names_both_times_and_the_reason() -> None:
    forecast = Forecast(active=60, left=3_500, reason="the workspace is slow")

    assert describe_correction(PLANNED, forecast, ended=False) == (
        "Planned 3 min, now about 59 min: the workspace is slow."
    )
    assert describe_correction(PLANNED, replace(forecast, active=3_600, left=0), ended=True) == (
        "Planned 3 min, took 60 min: the workspace is slow."
    )
    assert describe_correction(PLANNED, replace(forecast, reason=""), ended=False) is None
    assert describe_correction(None, forecast, ended=False) is None


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "1 s"),
        (59, "59 s"),
        (60, "1 min"),
        (61, "1 min"),
        (7_000, "117 min"),
        (7_800, "2 h 10 min"),
    ],
)
def test_times_are_in_words(seconds: float, words: str) -> None:
    assert describe_seconds(seconds) == words
    assert describe_seconds(14_400) == "4 h"


def test_what_is_journalled_is_read_again() -> None:
    forecast = make_forecast(BEGUN, PLANNED, DRY)
    job = NewJob("a_tool", "A title", "https://api.test", "account", estimate=PLANNED)

    assert read_forecast({"forecast": forecast.to_dict()}) == forecast
    assert replace(forecast, active=12.345).to_dict()["active"] == 12.3
    assert read_estimate(job.counters) == PLANNED
    assert (read_forecast({}), read_estimate({})) == (None, None)
