from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.archive.failures import decode, retry_after
from server.errors import Code, Failure
from server.http.retry import Transient
from server.http.transport import Reply
from tests.support.archive.answers import (
    SECRET_TRACE,
    listed,
    refused,
    reply,
)

BAD_TOKEN = {"errors": "Missing or invalid authentication token"}
NO_SHOP = {"errors": "Shop not found"}
TOO_FAST = listed("Rate limit exceeded. Retry after 0.4 seconds.", "RATE_LIMIT_EXCEEDED")


@pytest.mark.parametrize(
    ("payload", "status", "code", "words"),
    [
        (BAD_TOKEN, 401, Code.UNAUTHENTICATED, "does not accept the token"),
        (BAD_TOKEN, 200, Code.UNAUTHENTICATED, "does not accept the token"),
        (NO_SHOP, 404, Code.NOT_FOUND, "knows no such workspace"),
        (NO_SHOP, 200, Code.NOT_FOUND, "knows no such workspace"),
        (
            listed("Field 'likes' doesn't exist on type 'Item'", "undefinedField"),
            200,
            Code.UNSUPPORTED,
            "'likes'",
        ),
        (listed("Variable mismatch", "variableMismatch"), 200, Code.UNSUPPORTED, "API has changed"),
        (listed("Argument 'x'", "argumentNotAccepted"), 200, Code.UNSUPPORTED, "API has changed"),
        (listed("No type X", "undefinedType"), 200, Code.UNSUPPORTED, "API has changed"),
        (
            listed("Missing: id", "missingRequiredArguments"),
            200,
            Code.UNSUPPORTED,
            "API has changed",
        ),
        (
            listed("NOT_VIRAL", "argumentLiteralsIncompatible"),
            200,
            Code.INVALID_ARGUMENT,
            "does not accept a value",
        ),
        (
            listed("Not authorized", "UNAUTHORIZED"),
            200,
            Code.FORBIDDEN,
            "may not use that workspace or operation",
        ),
        (
            listed("first must be less than or equal to 100"),
            200,
            Code.INVALID_ARGUMENT,
            "refused the page size",
        ),
        (
            listed('Cannot coerce "2026-03-01" to DateTime', "INTERNAL_SERVER_ERROR"),
            200,
            Code.INVALID_ARGUMENT,
            "cannot read a value",
        ),
        (
            listed("Query has depth of 12, which exceeds max depth of 10"),
            200,
            Code.INVALID_ARGUMENT,
            "depth of 12",
        ),
        (
            listed("Wrong view", "WRONG_VIEW_TYPE_FOR_ITEMS"),
            200,
            Code.INVALID_ARGUMENT,
            "`presetId` names no view",
        ),
        (
            listed("Wrong view", "WRONG_VIEW_TYPE"),
            200,
            Code.INVALID_ARGUMENT,
            "`presetId` names no view",
        ),
        (listed("View not found", "NOT_FOUND"), 200, Code.NOT_FOUND, "View not found"),
        (listed("Creator not found", "NOT_FOUND"), 404, Code.NOT_FOUND, "Creator not found"),
        (listed("Invalid cursor"), 200, Code.INVALID_ARGUMENT, "`after` is no longer valid"),
        (
            listed("Unavailable", "SERVICE_UNAVAILABLE"),
            200,
            Code.UNAVAILABLE,
            "Archive failed: Unavailable",
        ),
        (listed("Oops", "INTERNAL_SERVER_ERROR"), 200, Code.UNAVAILABLE, "Archive failed: Oops"),
        (listed("Oops", "INTERNAL_SERVER_ERROR"), 500, Code.UNAVAILABLE, "Oops"),
        (listed("Bad token"), 401, Code.UNAUTHENTICATED, "does not accept the token"),
        (listed("Something new", "SOMETHING_NEW"), 200, Code.REJECTED, "Something new"),
        (listed("Something new"), 422, Code.REJECTED, "Something new"),
        (listed("Something new"), 503, Code.UNAVAILABLE, "HTTP 503"),
        (listed("Something new"), 500, Code.UNAVAILABLE, "HTTP 500"),
        ({"errors": "Something else"}, 200, Code.REJECTED, "Something else"),
        ({"errors": "Something else"}, 403, Code.FORBIDDEN, "may not use"),
        ({"errors": "Something else"}, 500, Code.UNAVAILABLE, "HTTP 500"),
        ({"errors": [{}]}, 200, Code.REJECTED, "Archive refused it"),
        ({"errors": [{"message": "Odd", "extensions": "text"}]}, 200, Code.REJECTED, "Odd"),
        ({"error": "unauthorized"}, 401, Code.UNAUTHENTICATED, "does not accept the token"),
        ({"error": "forbidden"}, 403, Code.FORBIDDEN, "may not use"),
    ],
)
def test_each_refusal_is_told_in_the_callers_words(
    payload: Any, status: int, code: Code, words: str
) -> None:
    failure = refused(payload, status)

    assert failure.code is code
    assert words in failure.message
    assert SECRET_TRACE not in failure.message + failure.hint + str(failure.details)


@pytest.mark.parametrize(
    "payload",
    [
        TOO_FAST,
        listed("Slow down", "RATE_LIMIT_EXCEEDED"),
        listed("Slow down"),
        {"errors": "Rate limit exceeded for this workspace. Retry after 0.4 seconds."},
        {"errors": "Too many requests with this token"},
        {"errors": []},
        {},
        b"<html>Too many</html>",
        b"",
    ],
)
def test_a_refusal_for_speed_is_known_by_its_status_whatever_the_body(payload: Any) -> None:
    failure = refused(payload, 429)

    assert isinstance(failure, Transient)
    assert failure.code is Code.RATE_LIMITED
    assert failure.retry_after is not None
    assert not failure.may_have_happened
    assert failure.worth_repeating


def test_a_refusal_for_speed_is_known_by_its_code_whatever_the_status() -> None:
    failure = refused(TOO_FAST, 200)

    assert isinstance(failure, Transient)
    assert (failure.code, failure.retry_after) == (Code.RATE_LIMITED, 0.4)


@pytest.mark.parametrize("payload", [NO_SHOP, BAD_TOKEN, {"errors": "workspace token"}])
def test_a_broken_server_is_not_taken_for_a_wrong_workspace_or_token(payload: Any) -> None:
    assert refused(payload, 502).code is Code.UNAVAILABLE


@pytest.mark.parametrize(
    ("header", "message", "seconds"),
    [
        ("2", "Retry after 0.4 seconds.", 2.0),
        ("0", "Retry after 0.4 seconds.", 0.4),
        (None, "Retry after 3 seconds", 3.0),
        (None, "retry after 1 second.", 1.0),
        ("1.5", "", 1.5),
        (None, "", 1.0),
        ("Wed, 21 Oct 2026 07:28:00 GMT", "", 1.0),
        ("-5", "", 1.0),
        ("nan", "", 1.0),
        (None, "Retry after 1.2.3 seconds", 1.0),
        (None, "Retry after .. seconds", 1.0),
    ],
)
def test_the_longer_wait_of_header_and_message_counts(
    header: str | None, message: str, seconds: float
) -> None:
    headers = {} if header is None else {"retry-after": header}

    assert retry_after(Reply(429, headers, b""), message) == seconds


@given(st.text())
def test_no_message_breaks_the_reading_of_a_wait(message: str) -> None:
    assert retry_after(Reply(429, {}, b""), f"Retry after {message} seconds") >= 0


@pytest.mark.parametrize(
    ("body", "status", "code", "words"),
    [
        (b"", 200, Code.BAD_RESPONSE, "an empty answer"),
        (b"  \n", 200, Code.BAD_RESPONSE, "an empty answer"),
        (
            b"<!DOCTYPE html><title>Sign in</title>",
            200,
            Code.BAD_RESPONSE,
            "A sign-in page answered in place of Archive",
        ),
        (b"<html>nginx</html>", 404, Code.BAD_RESPONSE, "an HTML page instead of data"),
        (b'{"data": {"items": {"nodes": [', 200, Code.BAD_RESPONSE, "not complete JSON"),
        (b"\xff\xfe", 200, Code.BAD_RESPONSE, "not complete JSON"),
        (b"[" * 100_000, 200, Code.BAD_RESPONSE, "not complete JSON"),
        (b"[]", 200, Code.BAD_RESPONSE, "not complete JSON"),
        (b"null", 200, Code.BAD_RESPONSE, "not complete JSON"),
        (b"{}", 200, Code.BAD_RESPONSE, "an answer without data"),
        (b'{"data": null}', 200, Code.BAD_RESPONSE, "an answer without data"),
        (b'{"data": {}}', 200, Code.BAD_RESPONSE, "an answer without data"),
        (b'{"data": {"other": 1}}', 200, Code.BAD_RESPONSE, "an answer without data"),
        (b'{"data": [], "errors": []}', 200, Code.BAD_RESPONSE, "an answer without data"),
        (b"", 302, Code.BAD_RESPONSE, "a redirect (HTTP 302), which is not followed"),
        (b"<html>gateway</html>", 502, Code.UNAVAILABLE, "HTTP 502"),
        (b"", 500, Code.UNAVAILABLE, "HTTP 500"),
        (b'{"data": {"items": {}}}', 503, Code.UNAVAILABLE, "HTTP 503"),
        (b"{}", 500, Code.UNAVAILABLE, "HTTP 500"),
        (b"<html>login</html>", 401, Code.UNAVAILABLE, "the token or key was not looked at"),
        (b"<html>blocked</html>", 403, Code.UNAVAILABLE, "the token or key was not looked at"),
    ],
)
def test_an_answer_that_is_no_answer_is_told_without_its_markup(
    body: bytes, status: int, code: Code, words: str
) -> None:
    failure = refused(body, status)

    assert failure.code is code
    assert words in failure.message
    assert "<" not in failure.message
    if code is Code.BAD_RESPONSE:
        assert isinstance(failure, Transient)
        assert not failure.worth_repeating


@given(st.binary(max_size=200), st.sampled_from([200, 302, 401, 404, 429, 500, 503]))
def test_no_body_whatever_escapes_as_anything_but_a_failure(body: bytes, status: int) -> None:
    with pytest.raises(Failure):
        decode(Reply(status, {}, body), "items")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["errors", "data", "message", "extensions", "code"]), inner, max_size=3
        )
    ),
    max_leaves=10,
)


@given(json_values, st.sampled_from([200, 401, 429, 500]))
def test_no_json_whatever_escapes_as_anything_but_a_failure(payload: Any, status: int) -> None:
    with pytest.raises(Failure):
        decode(reply(payload, status), "items")


@pytest.mark.parametrize(
    ("status", "repeat"),
    [(500, False), (501, False), (502, True), (503, True), (504, True), (520, False)],
)
def test_only_a_gateways_trouble_is_worth_an_immediate_second_attempt(
    status: int, repeat: bool
) -> None:
    failure = refused(b"", status)

    assert isinstance(failure, Transient)
    assert failure.worth_repeating is repeat
    assert failure.may_have_happened


def test_a_service_that_is_down_for_a_moment_is_worth_a_second_attempt_and_a_bug_is_not() -> None:
    down, bug = (
        refused(listed("x", "SERVICE_UNAVAILABLE")),
        refused(listed("x", "INTERNAL_SERVER_ERROR")),
    )

    assert isinstance(down, Transient)
    assert isinstance(bug, Transient)
    assert (down.worth_repeating, bug.worth_repeating) == (True, False)


def test_of_several_errors_the_one_that_tells_most_is_told() -> None:
    errors = [*listed("Hm")["errors"], *listed("No", "UNAUTHORIZED")["errors"]]

    assert refused({"errors": errors}).code is Code.FORBIDDEN


def test_markup_and_length_of_their_words_are_taken_out() -> None:
    failure = refused(listed("<b>Bad</b>\n\n <script src='x'>value</script> " + "x" * 1000))

    assert "Bad value xxx" in failure.message
    assert "<" not in failure.message
    assert len(failure.message) < 350


def test_an_unknown_workspace_is_marked_so_that_the_choices_can_be_added() -> None:
    assert refused(NO_SHOP, 404).details == {"unknown_workspace": True}


def test_the_hints_say_what_to_do() -> None:
    token = refused(BAD_TOKEN, 401).hint
    assert "Settings > Integrations" in token
    assert "Settings > API" in token
    assert "ARCHIVE_APP_TOKEN" in token
    assert "{filterPresets}" in refused(listed("Wrong", "WRONG_VIEW_TYPE_FOR_ITEMS")).hint
    for operation in ("creatorViews", "creators", "socialProfileViews", "socialProfiles"):
        assert f"{{{operation}}}" in refused(listed("Wrong", "WRONG_VIEW_TYPE")).hint
    assert "{workspaces}" in refused(listed("No", "UNAUTHORIZED")).hint
    assert "Wait 0.4 s" in refused(TOO_FAST, 429).hint


def test_errors_that_are_plain_strings_in_a_list_are_told() -> None:
    failed = refused({"data": None, "errors": ["No such thing as a Foo"]})
    assert (failed.code, "No such thing as a Foo" in failed.message) == (Code.REJECTED, True)
