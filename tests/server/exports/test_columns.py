"""Nested records as columns."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.exports.columns import (
    Kind,
    Survey,
    flatten,
    join_values,
)
from tests.support.export_rows import ROWS

SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
)
RECORDS = st.recursive(
    st.dictionaries(st.sampled_from("abc"), SCALARS | st.lists(SCALARS, max_size=2), max_size=3),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=5,
)


def list_names(rows: list[dict[str, Any]], declared: tuple[str, ...] = ()) -> list[str]:
    survey = Survey(declared)
    survey.add(rows)
    return [each.name for each in survey.list_columns()]


def test_nested_fields_become_dotted_columns_side_by_side_in_the_order_met() -> None:
    assert list_names(ROWS) == [
        "id",
        "caption",
        "hashtags",
        "currentEngagement.likes",
        "currentEngagement.rate",
        "currentEngagement.emv",
        "media",
        "verified",
        "customAttributes.tier",
        "customAttributes.emails",
        "customAttributes.score",
    ]


def test_declared_columns_come_in_their_order_even_if_no_row_has_them() -> None:
    declared = ("currentEngagement.likes", "transcript", "id", "customAttributes")
    assert list_names(ROWS, declared) == [
        "currentEngagement.likes",
        "transcript",
        "id",
        "customAttributes.tier",
        "customAttributes.emails",
        "customAttributes.score",
    ]


def test_an_object_that_is_always_null_stays_one_column() -> None:
    assert list_names([{"id": "1", "currentEngagement": None}]) == ["id", "currentEngagement"]


def test_an_object_null_in_some_rows_adds_no_column_of_its_own() -> None:
    assert list_names([{"a": None}, {"a": {}}, {"a": {"b": 1}}]) == ["a.b"]


def test_a_field_that_is_sometimes_text_and_sometimes_an_object_keeps_both() -> None:
    assert list_names([{"a": "text"}, {"a": {"b": 1}}]) == ["a", "a.b"]


def test_no_rows_have_no_columns() -> None:
    assert list_names([]) == []
    assert list_names([], ("id",)) == ["id"]


@given(st.lists(RECORDS, max_size=6))
def test_every_value_of_every_row_has_its_column_whatever_the_batches(
    rows: list[dict[str, Any]],
) -> None:
    whole, parts = Survey(), Survey()
    whole.add(rows)
    for row in rows:
        parts.add([row])
    assert whole.list_columns() == parts.list_columns()
    known = {each.name for each in whole.list_columns()}
    for row in rows:
        assert {name for name, value in flatten(row).items() if value is not None} <= known


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([None], Kind.NOTHING),
        ([True, None], Kind.BOOL),
        ([1, 2], Kind.INT),
        ([1, 2.5], Kind.INT | Kind.FLOAT),
        ([2**63 - 1, -(2**63)], Kind.INT),
        ([2**63], Kind.BIG),
        (["a", 1], Kind.TEXT | Kind.INT),
        ([["a"], []], Kind.LIST),
    ],
)
def test_the_kinds_of_a_column_come_from_all_its_values(values: list[Any], kind: Kind) -> None:
    survey = Survey()
    survey.add([{"a": each} for each in values])
    assert survey.list_columns()[0].kinds == kind


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ([], ""),
        (["a", "b"], "a; b"),
        ([1, 2.5, True, None], "1; 2.5; true; "),
        ([{"é": 1}, "x"], '[{"é":1},"x"]'),
        ([["a"]], '[["a"]]'),
    ],
)
def test_a_list_becomes_one_text(value: list[Any], text: str) -> None:
    assert join_values(value) == text
