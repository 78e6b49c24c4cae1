"""Which failures of a record may pass, and which are about the record itself."""

from __future__ import annotations

from server.errors import Code, Failure

# BAD_RESPONSE among them: proxies send pages of their own while a server restarts.
PASSING = {
    Code.RATE_LIMITED,
    Code.UNAVAILABLE,
    Code.TIMEOUT,
    Code.BUDGET_EXHAUSTED,
    Code.BAD_RESPONSE,
    Code.OUTCOME_UNKNOWN,
}
# Refused for the record's own sake: sending it again would end the same way.
REFUSED = {Code.REJECTED, Code.NOT_FOUND, Code.INVALID_ARGUMENT, Code.AMBIGUOUS}


def may_pass(failure: Failure) -> bool:
    """Return whether the same may succeed in a while without anybody's doing."""
    # A full disk does not empty itself: the user should read of it now, not after all attempts.
    return failure.code in PASSING and failure.details.get("disk") != "full"
