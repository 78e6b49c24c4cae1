from __future__ import annotations

from datetime import UTC, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.support.tools.calling import parsed, refused, sent
from tools.archive.content.items import SearchItems
from tools.archive.content.lookups import GetEngagementHistory
from tools.archive.creators import SearchCreators

BERLIN = ZoneInfo("Europe/Berlin")
OPTION = "0f8fad5b-d9cb-469f-a165-70867728950e"


@pytest.mark.parametrize(
    ("given", "zone", "taken_at"),
    [
        ({"from": "2026-03-01"}, UTC, {"from": "2026-03-01T00:00:00Z"}),
        ({"to": "2026-03-01"}, UTC, {"to": "2026-03-01T23:59:59Z"}),
        (
            {"from": "2026-03-01", "to": "2026-03-01"},
            BERLIN,
            {"from": "2026-02-28T23:00:00Z", "to": "2026-03-01T22:59:59Z"},
        ),
        (
            {"from": "2026-03-29", "to": "2026-03-29"},
            BERLIN,
            {"from": "2026-03-28T23:00:00Z", "to": "2026-03-29T21:59:59Z"},
        ),
        ({"from": "2026-03-01T10:00:00+02:00"}, BERLIN, {"from": "2026-03-01T08:00:00Z"}),
        ({"from": "2026-03-01", "to": None}, UTC, {"from": "2026-03-01T00:00:00Z"}),
        ('{"from": "2026-03-01"}', UTC, {"from": "2026-03-01T00:00:00Z"}),
    ],
)
def test_dates_are_sent_as_utc_instants(given: Any, zone: tzinfo, taken_at: dict[str, str]) -> None:
    assert sent(SearchItems, zone=zone, filter={"takenAt": given}) == {
        "filter": {"takenAt": taken_at}
    }


def test_the_instants_behind_plain_days_are_told_and_those_given_are_not() -> None:
    told: list[dict[str, str]] = []
    parsed(
        SearchItems,
        instants=told,
        filter={"takenAt": {"from": "2026-03-01", "to": "2026-03-05T00:00:00Z"}},
    )
    assert told == [{"from": "2026-03-01T00:00:00Z", "to": "2026-03-05T00:00:00Z"}]

    told.clear()
    parsed(SearchItems, instants=told, filter={"takenAt": {"from": "2026-03-01T00:00:00Z"}})
    assert told == []


def test_a_history_takes_the_same_dates() -> None:
    variables = sent(GetEngagementHistory, itemId="1", filter={"capturedAt": {"to": "2026-03-01"}})

    assert variables == {"itemId": "1", "filter": {"capturedAt": {"to": "2026-03-01T23:59:59Z"}}}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"from": "2026-03-01T10:00:00"}, "`filter.takenAt`: '2026-03-01T10:00:00' has no zone"),
        ({"from": "last week"}, "`filter.takenAt`: 'last week' is not a date"),
        ({"from": 20260301}, "`filter.takenAt`: '20260301' is not a date"),
        ({"to": "2026-02-30"}, "'2026-02-30' is not a day of the calendar"),
        ({"to": "9999-12-31"}, "is outside the calendar"),
        ({"from": "2026-03-02", "to": "2026-03-01"}, "`from` (2026-03-02T00:00:00Z) is after `to`"),
        ({"from": "2026-03-01T00:00:00Z", "to": "2026-03-01T00:00:00+01:00"}, "is after `to`"),
        ({"since": "2026-03-01"}, "`filter.takenAt.since` is not an argument here"),
        ("2026-03-01", "`filter.takenAt` must be an object of from, to; got"),
    ],
)
def test_dates_that_would_mean_something_else_are_refused(given: Any, words: str) -> None:
    assert words in refused(SearchItems, filter={"takenAt": given}).message


@pytest.mark.parametrize(
    "given", [{"from": 1}, {"to": 0}, {"from": "10", "to": 10}, {"from": -(2**31), "to": 2**31 - 1}]
)
def test_a_span_of_numbers_is_sent_as_it_is(given: dict[str, Any]) -> None:
    variables = sent(SearchItems, filter={"followersCount": given})

    assert variables["filter"]["followersCount"] == {
        name: int(value) for name, value in given.items()
    }


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            {"from": 2**31},
            "`filter.followersCount.from` must be at most 2147483647; got 2147483648.",
        ),
        ({"to": -(2**31) - 1}, "`filter.followersCount.to` must be at least -2147483648"),
        ({"from": 2, "to": 1}, "`filter.followersCount`: `from` (2) is greater than `to` (1)."),
        ({"from": "1k"}, "`filter.followersCount.from` must be a whole number"),
        ({"min": 5}, "`filter.followersCount.min` is not an argument here; known: from, to."),
    ],
)
def test_a_span_that_holds_no_number_is_refused(given: dict[str, Any], words: str) -> None:
    assert words in refused(SearchItems, filter={"followersCount": given}).message


@pytest.mark.parametrize("place", [{"country": "Germany"}, {"city": "Berlin", "region": "Berlin"}])
def test_a_place_names_what_it_means(place: dict[str, str]) -> None:
    assert sent(SearchCreators, filter={"locations": place}) == {"filter": {"locations": [place]}}


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ({"state": "X"}, "`filter.locations.0.state` is not an argument here"),
    ],
)
def test_a_place_that_names_nothing_is_refused(place: dict[str, str], words: str) -> None:
    assert words in refused(SearchCreators, filter={"locations": [place]}).message


def condition(**parts: Any) -> dict[str, Any]:
    return {"customAttributeConditions": [parts]}


@pytest.mark.parametrize(
    "given",
    [
        {"field": "full_name", "operator": "CONTAINS", "type": "TEXT", "value": "mia"},
        {"field": "emails", "operator": "IS", "type": "TEXT", "value": "a@b.example"},
        {"field": "age", "operator": "BETWEEN", "type": "NUMBER", "value": {"from": 18, "to": 30}},
        {"field": "labels", "operator": "IS", "type": "SINGLE_SELECT_V3", "value": OPTION},
        {
            "field": "labels",
            "operator": "CONTAINS_ALL",
            "type": "MULTIPLE_SELECT_V2",
            "value": [OPTION, OPTION.upper()],
        },
        {
            "field": "labels",
            "operator": "CONTAINS",
            "type": "MULTIPLE_SELECT",
            "value": [OPTION, "VIP"],
        },
        {"field": "labels", "operator": "IS", "type": "SINGLE_SELECT_V2", "value": "VIP"},
        {"field": "labels", "operator": "IS_EMPTY", "type": "MULTIPLE_SELECT"},
        {"field": "labels", "operator": "IS_NOT_EMPTY", "type": "SINGLE_SELECT_V2", "value": None},
        {"field": "favourite", "operator": "IS", "type": "BOOLEAN", "value": False},
        {"field": "n", "operator": "EQUAL", "type": "NUMBER", "value": 0},
        {
            "field": "d",
            "operator": "IS_RELATIVE_TO_TODAY",
            "type": "DATE",
            "value": {"relation": "past", "period": "week"},
        },
        {
            "field": "d",
            "operator": "IS_RELATIVE_TO_TODAY",
            "type": "DATE",
            "value": {"relation": "next", "period": "year", "offset": 2},
        },
        {"field": "tags", "operator": "CONTAINS", "type": "TEXT_LIST", "value": ["a"]},
    ],
)
@pytest.mark.parametrize("request_type", [SearchItems, SearchCreators])
def test_a_condition_that_archive_understands_is_sent_as_it_is(
    request_type: Any, given: dict[str, Any]
) -> None:
    assert sent(request_type, **condition(**given)) == condition(**given)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            {"operator": "IS", "type": "MULTIPLE_SELECT_V2", "value": 5},
            "takes an option's name or id, or a list of",
        ),
        (
            {"operator": "IS", "type": "SINGLE_SELECT_V3", "value": [" "]},
            "SINGLE_SELECT_V3 takes an option's name or id",
        ),
        (
            {"operator": "CONTAINS", "type": "MULTIPLE_SELECT", "value": [OPTION, None]},
            "takes an option's name or id",
        ),
        (
            {"operator": "CONTAINS", "type": "MULTIPLE_SELECT", "value": {"id": OPTION}},
            "takes an option's name or id",
        ),
        (
            {"operator": "IS", "type": "SHIPPING_ADDRESS", "value": "x"},
            "cannot filter by SHIPPING_ADDRESS",
        ),
        ({"operator": "IS_EMPTY", "type": "SHIPPING_ADDRESS"}, "cannot filter by SHIPPING_ADDRESS"),
        ({"operator": "IS_EMPTY", "type": "TEXT", "value": "x"}, "IS_EMPTY takes no value."),
        ({"operator": "IS", "type": "TEXT"}, "IS needs a `value`."),
        ({"operator": "IS", "type": "TEXT", "value": None}, "IS needs a `value`."),
        ({"operator": "BETWEEN", "type": "NUMBER", "value": [1, 9]}, "BETWEEN takes a value like"),
        (
            {"operator": "BETWEEN", "type": "NUMBER", "value": {"from": 1}},
            "BETWEEN takes a value like",
        ),
        (
            {"operator": "BETWEEN", "type": "NUMBER", "value": {"from": 1, "to": 2, "x": 3}},
            "BETWEEN takes a value like",
        ),
        (
            {"operator": "IS_RELATIVE_TO_TODAY", "type": "DATE", "value": "week"},
            "relation past, this or next",
        ),
        (
            {
                "operator": "IS_RELATIVE_TO_TODAY",
                "type": "DATE",
                "value": {"relation": "last", "period": "week"},
            },
            "relation past, this or next",
        ),
        (
            {
                "operator": "IS_RELATIVE_TO_TODAY",
                "type": "DATE",
                "value": {"relation": "past", "period": "hour"},
            },
            "period day, week, month or year",
        ),
        (
            {"operator": "IS_RELATIVE_TO_TODAY", "type": "DATE", "value": {"relation": "past"}},
            "period day, week, month or year",
        ),
        (
            {
                "operator": "IS_RELATIVE_TO_TODAY",
                "type": "DATE",
                "value": {"relation": ["past"], "period": {}},
            },
            "relation past",
        ),
        ({"operator": "EQUALS", "type": "NUMBER", "value": 1}, "Did you mean `EQUAL`?"),
        (
            {"operator": "IS", "type": "STRING", "value": "x"},
            "`customAttributeConditions.0.type` must be one of",
        ),
        (
            {"operator": "IS", "type": "TEXT", "value": "x", "key": "k"},
            "`customAttributeConditions.0.key`",
        ),
        (
            {"operator": "IS", "value": "x"},
            "`customAttributeConditions.0.type` is required: one of",
        ),
    ],
)
def test_a_condition_that_archive_would_misread_is_refused(
    given: dict[str, Any], words: str
) -> None:
    assert words in refused(SearchCreators, **condition(**{"field": "labels", **given})).message
