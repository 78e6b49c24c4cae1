"""The interface of a limiter, as its callers see it."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Literal, Protocol

Lane = Literal["interactive", "job"]
# Awaited when the turn of a send has come, right before its bytes leave; what it raises keeps them.
Admit = Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class Snapshot:
    """The pace and the credits of one key.

    Attributes:
        gap: Seconds between sends.
        penalty: Seconds for which a 429 still keeps everybody from sending.
        jitter: Estimated unevenness of arrivals in seconds; None without enough evidence.
        plan: Name of the plan; this and the rest are None until the API sends credit headers.
        burst: Credits that the bucket holds.
        refill: Credits per second that come back, as far as that was seen.
        credits: Credits left now.
        stated_refill: Credits per second by the plan; more than `refill` where others spend too.
        reserve: Credits that a job leaves untouched.
    """

    gap: float
    penalty: float
    jitter: float | None
    plan: str | None
    burst: float | None
    refill: float | None
    credits: float | None
    stated_refill: float | None = None
    reserve: float = 0.0

    @property
    def confirms_plan(self) -> bool:
        """Whether as much comes back as the plan states."""
        return (self.refill or 0.0) >= (self.stated_refill or 0.0)

    def seconds(self, requests: float, credits: float) -> float:
        """Return about how long so many requests of so many credits in all take."""
        paced = requests * self.gap
        if not self.refill:
            return self.penalty + paced
        # Both limits hold at once (Archive docs, rate limits): the slower one decides.
        spare = max(0.0, (self.credits or 0.0) - self.reserve)
        return self.penalty + max(paced, (credits - spare) / self.refill)


# One send only: a retry needs a slot of its own, or the API would see more than was counted.
class Slot(Protocol):
    """The permission for exactly one send, to be used at once."""

    def note_sent(self) -> None:
        """Note that the send leaves only now: what it waited for after its turn counts as late."""

    def report_answer(
        self,
        status: int,
        headers: Mapping[str, str],
        *,
        retry_after: float | None = None,
        new_connection: bool = False,
    ) -> None:
        """Report how the API answered the send of this slot.

        Args:
            status: HTTP status of the answer.
            headers: HTTP headers of the answer, in upper or lower case.
            retry_after: Seconds that the API asked to wait; read with 429 only.
            new_connection: Whether the send had to open a connection first.
        """


class Limiter(Protocol):
    """Hands out slots, one for each send."""

    def slot(
        self,
        key: str,
        *,
        operation: str = "",
        cost: float = 5,
        lane: Lane = "interactive",
        deadline: float | None = None,
    ) -> AbstractAsyncContextManager[Slot]:
        """Wait for the turn of one send.

        Args:
            key: What shares the limit, from `state_key`.
            operation: Name under which round-trip times are compared with each other.
            cost: Credits that the send is expected to take.
            lane: `job` lets every interactive caller of this process go first and leaves more
                credits untouched.
            deadline: Latest useful start, in seconds of the limiter's monotonic clock; None waits
                as long as it takes.

        Raises:
            Failure: On entering, `RATE_LIMITED` if the turn cannot come before the deadline,
                `BUDGET_EXHAUSTED` if the credits cannot; both say how many seconds to wait.
        """

    async def snapshot(self, key: str) -> Snapshot | None:
        """Return the pace and the credits of a key; None from a limiter that knows neither."""


def state_key(origin: str, *parts: str) -> str:
    """Return a name for what shares a limit, without a readable secret.

    What shares a limit is an API origin with a workspace, or with a token.

    Args:
        origin: Scheme, host and port of the API.
        parts: What distinguishes one budget from another; their order matters.

    Returns:
        32 hexadecimal digits.
    """
    # A hash, because a part may be the token, and the key stands in a file.
    digest = hashlib.blake2b(digest_size=16, person=b"archive-mcp")
    for part in (origin, *parts):
        # The length before each part keeps ("ab", "c") apart from ("a", "bc").
        text = part.encode()
        digest.update(len(text).to_bytes(8, "big") + text)
    return digest.hexdigest()
