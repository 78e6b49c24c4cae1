from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.tool.result import (
    BUDGET,
    Image,
    RecordList,
    Result,
    compact,
    fit,
    prose,
    whole,
)

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(st.text(), json_values, max_size=4)


def exactly(result: Result) -> None:
    """The text is the structured content, compact, to the byte."""
    assert result.text == compact(result.structured)
    assert json.loads(result.text) == result.structured


@given(objects)
def test_an_object_is_answered_as_the_same_json_in_text(structured: dict[str, Any]) -> None:
    exactly(whole(structured))


@given(objects, st.dictionaries(st.sampled_from(["units", "instants", "notes"]), json_values))
def test_added_fields_stand_in_both_forms(structured: dict[str, Any], more: dict[str, Any]) -> None:
    result = whole(structured).with_fields(**more)

    exactly(result)
    assert result.structured == structured | more


@given(
    st.lists(objects, max_size=6),
    objects.filter(lambda each: "nodes" not in each),
    st.integers(1, 8),
)
def test_a_list_is_answered_as_the_same_json_in_text(
    records: list[dict[str, Any]], envelope: dict[str, Any], limit: int
) -> None:
    taken = RecordList(limit)
    for record in records:
        taken.add(record)

    result = taken.result(envelope)

    exactly(result)
    assert result.structured == {"nodes": records[:limit], **envelope}


def test_readable_letters_stay_readable_and_no_blank_is_wasted() -> None:
    assert (
        compact({"caption": "Überraschung 🎉", "n": [1, 2]})
        == '{"caption":"Überraschung 🎉","n":[1,2]}'
    )


def test_a_list_takes_as_many_as_were_asked_for() -> None:
    taken = RecordList(2)

    assert [taken.add({"n": number}) for number in range(3)] == [True, True, False]
    assert taken.full
    assert taken.records == [{"n": 0}, {"n": 1}]


def test_a_list_is_cut_at_the_record_that_does_not_fit() -> None:
    taken = RecordList(100, budget=40)

    assert [taken.add({"text": "x" * 5}) for _ in range(3)] == [True, True, False]
    assert not taken.full
    assert len(taken.result({}).structured["nodes"]) == 2


def test_a_record_that_fits_exactly_is_taken() -> None:
    text = compact({"text": "x" * 5})

    exact, short = RecordList(9, budget=2 * len(text) + 1), RecordList(9, budget=2 * len(text))

    assert [exact.add({"text": "x" * 5}) for _ in range(2)] == [True, True]
    assert [short.add({"text": "x" * 5}) for _ in range(2)] == [True, False]


def test_the_first_record_is_given_however_large_so_that_reading_goes_on() -> None:
    taken = RecordList(5, budget=10)

    assert taken.add({"text": "x" * 1000})
    assert not taken.add({"text": ""})


@given(st.lists(st.text(max_size=2000), min_size=1, max_size=60))
def test_a_cut_list_stays_within_the_budget(texts: list[str]) -> None:
    taken = RecordList(1000)
    for text in texts:
        if not taken.add({"caption": text}):
            break

    assert len(taken.result({"totalCount": 1, "nextCursor": None}).text) <= BUDGET + 100


@pytest.mark.parametrize("value", [2**53, -(2**63), 0.1, "\u2028", "\x00", '"\\'])
def test_hard_values_survive(value: Any) -> None:
    exactly(whole({"value": value}))


def test_what_stands_beside_an_object_stays_when_fields_are_added() -> None:
    picture = Image("image/png", b"x")

    found = prose({"title": "T"}, "the text", picture).with_fields(warning="w")

    assert (found.text, found.prose, found.images) == (
        '{"title":"T","warning":"w"}',
        "the text",
        (picture,),
    )
    assert not found.is_structured


@pytest.mark.parametrize(
    "value",
    [
        {"title": "N" * 3_000_000},
        {"nodes": [{"id": "1", "transcript": "word " * 200_000}], "totalCount": 1},
        {"nodes": [{"members": [{"id": str(n)} for n in range(90_000)]}]},
        {"operations": {str(n): "x" for n in range(90_000)}},
        {"notes": ["n" * 90_000] * 90},
        {"text": "\x00" * 39_000},
        {"numbers": list(range(100_000)), "text": "kept"},
        {"n" * 90_000: 1},
        {"deep": [[["x" * 900] * 90] * 90]},
    ],
    ids=lambda value: next(iter(value))[:9],
)
def test_every_result_fits_the_budget_and_says_what_was_cut(value: dict[str, Any]) -> None:
    result = fit(whole(value))

    exactly(result)
    assert len(result.text) <= BUDGET
    assert "Shortened to 40,000 characters" in result.structured["notes"][-1]


def test_of_what_is_too_long_most_stays() -> None:
    result = fit(whole({"id": "7", "transcript": "word " * 20_000, "notes": ["A note."]}))

    assert result.structured["id"] == "7"
    assert len(result.structured["transcript"]) > 35_000
    assert result.structured["transcript"].endswith("[cut]")
    assert result.structured["notes"][0] == "A note."


def test_what_fits_stays_as_it_is() -> None:
    result = whole({"text": "x" * (BUDGET - 20)})

    assert fit(result) is result
