from __future__ import annotations

import pytest

from server.errors import Code, Failure, allow_failure
from server.http.retry import Transient
from server.tool.elicitation import Nobody, Question

CONTRACT = {
    "INVALID_ARGUMENT",
    "UNAUTHENTICATED",
    "FORBIDDEN",
    "WORKSPACE_REQUIRED",
    "NOT_FOUND",
    "RATE_LIMITED",
    "REJECTED",
    "UNAVAILABLE",
    "TIMEOUT",
    "BAD_RESPONSE",
    "AMBIGUOUS",
    "OUTCOME_UNKNOWN",
    "CANCELLED",
    "DECLINED",
    "CONFIRMATION_REQUIRED",
    "READ_ONLY",
    "UNSUPPORTED",
    "BUDGET_EXHAUSTED",
    "NOT_CONFIGURED",
    "INTERNAL",
}


def test_the_codes_are_those_that_callers_rely_on() -> None:
    assert {code.value for code in Code} == CONTRACT
    assert all(code.name == code.value for code in Code)


def test_a_failure_carries_what_a_caller_needs() -> None:
    failure = Failure(Code.AMBIGUOUS, "Two fit.", "Name one.", candidates=["a", "b"])

    assert (failure.code, failure.message, failure.hint) == (
        Code.AMBIGUOUS,
        "Two fit.",
        "Name one.",
    )
    assert failure.retryable is False
    assert failure.details == {"candidates": ["a", "b"]}
    assert str(failure) == "Two fit."
    assert repr(failure) == "Failure(AMBIGUOUS, 'Two fit.')"


def test_what_may_pass_can_be_tried_again_by_the_caller() -> None:
    failure = Transient(Code.UNAVAILABLE, "Down.", seconds=3)

    assert isinstance(failure, Failure)
    assert failure.retryable is True
    assert failure.may_have_happened is True
    assert failure.details == {"seconds": 3}


@pytest.mark.parametrize("content", [{}, {"confirm": {"type": "boolean"}}])
async def test_nobody_is_never_asked_and_never_says_yes(content: dict[str, object]) -> None:
    reply = await Nobody().ask(Question("key", "Go ahead?", content))

    assert Nobody().can_ask is False
    assert (reply.action, dict(reply.content)) == ("unavailable", {})


async def test_only_the_failures_that_are_allowed_are_no_answer() -> None:
    async def fail(code: Code) -> str:
        raise Failure(code, "No.")

    async def succeed() -> str:
        return "yes"

    assert await allow_failure(succeed(), Code.NOT_FOUND) == "yes"
    assert await allow_failure(fail(Code.NOT_FOUND), Code.AMBIGUOUS, Code.NOT_FOUND) is None
    with pytest.raises(Failure, match=r"No\."):
        await allow_failure(fail(Code.FORBIDDEN), Code.NOT_FOUND)
