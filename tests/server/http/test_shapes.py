"""An answer is what the server's own description says, or it is told what is wrong with it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from server.archivebox.failures import check_answer
from server.archivebox.openapi import Description
from server.errors import Code
from server.http.retry import Transient
from server.http.shapes import Shapes
from tests.support.paths import OPENAPI

TAG = {
    "type": "object",
    "required": ["id", "made"],
    "properties": {
        "id": {"type": "integer"},
        "made": {"type": "string", "format": "date-time"},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "children": {"type": "array", "items": {"$ref": "#/components/schemas/Tag"}},
    },
}
SHAPES = Shapes({"Tag": TAG})
MADE = "2026-11-21T06:30:00Z"


@pytest.mark.parametrize(
    "answer",
    [
        {"id": 1, "made": MADE},
        {"id": 1, "made": MADE, "note": None, "more": object()},
        {"id": 1, "made": MADE, "children": [{"id": 2, "made": MADE, "note": "x"}]},
    ],
)
def test_what_fits_has_no_problem(answer: Any) -> None:
    assert SHAPES.find_problem(answer, TAG) == ""


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (None, "the answer is null instead of object"),
        ([], "the answer is list instead of object"),
        ({"id": 1}, "the answer lacks made"),
        ({"id": "1", "made": MADE}, "id is str instead of integer"),
        ({"id": True, "made": MADE}, "id is bool instead of integer"),
        ({"id": 10**99, "made": MADE}, "id is too large a number"),
        ({"id": 1, "made": "soon"}, "made is no time"),
        ({"id": 1, "made": MADE, "note": 5}, "note is int instead of string"),
        ({"id": 1, "made": MADE, "children": [None]}, "children[] is null instead of object"),
        ({"id": 1, "made": MADE, "children": [{"id": 1}]}, "children[] lacks made"),
    ],
)
def test_what_does_not_fit_is_told_by_its_place(answer: Any, problem: str) -> None:
    assert SHAPES.find_problem(answer, TAG) == problem


def test_a_schema_that_refers_to_itself_has_an_end() -> None:
    answer: Any = {"id": 1, "made": MADE}
    for _ in range(50):
        answer = {"id": 1, "made": MADE, "children": [answer]}

    assert "nested too deeply" in SHAPES.find_problem(answer, TAG)


def test_the_schema_of_an_answer_is_found_by_its_path() -> None:
    document = json.loads((OPENAPI / "archivebox-0.9.73.json").read_text())
    described = Description.parse(document)

    assert described.find_problem("GET", "/core/tags", {"items": None})
    assert (
        described.find_problem("GET", "/core/snapshot/abc", {}) == "the answer lacks archive_path"
    )
    assert described.find_problem("GET", "/machine/machine/current", 5)
    assert described.find_problem("GET", "/core/tag/7/urls.txt", "https://a.example/") == ""
    assert described.find_problem("GET", "/nothing/like/that", 5) == ""


def test_a_problem_is_a_failure_that_leaves_open_what_happened() -> None:
    with pytest.raises(Transient, match="rules out: id is null") as caught:
        check_answer("id is null")
    check_answer("")

    assert caught.value.code is Code.BAD_RESPONSE
    assert caught.value.hint
    assert caught.value.may_have_happened
