"""Which failures of a record may pass, and which are about the record itself."""

from __future__ import annotations

from server.errors import Code, Failure

# The most seconds between two attempts.
LONGEST_PAUSE = 60.0
# The same where the failure names a time: a longer pause is better left to the user.
LONGEST_ASKED_PAUSE = 300.0

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
    """Return whether the same request may succeed later although nobody changes anything."""
    # A full disk does not empty itself: the user should read of it now, not after all attempts.
    return failure.code in PASSING and failure.details.get("disk") != "full"


def choose_pause(failure: Failure, strikes: int) -> float:
    """Return the seconds until the next attempt after this many failures in a row that may pass."""
    # Doubled each time, so that a server that comes back is not met by all attempts at once.
    pause = min(2.0 ** (strikes - 1), LONGEST_PAUSE)
    # The API's own wish goes first, within reason: a day's pause is better left to the user.
    requested = failure.details.get("retry_after")
    if isinstance(requested, int | float):
        return max(pause, min(float(requested), LONGEST_ASKED_PAUSE))
    return pause
