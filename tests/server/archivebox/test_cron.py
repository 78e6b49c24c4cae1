"""When schedules run."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from server.archivebox.cron import WORDS, Cron
from server.errors import Code, Failure

NOW = datetime(2026, 11, 29, 0, 3, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("every", "next_run"),
    [
        ("daily", "2026-11-30T00:00"),
        ("weekly", "2026-12-06T00:00"),
        ("Monthly", "2026-12-01T00:00"),
        ("yearly", "2027-01-01T00:00"),
        ("minute", "2026-11-29T00:04"),
        ("hour", "2026-11-29T01:00"),
        ("0 0 29 2 *", "2028-02-29T00:00"),
        ("*/7 3-5 1,15 * mon", "2026-11-30T03:00"),
        ("0 0 * jan-mar 7", "2027-01-03T00:00"),
        ("5/15 * * * *", "2026-11-29T00:05"),
        ("30 4 * * 1", "2026-11-30T04:30"),
    ],
)
def test_a_schedule_runs_next_when_the_server_would_run_it(every: str, next_run: str) -> None:
    expected = datetime.fromisoformat(next_run).replace(tzinfo=UTC)
    assert Cron.parse(every).next_run(NOW) == expected


@pytest.mark.parametrize("every", WORDS)
def test_every_word_of_the_server_is_taken(every: str) -> None:
    assert Cron.parse(every).next_run(NOW)


@pytest.mark.parametrize(
    "every",
    [
        "",
        "sometimes",
        "* * * *",
        "* * * * * *",
        "60 * * * *",
        "a b c d e",
        "*/0 * * * *",
        "5-1 * * * *",
        "0 0 0 * *",
        # Stored by the server, whose runner then ends with an error at every start.
        "0 0 30 2 *",
        "0 0 31 2,4,6 1",
    ],
)
def test_what_never_comes_or_is_no_schedule_is_refused(every: str) -> None:
    with pytest.raises(Failure) as caught:
        Cron.parse(every)
    assert caught.value.code is Code.INVALID_ARGUMENT
