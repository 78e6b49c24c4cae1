from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.errors import Code, Failure
from server.tool.cursor import Cursor, decode, scope_of

SCOPE = scope_of("items", {"first": 1}, "workspace")


def crafted(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@given(st.none() | st.text(), st.integers(min_value=0, max_value=10**6), st.text(max_size=20))
def test_a_cursor_comes_back_as_it_was_sent(page: str | None, given_: int, scope: str) -> None:
    cursor = Cursor(page, given_)

    assert decode(cursor.encode(scope), scope) == cursor


@given(st.text(max_size=40), st.integers(0, 999))
def test_a_cursor_is_plain_text_that_survives_any_transport(page: str, given_: int) -> None:
    text = Cursor(page, given_).encode(SCOPE)

    assert text.isascii()
    assert not set(text) & set("+/=\" '{}")


def test_no_cursor_is_the_beginning() -> None:
    assert decode(None, SCOPE) == Cursor(None, 0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "abc",
        "eyJhIjoxfQ",
        "Ünïcode",
        "!!!!",
        "null",
        crafted([1, "p", 3]),
        crafted([1, "p", 3, SCOPE, 5]),
        crafted([2, "p", 3, SCOPE]),
        crafted([1, "p", -1, SCOPE]),
        crafted([1, "p", "3", SCOPE]),
        crafted([1, 7, 3, SCOPE]),
        crafted({"a": 1, "b": 2, "c": 3, "d": 4}),
        crafted("text"),
        crafted(None),
        base64.urlsafe_b64encode(b"\xff\xfe\xfd").decode(),
        base64.urlsafe_b64encode(b"[" * 100_000).decode(),
    ],
)
def test_what_is_not_a_cursor_of_ours_is_refused_with_what_to_pass(text: str) -> None:
    with pytest.raises(Failure, match="`after` is not a cursor of this server") as refused:
        decode(text, SCOPE)

    assert refused.value.code is Code.INVALID_ARGUMENT
    assert "leave `after` out" in refused.value.hint


@given(st.text(max_size=60))
def test_no_text_whatever_crashes_the_decoder(text: str) -> None:
    with pytest.raises(Failure):
        decode(text, SCOPE)


@pytest.mark.parametrize(
    "other",
    [
        scope_of("creators", {"first": 1}, "workspace"),
        scope_of("items", {"first": 2}, "workspace"),
        scope_of("items", {"first": 1}, "elsewhere"),
        scope_of("items", {"first": 1}, None),
    ],
)
def test_a_cursor_is_good_only_for_the_call_it_came_from(other: str) -> None:
    with pytest.raises(Failure, match="other arguments or another workspace") as refused:
        decode(Cursor("p", 3).encode(SCOPE), other)

    assert refused.value.code is Code.INVALID_ARGUMENT
    assert "only `limit` may differ" in refused.value.hint


def test_a_scope_does_not_depend_on_the_order_in_which_arguments_were_written() -> None:
    assert scope_of({"a": 1, "b": {"c": 2, "d": 3}}) == scope_of({"b": {"d": 3, "c": 2}, "a": 1})
    assert scope_of(["a", "b"]) != scope_of(["b", "a"])


def test_a_cursor_of_an_earlier_release_is_still_good() -> None:
    assert decode(crafted([1, "p", 3, SCOPE]), SCOPE) == Cursor("p", 3)
    assert Cursor("p", 3).encode("0123") == "WzEsInAiLDMsIjAxMjMiXQ"
    assert scope_of("items", {"first": 1}) == "c4a9883fbc0332ad"
