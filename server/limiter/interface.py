"""What callers of a limiter rely on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Literal, Protocol

Lane = Literal["interactive", "job"]


@dataclass(frozen=True)
class Snapshot:
    """How a key stands.

    gap: seconds between sends; penalty: seconds that a 429 still keeps everybody from sending;
    jitter: estimated unevenness of arrivals in seconds, None without enough evidence; plan, burst
    (credits), refill (credits per second) and credits (left now): None until the API has named
    them.
    """

    gap: float
    penalty: float
    jitter: float | None
    plan: str | None
    burst: float | None
    refill: float | None
    credits: float | None


class Slot(Protocol):
    """Permission for exactly one send, to be used at once."""

    def report_answer(
        self,
        status: int,
        headers: Mapping[str, str],
        *,
        retry_after: float | None = None,
        new_connection: bool = False,
    ) -> None:
        """Say how the API answered the send of this slot.

        Args: status: HTTP status of the answer. headers: HTTP headers of the answer, in any case.
            retry_after: Seconds that the API asked to wait, if the body or a header named any. Only
            read with 429. new_connection: Whether the send had to open a connection first.
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

        Args: key: What shares the limit, from `state_key`. operation: Name under which round-trip
            times are compared with each other. cost: Credits that the send is expected to take.
            lane: `job` lets every interactive caller of this process go first and leaves more
            credits untouched. deadline: Latest useful start, in seconds of the limiter's monotonic
            clock; None waits as long as it takes.

        Raises: Failure: On entering, `RATE_LIMITED` if the turn cannot come before the deadline,
            `BUDGET_EXHAUSTED` if the credits cannot; both say how many seconds to wait.
        """

    async def snapshot(self, key: str) -> Snapshot | None:
        """How a key stands; None where nothing is known about such things."""


def state_key(origin: str, *parts: str) -> str:
    """Name what shares a limit (an API origin and a workspace, or a token) without a readable
    secret.

    Args:
        origin: Scheme, host and port of the API.
        parts: What else tells one budget from another; order matters.

    Returns:
        32 hexadecimal digits.
    """
    digest = hashlib.blake2b(digest_size=16, person=b"archive-mcp")
    for part in (origin, *parts):
        text = part.encode()
        digest.update(len(text).to_bytes(8, "big") + text)
    return digest.hexdigest()
