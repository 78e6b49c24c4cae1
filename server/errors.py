"""The one exception that a caller may see, and its stable codes.

    Failure(Exception)      a call could not be done; the reason in the caller's words
        code                one of Code: stable, part of the contract
        message             what happened
        hint                what to do next; `{items}` stands for the tool of the operation `items`
        retryable           whether the same call can succeed later without a change
        details             JSON-ready extras (choices, candidates, a preview)

Anything else that escapes is a bug, and the outermost handler masks it as `INTERNAL`.
"""

from __future__ import annotations

from collections.abc import Awaitable
from enum import StrEnum
from typing import Any, TypeVar

from server.redaction import redact, redact_values
from server.text import clean_sentence

# Where a failed call's answer has the error, in its `_meta`.
ERROR_META = "archive-mcp/error"

T = TypeVar("T")


class Code(StrEnum):
    """The kinds of failure; clients and models match these texts."""

    INVALID_ARGUMENT = "INVALID_ARGUMENT"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    WORKSPACE_REQUIRED = "WORKSPACE_REQUIRED"
    NOT_FOUND = "NOT_FOUND"
    RATE_LIMITED = "RATE_LIMITED"
    REJECTED = "REJECTED"
    UNAVAILABLE = "UNAVAILABLE"
    TIMEOUT = "TIMEOUT"
    BAD_RESPONSE = "BAD_RESPONSE"
    AMBIGUOUS = "AMBIGUOUS"
    OUTCOME_UNKNOWN = "OUTCOME_UNKNOWN"
    CANCELLED = "CANCELLED"
    DECLINED = "DECLINED"
    CONFIRMATION_REQUIRED = "CONFIRMATION_REQUIRED"
    READ_ONLY = "READ_ONLY"
    UNSUPPORTED = "UNSUPPORTED"
    BUDGET_EXHAUSTED = "BUDGET_EXHAUSTED"
    NOT_CONFIGURED = "NOT_CONFIGURED"
    INTERNAL = "INTERNAL"


class Failure(Exception):
    """Says in the caller's words why a call could not be done."""

    def __init__(
        self, code: Code, message: str, hint: str = "", *, retryable: bool = False, **details: Any
    ) -> None:
        # Here, because a failure may be journalled or logged as well as answered, and its text may
        # repeat a secret, or what strangers wrote.
        self.message = clean_sentence(redact(message))
        # The message alone: tracebacks and logs need no hint for a model.
        super().__init__(self.message)
        self.code = code
        self.hint = clean_sentence(redact(hint))
        self.retryable = retryable
        self.details: dict[str, Any] = redact_values(details)

    def __repr__(self) -> str:
        # Without details, which may hold records of the user.
        return f"Failure({self.code}, {self.message!r})"


async def allow_failure(answer: Awaitable[T], *codes: Code) -> T | None:
    """Return an answer, or None where it fails with one of these codes.

    Raises:
        Failure: it fails with another code.
    """
    try:
        return await answer
    except Failure as failure:
        if failure.code not in codes:
            raise
    return None
