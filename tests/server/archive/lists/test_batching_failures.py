"""What a request of several reads may be answered, decoded for each of them."""

from __future__ import annotations

from typing import Any

import pytest

from server.archive.failures import decode_batch
from server.errors import Code, Failure
from server.http.retry import Transient
from tests.support.archive.answers import SECRET_TRACE, reply

ALIASES = ["a0", "a1", "a2"]
TWO: dict[str, Any] = {"a0": {"nodes": [0]}, "a2": {"nodes": [2]}}
HTML = b"<html><h1>502 Bad Gateway</h1></html>"


def with_a1(value: Any) -> dict[str, Any]:
    """The data of two, and that of the third."""
    return {**TWO, "a1": value}


def error(
    message: str = "Item x not found", code: str | None = "NOT_FOUND", *path: Any
) -> dict[str, Any]:
    return {
        "message": message,
        **({"path": list(path)} if path else {}),
        **({"extensions": {"code": code, "backtrace": [SECRET_TRACE]}} if code else {}),
    }


def told(payload: Any, status: int = 200) -> dict[str, Any]:
    """Data and failures by alias: of a failure its code."""
    found = decode_batch(reply(payload, status), ALIASES)
    return {
        alias: each.code if isinstance(each, Failure) else each for alias, each in found.items()
    }


def refused(payload: Any, status: int = 200, **headers: str) -> Failure:
    with pytest.raises(Failure) as caught:
        decode_batch(
            reply(
                payload, status, {name.replace("_", "-"): each for name, each in headers.items()}
            ),
            ALIASES,
        )
    return caught.value


def test_data_without_errors_is_that_of_each_alias() -> None:
    assert told({"data": with_a1(None)}) == {
        "a0": ({"nodes": [0]}, False),
        "a1": (None, False),
        "a2": ({"nodes": [2]}, False),
    }


def test_the_error_of_one_alias_leaves_the_data_of_the_others() -> None:
    assert told({"data": with_a1(None), "errors": [error("gone", "NOT_FOUND", "a1")]}) == {
        "a0": ({"nodes": [0]}, False),
        "a1": Code.NOT_FOUND,
        "a2": ({"nodes": [2]}, False),
    }


def test_where_the_error_of_one_took_all_data_the_others_count_as_not_answered() -> None:
    assert told({"data": None, "errors": [error("gone", "NOT_FOUND", "a1")]}) == {
        "a1": Code.NOT_FOUND
    }


def test_errors_of_several_aliases_are_told_apart() -> None:
    errors = [error("gone", "NOT_FOUND", "a0"), error("cannot", "SOMETHING", "a2", "nodes", 0)]
    assert told({"data": None, "errors": errors}) == {"a0": Code.NOT_FOUND, "a2": Code.REJECTED}


def test_a_part_that_cannot_be_computed_now_makes_its_own_alias_partial() -> None:
    errors = [error("later", "SERVICE_UNAVAILABLE", "a1", "nodes", 0, "views")]
    found = told({"data": with_a1({"nodes": [1]}), "errors": errors})
    assert {alias: partial for alias, (_, partial) in found.items()} == {
        "a0": False,
        "a1": True,
        "a2": False,
    }


def test_a_part_that_nobody_names_makes_all_partial() -> None:
    found = told(
        {"data": with_a1({"nodes": [1]}), "errors": [error("later", "SERVICE_UNAVAILABLE")]}
    )
    assert all(partial for _, partial in found.values())


def test_a_passing_error_without_data_is_a_failure_that_may_pass() -> None:
    failure = decode_batch(
        reply({"data": with_a1(None), "errors": [error("later", "SERVICE_UNAVAILABLE", "a1")]}),
        ALIASES,
    )["a1"]
    assert isinstance(failure, Transient)


def test_an_error_without_a_path_is_explained_by_a_null_which_then_counts_as_not_answered() -> None:
    assert told({"data": with_a1(None), "errors": [error("gone")]}).keys() == {"a0", "a2"}


@pytest.mark.parametrize(
    "payload",
    [
        {"data": with_a1({"nodes": []}), "errors": [error("Too complex", None)]},
        {"data": with_a1(None), "errors": [error("one", None), error("two", None)]},
        {"data": {"a0": None, "a1": None, "a2": None}, "errors": [error("Too complex", None)]},
        {"data": None, "errors": [error("Too complex", None)]},
        {"errors": [error("Too complex", None, "query GetEngagementHistorys", "a1")]},
        {"data": None, "errors": [error("gone", "NOT_FOUND", "a1"), error("Too complex", None)]},
        {"data": None, "errors": ["Too complex"]},
    ],
)
def test_an_error_that_names_no_alias_is_that_of_all(payload: Any) -> None:
    failure = refused(payload)
    assert failure.code in (Code.REJECTED, Code.NOT_FOUND)
    assert not isinstance(failure, Transient)


@pytest.mark.parametrize(
    ("payload", "status", "code"),
    [
        ({"errors": "Missing or invalid authentication token"}, 401, Code.UNAUTHENTICATED),
        ({"errors": "Shop not found"}, 404, Code.NOT_FOUND),
        ({"errors": [error("no", "UNAUTHORIZED")]}, 200, Code.FORBIDDEN),
        ({"data": {"a0": {}, "a1": {}, "a2": {}}}, 403, Code.FORBIDDEN),
        ({"errors": [error("broken", None)], "data": TWO}, 500, Code.UNAVAILABLE),
        ({"data": TWO}, 503, Code.UNAVAILABLE),
        (HTML, 502, Code.UNAVAILABLE),
        (HTML, 200, Code.BAD_RESPONSE),
        (b'{"data": {"a0": ', 200, Code.BAD_RESPONSE),
        ({"data": None}, 200, Code.BAD_RESPONSE),
        ({"data": {}}, 200, Code.BAD_RESPONSE),
        ([], 200, Code.BAD_RESPONSE),
    ],
)
def test_a_refusal_of_the_whole_is_decoded_as_any_other(
    payload: Any, status: int, code: Code
) -> None:
    failure = refused(payload, status)
    assert failure.code is code
    assert SECRET_TRACE not in f"{failure.message} {failure.hint}"


@pytest.mark.parametrize(
    ("payload", "status"),
    [
        ({"errors": [error("Retry after 0.4 seconds.", "RATE_LIMIT_EXCEEDED")]}, 429),
        ({"errors": [error("Retry after 0.4 seconds.", None)]}, 429),
        ({"errors": [error("Retry after 0.4 seconds.", "RATE_LIMIT_EXCEEDED")]}, 200),
        (
            {
                "data": TWO,
                "errors": [error("Retry after 0.4 seconds.", "RATE_LIMIT_EXCEEDED", "a1")],
            },
            200,
        ),
        ({"errors": "Rate limited. Retry after 0.4 seconds."}, 429),
        ({"data": TWO}, 429),
        (HTML, 429),
    ],
)
def test_too_fast_counts_for_the_whole_request_however_it_is_said(
    payload: Any, status: int
) -> None:
    failure = refused(payload, status, retry_after="2")
    assert isinstance(failure, Transient)
    assert (failure.code, failure.retry_after) == (Code.RATE_LIMITED, 2.0)
    assert not failure.may_have_happened
