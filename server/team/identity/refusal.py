"""Why somebody was not let in."""

from __future__ import annotations

from typing import Literal

Reason = Literal["missing", "invalid", "scope", "unknown", "busy", "unavailable"]

_STATUS: dict[Reason, int] = {
    "missing": 401,
    "invalid": 401,
    "scope": 403,
    "unknown": 403,
    "busy": 429,
    "unavailable": 503,
}


class Refusal(Exception):
    """Somebody was not let in; the message is for them, and says nothing of others.

    Args:
        detail: for the log and the audit; no secret and no token.
        retry_after: seconds after which to try again.
        subject: whom the proof names, where it could be read.
    """

    def __init__(
        self,
        reason: Reason,
        message: str,
        *,
        detail: str = "",
        retry_after: int = 0,
        subject: str = "",
    ) -> None:
        super().__init__(message)
        self.reason: Reason = reason
        self.message = message
        self.detail = detail or message
        self.retry_after = retry_after
        self.subject = subject

    @property
    def status(self) -> int:
        """The HTTP status that says so."""
        return _STATUS[self.reason]
