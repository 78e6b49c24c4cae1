"""The one exception that a caller may see, and its stable codes.

    Failure(Exception)      anything a call can end with, told in the caller's words code
        one of Code: stable, part of the contract message             what happened hint
        what to do next; `{items}` stands for the tool that serves the operation `items` retryable
        whether the same call can succeed later without a change details             JSON-ready
        extras (choices, candidates, a preview)

Anything else that escapes is a bug and is masked as `INTERNAL` at the outermost handler.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any


class Code(StrEnum):
    """Error codes of a failed tool call."""

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
    """A call that could not be done, in the caller's words."""

    def __init__(
        self, code: Code, message: str, hint: str = "", *, retryable: bool = False, **details: Any
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.retryable = retryable
        self.details = details

    def __repr__(self) -> str:
        return f"Failure({self.code}, {self.message!r})"
