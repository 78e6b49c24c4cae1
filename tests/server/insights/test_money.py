from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from server.insights.money import Money

ASSUMED, CENTS, DOLLARS = Money(), Money("cents"), Money("dollars")


@pytest.mark.parametrize(
    ("value", "dollars"),
    [
        (None, None),
        (0, 0),
        (5, 0.05),
        (12345, 123.45),
        (12300, 123),
        ("12345", 123.45),
        # The mean of a summary has two decimals of a cent, and money has none.
        (33.33, 0.33),
        (Fraction(100, 3), 0.33),
        (-250, -2.5),
        # JSON holds this many cents exactly only as text.
        ("90071992547409929", "900719925474099.29"),
    ],
)
def test_cents_become_dollars_to_the_cent(value: Any, dollars: Any) -> None:
    assert ASSUMED.to_dollars(value) == dollars
    assert CENTS.to_dollars(value) == dollars


def test_dollars_stay_what_they_are_where_the_user_says_so() -> None:
    assert DOLLARS.to_dollars(12345) == 12345


def test_a_text_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="cents"):
        ASSUMED.to_dollars("cents")


def test_every_value_of_an_answer_is_shown_in_dollars_under_a_name_that_says_so() -> None:
    answer = {
        "items": 3,
        "metrics": {
            "likes": {"total": 100},
            "earnedMediaValue": {
                "total": 20000, "mean": 10000, "median": 10000, "known": 2, "unknown": 1
            },
        },
        "best": [{"id": "a", "earnedMediaValue": 15000}, {"id": "b", "earnedMediaValue": None}],
        "by": {"platform": [{"platform": "TIKTOK", "earnedMediaValue": None}]},
        "metric": "earnedMediaValue",
    }  # fmt: skip

    assert ASSUMED.show_dollars(answer) == {
        "items": 3,
        "metrics": {
            "likes": {"total": 100},
            "earnedMediaValueUsd": {
                "total": 200, "mean": 100, "median": 100, "known": 2, "unknown": 1
            },
        },
        "best": [
            {"id": "a", "earnedMediaValueUsd": 150},
            {"id": "b", "earnedMediaValueUsd": None},
        ],
        "by": {"platform": [{"platform": "TIKTOK", "earnedMediaValueUsd": None}]},
        "metric": "earnedMediaValue",
    }  # fmt: skip


def test_what_is_assumed_is_called_so_and_the_note_says_how_to_settle_it() -> None:
    assert ASSUMED.units == {"earnedMediaValueUsd": "USD, assumed"}
    (note,) = ASSUMED.notes
    assert "ARCHIVE_MCP_EMV_UNIT (cents or dollars)" in note


@pytest.mark.parametrize("money", [CENTS, DOLLARS])
def test_what_was_set_is_no_assumption(money: Money) -> None:
    assert money.units == {"earnedMediaValueUsd": "USD"}
    assert money.notes == []


def test_data_keeps_its_number_and_names_the_unit_that_was_set() -> None:
    units = {"earnedMediaValue": "cents", "videoDuration": "seconds"}

    assert ASSUMED.restate_units(units) == units | {"earnedMediaValue": "cents, assumed"}
    assert CENTS.restate_units(units) == units
    assert DOLLARS.restate_units(units) == {"earnedMediaValue": "USD", "videoDuration": "seconds"}
