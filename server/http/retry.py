"""When a failed request may be sent again, and how long to wait.

Reads are repeated after any failure that may pass. A write is repeated only if it provably did not
happen, or if its class declares that doing it twice is the same as doing it once; otherwise the
caller learns that its outcome is unknown, and how to check.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import anyio

from server.errors import Code, Failure

T = TypeVar("T")

ATTEMPTS = 4
# Seconds before the second attempt; each further pause doubles, half of it random.
FIRST_PAUSE = 0.3


class Transient(Failure):
    """A failure that may pass.

    Args:
        may_have_happened: whether the server may have acted on the request; False only if it
            provably did not.
        worth_repeating: whether an immediate second attempt makes sense.
        retry_after: seconds that the server asked for, None if it asked for none.
    """

    def __init__(
        self,
        code: Code,
        message: str,
        hint: str = "",
        *,
        may_have_happened: bool = True,
        worth_repeating: bool = True,
        retry_after: float | None = None,
        **details: Any,
    ) -> None:
        super().__init__(code, message, hint, retryable=True, **details)
        self.may_have_happened = may_have_happened
        self.worth_repeating = worth_repeating
        self.retry_after = retry_after


async def run_with_retries(
    attempt: Callable[[], Awaitable[T]],
    *,
    repeatable: bool,
    deadline: float,
    clock: Callable[[], float],
    verify: str = "",
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
) -> T:
    """Run `attempt` until it succeeds, fails for good, or time is up.

    Args:
        repeatable: whether sending it twice is harmless: reads, and writes declared so.
        deadline: the time on `clock`, in seconds, that no pause may pass.
        verify: for a write, how to find out whether it happened; empty for a read.

    Raises:
        Failure: the last one; `OUTCOME_UNKNOWN` for a write that may have happened.
    """
    uncertain = False
    for number in range(1, ATTEMPTS + 1):
        try:
            return await attempt()
        except Failure as failure:
            if isinstance(failure, Transient):
                uncertain |= failure.may_have_happened
                pause = _choose_pause(failure, number)
                may_repeat = number < ATTEMPTS and _is_safe_to_repeat(failure, repeatable)
                if may_repeat and clock() + pause < deadline:
                    await sleep(pause)
                    continue
            # Also after a refusal of another kind (the limiter has no turn left, say): it does not
            # show what became of an earlier attempt.
            if verify and uncertain:
                raise _make_unknown(failure, verify) from None
            raise
    raise AssertionError("the last attempt returns or raises")


def _is_safe_to_repeat(failure: Transient, repeatable: bool) -> bool:
    if not failure.worth_repeating:
        return False
    return repeatable or not failure.may_have_happened


def _choose_pause(failure: Transient, number: int) -> float:
    # After a 429 the limiter makes every caller wait, this one included: a pause here would come
    # on top of that.
    if failure.retry_after is not None:
        return 0.0
    longest = FIRST_PAUSE * 2.0 ** (number - 1)
    # Random, so that processes that failed together do not all come back at the same moment.
    return longest * (0.5 + random.random() / 2)  # noqa: S311  # jitter, not a secret


def _make_unknown(failure: Failure, verify: str) -> Failure:
    return Failure(
        Code.OUTCOME_UNKNOWN,
        f"{failure.message} The change may or may not have been made.",
        f"Do not repeat it blindly: {verify}",
    )
