from __future__ import annotations

from typing import Any

import pytest

from server.archive.failures import decode, user_errors
from server.errors import Code
from tests.support.archive.answers import listed, refused, reply


@pytest.mark.parametrize("found", [{"nodes": []}, [], 0, False, None])
def test_data_is_given_as_it_came(found: Any) -> None:
    assert decode(reply({"data": {"items": found}}), "items") == (found, False)


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        (rb"cut \ud83d", "cut ?"),
        (rb"\uDE00 tail", "? tail"),
        (rb"whole \ud83d\ude00", "whole \U0001f600"),
        (b"\xff", "\ufffd"),
    ],
)
def test_a_broken_character_in_a_caption_does_not_break_the_answer(
    caption: bytes, expected: str
) -> None:
    found, _ = decode(reply(b'{"data": {"items": "' + caption + b'"}}'), "items")

    assert found == expected
    assert found.encode()


def test_a_byte_order_mark_does_no_harm() -> None:
    assert decode(reply(b'\xef\xbb\xbf{"data": {"items": 1}}'), "items") == (1, False)


def test_an_empty_list_of_errors_is_no_error() -> None:
    assert decode(reply({"data": {"items": 1}, "errors": []}), "items") == (1, False)


def test_data_beside_a_passing_error_is_kept_as_partial() -> None:
    payload = listed("Metrics are down", "SERVICE_UNAVAILABLE", data={"items": {"nodes": [1]}})

    assert decode(reply(payload), "items") == ({"nodes": [1]}, True)


@pytest.mark.parametrize(
    "payload",
    [
        listed("No", "UNAUTHORIZED", data={"items": {"nodes": [1]}}),
        listed("Down", "SERVICE_UNAVAILABLE", data={"items": None}),
        listed("Down", "SERVICE_UNAVAILABLE", data=None),
        {
            "errors": [
                *listed("Down", "SERVICE_UNAVAILABLE")["errors"],
                *listed("No", "UNAUTHORIZED")["errors"],
            ],
            "data": {"items": 1},
        },
    ],
)
def test_data_beside_any_other_error_is_not_an_answer(payload: Any) -> None:
    refused(payload)


@pytest.mark.parametrize(
    ("errors", "words"),
    [
        ([{"field": ["collectionNames"], "message": "is unknown"}], "collectionNames: is unknown"),
        ([{"field": ["input", "name"], "message": "is taken"}], "input.name: is taken"),
        ([{"field": "name", "message": "is taken"}], "name: is taken"),
        ([{"field": None, "message": "No."}], "refetch: No."),
        ([{"message": "No."}, {"field": [], "message": "Never."}], "No.; Never."),
        ([{}], "refetch:"),
    ],
)
def test_user_errors_become_one_refusal(errors: list[dict[str, Any]], words: str) -> None:
    failure = user_errors("refetch", errors)

    assert failure.code is Code.REJECTED
    assert words in failure.message
    assert failure.hint == "Nothing was changed."
