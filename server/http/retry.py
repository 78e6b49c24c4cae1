"""When a failed request may be sent again, and how long to wait.

Reads are repeated on anything passing. A write is repeated only if it provably did not happen, or
if its class declares that twice is the same as once; otherwise the caller is told that its outcome
is unknown, and how to find out.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import anyio

from server.errors import Code, Failure

T = TypeVar("T")

ATTEMPTS = 4
FIRST_PAUSE = 0.3
"""Seconds before the second attempt; each further pause doubles, half of it random."""


class Transient(Failure):
    """A failure that may pass.

    Args: may_have_happened: whether the other side may have acted on the request; False only if it
        provably did not. worth_repeating: whether an immediate second attempt makes sense.
        retry_after: seconds that the other side asked for, None if it did not say.
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


async def repeated(
    attempt: Callable[[], Awaitable[T]],
    *,
    repeatable: bool,
    deadline: float,
    clock: Callable[[], float],
    verify: str = "",
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
) -> T:
    """Run `attempt` until it succeeds, fails for good, or the next pause would pass `deadline` (on
    `clock`).

    Args:
        repeatable: whether sending it twice is harmless: reads, and writes declared so.
        verify: for a write, how to find out whether it happened; empty for a read.

    Raises:
        Failure: the last one; `OUTCOME_UNKNOWN` for a write that may have happened.
    """
    uncertain = False
    for number in range(1, ATTEMPTS + 1):
        try:
            return await attempt()
        except Transient as failure:
            uncertain |= failure.may_have_happened
            safe = repeatable or not failure.may_have_happened
            # After a 429 the limiter makes everybody wait, this caller included: a pause here would
            # come on top.
            pause = 0.0 if failure.retry_after is not None else _pause(number)
            last = number == ATTEMPTS or not failure.worth_repeating or clock() + pause >= deadline
            if safe and not last:
                await sleep(pause)
                continue
            if verify and uncertain:
                raise _unknown(failure, verify) from None
            raise
        except Failure as failure:
            # A later refusal (no turn left, say) does not tell what became of an earlier attempt.
            if verify and uncertain:
                raise _unknown(failure, verify) from None
            raise
    raise AssertionError("the last attempt returns or raises")


def _pause(number: int) -> float:
    longest = FIRST_PAUSE * 2.0 ** (number - 1)
    return longest * (0.5 + random.random() / 2)  # noqa: S311  # jitter, not a secret


def _unknown(failure: Failure, verify: str) -> Failure:
    return Failure(
        Code.OUTCOME_UNKNOWN,
        f"{failure.message} The change may or may not have been made.",
        f"Do not repeat it blindly: {verify}",
    )
