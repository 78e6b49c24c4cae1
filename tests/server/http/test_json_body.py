"""JSON of strangers holds no infinite number."""

from __future__ import annotations

from typing import Any

import pytest

from server.http.json_body import MOST_VALUES, load_json


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("NaN", None),
        ("[Infinity, -Infinity]", [None, None]),
        ("[1e999, -1e400, 1.5]", [None, None, 1.5]),
        ("[1e10, 2.5, 3]", [1e10, 2.5, 3]),
        ('"1e999"', "1e999"),
    ],
)
def test_what_is_no_number_is_null(text: str, value: Any) -> None:
    assert load_json(text) == value


@pytest.mark.parametrize(
    "text",
    ["", "{", "nan", "[" + "[]," * (MOST_VALUES + 1) + "0]"],
    ids=["nothing", "cut", "nan", "too much"],
)
def test_what_is_no_json_or_too_much_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        load_json(text)
